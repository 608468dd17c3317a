/**
 * The support of a factor: the distinct points at which it is evaluated. Indices that enter every coordinate in a fixed
 * proportion, as the pixel and the tap of a window do (`i + p - 2`), form one dimension, so that packing evaluates a pixel
 * once and not once a tap: a padded copy where the textbook has im2col.
 */
import { isAffine } from "../../graph/affine.ts";
import type { Coordinate, Scalar, Term } from "../../graph/graph.ts";
import { rewriteScalar, visitScalars } from "../../graph/traverse.ts";
import { invariant } from "../../invariant.ts";
import type { Factor } from "./analysis.ts";

export interface SupportTerm {
  readonly position: number;
  readonly coefficient: number;
}
/** The values of `sum of terms - lowest`. */
export interface SupportDimension {
  readonly terms: readonly SupportTerm[];
}
export interface Support {
  readonly dimensions: readonly SupportDimension[];
  /** The factor with dimension d as its index d. */
  readonly body: Scalar;
}

/** The least value and the number of values of a sum of terms. */
export function spanOf(
  terms: readonly SupportTerm[],
  extents: readonly number[],
): { readonly lowest: number; readonly extent: number } {
  let lowest = 0;
  let extent = 1;
  for (const { position, coefficient } of terms) {
    const last = coefficient * (extents[position]! - 1);
    lowest += Math.min(0, last);
    extent += Math.abs(last);
  }
  return { lowest, extent };
}

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));

/** `apart`: an index that has a dimension of its own in any case. */
export function supportOf(factor: Factor, extents: readonly number[], apart?: number): Support {
  const uses = coefficientsOf(factor.body);
  const families = new Map<string, SupportTerm[]>();
  for (const position of [...factor.positions].sort((a, b) => a - b)) {
    const own = uses.get(position);
    invariant(own, `index ${position} is used by the factor`);
    if (own === "alone" || position === apart) {
      families.set(`alone ${position}`, [{ position, coefficient: 1 }]);
      continue;
    }
    const sign = own.values().next().value! < 0 ? -1 : 1;
    const scale = sign * [...own.values()].reduce(gcd, 0);
    const key = [...own].map(([occurrence, coefficient]) => `${occurrence}:${coefficient / scale}`).join();
    families.set(key, [...(families.get(key) ?? []), { position, coefficient: scale }]);
  }
  const dimensions: SupportDimension[] = [];
  for (const terms of families.values()) {
    const common = terms.map(({ coefficient }) => coefficient).reduce(gcd, 0);
    const scale = terms.length === 1 ? terms[0]!.coefficient : common;
    const scaled = terms.map((term) => ({ ...term, coefficient: term.coefficient / scale }));
    const points = scaled.reduce((product, { position }) => product * extents[position]!, 1);
    // Taps far apart leave gaps that nobody reads.
    if (spanOf(scaled, extents).extent <= points) dimensions.push({ terms: scaled });
    else for (const { position } of terms) dimensions.push({ terms: [{ position, coefficient: 1 }] });
  }
  return { dimensions, body: overDimensions(factor.body, dimensions, extents) };
}

/** The coefficient of every index in every coordinate that has it, or that it is used in another way. */
function coefficientsOf(body: Scalar): Map<number, Map<string, number> | "alone"> {
  const uses = new Map<number, Map<string, number> | "alone">();
  let occurrence = 0;
  visitScalars([body], (scalar) => {
    if (scalar.kind === "index") uses.set(scalar.position, "alone");
    if (scalar.kind !== "read") return;
    for (const coordinate of scalar.coordinates) {
      occurrence++;
      for (const term of coordinate.terms) {
        if (term.kind === "data") continue;
        const own = uses.get(term.position) ?? new Map<string, number>();
        if (own === "alone") continue;
        if (term.kind === "table") uses.set(term.position, "alone");
        else uses.set(term.position, own.set(`${occurrence}`, term.coefficient));
      }
    }
  });
  return uses;
}

function overDimensions(body: Scalar, dimensions: readonly SupportDimension[], extents: readonly number[]): Scalar {
  const dimensionOf = new Map<number, { d: number; coefficient: number }>();
  for (const [d, { terms }] of dimensions.entries())
    for (const { position, coefficient } of terms) dimensionOf.set(position, { d, coefficient });
  const place = (position: number): { d: number; coefficient: number } => {
    const found = dimensionOf.get(position);
    invariant(found, `index ${position} has a dimension`);
    return found;
  };
  const coordinate = ({ offset, terms }: Coordinate): Coordinate => {
    const moved: Term[] = [];
    const seen = new Set<number>();
    let total = offset;
    for (const term of terms) {
      if (term.kind === "data") moved.push(term);
      else {
        const { d, coefficient } = place(term.position);
        if (term.kind === "table") moved.push({ ...term, position: d });
        else if (!seen.has(d)) {
          seen.add(d);
          const scale = term.coefficient / coefficient;
          moved.push({ kind: "affine", coefficient: scale, position: d });
          total += scale * spanOf(dimensions[d]!.terms, extents).lowest;
        }
      }
    }
    return { offset: total, terms: moved };
  };
  return rewriteScalar(body, (scalar) => {
    if (scalar.kind === "index") return { ...scalar, position: place(scalar.position).d };
    if (scalar.kind === "read") return { ...scalar, coordinates: scalar.coordinates.map(coordinate) };
    return scalar;
  });
}

/** Values of a dimension's index, `from` included, `to` not. */
export interface IndexRange {
  readonly from: number;
  readonly to: number;
}
/** The values of a dimension's index for which a factor may differ from zero: those around are padding. */
export function rangeOf(body: Scalar, d: number, extent: number): IndexRange {
  const everywhere: IndexRange = { from: 0, to: extent };
  const nowhere: IndexRange = { from: 0, to: 0 };
  const both = (a: IndexRange, b: IndexRange): IndexRange => {
    const [from, to] = [Math.max(a.from, b.from), Math.min(a.to, b.to)];
    return from < to ? { from, to } : nowhere;
  };
  const either = (a: IndexRange, b: IndexRange): IndexRange => {
    if (a.to === 0) return b;
    return b.to === 0 ? a : { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) };
  };
  const walk = (scalar: Scalar): IndexRange => {
    if (scalar.kind === "constant") return scalar.value === 0 ? nowhere : everywhere;
    if (scalar.kind === "read") {
      if (scalar.otherwise !== 0) return everywhere;
      const axes = scalar.coordinates.map((coordinate, axis) =>
        insideOf(coordinate, d, scalar.tensor.type.shape[axis]!),
      );
      return axes.reduce<IndexRange>((range, axis) => (axis ? both(range, axis) : range), everywhere);
    }
    if (scalar.kind !== "apply") return everywhere;
    const [first, second, third] = scalar.arguments;
    if (scalar.name === "mul" && first && second) return both(walk(first), walk(second));
    if (scalar.name === "select" && second && third) return either(walk(second), walk(third));
    return everywhere;
  };
  return walk(body);
}

/** Where a coordinate that depends on one dimension alone lies in an axis. */
function insideOf(coordinate: Coordinate, d: number, size: number): IndexRange | undefined {
  const [term, ...others] = coordinate.terms;
  if (!isAffine(coordinate) || term?.kind !== "affine" || others.length > 0 || term.position !== d) return undefined;
  // In range: 0 <= offset + c * x < size.
  const { offset } = coordinate;
  const c = term.coefficient;
  return c > 0
    ? { from: Math.ceil(-offset / c), to: Math.floor((size - 1 - offset) / c) + 1 }
    : { from: Math.ceil((size - 1 - offset) / c), to: Math.floor(-offset / c) + 1 };
}

/**
 * Where a dimension's index passes from out of range to in range of some read, or back: between two such breaks every
 * read of it is decided, so that packing loops carry no conditions.
 */
export function breaksOf(support: Support, d: number, extent: number): number[] {
  const breaks = new Set<number>();
  visitScalars([support.body], (scalar) => {
    if (scalar.kind !== "read" || scalar.otherwise === undefined) return;
    for (const [axis, coordinate] of scalar.coordinates.entries()) {
      const inside = insideOf(coordinate, d, scalar.tensor.type.shape[axis]!);
      if (inside === undefined) continue;
      for (const at of [inside.from, inside.to]) if (at > 0 && at < extent) breaks.add(at);
    }
  });
  const inner = [...breaks].sort((a, b) => a - b);
  return inner.length <= 6 ? [0, ...inner, extent] : [0, extent];
}
