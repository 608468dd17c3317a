/** What both schedules of a sort know: where its rows lie, and a whole number for each element that orders as elements do. */
import { elementCount } from "../../graph/builder.ts";
import type { SortNode, Tensor } from "../../graph/graph.ts";
import { invariant } from "../../invariant.ts";
import type { KernelBuilder } from "../../kernel/build.ts";
import { add, apply, eq, gt, i32, mul, select, u32 } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";
import { pointOf } from "../gpu/grid.ts";

export interface Rows {
  readonly positions: Tensor;
  readonly count: number;
  /** Of one row: the extent of the axis. */
  readonly length: number;
  /** Where row `row` of a tensor of the source's shape begins, given the tensor's strides. */
  start(kernel: KernelBuilder, row: Expression, strides: readonly number[]): Expression;
}

export function rowsOf({ source, axis, results }: SortNode): Rows {
  const { shape } = source.type;
  const [positions] = results;
  const length = shape[axis];
  invariant(positions !== undefined && length !== undefined, "a sort has a result and its axis");
  const others = shape.map((_, k) => k).filter((k) => k !== axis && shape[k] !== 1);
  return {
    positions,
    count: elementCount(shape) / length,
    length,
    start(kernel, row, strides) {
      const point = pointOf(
        kernel,
        row,
        others.map((k) => shape[k]!),
      );
      const start = others.reduce<Expression>((sum, k, at) => add(sum, mul(point[at]!, strides[k]!)), i32(0));
      return kernel.letIn("start", start);
    },
  };
}

/** Behind every number. */
export const lastKey = u32(0xffffffff);
const signBit = 0x80000000;

/**
 * Keys are u32 and compared as such. Of a float they are made from its bits alone, so that targets which may ignore NaN
 * and the sign of 0 order them like the others: those of positive numbers grow with them, those of negative ones shrink.
 */
export function sortKey(kernel: KernelBuilder, value: Expression): Expression {
  switch (value.type) {
    case "u32":
      return value;
    case "i32":
      return apply("bit_xor", "u32", apply("bitcast_u32", "u32", value), u32(signBit));
    case "f32": {
      const bits = kernel.letIn("bits", apply("bitcast_i32", "i32", value));
      const unsigned = kernel.letIn("bits", select(eq(bits, i32(signBit)), i32(0), bits));
      const sign = apply("shift_right", "i32", unsigned, i32(31));
      const flipped = apply("bit_xor", "i32", unsigned, apply("bit_or", "i32", sign, i32(signBit)));
      const noNumber = gt(apply("bit_and", "i32", bits, i32(0x7fffffff)), i32(0x7f800000));
      return select(noNumber, lastKey, apply("bitcast_u32", "u32", flipped));
    }
    case "bool":
      return apply("to_u32", "u32", value);
  }
  return value.type satisfies never;
}
