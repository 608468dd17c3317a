/**
 * Element types. `u8` exists for inputs and outputs only, `f16` is a storage type: a scalar body reads `u8` as `i32` and
 * `f16` as `f32`. On every device a `bool` or `u8` element takes four bytes inside the program (the host converts).
 */
export type DType = "f32" | "f16" | "i32" | "u32" | "bool" | "u8";

/** What a scalar expression can have as its type. */
export type ScalarType = "f32" | "i32" | "u32" | "bool";

/** The type that a read of a tensor with this element type has. */
export function scalarType(dtype: DType): ScalarType {
  switch (dtype) {
    case "f16":
      return "f32";
    case "u8":
      return "i32";
    default:
      return dtype;
  }
}

export function isFloat(dtype: DType): boolean {
  return dtype === "f32" || dtype === "f16";
}
