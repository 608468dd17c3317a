import { describe, expect, test } from "vitest";
import { apply, KernelBuilder, load, mul, splat, u32, variable } from "../../../compiler/kernel/build.ts";
import type { KernelMemory } from "../../../compiler/kernel/interpret.ts";
import { allocate } from "../../../compiler/kernel/interpret.ts";
import type { Kernel, Lanes } from "../../../compiler/kernel/ir.ts";
import { evaluate } from "../../../compiler/scalar/numbers.ts";
import type { ScalarRow } from "../../../compiler/scalar/row.ts";
import { scalarRows } from "../../../compiler/scalar/table.ts";
import type { ScalarType } from "../../../compiler/types/dtype.ts";
import { allowedError, corners, error, generator, isPromised } from "../../scalar/sampling.ts";
import { enableRelaxed, runWasm } from "./run.ts";

const count = 256;

/** Deterministic words: a 32-bit Weyl sequence, mixed. */
function words(seed: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, k) => {
    let x = Math.imul(k + 1 + seed * 7919, 0x9e3779b9) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b) >>> 0;
    return (x ^ (x >>> 13)) >>> 0;
  });
}

function samples(type: ScalarType, seed: number, domain: readonly [number, number] | undefined): KernelMemory {
  const random = words(seed);
  const edges = [0, 1, -1, 2 ** 31, -(2 ** 31), 2, 31, 7];
  switch (type) {
    case "f32": {
      const [low, high] = domain ?? [-4, 4];
      return Float32Array.from(random, (w) => low + ((high - low) * w) / 2 ** 32);
    }
    case "i32":
      return Int32Array.from(random, (w, k) =>
        k < 64 ? edges[(k >> (3 * (seed % 2))) & 7]! : k % 2 ? w : (w % 41) - 20,
      );
    case "u32":
      return Uint32Array.from(random, (w, k) => (k < 64 ? edges[(k >> (3 * (seed % 2))) & 7]! : k % 2 ? w : w % 41));
    case "bool":
      return random.map((w) => w & 1);
    default:
      return type satisfies never;
  }
}

/** `y[i] = row(x0[i], x1[i], ..)`; bools are buffers of bool. */
function rowKernel(
  name: string,
  types: readonly ScalarType[],
  result: ScalarType,
  lanes: Lanes,
  uniform: readonly number[],
  length = count,
): Kernel {
  const k = new KernelBuilder(`row_${name}`, "cpu");
  const inputs = types.map((type, at) => ({ type, name: k.buffer(`x${at}`, type, "read") }));
  const output = k.buffer("y", result, "write");
  k.forLoop("i", 0, length, lanes, (i) => {
    const values = inputs.map((input, at) =>
      uniform.includes(at) ? splat(load(input.name, input.type, i), lanes) : load(input.name, input.type, i, lanes),
    );
    k.store(output, i, apply(name, result, ...values));
  });
  return k.finish();
}

function close(row: ScalarRow, want: number, got: number, type: ScalarType): boolean {
  if (Object.is(want, got) || want === got) return true;
  if (type !== "f32" || Number.isNaN(want) || Number.isNaN(got)) return false;
  const { relative, absolute } = row.tolerance.wasm;
  const rounding = Math.abs(Math.fround(want) - want);
  return Math.abs(got - want) <= absolute + relative * Math.abs(want) + rounding;
}

describe.each(scalarRows.map((row) => [row.name, row] as const))("%s", (_name, row) => {
  for (const [operand, signature] of Object.entries(row.signatures))
    for (const lanes of [1, 4] as const)
      for (const relaxed of enableRelaxed() ? [false, true] : [false])
        test(`${operand} x${lanes}${relaxed ? " relaxed" : ""}`, async () => {
          const { arguments: types, result } = signature;
          const floats = types.map(
            (type, k) => types.slice(0, k).filter((t) => t === "f32").length + (type === "f32" ? 0 : 99),
          );
          const uniform = row.wasm[operand as ScalarType]?.uniform ?? [];
          const inputs = types.map((type, k) => samples(type, k, row.domain[floats[k]!]));
          // Its documented condition: divisors are neither 0 nor -1.
          if (row.name === "raw_div") inputs[1] = inputs[1]!.map((x) => (x === 0 || x === -1 ? 3 : x));
          const kernel = rowKernel(row.name, types, result, lanes, uniform);
          const ran = await runWasm(kernel, [...inputs, allocate(result, count)], [], { relaxed });
          const got = ran.at(-1)!;
          for (let k = 0; k < count; k++) {
            const at = (argument: number): number => (lanes === 4 && uniform.includes(argument) ? k - (k % 4) : k);
            const values = inputs.map((input, argument) => input[at(argument)]!);
            const want = evaluate(row.name, types, values);
            const message = `${row.name}(${values.join(", ")}) = ${want}, not ${got[k]}`;
            if (!close(row, want, got[k]!, result)) expect.fail(message);
          }
        });
});

/** Every exponent, both signs, all that is no number: bits drawn at random, and the corners. */
function wholeRange(seed: number): Float32Array {
  const random = generator(seed);
  const bits = Int32Array.from({ length: 8 * count }, () => (random() * 2 ** 32) | 0);
  const values = new Float32Array(bits.buffer);
  // Most bits are huge or tiny: half of the numbers are of an ordinary size.
  for (let k = 0; k < values.length; k += 2) values[k] = (random() - 0.5) * 2 ** (random() * 16 - 6);
  values.set(corners);
  return values;
}

const functions = scalarRows.filter(
  ({ name, signatures: { f32: signature } }) =>
    name !== "multiply_add" && signature?.result === "f32" && signature.arguments.every((type) => type === "f32"),
);
describe.each(functions.map((row) => [row.name, row] as const))("%s over all of float32", (_name, row) => {
  const types = row.signatures.f32!.arguments;
  test.each(enableRelaxed() ? [false, true] : [false])("relaxed: %s", async (relaxed) => {
    const inputs = types.map((_, k) => wholeRange(k + 1));
    const { length } = inputs[0]!;
    const kernel = rowKernel(row.name, types, "f32", 4, [], length);
    const ran = await runWasm(kernel, [...inputs, allocate("f32", length)], [], { relaxed });
    for (const [k, got] of [...ran.at(-1)!].entries()) {
      const args = inputs.map((input) => input[k]!);
      if (!isPromised(row.name, args)) continue;
      const want = evaluate(row.name, types, args);
      const off = error(got, want);
      if (off > allowedError(row, "f32", want))
        expect.fail(`${row.name}(${args.join(", ")}) = ${got}, not ${want}: off by ${off}`);
    }
  });
});

/** Relative to the result, which the row's own tolerance is too wide for where it is small. */
test.each(enableRelaxed() ? [false, true] : [false])(
  "exponentials down to the least normal number, relaxed: %s",
  async (relaxed) => {
    const x = Float32Array.from({ length: 4096 }, (_, k) => (-87.3365 * k) / 4095);
    x.set([-87.34, -104, -1e10, -Infinity, Number.NaN, -0], 4000);
    const kernel = rowKernel("exp_not_positive", ["f32"], "f32", 4, [], x.length);
    const [, got] = await runWasm(kernel, [x, allocate("f32", x.length)], [], { relaxed });
    for (const [k, value] of x.entries()) {
      const want = value < -87.33654 ? 0 : Math.exp(value);
      const most = (relaxed ? 0.7 - 0.025 * value : 1) * 2 ** -23;
      if (!(Object.is(got![k], want) || Math.abs(got![k]! - want) <= most * want))
        expect.fail(`exp(${value}) = ${got![k]}`);
    }
  },
);

test("a shift by counts that differ between lanes", async () => {
  const k = new KernelBuilder("shift", "cpu");
  const x = k.buffer("x", "u32", "read");
  const y = k.buffer("y", "u32", "write");
  k.store(y, 0, apply("shift_left", "u32", splat(u32(1)), load(x, "u32", 0, 4)));
  const [, got] = await runWasm(k.finish(), [Uint32Array.of(1, 2, 3, 33), new Uint32Array(4)]);
  expect([...got!]).toEqual([2, 4, 8, 2]);
  expect(mul(variable("i"), 0)).toMatchObject({ kind: "constant", value: 0 });
});
