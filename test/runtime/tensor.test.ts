import { describe, expect, test } from "vitest";
import type { DTypeName } from "../../runtime/plan.ts";
import { floatToHalf, fromElements, halfToFloat, openInput, toElements } from "../../runtime/tensor.ts";

describe("half precision", () => {
  test("every half is its own nearest half", () => {
    for (let half = 0; half < 65536; half++) {
      const value = halfToFloat(half);
      if (Number.isNaN(value)) expect(halfToFloat(floatToHalf(value))).toBeNaN();
      else if (floatToHalf(value) !== half) expect.fail(`${half} came back as ${floatToHalf(value)}`);
    }
  });
  test("between two halves the nearer wins, the even one in the middle", () => {
    for (let half = 0; half < 0x7c00; half++) {
      const low = halfToFloat(half);
      const high = half === 0x7bff ? 65536 : halfToFloat(half + 1);
      const middle = (low + high) / 2;
      const even = half % 2 === 0 ? half : half + 1;
      const nearby = Math.max(middle * 2 ** -23, 2 ** -149);
      const found = [middle - nearby, middle, middle + nearby].map(floatToHalf);
      if (String(found) !== String([half, even, half + 1])) expect.fail(`around ${middle}: ${found}`);
    }
  });
  test.each([
    [1e9, Number.POSITIVE_INFINITY],
    [-65520, Number.NEGATIVE_INFINITY],
    [-1e-9, -0],
  ])("%d becomes %d", (value, expected) => expect(halfToFloat(floatToHalf(value))).toBe(expected));
});

const rejected: [dtype: DTypeName, shape: number[], value: unknown, code: string, message: RegExp][] = [
  ["f32", [2], new Float64Array(2), "E0603", /`x`: expected a Float32Array for f32\[2\], got Float64Array\(2\)/],
  ["f32", [2], [1, 2], "E0603", /got an Array/],
  ["f32", [2], undefined, "E0603", /got undefined/],
  ["f32", [2], null, "E0603", /got null/],
  ["f32", [2], new DataView(new ArrayBuffer(8)), "E0603", /got DataView\(8\)/],
  ["f32", [2], 3, "E0603", /got 3/],
  ["f32", [], true, "E0603", /expected a number for f32, got true/],
  ["bool", [], 1, "E0603", /expected a boolean for bool, got 1/],
  ["i32", [], 1.5, "E0605", /1\.5 is not an i32/],
  ["u32", [], -1, "E0605", /-1 is not an u32/],
  ["i32", [], Number.NaN, "E0605", /NaN is not an i32/],
  ["u8", [2], new Int8Array(2), "E0603", /expected a Uint8Array for u8\[2\], got Int8Array\(2\)/],
  ["i32", [2], { data: "ab", shape: [2] }, "E0603", /got ab/],
];
describe("inputs that are not what the program wants", () => {
  test.each(rejected)("%s %j: %o", (dtype, shape, value, code, message) => {
    expect(() => openInput("x", dtype, shape, value)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});

const converted: [dtype: DTypeName, value: unknown, elements: number[], kind: string][] = [
  ["u8", Uint8Array.of(0, 255), [0, 255], "Int32Array"],
  ["u8", Uint8ClampedArray.of(7, 8), [7, 8], "Int32Array"],
  ["bool", Uint8Array.of(0, 1, 2), [0, 1, 1], "Uint32Array"],
  ["f16", Float32Array.of(1 / 3, 1e6), [0.333251953125, Number.POSITIVE_INFINITY], "Float32Array"],
  ["i32", Int32Array.of(-1), [-1], "Int32Array"],
  ["u32", Uint32Array.of(2 ** 32 - 1), [2 ** 32 - 1], "Uint32Array"],
];
describe("inputs as devices hold them", () => {
  test.each(converted)("%s %o", (dtype, value, elements, kind) => {
    const result = toElements(dtype, openInput("x", dtype, [elements.length], value).data);
    expect([...result]).toEqual(elements);
    expect(result.constructor.name).toBe(kind);
  });
});

test("results: rank 0 is a number or boolean, bytes are bytes", () => {
  expect(fromElements("f32", [], Float32Array.of(2))).toBe(2);
  expect(fromElements("bool", [], Uint32Array.of(1))).toBe(true);
  expect(fromElements("bool", [2], Uint32Array.of(1, 0))).toEqual(Uint8Array.of(1, 0));
  expect(fromElements("u8", [1], Int32Array.of(200))).toEqual(Uint8Array.of(200));
  expect(fromElements("f16", [1], Float32Array.of(0.5))).toEqual(Float32Array.of(0.5));
});
