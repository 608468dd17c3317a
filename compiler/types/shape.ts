/** Shapes: lists of symbolic extents, and how they are printed and compared. */
import { type Answer, add, compare, constant, constantOf, type Dim, multiply, printDim } from "./dims.ts";
import type { DType } from "./dtype.ts";

export type Shape = readonly Dim[];

/** `f32[N, 16, 5, 5]`; rank 0 is the bare dtype. */
export function printType(dtype: DType, shape: Shape): string {
  return shape.length === 0 ? dtype : `${dtype}${printShape(shape)}`;
}
export function printShape(shape: Shape): string {
  return `[${shape.map(printDim).join(", ")}]`;
}

export function shapeOf(...extents: readonly number[]): Shape {
  return extents.map(constant);
}
/** The extents as numbers, or undefined while one is symbolic. */
export function concreteShape(shape: Shape): number[] | undefined {
  const extents = shape.map(constantOf);
  return extents.every((extent) => extent !== undefined) ? extents : undefined;
}

export function productOf(shape: Shape): Dim {
  return shape.reduce(multiply, constant(1));
}
export function sumOf(dims: readonly Dim[]): Dim {
  return dims.reduce(add, constant(0));
}

/** Whether two shapes are the same; "no" as soon as one axis certainly differs. */
export function sameShape(a: Shape, b: Shape): Answer {
  if (a.length !== b.length) return "no";
  const answers = a.map((dim, axis) => compare(dim, "==", b[axis] ?? constant(-1)));
  if (answers.includes("no")) return "no";
  return answers.includes("unknown") ? "unknown" : "yes";
}
