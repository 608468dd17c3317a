/**
 * How a scalar function is written once and means the same in every representation: derivatives and expansions are
 * functions over `ScalarOps<E>`, where E is a graph body, a kernel expression, or a plain number.
 */
import type { ScalarType } from "../types/dtype.ts";

export interface ScalarOps<E> {
  /** A constant; for "bool", 0 or 1. Floats are rounded to float32 only where the target does so. */
  constant(type: ScalarType, value: number): E;
  /** Applies a row of the scalar table. Argument and result types follow from the row's signature. */
  apply(name: string, ...args: E[]): E;
}
