/** The transformed weights, in the order in which they are multiplied: vectors of result channels, points, channels. */
import { add, f32, i32, KernelBuilder, mul, splat, sub, vector } from "../../kernel/build.ts";
import type { Dispatch, Expression } from "../../kernel/ir.ts";
import type { IndexValue } from "../address.ts";
import { indexAt, indexLanes } from "../address.ts";
import { divide, pointOf } from "../gpu/grid.ts";
import type { BuildContext } from "../group.ts";
import { Lowering } from "../lower.ts";
import { Operands } from "../operands.ts";
import type { Placed } from "../program.ts";
import type { Window } from "./analysis.ts";
import { taps } from "./analysis.ts";
import { bindAll } from "./indices.ts";
import type { WinogradPlan } from "./plan.ts";
import { pairBlockAt } from "./plan.ts";
import { bothWays } from "./transforms.ts";

/** A dispatch of its own, so that it need not be repeated while the weights stay. */
export function transformWeights(plan: WinogradPlan, place: Placed, context: BuildContext): Dispatch<Placed> {
  const { sliding, transform, groups, pairs, pairBlock, outputs, channels, pairWeights } = plan;
  const { root } = sliding.contraction;
  const result = root.node.results[0]!;
  const kernel = new KernelBuilder(context.name(`${result.name} weights`), "cpu");
  const operands = new Operands(kernel, context);
  const buffer = operands.bind("transformed", "f32", place, "write");

  /** The weights of a pair of vectors; `there` of its result channels exist. */
  const write = (group: Expression, pair: Expression, there: number): void => {
    const fixed = bindAll(kernel, sliding.extents, sliding.groups, group);
    const [, within] = divide(kernel, pair, pairBlock);
    const { count, weights } = pairBlockAt(kernel, plan, group, sub(pair, within));
    const start = kernel.letIn("start", add(weights, mul(within, pairWeights)));
    const point = kernel.letIn("point", mul(count, pairWeights));
    const four = (c: Expression, first: Expression, count: number): void => {
      const lines = [0, 1, 2].map((i) =>
        [0, 1, 2].map((j) => {
          const here = new Map([
            ...fixed,
            [sliding.channels, indexAt(c, 0, channels - 1)] as const,
            [sliding.rows.tap, tapAt(sliding.rows, i)] as const,
            [sliding.columns.tap, tapAt(sliding.columns, j)] as const,
          ]);
          return kernel.letIn("w", fourWeights(operands, plan, here, add(mul(pair, 8), first), count));
        }),
      );
      const at = kernel.letIn("at", add(start, mul(c, 8), first));
      for (const [i, line] of bothWays(kernel, transform.weights, lines).entries())
        for (const [j, value] of line.entries())
          kernel.store(buffer, add(at, mul(point, i * transform.points + j)), value);
    };
    kernel.forLoop("c", 0, channels, 1, (c) => {
      if (there === 8) kernel.forLoop("half", 0, 8, 4, (half) => four(c, half, 4));
      else for (const half of [0, 4]) four(c, i32(half), there - half);
    });
  };
  const whole = Math.floor(outputs / 8);
  const each = (number: Expression): void => {
    const [group, pair] = pointOf(kernel, number, [groups, whole]);
    write(group!, pair!, 8);
  };
  kernel.forLoop("pair", 0, groups * whole, 1, each, { outer: true });
  if (whole < pairs) kernel.forLoop("group", 0, groups, 1, (group) => write(group, i32(whole), outputs % 8));
  return operands.dispatch({ label: `transformed weights of ${result.name}`, origin: root.node.origin });
}

const tapAt = ({ flipped }: Window, at: number): IndexValue => indexAt(i32(flipped ? taps - 1 - at : at), 0, taps - 1);

/** One tap's weights for four result channels from `first` on, `count` of which exist. */
function fourWeights(
  operands: Operands,
  plan: WinogradPlan,
  here: ReadonlyMap<number, IndexValue>,
  first: Expression,
  count: number,
): Expression {
  const { outputs, extents, weights } = plan.sliding;
  const lower = (own: ReadonlyMap<number, IndexValue>): Expression => {
    const indices = extents.map((_, position) => own.get(position) ?? here.get(position));
    return new Lowering(operands, { indices }).lower(weights.body);
  };
  const [single, ...more] = outputs;
  if (count >= 4 && single !== undefined && more.length === 0)
    return splat(lower(new Map([[single, indexLanes(first, 0, extents[single]! - 1)]])));
  return vector(
    [0, 1, 2, 3].map((l) => (l < count ? lower(bindAll(operands.kernel, extents, outputs, add(first, l))) : f32(0))),
  );
}
