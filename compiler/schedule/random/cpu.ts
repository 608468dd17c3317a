/** Random words on the CPU: the key once, then one block of the cipher for four elements at a time. */
import { elementCount } from "../../graph/builder.ts";
import type { RandomNode, Tensor } from "../../graph/graph.ts";
import { invariant } from "../../invariant.ts";
import { add, apply, i32, KernelBuilder, load, splat, u32, vector } from "../../kernel/build.ts";
import type { Dispatch, Expression } from "../../kernel/ir.ts";
import type { BuildContext } from "../group.ts";
import { Operands } from "../operands.ts";
import type { Placed } from "../program.ts";
import type { Words } from "./threefry.ts";
import { randomKey, threefry } from "./threefry.ts";

/** Reads of the counters that make a node's key. `stream` may be a scalar of the kernel: then all draws share one. */
export function keyOf(node: RandomNode, operands: Operands, stream: Expression = u32(node.stream)): Words {
  const { kernel } = operands;
  const word = (tensor: Tensor, element: number): Expression => {
    const { buffer, type, strides } = operands.read(tensor);
    const value = kernel.letIn("word", load(buffer, type, i32(element * (strides[0] ?? 0))));
    return type === "u32" ? value : apply("to_u32", "u32", value);
  };
  const counter = (tensor: Tensor | undefined): Expression => (tensor === undefined ? u32(0) : word(tensor, 0));
  const seed: Words = [word(node.seed, 0), word(node.seed, 1)];
  return randomKey(kernel, seed, stream, counter(node.step), counter(node.iteration));
}

/** Stream and count come with the dispatch, so that a program has one such kernel, not one a draw. */
export function randomCpu(node: RandomNode, context: BuildContext): Dispatch<Placed> {
  const [result] = node.results;
  invariant(result !== undefined, "random has a result");
  const kernel = new KernelBuilder(context.name("random"), "cpu");
  const operands = new Operands(kernel, context);
  const stream = kernel.scalar("stream");
  const full = kernel.scalar("full");
  const end = kernel.scalar("count");
  const key = keyOf(node, operands, kernel.letIn("stream", apply("to_u32", "u32", stream)));
  const target = operands.write(result);
  const count = elementCount(result.type.shape);
  const word = (at: Expression, element: Expression): void =>
    kernel.store(target.buffer, at, threefry(kernel, key, [element, splat(u32(0), element.lanes)])[0]);
  const first = (base: Expression): Expression => kernel.letIn("element", apply("to_u32", "u32", base));
  const four = vector([0, 1, 2, 3].map((lane) => u32(lane)));
  kernel.forLoop("v", 0, full, 4, (base) => word(base, add(splat(first(base)), four)), { outer: true });
  kernel.forLoop("s", full, end, 1, (base) => word(base, first(base)));
  const scalars = [node.stream | 0, Math.floor(count / 4) * 4, count];
  return operands.dispatch({ label: result.name, origin: node.origin, scalars });
}
