/** The words of `runtime/rng.ts` as kernel code: Threefry-2x32 with 20 rounds, in one lane or four. */
import type { KernelBuilder } from "../../kernel/build.ts";
import { add, apply, u32 } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";

export type Words = readonly [Expression, Expression];

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const parity = 0x1bd11bda;

const xor = (a: Expression, b: Expression): Expression => apply("bit_xor", "u32", a, b);
function rotate(value: Expression, by: number): Expression {
  const left = apply("shift_left", "u32", value, u32(by));
  return apply("bit_or", "u32", left, apply("shift_right", "u32", value, u32(32 - by)));
}

export function threefry(kernel: KernelBuilder, key: Words, counter: Words): Words {
  const keys = [key[0], key[1], kernel.letIn("key", xor(xor(u32(parity), key[0]), key[1]))];
  let a = kernel.letIn("a", add(counter[0], keys[0]!));
  let b = kernel.letIn("b", add(counter[1], keys[1]!));
  for (let round = 0; round < 20; round++) {
    a = kernel.letIn("a", add(a, b));
    const turned = kernel.letIn("b", b);
    b = kernel.letIn("b", xor(rotate(turned, rotations[round % 8]!), a));
    if (round % 4 === 3) {
      const group = (round + 1) / 4;
      a = kernel.letIn("a", add(a, keys[group % 3]!));
      b = kernel.letIn("b", add(add(b, keys[(group + 1) % 3]!), u32(group)));
    }
  }
  return [a, b];
}

/** The key of a node's words at one step and scan iteration. */
export function randomKey(
  kernel: KernelBuilder,
  seed: Words,
  stream: Expression,
  step: Expression,
  iteration: Expression,
): Words {
  return threefry(kernel, threefry(kernel, seed, [stream, step]), [iteration, u32(0)]);
}
