/** Index notation against the same formula in TypeScript. A new row is a new test. */
import { describe, expect, test } from "vitest";
import { call, type Given, sample } from "./run.ts";

const range = (n: number) => Array.from({ length: n }, (_, k) => k);
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const A = sample(12, 1);
const B = sample(20, 2);
const V = sample(12, 3);
const I = sample(2 * 3 * 6 * 6, 4);
const W = sample(4 * 3 * 3 * 3, 5);

interface Row {
  readonly name: string;
  readonly text: string;
  readonly given: Given;
  readonly expected: readonly number[];
}

const at = (values: readonly number[], ...pairs: readonly (readonly [position: number, extent: number])[]) => {
  let offset = 0;
  for (const [position, extent] of pairs) offset = offset * extent + position;
  return values[offset] ?? Number.NaN;
};

const rows: readonly Row[] = [
  {
    name: "matrix product",
    text: "export fn f(a: f32[3, 4], b: f32[4, 5]) -> f32[3, 5] { let y[i, j] = sum[k] a[i, k] * b[k, j]; y }",
    given: { a: A, b: B },
    expected: range(3).flatMap((i) =>
      range(5).map((j) => sum(range(4).map((k) => at(A, [i, 3], [k, 4]) * at(B, [k, 4], [j, 5])))),
    ),
  },
  {
    name: "matrix product by operator",
    text: "export fn f(a: f32[3, 4], b: f32[4, 5]) -> f32[3, 5] = a @ b",
    given: { a: A, b: B },
    expected: range(3).flatMap((i) =>
      range(5).map((j) => sum(range(4).map((k) => at(A, [i, 3], [k, 4]) * at(B, [k, 4], [j, 5])))),
    ),
  },
  {
    name: "batched product by operator",
    text: "export fn f(a: f32[2, 2, 3], b: f32[2, 3, 2]) -> f32[2, 2, 2] = a @ b",
    given: { a: A, b: V },
    expected: range(2).flatMap((n) =>
      range(2).flatMap((i) =>
        range(2).map((j) => sum(range(3).map((k) => at(A, [n, 2], [i, 2], [k, 3]) * at(V, [n, 2], [k, 3], [j, 2])))),
      ),
    ),
  },
  {
    name: "matrix times vector",
    text: "export fn f(a: f32[3, 4], v: f32[4]) -> f32[3] = a @ v",
    given: { a: A, v: V.slice(0, 4) },
    expected: range(3).map((i) => sum(range(4).map((k) => at(A, [i, 3], [k, 4]) * (V[k] ?? 0)))),
  },
  {
    name: "transpose",
    text: "export fn f(a: f32[3, 4]) -> f32[4, 3] { let y[j, i] = a[i, j]; y }",
    given: { a: A },
    expected: range(4).flatMap((j) => range(3).map((i) => at(A, [i, 3], [j, 4]))),
  },
  {
    name: "shift with else",
    text: "export fn f(v: f32[12]) -> f32[12] { let y[i < 12] = v[i - 1 else 7]; y }",
    given: { v: V },
    expected: range(12).map((i) => (i === 0 ? 7 : (V[i - 1] ?? 0))),
  },
  {
    name: "else that is not constant",
    text: "export fn f(v: f32[12]) -> f32[12] { let y[i < 12] = v[i + 2 else v[0] * f32(i)]; y }",
    given: { v: V },
    expected: range(12).map((i) => V[i + 2] ?? (V[0] ?? 0) * i),
  },
  {
    name: "quotient and remainder of an index",
    text: "export fn f(a: f32[3, 4]) -> f32[12] { let y[o < 12] = a[o / 4, o % 4] + f32(o % 3); y }",
    given: { a: A },
    expected: range(12).map((o) => (A[o] ?? 0) + (o % 3)),
  },
  {
    name: "quotient by no divisor of the extent",
    text: "export fn f(v: f32[12]) -> f32[7] { let y[o < 7] = v[o / 3] * v[(2 * o + 1) / 3]; y }",
    given: { v: V },
    expected: range(7).map((o) => (V[Math.floor(o / 3)] ?? 0) * (V[Math.floor((2 * o + 1) / 3)] ?? 0)),
  },
  {
    name: "quotient of two indices",
    text: "export fn f(v: f32[12]) -> f32[5, 4] { let y[i < 5, j < 4] = v[(i + 2 * j) / 2]; y }",
    given: { v: V },
    expected: range(5).flatMap((i) => range(4).map((j) => V[Math.floor((i + 2 * j) / 2)] ?? 0)),
  },
  {
    name: "product of two indices",
    text: "export fn f(v: f32[12]) -> f32[4, 4] { let y[i < 4, j < 4] = v[i * j]; y }",
    given: { v: V },
    expected: range(4).flatMap((i) => range(4).map((j) => V[i * j] ?? 0)),
  },
  {
    name: "clamped and reflected coordinates are tables",
    text: "export fn f(v: f32[12]) -> f32[14] { let y[i < 14] = v[clamp(i - 1, 0, 11)] + v[abs(i - 3)]; y }",
    given: { v: V },
    expected: range(14).map((i) => (V[Math.min(Math.max(i - 1, 0), 11)] ?? 0) + (V[Math.abs(i - 3)] ?? 0)),
  },
  {
    name: "a compile-time list as a table",
    text: "export fn f(v: f32[12], order: list[int] = [3, 1, 7]) -> f32[3] { let y[i < 3] = v[order[i]]; y }",
    given: { v: V },
    expected: [3, 1, 7].map((k) => V[k] ?? 0),
  },
  {
    name: "gather",
    text: "export fn f(a: f32[3, 4], id: i32[2, 2]) -> f32[2, 2, 4] { let y[...s, d] = a[id[...s], d]; y }",
    given: { a: A, id: [2, 0, 1, 2] },
    expected: [2, 0, 1, 2].flatMap((k) => range(4).map((d) => at(A, [k, 3], [d, 4]))),
  },
  {
    name: "gather with an affine part and an else",
    text: "export fn f(v: f32[12], shift: i32[2]) -> f32[2, 4] { let y[n, i < 4] = v[3 * i + shift[n] else 9]; y }",
    given: { v: V, shift: [-2, 5] },
    expected: [-2, 5].flatMap((s) => range(4).map((i) => V[3 * i + s] ?? 9)),
  },
  {
    name: "gather by a computed integer",
    text: "export fn f(v: f32[12], id: i32[3]) -> f32[3] { let y[n] = v[clamp(2 * id[n] + 1, 0, 11)]; y }",
    given: { v: V, id: [4, 0, 9] },
    expected: [9, 1, 11].map((k) => V[k] ?? 0),
  },
  {
    name: "nested reductions over exactly what they use",
    text: "export fn f(a: f32[3, 4]) -> f32[3] { let y[i] = max[k] (a[i, k] - mean[j] a[i, j])^2; y }",
    given: { a: A },
    expected: range(3).map((i) => {
      const row = range(4).map((k) => at(A, [i, 3], [k, 4]));
      return Math.max(...row.map((x) => (x - sum(row) / 4) ** 2));
    }),
  },
  {
    name: "argmax and argmin, first wins",
    text: "export fn f(a: i32[2, 4]) -> i32[2, 2] { let y[i, j < 2] = select(j == 0, argmax[k] a[i, k], argmin[k] a[i, k]); y }",
    given: { a: [1, 5, 5, 0, 2, 2, 2, 2] },
    expected: [1, 3, 0, 0],
  },
  {
    name: "argmax over two indices is row-major",
    text: "export fn f(a: f32[3, 4]) -> i32 = argmax[i, j] a[i, j]",
    given: { a: A },
    expected: [A.indexOf(Math.max(...A))],
  },
  {
    name: "argmax over one element",
    text: "export fn f(a: f32[3, 1]) -> i32[3] { let y[i] = argmax[j] a[i, j]; y }",
    given: { a: [1, 2, 3] },
    expected: [0, 0, 0],
  },
  {
    name: "any, all, prod, min",
    text: "export fn f(v: f32[12]) -> f32[4] { let y[k < 4] = select(k == 0, f32(any[i] (v[i] > 0.9)), select(k == 1, f32(all[i] (v[i] > -2)), select(k == 2, prod[i] v[i], min[i] v[i]))); y }",
    given: { v: V },
    expected: [Number(V.some((x) => x > 0.9)), 1, V.reduce((a, b) => a * b, 1), Math.min(...V)],
  },
  {
    name: "slices, new axes, runs",
    text: "export fn f(a: f32[3, 4], v: f32[12]) -> f32[3, 2] = a[:, 1:3] * v[0:6:2][:, _] + a[0, 1:3][_, :]",
    given: { a: A, v: V },
    expected: range(3).flatMap((i) => [1, 2].map((j) => at(A, [i, 3], [j, 4]) * (V[2 * i] ?? 0) + (A[j] ?? 0))),
  },
  {
    name: "a function inside index notation",
    text: "fn bump(x: f32[...S]) -> f32[...S] = max(x, 0) + 1\nexport fn f(a: f32[3, 4]) -> f32[3] { let y[i] = bump(sum[k] a[i, k]); y }",
    given: { a: A },
    expected: range(3).map((i) => Math.max(sum(range(4).map((k) => at(A, [i, 3], [k, 4]))), 0) + 1),
  },
  {
    name: "a row of a tensor inside index notation",
    text: "fn norm(x: f32[D]) -> f32 = sqrt(sum[d] x[d] * x[d])\nexport fn f(a: f32[3, 4]) -> f32[3] { let y[i] = norm(a[i, :]); y }",
    given: { a: A },
    expected: range(3).map((i) => Math.hypot(...range(4).map((k) => at(A, [i, 3], [k, 4])))),
  },
  {
    name: "indices as values",
    text: "export fn f(v: f32[12]) -> f32[12] { let y[i] = select(i > 5, v[i], f32(i * i) / 2); y }",
    given: { v: V },
    expected: range(12).map((i) => (i > 5 ? (V[i] ?? 0) : (i * i) / 2)),
  },
  {
    name: "an index runs into floats",
    text: "export fn f(v: f32[12]) -> f32[12] { let y[i] = v[i] * exp(-i * 0.5) + i; y }",
    given: { v: V },
    expected: range(12).map((i) => (V[i] ?? 0) * Math.exp(-i * 0.5) + i),
  },
  {
    name: "axes of extent 1",
    text: "export fn f(a: f32[1, 12, 1]) -> f32[1, 12] { let y[n, i] = sum[k] a[n, i, k] * 2; y }",
    given: { a: V },
    expected: V.map((x) => 2 * x),
  },
  {
    name: "strided convolution with padding and groups",
    text: `export fn f(x: f32[2, 3, 6, 6], w: f32[3, 1, 3, 3]) -> f32[2, 3, 3, 3] {
      let y[n, o, i < 3, j < 3] = sum[c, p, q] x[n, o + c, 2*i + p - 1, 2*j + q - 1 else 0] * w[o, c, p, q]
      y
    }`,
    given: { x: I, w: W.slice(0, 27) },
    expected: range(2).flatMap((n) =>
      range(3).flatMap((o) =>
        range(3).flatMap((i) =>
          range(3).map((j) =>
            sum(
              range(9).map((k) => {
                const [p, q] = [Math.floor(k / 3), k % 3];
                const [h, v] = [2 * i + p - 1, 2 * j + q - 1];
                const inside = h >= 0 && h < 6 && v >= 0 && v < 6;
                return inside ? at(I, [n, 2], [o, 3], [h, 6], [v, 6]) * at(W, [o, 3], [p, 3], [q, 3]) : 0;
              }),
            ),
          ),
        ),
      ),
    ),
  },
  {
    name: "patches have no strides left",
    text: "export fn f(x: f32[6, 6]) -> f32[3, 3] { let y[i < 3, j < 3] = sum[p < 2, q < 2] x[2*i + p, 2*j + q]; y }",
    given: { x: I.slice(0, 36) },
    expected: range(3).flatMap((i) =>
      range(3).map((j) => sum([0, 1].flatMap((p) => [0, 1].map((q) => at(I, [2 * i + p, 6], [2 * j + q, 6]))))),
    ),
  },
  {
    name: "reshape inside index notation",
    text: "export fn f(a: f32[3, 4]) -> f32[3, 2] { let y[i, j] = reshape(a[i, :], [2, 2])[j, 1]; y }".replace(
      "[i, j]",
      "[i < 3, j < 2]",
    ),
    given: { a: A },
    expected: range(3).flatMap((i) => range(2).map((j) => at(A, [i, 3], [2 * j + 1, 4]))),
  },
  {
    name: "concat",
    text: "export fn f(a: f32[3, 4], b: f32[3, 2]) -> f32[3, 6] = concat([a, b], axis: 1)",
    given: { a: A, b: V.slice(0, 6) },
    expected: range(3).flatMap((i) => [
      ...range(4).map((j) => at(A, [i, 3], [j, 4])),
      ...range(2).map((j) => at(V, [i, 3], [j, 2])),
    ]),
  },
];

describe("index notation", () => {
  test.each(rows.map((row) => [row.name, row] as const))("%s", (_, { text, given, expected }) => {
    const got = call(text, given);
    expect(got.length).toBe(expected.length);
    for (const [k, value] of got.entries()) expect(value).toBeCloseTo(expected[k] ?? Number.NaN, 9);
  });
});
