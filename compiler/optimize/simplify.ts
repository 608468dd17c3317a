/** Algebra and constants inside bodies; equal subtrees become one object, so later stages compute them once. */
import { hasData, normalize, provedInRange, rangeOf } from "../graph/affine.ts";
import type { ConstantNode, Coordinate, Graph, Node, Scalar, ScalarRead, Tensor, Term } from "../graph/graph.ts";
import { Keys } from "../graph/keys.ts";
import { everywhere, rebuild } from "../graph/rewrite.ts";
import { constant } from "../graph/scalars.ts";
import { domainOf, scalarRewriter } from "../graph/traverse.ts";
import type { Pass } from "./pass.ts";
import { type Ranges, rangesOver } from "./ranges.ts";
import { simplified } from "./scalar-rules.ts";

type ConstantOf = (tensor: Tensor) => ConstantNode | undefined;

/** A rewriter of bodies over one domain. */
export function bodySimplifier(extents: readonly number[], constantOf: ConstantOf): (root: Scalar) => Scalar {
  const ranges: Ranges = rangesOver(extents);
  const keys = new Keys();
  const canonical = new Map<number, Scalar>();
  const one = (scalar: Scalar): Scalar => {
    const key = keys.scalar(scalar);
    const known = canonical.get(key);
    if (known) return known;
    canonical.set(key, scalar);
    return scalar;
  };
  const rewrite = scalarRewriter((scalar) => {
    if (scalar.kind === "read") return one(simplifyRead(scalar, extents, constantOf));
    if (scalar.kind !== "apply") return one(scalar);
    const withCanonical = { ...scalar, arguments: scalar.arguments.map(one) };
    return one(simplified(withCanonical, ranges));
  });
  return (root) => {
    let current = root;
    // A rule's result may open another rule further out; each round only shrinks.
    for (let round = 0; round < 4; round++) {
      const next = one(rewrite(current));
      if (keys.scalar(next) === keys.scalar(current)) return round === 0 ? root : current;
      current = next;
    }
    return current;
  };
}

/** Constant values, `else` values that never or always apply, tables instead of constant data. */
function simplifyRead(read: ScalarRead, extents: readonly number[], constantOf: ConstantOf): Scalar {
  const { shape } = read.tensor.type;
  let { otherwise, coordinates } = read;
  if (coordinates.some(hasData))
    coordinates = coordinates.map((coordinate) => tabulate(coordinate, extents, constantOf));
  const proved = coordinates.map((coordinate, axis) => provedInRange(coordinate, extents, shape[axis]!));
  const data = coordinates.some(hasData);
  if (otherwise !== undefined) {
    const never = coordinates.some((coordinate, axis) => {
      const range = rangeOf(coordinate, extents);
      return range !== undefined && (range.max < 0 || range.min >= shape[axis]!);
    });
    if (never) return constant(read.type, otherwise);
    if (proved.every((fact) => fact)) otherwise = undefined;
  }
  const source = constantOf(read.tensor);
  if (source && !(otherwise === undefined && !data && proved.includes(false))) {
    const [first] = source.values;
    const uniform = source.values.every((value) => value === first);
    if (uniform && first !== undefined && (otherwise === undefined || otherwise === first))
      return constant(read.type, first);
    if (otherwise === undefined && coordinates.every(({ terms }) => terms.length === 0)) {
      const address = coordinates.reduce((sum, { offset }, axis) => sum * shape[axis]! + offset, 0);
      const value = source.values[address];
      if (value !== undefined) return constant(read.type, value);
    }
  }
  return otherwise === read.otherwise && coordinates === read.coordinates ? read : { ...read, otherwise, coordinates };
}

/** Reads of constant integers at one index become tables. */
function tabulate(coordinate: Coordinate, extents: readonly number[], constantOf: ConstantOf): Coordinate {
  let changed = false;
  let offset = coordinate.offset;
  const terms = coordinate.terms.flatMap((term): Term[] => {
    if (term.kind !== "data") return [term];
    const source = constantOf(term.read.tensor);
    const { shape } = term.read.tensor.type;
    const used = term.read.coordinates.flatMap(({ terms: inner }) => inner);
    if (!source || shape.length !== 1 || used.some((inner) => inner.kind !== "affine")) return [term];
    const at = term.read.coordinates[0]!;
    const valueAt = (position: number): number | undefined => {
      if (position < 0 || position >= shape[0]!) return term.read.otherwise;
      return source.values.length === 1 ? source.values[0] : source.values[position];
    };
    const [only, ...more] = used;
    if (!only) {
      const value = valueAt(at.offset);
      if (value === undefined) return [term];
      changed = true;
      offset += term.coefficient * value;
      return [];
    }
    if (more.length > 0 || only.kind !== "affine") return [term];
    const table: number[] = [];
    for (let k = 0; k < extents[only.position]!; k++) {
      const value = valueAt(at.offset + only.coefficient * k);
      if (value === undefined) return [term];
      table.push(term.coefficient * value);
    }
    changed = true;
    return [{ kind: "table", table, position: only.position }];
  });
  return changed ? normalize(offset, terms) : coordinate;
}

function simplifyNode(node: Node, constantOf: ConstantOf): Node {
  if (node.kind !== "generic" && node.kind !== "scatter_add") return node;
  const rewrite = bodySimplifier(
    domainOf(node).map((axis) => axis.extent),
    constantOf,
  );
  const body = rewrite(node.body);
  // Its readers see the number, in this pass already.
  if (node.kind === "generic" && node.combiner === "map" && body.kind === "constant")
    return { kind: "constant", results: node.results, values: [body.value], origin: node.origin };
  return body === node.body ? node : { ...node, body };
}

export const simplify: Pass = {
  name: "simplify",
  description: "algebra and constants inside bodies, stable forms, else values that never apply",
  run: everywhere((graph: Graph) =>
    rebuild(graph, (node, { definition }) =>
      simplifyNode(node, (tensor) => {
        const found = definition(tensor);
        return found?.kind === "constant" ? found : undefined;
      }),
    ),
  ),
};
