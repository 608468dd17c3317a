/** What goes into a bundle and comes out, by dtype: values, and what is refused. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Inputs } from "../../runtime/call.ts";
import type { Session } from "../../runtime/session.ts";
import { builder, error, wave } from "./support.ts";

const build = builder();

describe("inputs and results of every dtype", () => {
  let net: Session;
  beforeAll(async () => {
    const { module } = await build(
      `
import nn
export fn mirrored(image: u8[2, 3]) -> u8[2, 3] {
  let y[i, j < 3] = image[i, 2 - j]
  y
}
export fn brighter(image: u8[2, 3], by: i32) -> i32[2, 3] = image + by
export fn chosen(mask: bool[4], a: f32[4], b: f32[4]) -> f32[4] = select(mask, a, b)
export fn compared(a: i32[4], b: i32[4]) -> (less: bool[4], sum: i32[4], all_less: bool, most: i32) {
  let less = a < b
  let all_less = all[k] less[k]
  let most = max[k] a[k]
  (less: less, sum: a + b, all_less: all_less, most: most)
}
export fn flag(on: bool, x: f32) -> f32 = select(on, x, -x)
export fn twice(x: f16[3]) -> f16[3] = x * 2
export fn words(x: u32[2], y: u32) -> (sum: u32[2], y: u32) = (sum: x + y, y: y)
export fn nothing() -> f32[2] = zeros([2])
export fn gathered(x: f32[2, 3], at: i32[2]) {
  let y[k] = x[k, at[k]]
  y
}
export fn pair(x: f32[3]) = (x, x[0] > 0)
layer memory(features: int)(x: f32[N, T, D]) { x |> lstm(features) }
model Reader(x: f32[N, 5, 2]) = x |> memory(3)
model Scores(id: i32[N, 2]) -> f32[N] {
  let e = id |> embedding(7, 4)
  let y[n] = sum[k, d] e[n, k, d]
  y
}`,
      { batches: [1, 2] },
    );
    net = await module.load({ seed: 2 });
  });
  const cases: [name: string, inputs: Inputs, outputs: object][] = [
    [
      "brighter",
      { image: Uint8Array.of(0, 1, 2, 100, 200, 250), by: 5 },
      { output: Int32Array.of(5, 6, 7, 105, 205, 255) },
    ],
    [
      "brighter",
      { image: Uint8ClampedArray.of(9, 1, 2, 3, 4, 5), by: -1 },
      { output: Int32Array.of(8, 0, 1, 2, 3, 4) },
    ],
    ["mirrored", { image: Uint8Array.of(0, 1, 2, 3, 4, 255) }, { output: Uint8Array.of(2, 1, 0, 255, 4, 3) }],
    [
      "chosen",
      { mask: Uint8Array.of(1, 0, 255, 0), a: Float32Array.of(1, 2, 3, 4), b: Float32Array.of(5, 6, 7, 8) },
      { output: Float32Array.of(1, 6, 3, 8) },
    ],
    [
      "compared",
      { a: Int32Array.of(1, 2, 3, -4), b: Int32Array.of(2, 1, 4, 4) },
      { less: Uint8Array.of(1, 0, 1, 1), sum: Int32Array.of(3, 3, 7, 0), all_less: false, most: 3 },
    ],
    ["flag", { on: true, x: 2.5 }, { output: 2.5 }],
    ["flag", { on: false, x: 2.5 }, { output: -2.5 }],
    ["twice", { x: Float32Array.of(0.1, 1, 70000) }, { output: Float32Array.of(0.199951171875, 2, Infinity) }],
    ["words", { x: Uint32Array.of(1, 2 ** 32 - 1), y: 3 }, { sum: Uint32Array.of(4, 2), y: 3 }],
    ["nothing", {}, { output: Float32Array.of(0, 0) }],
    ["gathered", { x: wave(6), at: Int32Array.of(2, 0) }, { output: Float32Array.of(wave(6)[2]!, wave(6)[3]!) }],
    ["pair", { x: Float32Array.of(1, 2, 3) }, { output_1: Float32Array.of(1, 2, 3), output_2: true }],
    [
      "chosen",
      {
        mask: { data: Uint8Array.of(1, 1, 0, 0), shape: [4] },
        a: Float32Array.of(1, 2, 3, 4),
        b: Float32Array.of(5, 6, 7, 8),
      },
      { output: Float32Array.of(1, 2, 7, 8) },
    ],
  ];
  test.each(cases)("%s", async (name, inputs, outputs) => {
    expect(await net.call[name]!(inputs)).toEqual(outputs);
  });
  test("a record's fields are names of results", async () => {
    const { output, hidden } = await net.models.Reader!.predict({ x: wave(30) });
    expect(output).toHaveLength(3 * 5 * 3);
    expect(hidden).toHaveLength(3 * 3);
    for (let n = 0; n < 3; n++)
      expect((hidden as Float32Array).slice(3 * n, 3 * n + 3)).toEqual(
        (output as Float32Array).slice(15 * n + 12, 15 * n + 15),
      );
  });
  test("of several models none is the main one", async () => {
    await expect(net.predict({ x: wave(10) })).rejects.toThrow(error("E0607", /use models.NAME.predict/));
    const { output } = await net.models.Scores!.predict({ id: Int32Array.of(0, 6, 3, 3, 1, 2) });
    expect(output).toHaveLength(3);
  });
  const refused: [name: string, inputs: Inputs, code: string, message: RegExp][] = [
    ["gathered", { x: wave(6), at: Int32Array.of(3, 0) }, "E0605", /input `at`: element 0 is 3; expected 0 to 2/],
    ["words", { x: new Int32Array(2), y: 3 }, "E0603", /expected a Uint32Array/],
    ["flag", { on: 1, x: 1 }, "E0603", /input `on`: expected a boolean for bool, got 1/],
    ["flag", { on: true, x: true }, "E0603", /input `x`: expected a number/],
    ["brighter", { image: new Uint8Array(6), by: 0.5 }, "E0605", /0.5 is not an i32/],
    ["brighter", { image: new Int32Array(6), by: 1 }, "E0603", /expected a Uint8Array/],
    [
      "brighter",
      { image: { data: new Uint8Array(6), shape: [3, 2] }, by: 1 },
      "E0604",
      /expected u8\[2, 3\], got \[3, 2\]/,
    ],
  ];
  test.each(refused)("%s refuses", async (name, inputs, code, message) => {
    await expect(net.call[name]!(inputs)).rejects.toThrow(error(code, message));
  });
  test("an id outside of the table", async () => {
    await expect(net.models.Scores!.predict({ id: Int32Array.of(0, 7) })).rejects.toThrow(
      error("E0605", /input `id`: element 1 is 7; expected 0 to 6/),
    );
  });
});
