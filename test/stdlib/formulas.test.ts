/** What PyTorch has no fixture for: the library's values against formulas, in float64. */
import { describe, expect, test } from "vitest";
import { program } from "./rows.ts";
import { drawn, type Given, run } from "./run.ts";

describe("orthogonal", () => {
  test.each([
    [3, 5],
    [5, 3],
    [4, 4],
    [1, 7],
  ])("%i x %i", (rows, columns) => {
    const q = drawn(`orthogonal([${rows}, ${columns}], gain: 2.0)`);
    const at = (i: number, j: number) => q[i * columns + j] ?? Number.NaN;
    const [few, many] = [Math.min(rows, columns), Math.max(rows, columns)];
    for (let a = 0; a < few; a++)
      for (let b = 0; b < few; b++) {
        let product = 0;
        for (let k = 0; k < many; k++) product += rows <= columns ? at(a, k) * at(b, k) : at(k, a) * at(k, b);
        expect(product).toBeCloseTo(a === b ? 4 : 0, 10);
      }
  });
});

test("truncated_normal stays within its bounds and has the variance of what is left", () => {
  const draws = drawn("truncated_normal([4000], std: 0.5)");
  expect(Math.max(...draws.map(Math.abs))).toBeLessThanOrEqual(1);
  const variance = draws.reduce((sum, value) => sum + value * value, 0) / draws.length;
  // 1 - 2 * 2 * phi(2) / (Phi(2) - Phi(-2)) of the whole one, for bounds at 2.
  expect(variance).toBeGreaterThan(0.25 * 0.7737 * 0.93);
  expect(variance).toBeLessThan(0.25 * 0.7737 * 1.07);
});

test.each([-0.999, -0.7, -0.01, 0, 0.3, 0.95, 0.9999])("erf(erfinv(%d)) is that", (x) => {
  const [back = Number.NaN] = run(program("export fn back(x: f32) = erf(erfinv(x))"), { x: [x] }).output ?? [];
  expect(Math.abs(back - x)).toBeLessThan(1e-6);
});

test("dirac is the identity of a convolution, in every group", () => {
  const text = program(
    "export fn same(x: f32[1, 4, 3, 3]) = correlate(x, dirac([4, 2, 3, 3], groups: 2), padding: 1, groups: 2)",
  );
  const x = Array.from({ length: 36 }, (_, k) => Math.sin(k));
  expect(run(text, { x }).output).toEqual(x);
});

test("lion", () => {
  const text = program(
    "model M(x: f32[2]) -> f32[2] {\n  param w: f32[2] = zeros\n  w * x\n}",
    "train t()(x: f32[2]) {\n  minimize loss = sum(M(x)) over M.params using lion(lr: 0.1, beta1: 0.5, beta2: 0.75, weight_decay: 0.25)\n}",
  );
  // One step: the gradient is x. u = sign(0.5 m + 0.5 g); w - lr * (u + 0.25 w); m = 0.75 m + 0.25 g.
  const after = run(text, { x: [3, -2], "M.w": [1, 2], "t.loss.M.w.m": [-8, 0.5] });
  expect(after["M.w"]).toEqual([1 - 0.1 * (-1 + 0.25), 2 - 0.1 * (-1 + 0.5)]);
  expect(after["t.loss.M.w.m"]).toEqual([0.75 * -8 + 0.25 * 3, 0.75 * 0.5 + 0.25 * -2]);
});

test("accumulate steps with the mean gradient, the inner optimizer counting its own steps", () => {
  const block = (optimizer: string) =>
    program(
      "model M(x: f32[2]) -> f32[2] {\n  param w: f32[2] = ones\n  w * x\n}",
      `train t()(x: f32[2]) {\n  minimize loss = sum(M(x)) over M.params using ${optimizer}\n}`,
    );
  const gradients = [
    [1, 2],
    [3, -1],
    [0.5, 0.5],
    [-2, 4],
  ];
  const follow = (text: string, steps: readonly (readonly number[])[]) => {
    let state: Given = { "M.w": [1, 1] };
    const weights: (readonly number[])[] = [];
    for (const x of steps) {
      state = { ...state, ...run(text, { ...state, x }) };
      weights.push(state["M.w"] ?? []);
    }
    return weights;
  };
  const mean = (a = 0, b = 0) =>
    (gradients[a] ?? []).map((value, k) => (value + (gradients[b]?.[k] ?? Number.NaN)) / 2);
  const alone = follow(block("adam(lr: 0.1)"), [mean(0, 1), mean(2, 3)]);
  const wrapped = follow(block("accumulate(adam(lr: 0.1), every: 2)"), gradients);
  expect(wrapped).toEqual([[1, 1], alone[0], alone[0], alone[1]]);
});

test("newton_cg solves a quadratic in as many iterations as it has dimensions", () => {
  const text = program(
    "fn bowl(w: f32[3]) -> f32 = 0.5 * (w[0]^2 + 10 * w[1]^2 + 100 * w[2]^2) + w[0] * w[1] - w[2]",
    "export fn step(w: f32[3]) = newton_cg(bowl, w, damping: 0.0, iterations: 3)",
  );
  const [a = Number.NaN, b = Number.NaN, c = Number.NaN] = run(text, { w: [3, -2, 5] }).output ?? [];
  expect([a, b]).toEqual([expect.closeTo(0, 8), expect.closeTo(0, 8)]);
  expect(c).toBeCloseTo(0.01, 10);
});

test("newton_cg goes downhill where the curvature is negative, and stays where nothing is to be gained", () => {
  const text = program("export fn step(w: f32[2]) = newton_cg(w => w[0]^2 - w[1]^2, w, damping: 0.0, iterations: 5)");
  const [, down = Number.NaN] = run(text, { w: [0, 1] }).output ?? [];
  expect(down).toBeGreaterThan(1);
  expect(run(text, { w: [0, 0] }).output).toEqual([0, 0]);
});

test("metrics from a confusion matrix", () => {
  const text = program("export fn of(c: f32[3, 3]) = (precision(c), recall(c), f1(c))");
  // Rows are what is, columns what was taken for it; nothing was taken for the third class.
  const got = run(text, { c: [3, 1, 0, 2, 4, 0, 1, 0, 0] });
  expect(Object.values(got)).toEqual([
    [3 / 6, 4 / 5, 0],
    [3 / 4, 4 / 6, 0],
    [6 / 10, 8 / 11, 0],
  ]);
});

test("ties are not hits beyond k", () => {
  const text = program("export fn share(x: f32[4, 3], label: i32[4]) = top_k_accuracy(x, label, 2)");
  // All equal: the first two classes are the two largest.
  expect(run(text, { x: new Array(12).fill(1), label: [0, 1, 2, 2] }).output).toEqual([0.5]);
});
