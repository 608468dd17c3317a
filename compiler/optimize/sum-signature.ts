/**
 * Recognizes equal sums: a term's signature is a number and the names of its factors, where a sum over the same indices of
 * the same body is one name whether it stands here or in another node, and maps between are looked through. So
 * `sum (x - mean)` is `1 * S(x) - K * (1/K * S(x))`, which is 0.
 */
import { elementCount } from "../graph/builder.ts";
import { composed } from "../graph/compose.ts";
import type { Coordinate, GenericNode, Scalar, ScalarRead } from "../graph/graph.ts";
import type { Keys } from "../graph/keys.ts";
import { coordinateValue } from "../graph/scalars.ts";
import { indexSubstituter, indicesOf } from "../graph/traverse.ts";
import { behindViews, type DefinitionOf } from "./behind-views.ts";
import { isRow } from "./scalar-rules.ts";
import { bodySimplifier } from "./simplify.ts";
import { type SumTerm, termsOf } from "./terms.ts";

export interface Signature {
  readonly coefficient: number;
  readonly atoms: readonly string[];
}

/** How many maps and sums are looked through. */
const depthLimit = 6;

const fold = bodySimplifier([], () => undefined);

/** The sum whose terms are compared: its domain, and what computes the tensors it reads. */
export class SumSite {
  readonly node: GenericNode;
  readonly extents: readonly number[];
  readonly definition: DefinitionOf;
  readonly #keys: Keys;

  constructor(node: GenericNode, definition: DefinitionOf, keys: Keys) {
    this.node = node;
    this.extents = [...node.parallel, ...node.reduction].map((axis) => axis.extent);
    this.definition = definition;
    this.#keys = keys;
  }

  isReduction = (position: number): boolean => position >= this.node.parallel.length;

  key(scalar: Scalar): number {
    return this.#keys.scalar(scalar);
  }

  /** What the map behind a read computes, over this domain. */
  lookThrough(read: ScalarRead): Scalar | undefined {
    const { tensor, coordinates } = behindViews(read, this.extents, this.definition);
    const map = this.definition(tensor);
    if (map?.kind !== "generic" || map.combiner !== "map" || tensor.type.dtype !== "f32") return undefined;
    return composed(map, read, coordinates, this.extents, fold);
  }

  /** How many points of the reduction a product that uses only some indices stands for. */
  multiplicity(rest: readonly Scalar[]): number {
    const used = new Set(rest.flatMap((factor) => [...indicesOf(factor)]));
    return elementCount(this.extents.filter((_, position) => this.isReduction(position) && !used.has(position)));
  }

  signature(term: SumTerm): Signature {
    return this.#signature(term, depthLimit);
  }

  #signature(term: SumTerm, depth: number): Signature {
    const parts = [
      { coefficient: term.coefficient * this.multiplicity(term.rest), atoms: [] },
      ...term.multipliers.map((factor) => this.#product(factor, depth)),
      ...term.divisors.map((factor) => inverse(this.#product(factor, depth))),
    ];
    const atoms = parts.flatMap((part) => part.atoms);
    for (const mask of term.masks) atoms.push(`mask ${this.key(mask)}`);
    if (term.rest.length > 0) atoms.push(this.#sumAtom(term.rest));
    return {
      coefficient: parts.reduce((value, part) => value * part.coefficient, 1),
      atoms: cancelled(atoms),
    };
  }

  #sumAtom(rest: readonly Scalar[]): string {
    const reduced = this.extents.slice(this.node.parallel.length);
    const factors = rest.map((factor) => this.key(factor)).sort((a, b) => a - b);
    return `sum ${reduced.join()} ${factors.join("*")}`;
  }

  /** A scalar over the parallel indices as a number times named factors. */
  #product(scalar: Scalar, depth: number): Signature {
    const other: Signature = { coefficient: 1, atoms: [`value ${this.key(scalar)}`] };
    if (scalar.kind === "constant") return { coefficient: scalar.value, atoms: [] };
    if (depth === 0) return other;
    if (scalar.kind === "read") return this.#read(scalar, depth - 1) ?? other;
    if (scalar.kind !== "apply") return other;
    const [a, b] = scalar.arguments;
    if (isRow(scalar, "neg")) return merged({ coefficient: -1, atoms: [] }, this.#product(a!, depth));
    if (isRow(scalar, "mul")) return merged(this.#product(a!, depth), this.#product(b!, depth));
    if (isRow(scalar, "div")) return merged(this.#product(a!, depth), inverse(this.#product(b!, depth)));
    return other;
  }

  #read(read: ScalarRead, depth: number): Signature | undefined {
    const through = this.lookThrough(read);
    if (through) return this.#product(through, depth);
    if (read.otherwise !== undefined) return undefined;
    const { tensor, coordinates } = behindViews(read, this.extents, this.definition);
    const source = this.definition(tensor);
    if (source?.kind !== "generic" || source.results[0] !== tensor || tensor.type.dtype !== "f32") return undefined;
    if (source.combiner !== "sum" && source.combiner !== "moments") return undefined;
    const body = this.#bodyHere(source, coordinates);
    if (!body) return undefined;
    const [term, ...more] = termsOf(body, this.isReduction);
    if (!term || more.length > 0) return undefined;
    const signature = this.#signature(term, depth);
    if (source.combiner === "sum") return signature;
    const count = elementCount(source.reduction.map((axis) => axis.extent));
    return merged(signature, { coefficient: 1 / count, atoms: [] });
  }

  /** Another sum's body over this domain, if its reduction is the same as this one's. */
  #bodyHere(other: GenericNode, coordinates: readonly Coordinate[]): Scalar | undefined {
    const { parallel, reduction } = this.node;
    const sameReduction =
      other.reduction.length === reduction.length &&
      other.reduction.every((axis, k) => axis.extent === reduction[k]!.extent);
    if (!sameReduction) return undefined;
    const at = coordinates.filter((_, axis) => other.results[0]!.type.shape[axis] !== 1);
    const by = (position: number): Coordinate =>
      at[position] ?? {
        offset: 0,
        terms: [{ kind: "affine", coefficient: 1, position: parallel.length + position - other.parallel.length }],
      };
    if (at.length !== other.parallel.length) return undefined;
    return indexSubstituter({
      by,
      value: (position) => coordinateValue(by(position)),
      extents: this.extents,
    }).scalar(other.body);
  }
}

function merged(a: Signature, b: Signature): Signature {
  return { coefficient: a.coefficient * b.coefficient, atoms: [...a.atoms, ...b.atoms] };
}
function inverse({ coefficient, atoms }: Signature): Signature {
  return {
    coefficient: 1 / coefficient,
    atoms: atoms.map((atom) => (atom.startsWith("/") ? atom.slice(1) : `/${atom}`)),
  };
}
function cancelled(atoms: readonly string[]): string[] {
  const left: string[] = [];
  for (const atom of atoms) {
    const opposite = left.indexOf(atom.startsWith("/") ? atom.slice(1) : `/${atom}`);
    if (opposite >= 0) left.splice(opposite, 1);
    else left.push(atom);
  }
  return left.sort();
}
