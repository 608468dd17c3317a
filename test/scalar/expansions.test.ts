import { describe, expect, it } from "vitest";
import { float32, float64 } from "../../compiler/scalar/numbers.ts";
import type { ScalarRow } from "../../compiler/scalar/row.ts";
import { scalarRows } from "../../compiler/scalar/table.ts";
import type { ScalarType } from "../../compiler/types/dtype.ts";
import { allowedError, corners, error, generator, isPromised } from "./sampling.ts";

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

/** Both only where they differ. */
function forms(row: ScalarRow, operand: ScalarType): ("scalar" | "lanes")[] {
  const rule = row.wasm[operand];
  return rule?.lanes === rule?.scalar ? ["scalar"] : ["scalar", "lanes"];
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
        if (!isPromised(name, args)) continue;
        const typed = args.map((value, k) => ({ type: signature.arguments[k]!, value }));
        const want = float64.apply(name, ...typed);
        const got = ops.apply(name, ...typed);
        if (got.type !== signature.result) expect.fail(`${name} gives ${got.type}, not ${signature.result}`);
        const allowed = allowedError(row, signature.result, want.value);
        const off = error(got.value, want.value);
        if (off > allowed)
          expect.fail(
            `${name}(${args.join(", ")}) = ${got.value}, not ${want.value}: off by ${off}, allowed ${allowed}`,
          );
      }
    });
});
