/** Random words on a GPU: a thread makes the key and four words with it. */
import { elementCount } from "../../graph/builder.ts";
import type { RandomNode } from "../../graph/graph.ts";
import { invariant } from "../../invariant.ts";
import { add, apply, KernelBuilder, lane, lt, mul, splat, u32, vector } from "../../kernel/build.ts";
import type { Dispatch } from "../../kernel/ir.ts";
import { gridOf, localThread } from "../gpu/grid.ts";
import type { BuildContext } from "../group.ts";
import { Operands } from "../operands.ts";
import type { Placed } from "../program.ts";
import { keyOf } from "./cpu.ts";
import { threefry } from "./threefry.ts";

const threads = 64;

export function randomGpu(node: RandomNode, context: BuildContext): Dispatch<Placed> {
  const [result] = node.results;
  invariant(result !== undefined, "random has a result");
  const kernel = new KernelBuilder(context.name(result.name), "gpu", [threads, 1, 1]);
  const operands = new Operands(kernel, context);
  const target = operands.write(result);
  const count = elementCount(result.type.shape);
  const grid = gridOf(kernel, Math.ceil(count / 4 / threads));
  const number = kernel.letIn("number", add(mul(grid.number, threads), localThread));
  kernel.ifThen(lt(number, Math.ceil(count / 4)), () => {
    const first = kernel.letIn("first", mul(number, 4));
    const four = vector([0, 1, 2, 3].map((l) => u32(l)));
    const element = add(splat(kernel.letIn("element", apply("to_u32", "u32", first))), four);
    const [words] = threefry(kernel, keyOf(node, operands), [element, splat(u32(0))]);
    if (count % 4 === 0) kernel.store(target.buffer, first, words);
    else
      for (let l = 0; l < 4; l++)
        kernel.ifThen(lt(add(first, l), count), () => kernel.store(target.buffer, add(first, l), lane(words, l)));
  });
  return operands.dispatch({ label: result.name, origin: node.origin, workgroups: grid.workgroups });
}
