/** Several indices counted by one number. */
import type { KernelBuilder } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";
import type { IndexValue } from "../address.ts";
import { indexAt } from "../address.ts";
import { pointOf } from "../gpu/grid.ts";

/** The indices at `positions` of the point that has this number, row-major. */
export function bindAll(
  kernel: KernelBuilder,
  extents: readonly number[],
  positions: readonly number[],
  number: Expression,
): Map<number, IndexValue> {
  const own = positions.map((position) => extents[position]!);
  const point = pointOf(kernel, number, own);
  return new Map(positions.map((position, k) => [position, indexAt(point[k]!, 0, own[k]! - 1)]));
}
