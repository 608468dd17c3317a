import type { ScalarRow } from "../../compiler/scalar/row.ts";
import type { ScalarType } from "../../compiler/types/dtype.ts";

/** A small seeded generator of uniform numbers in [0, 1), so that a failing case can be run again (mulberry32). */
export function generator(seed: string | number): () => number {
  let state = [...String(seed)].reduce((hash, c) => Math.imul(hash ^ c.charCodeAt(0), 0x01000193), 0x811c9dc5) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Where float32 functions break: signed zeros, subnormal numbers, powers of two, extremes, values that are no numbers. */
export const corners = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  2,
  -2,
  3,
  -3,
  2.5,
  -2.5,
  2 ** -149,
  -(2 ** -149),
  2 ** -140,
  2 ** -126,
  -(2 ** -126),
  2 ** -24,
  -(2 ** -24),
  1e-5,
  -1e-5,
  1 - 2 ** -24,
  1 + 2 ** -23,
  10,
  -10,
  17,
  -17,
  88,
  88.7,
  88.72283172607422,
  89,
  104,
  -87,
  -88,
  -100,
  -103,
  -103.9,
  -104,
  -200,
  1000,
  -1000,
  2 ** 24,
  -(2 ** 24),
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  65504,
  65519,
  65520,
  3.4028234663852886e38,
  -3.4028234663852886e38,
  Infinity,
  -Infinity,
  Number.NaN,
].map(Math.fround);

/** Beyond it sin, cos and tan only promise to stay in bounds. */
const angles = new Set(["sin", "cos", "tan"]);
const isAngle = (name: string, args: readonly number[]) => angles.has(name) && Math.abs(args[0] ?? 0) > 51_000;
/** Only promised for finite a > 0. */
const isPower = (name: string, [a, b]: readonly number[]) =>
  name === "raw_pow" && !(a! > 0 && a! < Infinity && !Number.isNaN(b));
const isAbove = (name: string, [x]: readonly number[]) => name === "exp_not_positive" && x! > 0;
const isDivision = (name: string, [, b]: readonly number[]) => name === "raw_div" && (b === 0 || b === -1);

export const isPromised = (name: string, args: readonly number[]): boolean =>
  !isAngle(name, args) && !isPower(name, args) && !isAbove(name, args) && !isDivision(name, args);

export function error(got: number, want: number): number {
  if (Number.isNaN(want)) return Number.isNaN(got) ? 0 : Infinity;
  if (Math.fround(want) === got) return 0;
  if (!Number.isFinite(got)) return Math.abs(want) >= 3.4028234663852886e38 * (1 - 2 ** -22) ? 0 : Infinity;
  return Math.abs(got - want);
}

/** The float64 result is rounded once where the function itself is exact. */
export function allowedError({ tolerance }: ScalarRow, result: ScalarType, want: number): number {
  const half = result === "f32" ? Math.max(2 ** -24 * Math.abs(want), 2 ** -150) : 0;
  return Math.max(half, tolerance.wasm.absolute + tolerance.wasm.relative * Math.abs(want));
}
