/** Operations on the 32 bits of an integer. Shift counts are taken modulo 32. */
import type { ScalarRow, WasmRule } from "./row.ts";
import { call, each, exact, over, row } from "./row.ts";

const words = ["i32", "u32"] as const;
const integer = { none: "not over floats" };
const exactly = { wasm: exact, wgsl: exact };

function bitwise(name: string, doc: string, symbol: string, js: (a: number, b: number) => number): ScalarRow {
  const code = name.slice(name.indexOf("_") + 1);
  return row({
    name,
    doc,
    signatures: over(words, 2),
    derivative: integer,
    js: { i32: js, u32: (a, b) => js(a, b) >>> 0 },
    wasm: each(words, (): WasmRule => ({ scalar: `i32.${code}`, lanes: `v128.${code}` })),
    wgsl: each(words, () => `($0 ${symbol} $1)`),
    notation: call,
    tolerance: exactly,
    domain: [],
    commutative: true,
    cost: 1,
  });
}

function shift(
  name: string,
  doc: string,
  symbol: string,
  js: (a: number, b: number) => number,
  wasm: [string, string],
) {
  return row({
    name,
    doc,
    signatures: over(words, 2),
    derivative: integer,
    js: { i32: js, u32: (a, b) => (name === "shift_right" ? a >>> b : js(a, b) >>> 0) },
    wasm: {
      i32: { scalar: `i32.${wasm[0]}`, lanes: `i32x4.${wasm[0]}`, uniform: [1] },
      u32: { scalar: `i32.${wasm[1]}`, lanes: `i32x4.${wasm[1]}`, uniform: [1] },
    },
    wgsl: each(words, () => `($0 ${symbol} ($U($1) & $U(31u)))`),
    notation: call,
    tolerance: exactly,
    domain: [],
    rightIdentity: 0,
    cost: 1,
  });
}

export const bitRows: readonly ScalarRow[] = [
  bitwise("bit_and", "Bits set in both.", "&", (a, b) => a & b),
  bitwise("bit_or", "Bits set in either.", "|", (a, b) => a | b),
  bitwise("bit_xor", "Bits set in exactly one.", "^", (a, b) => a ^ b),
  shift("shift_left", "Moves bits up; zeros come in.", "<<", (a, b) => a << b, ["shl", "shl"]),
  shift("shift_right", "Moves bits down; copies of the sign come in for i32, zeros for u32.", ">>", (a, b) => a >> b, [
    "shr_s",
    "shr_u",
  ]),
];
