/** The language's own derivatives against formulas. */
import { describe, expect, test } from "vitest";
import { call, type Given, sample } from "./run.ts";

const range = (n: number) => Array.from({ length: n }, (_, k) => k);
const X = sample(4, 7);
const Y = sample(4, 8);
const M = sample(12, 9);

interface Row {
  readonly name: string;
  readonly text: string;
  readonly given: Given;
  readonly expected: readonly number[];
}
const rows: readonly Row[] = [
  {
    name: "grad",
    text: "export fn f(x: f32[4]) -> f32[4] = grad(x => sum(x^3))(x)",
    given: { x: X },
    expected: X.map((x) => 3 * x * x),
  },
  {
    name: "grad of grad",
    text: "export fn f(x: f32[4]) -> f32[4] = grad(x => sum(grad(x => sum(x^3))(x)))(x)",
    given: { x: X },
    expected: X.map((x) => 6 * x),
  },
  {
    name: "grad with respect to a later argument",
    text: "export fn f(x: f32[4], y: f32[4]) -> f32[4] = grad((a, b) => sum(a * b * b), argument: 1)(x, y)",
    given: { x: X, y: Y },
    expected: X.map((x, k) => 2 * x * (Y[k] ?? 0)),
  },
  {
    name: "grad of a tuple",
    text: "export fn f(x: f32[4], y: f32[4]) -> f32[4] {\n  let (a, b) = grad((p) => sum(p[0] * p[1]))((x, y))\n  a + 10 * b\n}",
    given: { x: X, y: Y },
    expected: X.map((x, k) => (Y[k] ?? 0) + 10 * x),
  },
  {
    name: "value_and_grad",
    text: "export fn f(x: f32[4]) -> f32[4] {\n  let (v, g) = value_and_grad(x => sum(x * x))(x)\n  g * v\n}",
    given: { x: X },
    expected: X.map((x) => 2 * x * X.reduce((a, b) => a + b * b, 0)),
  },
  {
    name: "a constant function has gradient 0",
    text: "export fn f(x: f32[4]) -> f32[4] = grad(x => sum(zeros([3])))(x)",
    given: { x: X },
    expected: [0, 0, 0, 0],
  },
  {
    name: "vjp",
    text: "export fn f(x: f32[4], u: f32[4]) -> f32[4] = vjp(x => x^2, x)(u)",
    given: { x: X, u: Y },
    expected: X.map((x, k) => 2 * x * (Y[k] ?? 0)),
  },
  {
    name: "jvp",
    text: "export fn f(x: f32[4], t: f32[4]) -> f32[3] {\n  let w = reshape(arange(12), [3, 4])\n  jvp(x => f32(w) @ (x^2), x)(t)\n}",
    given: { x: X, t: Y },
    expected: range(3).map((i) => range(4).reduce((s, k) => s + (4 * i + k) * 2 * (X[k] ?? 0) * (Y[k] ?? 0), 0)),
  },
  {
    name: "hvp",
    text: "export fn f(x: f32[4], v: f32[4]) -> f32[4] = hvp(x => sum(x)^3, x)(v)",
    given: { x: X, v: Y },
    expected: X.map(() => 6 * X.reduce((a, b) => a + b, 0) * Y.reduce((a, b) => a + b, 0)),
  },
  {
    name: "hessian",
    text: "export fn f(x: f32[4]) -> f32[4, 4] = hessian(x => x[0] * x[1]^2 + x[3])(x)",
    given: { x: X },
    expected: range(16).map((k) => (k === 1 || k === 4 ? 2 * (X[1] ?? 0) : k === 5 ? 2 * (X[0] ?? 0) : 0)),
  },
  {
    name: "vmap",
    text: "fn norm(x: f32[D]) -> f32 = sum(x * x)\nexport fn f(m: f32[3, 4]) -> f32[3] = vmap(norm)(m)",
    given: { m: M },
    expected: range(3).map((i) => range(4).reduce((s, k) => s + (M[4 * i + k] ?? 0) ** 2, 0)),
  },
  {
    name: "vmap of grad: a gradient for each row",
    text: "export fn f(m: f32[3, 4]) -> f32[3, 4] = vmap(x => grad(x => sum(x)^2 + sum(x^3))(x))(m)",
    given: { m: M },
    expected: range(12).map((k) => {
      const row = M.slice(4 * Math.floor(k / 4), 4 * Math.floor(k / 4) + 4);
      return 2 * row.reduce((a, b) => a + b, 0) + 3 * (M[k] ?? 0) ** 2;
    }),
  },
  {
    name: "per-example gradients of a shared weight",
    text: "export fn f(m: f32[3, 4], w: f32[4]) -> f32[3, 4] = vmap(x => grad(w => (sum(w * x))^2)(w))(m)",
    given: { m: M, w: X },
    expected: range(12).map((k) => {
      const row = M.slice(4 * Math.floor(k / 4), 4 * Math.floor(k / 4) + 4);
      return 2 * row.reduce((a, b, j) => a + b * (X[j] ?? 0), 0) * (M[k] ?? 0);
    }),
  },
  {
    name: "grad inside index notation",
    text: "export fn f(x: f32[4]) -> f32[4] { let y[i] = grad(t => t^3)(x[i]); y }",
    given: { x: X },
    expected: X.map((x) => 3 * x * x),
  },
  {
    name: "stop_gradient",
    text: "export fn f(x: f32[4]) -> f32[4] = grad(x => sum(x * stop_gradient(x)))(x)",
    given: { x: X },
    expected: X,
  },
  {
    name: "custom_grad",
    text: "export fn f(x: f32[4]) -> f32[4] = grad(x => sum(custom_grad(x => x^2, (x, y, dy) => 7 * dy + y)(x)))(x)",
    given: { x: X },
    expected: X.map((x) => 7 + x * x),
  },
  {
    name: "custom_grad that uses an outer tensor",
    text: "export fn f(x: f32[4], w: f32[4]) -> f32[4] = grad(x => sum(custom_grad(x => x * w, (x, y, dy) => dy * w * 2)(x)))(x)",
    given: { x: X, w: Y },
    expected: Y.map((w) => 2 * w),
  },
  {
    name: "scan: a running sum along another axis",
    text: "export fn f(m: f32[3, 4]) -> f32[3, 4] {\n  let (_, out) = scan(zeros([3]), m, (s, x) => (s + x, s + x), axis: 1)\n  out\n}",
    given: { m: M },
    expected: range(12).map((k) => M.slice(4 * Math.floor(k / 4), k + 1).reduce((a, b) => a + b, 0)),
  },
  {
    name: "scan over a count, with an outer tensor",
    text: "export fn f(x: f32[4]) -> f32[4] {\n  let (last, _) = scan(x, 3, (h, i) => (h * x + f32(i), ()))\n  last\n}",
    given: { x: X },
    expected: X.map((x) => (x * x * x + 1) * x + 2),
  },
  {
    name: "grad through scan",
    text: "export fn f(x: f32[4]) -> f32[4] = grad(x => {\n  let (last, _) = scan(zeros([]), x, (h, a) => (h * 2 + a^2, ()))\n  last\n})(x)",
    given: { x: X },
    expected: X.map((x, k) => 2 * x * 2 ** (3 - k)),
  },
  {
    name: "conv_transpose through vjp of a linear map",
    text: "export fn f(x: f32[4], w: f32[2]) -> f32[5] = vjp(u => { let y[i < 4] = sum[p < 2] u[i + p] * w[p]; y }, zeros([5]))(x)",
    given: { x: X, w: [2, 3] },
    expected: range(5).map((i) => 2 * (X[i] ?? 0) + 3 * (X[i - 1] ?? 0)),
  },
  {
    name: "map and fold over trees",
    text: "export fn f(x: f32[4], y: f32[4]) -> f32[4] {\n  let t = map((a, b) => a * b, (x, y), (y, y))\n  fold((s, a) => s + a, zeros([4]), t)\n}",
    given: { x: X, y: Y },
    expected: X.map((x, k) => x * (Y[k] ?? 0) + (Y[k] ?? 0) ** 2),
  },
];

describe("derivatives in the language", () => {
  test.each(rows.map((row) => [row.name, row] as const))("%s", (_, { text, given, expected }) => {
    const got = call(text, given);
    expect(got.length).toBe(expected.length);
    for (const [k, value] of got.entries()) expect(value).toBeCloseTo(expected[k] ?? Number.NaN, 9);
  });
});
