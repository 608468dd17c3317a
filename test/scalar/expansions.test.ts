import { describe, expect, it } from "vitest";
import { float32, float64 } from "../../compiler/scalar/numbers.ts";
import type { ScalarRow } from "../../compiler/scalar/row.ts";
import { scalarRows } from "../../compiler/scalar/table.ts";
import type { ScalarType } from "../../compiler/types/dtype.ts";
import { generator } from "./sampling.ts";

/** Where float32 functions break: signed zeros, subnormal numbers, powers of two, extremes, values that are no numbers. */
const corners = [
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

const integers = [0, 1, 2, 3, 5, 7, 31, 100, 0x7fffffff];
const samplesOf = (type: ScalarType, random: () => number): number[] => {
  switch (type) {
    case "bool":
      return [0, 1];
    case "i32":
      return [...integers, ...integers.map((x) => -x | 0), -0x80000000, ...many(20, () => (random() * 2 ** 32) | 0)];
    case "u32":
      return [...integers, 0x80000000, 0xffffffff, ...many(20, () => (random() * 2 ** 32) >>> 0)];
    case "f32":
      return corners;
    default:
      throw type satisfies never;
  }
};
const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

function* products(lists: readonly (readonly number[])[]): Generator<number[]> {
  const [head, ...tail] = lists;
  if (!head) yield [];
  else for (const x of head) for (const rest of products(tail)) yield [x, ...rest];
}

/** Beyond it sin, cos and tan only promise to stay in bounds. */
const angles = new Set(["sin", "cos", "tan"]);
const isAngle = (name: string, args: readonly number[]) => angles.has(name) && Math.abs(args[0] ?? 0) > 51_000;
/** Only promised for finite a > 0. */
const isPower = (name: string, [a, b]: readonly number[]) =>
  name === "raw_pow" && !(a! > 0 && a! < Infinity && !Number.isNaN(b));
const isDivision = (name: string, [, b]: readonly number[]) => name === "raw_div" && (b === 0 || b === -1);

/** Both only where they differ. */
function forms(row: ScalarRow, operand: ScalarType): ("scalar" | "lanes")[] {
  const rule = row.wasm[operand];
  return rule?.lanes === rule?.scalar ? ["scalar"] : ["scalar", "lanes"];
}

function error(got: number, want: number): number {
  if (Number.isNaN(want)) return Number.isNaN(got) ? 0 : Infinity;
  if (Math.fround(want) === got) return 0;
  if (!Number.isFinite(got)) return Math.abs(want) >= 3.4028234663852886e38 * (1 - 2 ** -22) ? 0 : Infinity;
  return Math.abs(got - want);
}

/** Its rounding is relative to the product, which may be larger than the result; tested through what is made of it. */
const rows = scalarRows.filter((row) => row.name !== "multiply_add");
const count = process.env.DLX_DEEP ? 100_000 : 1000;

describe.each(rows.map((row) => [row.name, row] as const))("%s in float32", (name, row) => {
  const random = generator(name);
  for (const [operand, signature] of Object.entries(row.signatures))
    it.each(forms(row, operand as ScalarType))(`over ${operand}, %s form, is within its tolerance`, (form) => {
      const ops = float32(form);
      const lists = signature.arguments.map((type) => samplesOf(type, random));
      const inside = many(count, () => row.domain.map(([low, high]) => Math.fround(low + (high - low) * random())));
      const wide = many(count, () => row.domain.map(() => Math.fround((random() - 0.5) * 2 ** (random() * 60 - 40))));
      const floats = signature.arguments.every((type) => type === "f32") ? [...inside, ...wide] : [];
      for (const args of [...products(lists), ...floats]) {
        if (isAngle(name, args) || isPower(name, args) || isDivision(name, args)) continue;
        const typed = args.map((value, k) => ({ type: signature.arguments[k]!, value }));
        const want = float64.apply(name, ...typed);
        const got = ops.apply(name, ...typed);
        if (got.type !== signature.result) expect.fail(`${name} gives ${got.type}, not ${signature.result}`);
        // The float64 result is rounded once where the function itself is exact.
        const half = signature.result === "f32" ? Math.max(2 ** -24 * Math.abs(want.value), 2 ** -150) : 0;
        const { relative, absolute } = row.tolerance.wasm;
        const allowed = Math.max(half, absolute + relative * Math.abs(want.value));
        const off = error(got.value, want.value);
        if (off > allowed)
          expect.fail(
            `${name}(${args.join(", ")}) = ${got.value}, not ${want.value}: off by ${off}, allowed ${allowed}`,
          );
      }
    });
});
