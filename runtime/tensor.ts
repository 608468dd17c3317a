/** Tensors as callers see them (typed arrays of their dtype) and as devices hold them (four bytes an element). */
import type { Elements } from "./device.ts";
import { DlxError } from "./errors.ts";
import type { DTypeName } from "./plan.ts";

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array;

/** What a call accepts for one input: `shape` is needed only where more than one dimension is free. */
export type TensorInput =
  | number
  | boolean
  | TypedArray
  | { readonly data: TypedArray; readonly shape: readonly number[] };
/** What a call answers: rank 0 as a number or boolean, everything else row-major. */
export type TensorOutput = number | boolean | Float32Array | Int32Array | Uint32Array | Uint8Array;

/** A tensor outside any device: its own dtype, row-major. */
export interface HostTensor {
  readonly dtype: DTypeName;
  readonly shape: readonly number[];
  readonly data: Elements;
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** `f32[2, 3]`, as dlx writes it. */
export function typeText(dtype: string, shape: readonly (number | string)[]): string {
  return shape.length === 0 ? dtype : `${dtype}[${shape.join(", ")}]`;
}

const isSigned = (dtype: DTypeName) => dtype === "i32" || dtype === "u8";
const isReal = (dtype: DTypeName) => dtype === "f32" || dtype === "f16";

export function allocate(dtype: DTypeName, count: number): Elements {
  if (isReal(dtype)) return new Float32Array(count);
  return isSigned(dtype) ? new Int32Array(count) : new Uint32Array(count);
}

/** Whether `data` is the array that callers use for `dtype`. Canvas pixels (clamped bytes) are bytes too. */
function fits(dtype: DTypeName, data: TypedArray): boolean {
  switch (dtype) {
    case "f32":
    case "f16":
      return data instanceof Float32Array;
    case "i32":
      return data instanceof Int32Array;
    case "u32":
      return data instanceof Uint32Array;
    case "bool":
    case "u8":
      return data instanceof Uint8Array || data instanceof Uint8ClampedArray;
    default:
      return dtype satisfies never;
  }
}
const arrayName = (dtype: DTypeName) =>
  ({
    f32: "Float32Array",
    f16: "Float32Array",
    i32: "Int32Array",
    u32: "Uint32Array",
    bool: "Uint8Array",
    u8: "Uint8Array",
  })[dtype];

/** What came, in the caller's words. */
function describe(value: unknown): string {
  if (ArrayBuffer.isView(value))
    return `${value.constructor.name}(${"length" in value ? value.length : value.byteLength})`;
  return value === null
    ? "null"
    : Array.isArray(value)
      ? "an Array"
      : typeof value === "object"
        ? "an object"
        : String(value);
}

/** An input's array and, if the caller gave one, its shape. Throws E0603 naming the input. */
export function openInput(
  name: string,
  dtype: DTypeName,
  shape: readonly (number | string)[],
  value: unknown,
): { data: TypedArray; shape: readonly number[] | undefined } {
  const wrong = (found: unknown) =>
    new DlxError(
      "E0603",
      `input \`${name}\`: expected ${shape.length === 0 ? (dtype === "bool" ? "a boolean" : "a number") : `a ${arrayName(dtype)}`} for ${typeText(dtype, shape)}, got ${describe(found)}`,
    );
  if (typeof value === "number" || typeof value === "boolean") {
    if (shape.length > 0 || (typeof value === "boolean") !== (dtype === "bool")) throw wrong(value);
    return { data: scalarArray(name, dtype, Number(value)), shape: [] };
  }
  const boxed = typeof value === "object" && value !== null && "data" in value && "shape" in value;
  const data = boxed ? value.data : value;
  if (!isTypedArray(data) || !fits(dtype, data)) throw wrong(data);
  return { data, shape: boxed && Array.isArray(value.shape) ? value.shape.map(Number) : undefined };
}

function isTypedArray(value: unknown): value is TypedArray {
  return (
    ArrayBuffer.isView(value) &&
    !(value instanceof DataView) &&
    !(value instanceof BigInt64Array) &&
    !(value instanceof BigUint64Array)
  );
}

const limits: Partial<Record<DTypeName, readonly [number, number]>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  u8: [0, 255],
};

function scalarArray(name: string, dtype: DTypeName, value: number): TypedArray {
  const range = limits[dtype];
  if (range && !(Number.isInteger(value) && value >= range[0] && value <= range[1]))
    throw new DlxError(
      "E0605",
      `input \`${name}\`: ${value} is not an ${dtype} (an integer from ${range[0]} to ${range[1]})`,
    );
  return isReal(dtype) ? Float32Array.of(value) : isSigned(dtype) ? Int32Array.of(value) : Uint32Array.of(value);
}

/** Four-byte elements of an array that `fits`. Without conversion the caller's own array is returned, not a copy. */
export function toElements(dtype: DTypeName, data: TypedArray): Elements {
  switch (dtype) {
    case "f32":
      return data instanceof Float32Array ? data : Float32Array.from(data);
    case "f16":
      return Float32Array.from(data, (value) => halfToFloat(floatToHalf(value)));
    case "i32":
    case "u8":
      return data instanceof Int32Array ? data : Int32Array.from(data);
    case "u32":
      return data instanceof Uint32Array ? data : Uint32Array.from(data);
    case "bool":
      return Uint32Array.from(data, (value) => (value === 0 ? 0 : 1));
    default:
      return dtype satisfies never;
  }
}

/** The caller's view of a device's elements. */
export function fromElements(dtype: DTypeName, shape: readonly number[], elements: Elements): TensorOutput {
  if (shape.length === 0) return dtype === "bool" ? elements[0] !== 0 : elements[0]!;
  return dtype === "u8" || dtype === "bool" ? Uint8Array.from(elements) : elements;
}

// ---- Half precision: IEEE 754 binary16, round to nearest, ties to even ----------------------------------------------

const bits = new Uint32Array(1);
const real = new Float32Array(bits.buffer);

/** The 16 bits of the nearest half. `value` is first rounded to single precision. */
export function floatToHalf(value: number): number {
  real[0] = value;
  const word = bits[0]!;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  // Below 2^-14 a half is a multiple of 2^-24: let the adder of single precision do the rounding.
  if (magnitude < 0x38800000) {
    real[0] = Math.abs(real[0]!) + 0.5;
    return sign | (bits[0]! - 0x3f000000);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

export function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** What elements that are no floats can be: from the least to the greatest. */
export const integerRanges = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  u8: [0, 255],
  bool: [0, 1],
} as const;
