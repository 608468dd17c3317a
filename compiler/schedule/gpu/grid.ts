/** How a kernel's work is numbered: workgroups in a line, and a number taken apart into the indices of a domain. */
import type { Axis } from "../../graph/graph.ts";
import { invariant } from "../../invariant.ts";
import type { KernelBuilder } from "../../kernel/build.ts";
import { add, apply, builtin, i32, mul, sub } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";

/** WebGPU's default limit of workgroups a dimension. */
const maximumWorkgroups = 65535;

export interface Grid {
  readonly workgroups: readonly [number, number, number];
  /** The workgroup's number; where the line had to be folded, some numbers are not below `count`. */
  readonly number: Expression;
  readonly folded: boolean;
}

/** `count` workgroups; more than one dimension holds are folded into two. */
export function gridOf(kernel: KernelBuilder, count: number): Grid {
  const rows = Math.ceil(count / maximumWorkgroups);
  invariant(rows <= maximumWorkgroups, `${count} workgroups`);
  if (rows === 1) return { workgroups: [count, 1, 1], number: builtin("workgroup", 0), folded: false };
  const width = Math.ceil(count / rows);
  const number = kernel.letIn("workgroup", add(mul(builtin("workgroup", 1), width), builtin("workgroup", 0)));
  return { workgroups: [width, rows, 1], number, folded: width * rows > count };
}

const isPowerOfTwo = (n: number): boolean => n > 0 && (n & (n - 1)) === 0;

/** Quotient and remainder of a number that is not negative by a constant. */
export function divide(kernel: KernelBuilder, value: Expression, by: number): [Expression, Expression] {
  if (by === 1) return [value, i32(0)];
  if (value.kind === "constant") return [i32(Math.floor(value.value / by)), i32(value.value % by)];
  if (isPowerOfTwo(by)) {
    const shift = apply("shift_right", "i32", value, i32(Math.log2(by)));
    return [kernel.letIn("q", shift), kernel.letIn("r", apply("bit_and", "i32", value, i32(by - 1)))];
  }
  const quotient = kernel.letIn("q", apply("raw_div", "i32", value, i32(by)));
  return [quotient, kernel.letIn("r", sub(value, mul(quotient, by)))];
}

/** The indices of the point with this row-major number; the number is in range. */
export function pointOf(kernel: KernelBuilder, number: Expression, extents: readonly number[]): Expression[] {
  const point: Expression[] = [];
  let rest = number;
  for (let axis = extents.length - 1; axis > 0; axis--) {
    const [quotient, remainder] = divide(kernel, rest, extents[axis]!);
    point[axis] = remainder;
    rest = quotient;
  }
  if (extents.length > 0) point[0] = rest;
  return point;
}

/** The number of a thread in its (one-dimensional) workgroup. */
export const localThread = builtin("local", 0);

export const product = (axes: readonly Axis[]): number => axes.reduce((total, { extent }) => total * extent, 1);

export const powerOfTwoFrom = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, n)));
