/**
 * Maps on a GPU: a thread a point, or four neighbouring points a thread where the innermost index allows it; loads and
 * stores of whole vectors then where memory is contiguous and aligned.
 */
import { add, KernelBuilder, lt, mul } from "../../kernel/build.ts";
import type { Dispatch } from "../../kernel/ir.ts";
import { Domain } from "../gpu/domain.ts";
import { gridOf, localThread } from "../gpu/grid.ts";
import { defineMaps, labelOf, originOf, rowMembers, storeRows } from "../gpu/members.ts";
import type { BuildContext } from "../group.ts";
import { Lowering } from "../lower.ts";
import { Operands } from "../operands.ts";
import type { Placed } from "../program.ts";
import type { RowAnalysis } from "../row/analysis.ts";

export function pointwiseGpu(analysis: RowAnalysis, context: BuildContext): readonly Dispatch<Placed>[] {
  const { group } = analysis;
  const domain = new Domain(group, context);
  const vectors = (domain.parallel.at(-1)?.extent ?? 1) % 4 === 0 && domain.prefersVectors;
  const count = vectors ? domain.rows / 4 : domain.rows;
  const threads = count >= 2 ** 16 ? 256 : 64;
  const label = labelOf(group);
  const kernel = new KernelBuilder(context.name(label), "gpu", [threads, 1, 1]);
  const operands = new Operands(kernel, context);
  const grid = gridOf(kernel, Math.ceil(count / threads));
  const number = kernel.letIn("number", add(mul(grid.number, threads), localThread));
  const compute = (): void => {
    const indices = vectors ? domain.lanesAt(kernel, number) : domain.at(kernel, number, domain.parallel);
    const lowering = new Lowering(operands, { indices: domain.known(indices) });
    const members = rowMembers(analysis);
    defineMaps(lowering, members);
    storeRows(kernel, lowering, group, members, undefined);
  };
  if (count % threads === 0 && !grid.folded) compute();
  else kernel.ifThen(lt(number, count), compute);
  return [operands.dispatch({ label, origin: originOf(group), workgroups: grid.workgroups })];
}
