/** Scans, custom gradients, concatenation and sorting inside index notation and `vmap`: the values and gradients of a loop written out. */
import { describe, expect, test } from "vitest";
import { call, sample } from "./run.ts";
import { checkText } from "./support.ts";

interface Row {
  readonly name: string;
  /** Declarations that both share. */
  readonly shared?: string;
  /** `f32[2, 3, 4] -> f32[2, ..]` of `x`, at once and element by element. */
  readonly batched: string;
  readonly written: string;
}

const cell = "fn cell(h: f32[4], r: f32[4]) -> f32[4] = sin(h * 0.5 + r) + r * h";
const rows: readonly Row[] = [
  {
    name: "vmap of a scan: carries are batched",
    shared: cell,
    batched: "vmap(a => scan(zeros([4]), a, (h, r) => (cell(h, r), ()))[0])(x)",
    written: "repeat t < 3, h = zeros([2, 4]) { vmap(cell)(h, x[:, t, :]) }",
  },
  {
    name: "what is stacked",
    shared: cell,
    batched: "vmap(a => scan(zeros([4]), a, (h, r) => { let n = cell(h, r); (n, n * h) })[1])(x)",
    written: `{
      let h1 = vmap(cell)(zeros([2, 4]), x[:, 0, :])
      let h2 = vmap(cell)(h1, x[:, 1, :])
      let h3 = vmap(cell)(h2, x[:, 2, :])
      concat([(0 * h1)[:, _, :], (h2 * h1)[:, _, :], (h3 * h2)[:, _, :]], axis: 1)
    }`,
  },
  {
    name: "along a later axis, which the stack keeps",
    batched: "vmap(a => scan(zeros([3]), a, (h, c) => { let n = h * 0.3 + c; (n, n) }, axis: 1)[1])(x)",
    written: `{
      let c1 = x[:, :, 0]; let c2 = c1 * 0.3 + x[:, :, 1]
      let c3 = c2 * 0.3 + x[:, :, 2]; let c4 = c3 * 0.3 + x[:, :, 3]
      concat([c1[:, :, _], c2[:, :, _], c3[:, :, _], c4[:, :, _]], axis: 2)
    }`,
  },
  {
    name: "index notation around a scan, two indices",
    batched: "{ let y[n, t] = scan(1.0, x[n, t, :], (h, v) => (h * v + 0.5, ()))[0]; y }",
    written: "repeat d < 4, h = ones([2, 3]) { h * x[:, :, d] + 0.5 }",
  },
  {
    name: "the indices come in through the body alone",
    batched: "{ let y[n] = scan(1.0, x[0, :, 0], (h, v) => (h * x[n, 1, 2] + v, ()))[0]; y }",
    written: "repeat t < 3, h = ones([2]) { h * x[:, 1, 2] + fill([2], x[0, t, 0]) }",
  },
  {
    name: "the same within layers' names and draws",
    batched: "{ let y[n] = scan(1.0, 3, (h, t) => (h * x[n, 1, 2] + sum(0 * normal([2])) + f32(t), ()))[0]; y }",
    written: "repeat t < 3, h = ones([2]) { h * x[:, 1, 2] + t }",
  },
  {
    name: "a scan in a scan in vmap",
    batched: "vmap(a => scan(0.5, a, (h, r) => (scan(h, r, (u, v) => (u * 0.7 + v, ()))[0], ()))[0])(x)",
    written: "repeat t < 3, h = 0.5 * ones([2]) { repeat d < 4, u = h { u * 0.7 + x[:, t, d] } }",
  },
  {
    name: "a gradient inside",
    batched: "vmap(a => grad(b => scan(1.0, b, (h, r) => (h * sum(r), ()))[0])(a))(x)",
    written: "vmap(a => grad(b => repeat t < 3, h = 1.0 { h * sum(b[t, :]) })(a))(x)",
  },
  {
    name: "a gradient inside the loop's body",
    batched: "vmap(a => scan(zeros([4]), a, (h, r) => (h + grad(q => sum(sin(q * h)))(r), ()))[0])(x)",
    written: "repeat t < 3, h = zeros([2, 4]) { h + h * cos(x[:, t, :] * h) }",
  },
  {
    name: "a Hessian of a scan",
    batched: "vmap(a => hessian(b => scan(1.0, b, (h, v) => (h * v, ()))[0])(a[0, :]))(x)",
    written: "vmap(a => hessian(b => b[0] * b[1] * b[2] * b[3])(a[0, :]))(x)",
  },
  {
    name: "custom_grad keeps its gradient",
    shared: "fn bent(x) = custom_grad(v => v * v, (v, y, dy) => dy * v * y)(x)",
    batched: "vmap(a => sum(bent(a)))(x)",
    written: "{ let y = bent(x); let z[n] = sum[t, d] y[n, t, d]; z }",
  },
  {
    name: "custom_grad of one element",
    shared: "fn bent(x) = custom_grad(v => sin(v), (v, y, dy) => dy * y)(x)",
    batched: "{ let y[n, t, d] = bent(x[n, t, d]) * x[n, t, d]; y }",
    written: "bent(x) * x",
  },
  {
    name: "concat",
    batched: "vmap(a => concat([a, a[0:1, :] * 2]))(x)",
    written: "concat([x, x[:, 0:1, :] * 2], axis: 1)",
  },
  {
    name: "sort",
    batched: "{ let y[n, t] = sort(x[n, t, :])[1] * sort(x[n, :, 0])[t]; y }",
    written: "{ let s = sort(x); let u = sort(x[:, :, 0], axis: 1); let y[n, t] = s[n, t, 1] * u[n, t]; y }",
  },
  {
    name: "argsort",
    batched: "vmap(a => { let at = argsort(-a, axis: 0); let y[t, d] = a[at[t, d], d] * f32(t); y })(x)",
    written: "{ let at = argsort(-x, axis: 1); let y[n, t, d] = x[n, at[n, t, d], d] * f32(t); y }",
  },
];

const program = ({ shared = "" }: Row, expression: string, gradient: boolean): string => {
  const f = `${shared}\nfn inner(x: f32[2, 3, 4]) = ${expression}`;
  const weighed = "sum(sin(inner(x)) * inner(x))";
  return `${f}\nexport fn f(x: f32[2, 3, 4]) = ${gradient ? `grad(x => ${weighed})(x)` : "inner(x)"}`;
};

describe("as the loop written out", () => {
  test.each(rows)("$name", (row) => {
    for (const gradient of [false, true]) {
      const [batched, written] = [row.batched, row.written].map((text) => program(row, text, gradient));
      expect(checkText(batched!)).toEqual([]);
      const x = sample(24, 5);
      const [got, want] = [call(batched!, { x }), call(written!, { x })];
      expect(got.length).toBe(want.length);
      for (const [k, value] of want.entries()) expect(got[k]).toBeCloseTo(value, 10);
    }
  });
});

test("a scan that needs no index around stays one loop without axes", () => {
  const text =
    "export fn f(x: f32[2, 3]) -> f32[2] {\n  let y[i] = scan(0.0, x[0, :], (h, v) => (h + v, ()))[0] * x[i, 0]\n  y\n}";
  expect(call(text, { x: [1, 2, 3, 4, 5, 6] })).toEqual([6, 24]);
});
