/** Explanations of networks against what they promise, in float64. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { call, programOf, runEntry } from "../elaborate/run.ts";
import { program } from "./rows.ts";

const network = [
  "model Net(x: f32[N, 4]) -> f32[N, 3] = x |> dense(6) |> softplus |> dense(3)",
  "fn f(x: f32[N, 4]) -> f32[N, 3] = Net(x)",
];
/** Values of parameters, the same for the same path. */
const weights = (path: string, count: number) =>
  Array.from({ length: count }, (_, k) => Math.sin(1 + path.length + 1.7 * k));
function run(text: string, given: Readonly<Record<string, readonly number[]>>): Record<string, readonly number[]> {
  const [entry] = programOf(text).entries.filter(({ kind }) => kind === "call");
  if (!entry) throw new Error("nothing to run");
  return runEntry(entry, given, weights);
}
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const values = (count: number) =>
  fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: count, maxLength: count });

test("integrated gradients add up to the score less the baseline's", () => {
  const text = program(
    ...network,
    "export fn parts(x: f32[2, 4], b: f32[2, 4], class: i32[2]) = (integrated_gradients(f, x, class, baseline: b, steps: 200), class_score(f(x), class) - class_score(f(b), class))",
  );
  fc.assert(
    fc.property(values(8), values(8), fc.nat(2), fc.nat(2), (x, b, first, second) => {
      const [parts = [], [gained = Number.NaN] = []] = Object.values(run(text, { x, b, class: [first, second] }));
      expect(sum(parts)).toBeCloseTo(gained, 4);
    }),
    { numRuns: 5 },
  );
});

test("gradient x input adds up to the score of a network that scales", () => {
  const text = program(
    "fn f(x: f32[N, 4]) -> f32[N, 2] = relu(x @ reshape(sin(f32(arange(8))), [4, 2]))",
    "export fn parts(x: f32[1, 4]) = (gradient_x_input(f, x, 1), f(x)[0, 1])",
  );
  const [parts = [], [score = Number.NaN] = []] = Object.values(run(text, { x: [-1, 2, -3, -0.5] }));
  expect(score).toBeGreaterThan(0);
  expect(sum(parts)).toBeCloseTo(score, 12);
});

test("without noise smooth_grad is the gradient, with noise near its mean", () => {
  // The mean gradient of sum(x^3) around x is 3 (x^2 + std^2); the range is 3.
  const text = (noise: number, samples: number) =>
    program(
      "fn f(x: f32[N, 3]) -> f32[N, 1] = reshape(sum(x^3), [1, 1])",
      `export fn slope(x: f32[1, 3]) = smooth_grad(f, x, 0, samples: ${samples}, noise: ${noise})`,
    );
  const x = [1, -2, 0.5];
  expect(run(text(0, 3), { x }).output).toEqual(x.map((v) => expect.closeTo(3 * v * v, 12)));
  const [far = []] = [run(text(0.1, 2000), { x, seed: [1, 2] }).output];
  far.forEach((value, k) => {
    const mean = 3 * ((x[k] ?? 0) ** 2 + 0.3 ** 2);
    expect(Math.abs(value - mean)).toBeLessThan(0.15);
  });
});

test("guided backprop lets back only what is positive, at every activation", () => {
  const text = program(
    "fn f(x: f32[N, 2]) -> f32[N, 1] { let h = relu(x); let k = relu(h @ reshape(sin(f32(arange(4))), [2, 2])); k @ reshape(cos(f32(3 * arange(2))), [2, 1]) }",
    "export fn back(x: f32[1, 2]) = guided_backprop(f, x, 0)",
  );
  const [x0, x1] = [1.5, 0.25];
  const w = [0, 1, 2, 3].map(Math.sin);
  const v = [0, 3].map(Math.cos);
  const pre = [0, 1].map((j) => x0 * (w[j] ?? 0) + x1 * (w[2 + j] ?? 0));
  const back = [0, 1].map((j) => ((pre[j] ?? 0) > 0 ? Math.max(v[j] ?? 0, 0) : 0));
  const wanted = [0, 1].map((i) =>
    Math.max((w[2 * i] ?? 0) * (back[0] ?? 0) + (w[2 * i + 1] ?? 0) * (back[1] ?? 0), 0),
  );
  expect(call(text, { x: [x0, x1] })).toEqual(wanted.map((value) => expect.closeTo(value, 12)));
});
