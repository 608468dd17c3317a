/** Conversions between element types, the bits of a float, rounding to half precision. */
import type { ScalarType } from "../types/dtype.ts";
import type { Expansion, ScalarRow } from "./row.ts";
import { call, each, exact, expand, float, over, row, units } from "./row.ts";

const exactly = { wasm: exact, wgsl: exact };
const integer = { none: "the argument or the result is not a float" };

const bytes = new DataView(new ArrayBuffer(4));
function floatOfBits(bits: number): number {
  bytes.setInt32(0, bits);
  return bytes.getFloat32(0);
}
function bitsOfFloat(value: number): number {
  bytes.setFloat32(0, value);
  return bytes.getInt32(0);
}

/** Towards zero; out of range to the nearest bound, NaN to 0: what WebAssembly's saturating truncation does. */
function truncateTo(low: number, high: number): (x: number) => number {
  return (x) => (Number.isNaN(x) ? 0 : Math.trunc(Math.min(Math.max(x, low), high)) + 0);
}

const oneOrZero =
  (type: ScalarType): Expansion =>
  (ops, x) =>
    ops.apply("select", x!, ops.constant(type, 1), ops.constant(type, 0));
const nonZero =
  (type: ScalarType): Expansion =>
  (ops, x) =>
    ops.apply("ne", x!, ops.constant(type, 0));

/** The bits mean the other type already. Two's complement makes `x + 0` of either type the identity. */
const asSigned: Expansion = (ops, x) => ops.apply("bitcast_i32", x!);
const asUnsigned: Expansion = (ops, x) => ops.apply("bitcast_u32", x!);

function half(x: number): number {
  if (!Number.isFinite(x) || x === 0) return x;
  const size = Math.abs(x);
  // Spacing of half-precision numbers near x: 2^-24 among the subnormal ones, 11 significant bits above.
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  const adjusted = 2 ** exponent > size && exponent > -14 ? exponent - 1 : exponent;
  const spacing = 2 ** (adjusted - 10);
  const scaled = size / spacing;
  const down = Math.floor(scaled);
  const up = scaled - down > 0.5 || (scaled - down === 0.5 && down % 2 === 1) ? 1 : 0;
  const rounded = (down + up) * spacing;
  return Math.sign(x) * (rounded > 65504 ? Infinity : rounded);
}

/**
 * Normal numbers: adds half a spacing to the bits (ties to even), clears the 13 bits that half precision lacks. Below 2^-14
 * adding and taking back 1/2 rounds to multiples of 2^-24.
 */
const roundHalf: Expansion = (ops, x) => {
  const i32 = (value: number) => ops.constant("i32", value);
  const bits = ops.apply("bitcast_i32", ops.apply("abs", x!));
  const tie = ops.apply("bit_and", ops.apply("shift_right", bits, i32(13)), i32(1));
  const moved = ops.apply("add", bits, ops.apply("add", i32(0xfff), tie));
  const normal = ops.apply("bitcast_f32", ops.apply("bit_and", moved, i32(-0x2000)));
  const size = ops.apply("abs", x!);
  const halfOne = ops.constant("f32", 0.5);
  const subnormal = ops.apply("sub", ops.apply("add", size, halfOne), halfOne);
  const rounded = ops.apply("select", ops.apply("lt", size, ops.constant("f32", 2 ** -14)), subnormal, normal);
  const tooLarge = ops.apply("gt", rounded, ops.constant("f32", 65504));
  const bounded = ops.apply("select", tooLarge, ops.constant("f32", Infinity), rounded);
  const sign = ops.apply("bit_and", ops.apply("bitcast_i32", x!), i32(-0x80000000));
  const signed = ops.apply("bitcast_f32", ops.apply("bit_or", ops.apply("bitcast_i32", bounded), sign));
  return ops.apply("select", ops.apply("eq", x!, x!), signed, x!);
};

export const conversionRows: readonly ScalarRow[] = [
  row({
    name: "to_f32",
    doc: "The nearest float; true is 1.",
    signatures: over(["i32", "u32", "bool"], 1, "f32"),
    derivative: integer,
    js: each(["i32", "u32", "bool"], () => (x: number) => x),
    wasm: {
      i32: { scalar: "f32.convert_i32_s", lanes: "f32x4.convert_i32x4_s" },
      u32: { scalar: "f32.convert_i32_u", lanes: "f32x4.convert_i32x4_u" },
      bool: expand(oneOrZero("f32")),
    },
    wgsl: each(["i32", "u32", "bool"], () => "$T($0)"),
    notation: call,
    tolerance: { wasm: units(0.5), wgsl: units(1) },
    domain: [],
    cost: 1,
  }),
  row({
    name: "to_i32",
    doc: "The whole part of a float, clamped to the range of i32, NaN to 0; the same bits of a u32; true is 1.",
    signatures: over(["f32", "u32", "bool"], 1, "i32"),
    derivative: integer,
    js: { f32: truncateTo(-0x80000000, 0x7fffffff), u32: (x) => x | 0, bool: (x) => x },
    wasm: {
      f32: { scalar: "i32.trunc_sat_f32_s", lanes: "i32x4.trunc_sat_f32x4_s" },
      u32: expand(asSigned),
      bool: expand(oneOrZero("i32")),
    },
    wgsl: each(["f32", "u32", "bool"], () => "$T($0)"),
    notation: call,
    tolerance: exactly,
    domain: [[-100, 100]],
    cost: 1,
  }),
  row({
    name: "to_u32",
    doc: "The whole part of a float, clamped to the range of u32, NaN to 0; the same bits of an i32; true is 1.",
    signatures: over(["f32", "i32", "bool"], 1, "u32"),
    derivative: integer,
    js: { f32: truncateTo(0, 0xffffffff), i32: (x) => x >>> 0, bool: (x) => x },
    wasm: {
      f32: { scalar: "i32.trunc_sat_f32_u", lanes: "i32x4.trunc_sat_f32x4_u" },
      i32: expand(asUnsigned),
      bool: expand(oneOrZero("u32")),
    },
    wgsl: each(["f32", "i32", "bool"], () => "$T($0)"),
    notation: call,
    tolerance: exactly,
    domain: [[0, 100]],
    cost: 1,
  }),
  row({
    name: "to_bool",
    doc: "Whether a number is not 0. A NaN is true.",
    signatures: over(["f32", "i32", "u32"], 1, "bool"),
    derivative: integer,
    js: each(["f32", "i32", "u32"], () => (x: number) => Number(x !== 0)),
    wasm: each(["f32", "i32", "u32"], (type) => expand(nonZero(type))),
    wgsl: each(["f32", "i32", "u32"], (type) => nonZero(type)),
    notation: call,
    tolerance: exactly,
    domain: [float],
    cost: 1,
  }),
  row({
    name: "bitcast_f32",
    doc: "The float with these 32 bits.",
    signatures: over(["i32", "u32"], 1, "f32"),
    derivative: integer,
    js: each(["i32", "u32"], () => floatOfBits),
    wasm: each(["i32", "u32"], () => ({ scalar: "f32.reinterpret_i32", lanes: "nop" })),
    wgsl: each(["i32", "u32"], () => "bitcast<$T>($0)"),
    notation: call,
    tolerance: exactly,
    domain: [],
    cost: 0,
  }),
  row({
    name: "bitcast_i32",
    doc: "The 32 bits of a float or u32, as i32.",
    signatures: over(["f32", "u32"], 1, "i32"),
    derivative: integer,
    js: { f32: bitsOfFloat, u32: (x) => x | 0 },
    wasm: { f32: { scalar: "i32.reinterpret_f32", lanes: "nop" }, u32: { scalar: "nop", lanes: "nop" } },
    wgsl: each(["f32", "u32"], () => "bitcast<$T>($0)"),
    notation: call,
    tolerance: exactly,
    domain: [float],
    cost: 0,
  }),
  row({
    name: "bitcast_u32",
    doc: "The 32 bits of a float or i32, as u32.",
    signatures: over(["f32", "i32"], 1, "u32"),
    derivative: integer,
    js: { f32: (x) => bitsOfFloat(x) >>> 0, i32: (x) => x >>> 0 },
    wasm: { f32: { scalar: "i32.reinterpret_f32", lanes: "nop" }, i32: { scalar: "nop", lanes: "nop" } },
    wgsl: each(["f32", "i32"], () => "bitcast<$T>($0)"),
    notation: call,
    tolerance: exactly,
    domain: [float],
    cost: 0,
  }),
  row({
    name: "round_f16",
    doc: "The nearest half-precision number (ties to even; beyond 65504 infinite), as f32. Gradients pass unchanged.",
    signatures: over(["f32"], 1),
    derivative: (ops) => [ops.constant("f32", 1)],
    straightThrough: true,
    js: { f32: half },
    wasm: { f32: expand(roundHalf) },
    wgsl: { f32: roundHalf },
    notation: call,
    tolerance: { wasm: exact, wgsl: units(0, 2 ** -24) },
    domain: [float],
    cost: 12,
  }),
];
