/**
 * Recognises contractions: a sum over a product of two factors, each of which lacks an index that the other has. The
 * indices then fall in four classes, as in every tensor contraction: batch (both factors and the result), rows (left and
 * result), columns (right and result), summed. What is reused is what makes registers and packing worth their while; a
 * product without rows or without columns reuses nothing of one factor and is left to the other builders.
 */
import type { Scalar } from "../../graph/graph.ts";
import { indicesOf, readsOf } from "../../graph/traverse.ts";
import type { FusionGroup, Member } from "../group.ts";
import { isFull, memberOf } from "../group.ts";

export interface Factor {
  /** Over the group's domain. It may be any expression: it is evaluated while its panel is packed. */
  readonly body: Scalar;
  readonly positions: ReadonlySet<number>;
}

export interface Contraction {
  readonly group: FusionGroup;
  readonly root: Member;
  readonly left: Factor;
  readonly right: Factor;
  /** Positions of indices, in the domain's order. */
  readonly batch: readonly number[];
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  readonly summed: readonly number[];
  /** Maps over the result's points, in order; a read of the root's result is the sum at that point. */
  readonly epilogue: readonly Member[];
}

/** Of all indices, by position. */
export function extentsOf({ group }: Contraction): number[] {
  return [...group.parallel, ...group.reduction].map(({ extent }) => extent);
}

/** More factors than this are not split in all ways. */
const mostFactors = 6;

export function analyseContraction(group: FusionGroup): Contraction | undefined {
  return analyse(group, 2);
}

/** The same where one factor only has indices of its own: matrix times vector, a filter for every channel. */
export function analyseOneSided(group: FusionGroup): Contraction | undefined {
  const wholeDomain = group.members.some((member) => isFull(group, member));
  return wholeDomain ? undefined : analyse(group, 1);
}

function analyse(group: FusionGroup, sides: 1 | 2): Contraction | undefined {
  const reducing = group.members.filter(({ node }) => node.combiner !== "map");
  const [root, ...others] = reducing;
  if (root === undefined || others.length > 0 || root.node.combiner !== "sum") return undefined;
  if (root.body.type !== "f32" || root.node.results[0]?.type.dtype !== "f32") return undefined;
  if (readsOf(root.body).some((read) => memberOf(group, read.tensor) !== undefined)) return undefined;
  const split = splitProduct(root.body, group, sides);
  if (split === undefined) return undefined;
  const { left, right } = split;
  const parallel = group.parallel.map((_, position) => position);
  const reduction = group.reduction.map((_, k) => parallel.length + k);
  const only = (a: Factor, b: Factor): number[] =>
    parallel.filter((position) => a.positions.has(position) && !b.positions.has(position));
  const rows = only(left, right);
  const columns = only(right, left);
  return {
    group,
    root,
    left,
    right,
    batch: parallel.filter((position) => !rows.includes(position) && !columns.includes(position)),
    rows,
    columns,
    summed: reduction,
    epilogue: group.members.filter((member) => member !== root),
  };
}

/** The factors of a product in the two groups that read least, each over fewer indices than the product. */
function splitProduct(body: Scalar, group: FusionGroup, sides: 1 | 2): { left: Factor; right: Factor } | undefined {
  const factors = factorsOf(body);
  if (factors.length < 2 || factors.length > mostFactors) return undefined;
  const extents = [...group.parallel, ...group.reduction].map(({ extent }) => extent);
  const size = (positions: ReadonlySet<number>): number =>
    [...positions].reduce((product, position) => product * (extents[position] ?? 1), 1);
  const indexed = factors.map((factor) => ({ factor, positions: indicesOf(factor) }));
  let best: { left: Factor; right: Factor } | undefined;
  let least = Number.POSITIVE_INFINITY;
  // The first factor is always left, so every partition is met once.
  for (let mask = 1; mask < 2 ** (indexed.length - 1); mask++) {
    const left = multiplied(indexed.filter((_, k) => k === 0 || (mask & (1 << (k - 1))) === 0));
    const right = multiplied(indexed.filter((_, k) => k > 0 && (mask & (1 << (k - 1))) !== 0));
    const isParallel = (position: number): boolean => position < group.parallel.length;
    const hasRows = [...left.positions].some((p) => isParallel(p) && !right.positions.has(p));
    const hasColumns = [...right.positions].some((p) => isParallel(p) && !left.positions.has(p));
    const cost = size(left.positions) + size(right.positions);
    if (Number(hasRows) + Number(hasColumns) !== sides || cost >= least) continue;
    best = { left, right };
    least = cost;
  }
  return best;
}

function factorsOf(body: Scalar): Scalar[] {
  if (body.kind === "apply" && body.name === "mul") return body.arguments.flatMap(factorsOf);
  return [body];
}

function multiplied(parts: readonly { factor: Scalar; positions: ReadonlySet<number> }[]): Factor {
  const body = parts
    .map(({ factor }) => factor)
    .reduce((a, b): Scalar => ({ kind: "apply", type: "f32", name: "mul", arguments: [a, b] }));
  return { body, positions: new Set(parts.flatMap(({ positions }) => [...positions])) };
}
