/**
 * Groups with reductions on a GPU. A row (one point of the parallel domain) is given to as many threads as its length is
 * worth: one (windows, short rows), or up to a whole workgroup whose partial results meet in a tree in workgroup memory.
 * Few long rows (a bias's gradient, batch statistics, a loss) would leave the GPU idle: they are cut in a number of
 * pieces fixed at compile time (`split.ts`).
 */
import type { Coordinate, Tensor } from "../../graph/graph.ts";
import { invariant } from "../../invariant.ts";
import { add, and, eq, KernelBuilder, lt, min, mul } from "../../kernel/build.ts";
import type { Dispatch, Expression } from "../../kernel/ir.ts";
import { Accumulator } from "../accumulate.ts";
import type { IndexValue } from "../address.ts";
import { lowerCoordinate, toExpression } from "../address.ts";
import { combiningOnGpu, partialOf } from "../gpu/combining.ts";
import { Domain, type Indices } from "../gpu/domain.ts";
import { divide, gridOf, localThread, powerOfTwoFrom } from "../gpu/grid.ts";
import { type Team, Trees } from "../gpu/tree.ts";
import type { BuildContext, FusionGroup, Member } from "../group.ts";
import { Lowering } from "../lower.ts";
import { Operands } from "../operands.ts";
import type { Placed } from "../program.ts";
import type { Pass, RowAnalysis } from "./analysis.ts";
import { shouldSplit, splitRows } from "./split.ts";

const largestWorkgroup = 256;
/** Enough to fill a GPU several times over. */
const manyThreads = 2 ** 15;

export interface RowShape {
  /** Threads a row, a power of two. */
  readonly lanes: number;
  /** Rows a workgroup, a power of two. */
  readonly rows: number;
  /** Neighbouring threads have neighbouring rows, not neighbouring elements of one row. */
  readonly rowsFastest: boolean;
}

export function rowShape(domain: Domain): RowShape {
  const { rows, length } = domain;
  const rowsFastest = domain.fastestIsParallel;
  const neighbours = rowsFastest ? Math.min(32, powerOfTwoFrom(rows)) : 1;
  // A thread takes at least four elements, unless there are too few threads that way.
  const worthwhile = rowsFastest ? 1 : Math.min(32, powerOfTwoFrom(length / 4));
  const needed = powerOfTwoFrom(manyThreads / rows);
  const lanes = Math.min(
    Math.max(worthwhile, needed),
    powerOfTwoFrom(length),
    length <= 16 && rows >= manyThreads / 8 ? 1 : largestWorkgroup / neighbours,
  );
  const threads = rows * lanes >= 4 * manyThreads ? largestWorkgroup : Math.max(64, lanes * neighbours);
  return { lanes, rows: Math.max(neighbours, Math.min(powerOfTwoFrom(rows), threads / lanes)), rowsFastest };
}

export function rowGpu(analysis: RowAnalysis, context: BuildContext): readonly Dispatch<Placed>[] {
  const domain = new Domain(analysis.group, context);
  if (shouldSplit(domain)) return splitRows(analysis, domain, context);
  return [wholeRows(analysis, domain, context, rowShape(domain))];
}

export function wholeRows(
  analysis: RowAnalysis,
  domain: Domain,
  context: BuildContext,
  shape: RowShape,
): Dispatch<Placed> {
  const { group } = analysis;
  const { lanes, rows, rowsFastest } = shape;
  const label = labelOf(group);
  const kernel = new KernelBuilder(context.name(label), "gpu", [lanes * rows, 1, 1]);
  const operands = new Operands(kernel, context);
  const count = domain.rows;
  const grid = gridOf(kernel, Math.ceil(count / rows));

  const [high, low] = divide(kernel, localThread, rowsFastest ? rows : lanes);
  const [lane, rowHere] = rowsFastest ? [high, low] : [low, high];
  const asked = kernel.letIn("row", add(mul(grid.number, rows), rowHere));
  const exact = count % rows === 0 && !grid.folded;
  // Threads beyond the last row work on it too, so that all arrive at every barrier, and store nothing.
  const row = exact ? asked : kernel.letIn("row", min(asked, count - 1));
  const valid = exact ? undefined : kernel.letIn("valid", lt(asked, count));
  const team: Team = {
    lane,
    lanes,
    first: rowsFastest ? rowHere : kernel.letIn("first", mul(rowHere, lanes)),
    slot: localThread,
    stride: rowsFastest ? rows : 1,
  };
  const trees = new Trees(kernel, lanes * rows);
  const parallel = domain.at(kernel, row, domain.parallel);
  const outer = new Lowering(operands, { indices: domain.known(parallel) });
  defineMaps(outer, analysis.before);

  for (const pass of analysis.passes) {
    const accumulators = accumulatorsOf(kernel, pass);
    hoistPass(outer, pass);
    overRow(kernel, domain, lane, lanes, (reduction) => {
      const position = (coordinate: Coordinate) => positionOf(coordinate, parallel, reduction);
      passBody(kernel, outer.child(reduction), group, pass, accumulators, position, valid);
    });
    for (const [k, { node, body }] of pass.reductions.entries()) {
      const merged = trees.merge(combiningOnGpu(node.combiner, body.type), accumulators[k]!.variables, team);
      defineResults(kernel, outer, node.results, merged);
    }
    defineMaps(outer, pass.after);
  }
  const leader = lanes === 1 ? undefined : eq(lane, 0);
  storeRows(kernel, outer, group, rowMembers(analysis), leader && valid ? and(leader, valid) : (leader ?? valid));
  return operands.dispatch({ label, origin: originOf(group), workgroups: grid.workgroups });
}

/** Each thread's share of a row: nested loops if it has the row to itself, else every `lanes`-th element. */
function overRow(
  kernel: KernelBuilder,
  domain: Domain,
  lane: Expression,
  lanes: number,
  body: (reduction: Indices) => void,
): void {
  if (lanes === 1) domain.forEach(kernel, body);
  else
    kernel.forLoop("element", lane, domain.length, lanes, (element) => {
      body(domain.at(kernel, element, domain.reduction));
    });
}

/** A reduction's own row-major position at a point. */
export function positionOf(coordinate: Coordinate, parallel: Indices, reduction: Indices): Expression {
  const index = (position: number): IndexValue => {
    const value = reduction.get(position) ?? parallel.get(position);
    invariant(value, "a position is affine in the group's indices");
    return value;
  };
  const never = (): never => invariant(false, "a position is affine") as never;
  return toExpression(lowerCoordinate(coordinate, { index, table: never, data: never }).value);
}

export function accumulatorsOf(kernel: KernelBuilder, pass: Pass): Accumulator[] {
  return pass.reductions.map(({ node, body }) => new Accumulator(kernel, combiningOnGpu(node.combiner, body.type), 1));
}

/** Computes in front of a pass's loop what does not change in it. */
export function hoistPass(outer: Lowering, pass: Pass): void {
  const inside = new Set(pass.evaluate.flatMap(({ node }) => node.results));
  for (const member of [...pass.evaluate, ...pass.reductions]) outer.hoist(member.body, inside);
}

/** One element of a row in one pass. */
export function passBody(
  kernel: KernelBuilder,
  inner: Lowering,
  group: FusionGroup,
  pass: Pass,
  accumulators: readonly Accumulator[],
  positionAt: (coordinate: Coordinate) => Expression,
  valid: Expression | undefined,
): void {
  defineMaps(inner, pass.evaluate);
  for (const [k, member] of pass.reductions.entries()) {
    const value = kernel.letIn("value", inner.lower(member.body));
    accumulators[k]!.take(
      partialOf(member.node.combiner, value, () => positionAt(member.position)),
      true,
    );
  }
  storeRows(kernel, inner, group, [...pass.write], valid);
}

export function defineMaps(lowering: Lowering, maps: readonly Member[]): void {
  for (const { node, body } of maps) lowering.define(node.results[0]!, lowering.lower(body));
}
export function defineResults(
  kernel: KernelBuilder,
  lowering: Lowering,
  results: readonly Tensor[],
  values: readonly Expression[],
): void {
  for (const [k, result] of results.entries()) lowering.define(result, kernel.letIn(result.name, values[k]!));
}

/** The members with one value a row. */
export function rowMembers({ before, passes }: RowAnalysis): Member[] {
  return [...before, ...passes.flatMap((pass) => [...pass.reductions, ...pass.after])];
}

/** Stores those of the members' results that are read outside of the group. */
export function storeRows(
  kernel: KernelBuilder,
  lowering: Lowering,
  group: FusionGroup,
  members: readonly Member[],
  condition: Expression | undefined,
): void {
  const stored = members.flatMap((member) =>
    member.node.results.filter((result) => group.stored.has(result)).map((result) => ({ result, at: member.at })),
  );
  if (stored.length === 0) return;
  const write = (inside: Lowering): void => {
    for (const { result, at } of stored) {
      const value = inside.value(result);
      invariant(value, `${result.name} is computed before it is stored`);
      inside.store(result, at, value);
    }
  };
  if (condition === undefined) write(lowering);
  else kernel.ifThen(condition, () => write(lowering.child(new Map())));
}

export const labelOf = (group: FusionGroup): string =>
  [...group.stored].map(({ name }) => name).join(" ") || group.members.at(-1)!.node.results[0]!.name;
export const originOf = (group: FusionGroup) => group.members.at(-1)?.node.origin;
