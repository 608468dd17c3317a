/**
 * Groups with reductions on a GPU. A row (one point of the parallel domain) is given to as many threads as its length is
 * worth: one (windows, short rows), or up to a whole workgroup whose partial results meet in a tree in workgroup memory.
 * Few long rows (a bias's gradient, batch statistics, a loss) would leave the GPU idle: they are cut in a number of
 * pieces fixed at compile time (`split.ts`).
 */
import type { Coordinate } from "../../graph/graph.ts";
import { add, and, eq, KernelBuilder, lt, min, mul } from "../../kernel/build.ts";
import type { Dispatch, Expression } from "../../kernel/ir.ts";
import { combiningOnGpu } from "../gpu/combining.ts";
import { Domain, type Indices } from "../gpu/domain.ts";
import { divide, gridOf, localThread, powerOfTwoFrom } from "../gpu/grid.ts";
import {
  accumulatorsOf,
  defineMaps,
  defineResults,
  hoistPass,
  labelOf,
  originOf,
  passBody,
  positionOf,
  rowMembers,
  storeRows,
} from "../gpu/members.ts";
import { type Team, Trees } from "../gpu/tree.ts";
import type { BuildContext } from "../group.ts";
import { Lowering } from "../lower.ts";
import { Operands } from "../operands.ts";
import type { Placed } from "../program.ts";
import type { RowAnalysis } from "./analysis.ts";
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
