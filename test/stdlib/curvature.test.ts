/** Eigenvalues against matrices whose spectrum is known, and of Hessians against those that are written down. */
import { describe, expect, test } from "vitest";
import { waved } from "./run.ts";

const near = (values: readonly number[], digits = 8) => values.map((value) => expect.closeTo(value, digits));

test.each([1, 2, 3, 6, 11])("the second differences of %i points", (size) => {
  const [got] = waved(`export fn of() -> f32[${size}] {
  let a[i < ${size}, j < ${size}] = select(i == j, 2.0, select(i - j == 1 or j - i == 1, -1.0, 0.0))
  eigenvalues(a)
}`);
  expect(got).toEqual(near(Array.from({ length: size }, (_, k) => 2 - 2 * Math.cos(((k + 1) * Math.PI) / (size + 1)))));
});

describe("of a Hessian, as of the one that is written down", () => {
  test.each([
    ["a quartic", 5, "sum(x^4) + x[0] * x[1] * x[2]"],
    ["Rosenbrock's valley", 4, "sum[i < 3] (100 * (x[i + 1] - x[i]^2)^2 + (1 - x[i])^2)"],
    ["curvatures that are all the same", 6, "sum(x^2)"],
    ["several the same, and flat ones", 6, "(x[0] + x[1])^2 + x[2]^2 - 3 * x[3]^2"],
    ["none at all", 3, "sum(x)"],
    ["a network", 8, "sum[k < 2] tanh(x[6 + k] * tanh(sum[i < 3] x[i] * x[3 + i] * cos(f32(i + k))))^2"],
  ])("%s", (_, size, body) => {
    const [got, wanted = []] = waved(`fn f(x: f32[${size}]) -> f32 = ${body}
export fn both(x: f32[${size}]) = (hessian_eigenvalues(f, x), eigenvalues(hessian(f)(x)))`);
    expect(wanted.length).toBe(size);
    expect(got).toEqual(near(wanted, 7));
  });
});

test("of a tree", () => {
  const [got] = waved(
    "export fn of(a: f32[2, 2], b: f32) = hessian_eigenvalues(((a, b)) => sum(a^2) + 2 * b^2 + 2 * a[0, 0] * b, (a, b))",
  );
  // 2 thrice, and those of [[2, 2], [2, 4]].
  expect(got).toEqual(near([3 - Math.sqrt(5), 2, 2, 2, 3 + Math.sqrt(5)]));
});

test("few steps see the ends of a spectrum, and nothing beyond", () => {
  const [[low = Number.NaN] = [], [high = Number.NaN] = []] = waved(`export fn of(x: f32[40]) =
  extreme_eigenvalues(x => 0.5 * sum[i] select(i == 0, -30, select(i == 39, 100, 1 + f32(i) / 40)) * x[i]^2, x, steps: 10)`);
  expect(low).toBeCloseTo(-30, 3);
  expect(high).toBeCloseTo(100, 3);
  expect(low).toBeGreaterThanOrEqual(-30 - 1e-9);
  expect(high).toBeLessThanOrEqual(100 + 1e-9);
});

test.each([
  ["a saddle", "x[0]^2 - 4 * x[1]^2", 1, Infinity],
  ["a minimum", "x[0]^2 + 4 * x[1]^2", 0, 4],
  ["a maximum", "-x[0]^2 - 4 * x[1]^2", 0, Infinity],
  ["a ridge that is flat along one direction", "(x[0] - x[1])^2", 0, undefined],
  ["a narrow valley", "50 * (x[0] + x[1])^2 + 0.5 * (x[0] - x[1])^2", 0, 100],
])("%s", (_, body, saddle, condition) => {
  const [[isSaddle] = [], [number] = []] = waved(`fn f(x: f32[2]) -> f32 = ${body}
export fn both(x: f32[2]) = (is_saddle(f, x), condition_number(f, x))`);
  expect(isSaddle).toBe(saddle);
  if (condition !== undefined) expect(number).toBeCloseTo(condition, 6);
});

test("the curvature along a direction", () => {
  const [got] = waved(
    "export fn of(x: f32[2]) -> f32 = curvature_along(x => x[0]^2 + 5 * x[1]^2, x, 3 * fill([2], 1.0))",
  );
  expect(got).toEqual(near([6]));
});
