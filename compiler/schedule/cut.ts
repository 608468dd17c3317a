/** Work that threads share, cut into pieces that differ by one at most. */
import { add, i32, type KernelBuilder, mul, quotient } from "../kernel/build.ts";
import type { Expression } from "../kernel/ir.ts";

/** Two and four threads have the same number of pieces each. */
const multiple = 4;
/** From here on it makes little difference. */
const many = 32;

/** How many pieces: `least`, or a few more; `beside` times as many are shared together with them. */
export function piecesOf(count: number, least: number, beside = 1): number {
  let pieces = least;
  while (pieces < count && pieces * beside < many && (pieces * beside) % multiple !== 0) pieces++;
  return pieces;
}

/** Where piece `number` of `count` begins and ends. */
export function pieceAt(
  kernel: KernelBuilder,
  number: Expression,
  pieces: number,
  count: number,
): { readonly from: Expression; readonly to: Expression } {
  if (pieces === 1) return { from: i32(0), to: i32(count) };
  const size = count / pieces;
  const end = (k: Expression): Expression => (Number.isInteger(size) ? mul(k, size) : quotient(mul(k, count), pieces));
  const from = kernel.letIn("from", end(number));
  return { from, to: Number.isInteger(size) ? add(from, size) : kernel.letIn("to", end(add(number, 1))) };
}
