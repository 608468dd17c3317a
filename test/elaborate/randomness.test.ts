/** Random draws: a stream for each call site, its own at each step, iteration and index; explicit seeds. */
import { describe, expect, test } from "vitest";
import { programOf, runEntry } from "./run.ts";

function draw(text: string, given: Readonly<Record<string, readonly number[]>> = {}): Record<string, number[]> {
  const program = programOf(text);
  const entry = program.entries.find(({ kind }) => kind === "call" || kind === "step");
  if (!entry) throw new Error("nothing to run");
  return runEntry(entry, { seed: [1, 2], "t.step": [0], ...given });
}
const distinct = (values: readonly number[] | undefined) => new Set(values).size;

describe("randomness", () => {
  test("two call sites draw apart, the same one twice the same", () => {
    const text = "export fn f() -> (a: f32[8], b: f32[8]) = (a: uniform([8]), b: uniform([8]))";
    const got = draw(text);
    expect(distinct([...(got.a ?? []), ...(got.b ?? [])])).toBe(16);
    expect(draw(text)).toEqual(got);
    expect(draw(text, { seed: [3, 2] })).not.toEqual(got);
  });
  test("uniform stays in [low, high), bernoulli has its probability, normal its moments", () => {
    const got = draw(
      "export fn f() -> (u: f32[2000], b: bool[2000], n: f32[2000]) = (u: uniform([2000], low: 2, high: 3), b: bernoulli([2000], 0.3), n: normal([2000], centre: 1, std: 2))",
    );
    const mean = (values: readonly number[] = []) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(Math.min(...(got.u ?? []))).toBeGreaterThanOrEqual(2);
    expect(Math.max(...(got.u ?? []))).toBeLessThan(3);
    expect(mean(got.b)).toBeCloseTo(0.3, 1);
    expect(mean(got.n)).toBeCloseTo(1, 0);
    const m = mean(got.n);
    expect(Math.sqrt(mean(got.n?.map((x) => (x - m) ** 2)))).toBeCloseTo(2, 0);
  });
  test("each step draws anew", () => {
    const text = "train t()(x: f32) { metric u = uniform([4]) + 0 * x }";
    const first = draw(text, { x: [1] });
    expect(draw(text, { x: [1], "t.step": [1] }).u).not.toEqual(first.u);
  });
  test("each iteration of a scan draws anew", () => {
    const got = draw("export fn f() -> f32[5] {\n  let (_, out) = scan(0.0, 5, (h, i) => (h, uniform([])))\n  out\n}");
    expect(distinct(got.output)).toBe(5);
  });
  test("each index draws its own", () => {
    const got = draw("export fn f(x: f32[5]) -> f32[5] { let y[i] = x[i] * 0 + uniform([]); y }", {
      x: [1, 2, 3, 4, 5],
    });
    expect(distinct(got.output)).toBe(5);
    const mapped = draw("export fn f(x: f32[5]) -> f32[5, 3] = vmap(v => uniform([3]) + 0 * v)(x)", {
      x: [1, 2, 3, 4, 5],
    });
    expect(distinct(mapped.output)).toBe(15);
  });
  test("an explicit seed decides alone", () => {
    const text =
      "export fn f(s: i32) -> (a: f32[4], b: f32[4], c: f32[4]) = (a: normal([4], seed: s), b: normal([4], seed: s), c: normal([4], seed: 7))";
    const got = draw(text, { s: [7] });
    expect(got.a).toEqual(got.b);
    expect(got.a).toEqual(got.c);
    expect(distinct(got.a)).toBe(4);
    expect(draw(text, { s: [8] }).a).not.toEqual(got.a);
  });
  test("dropout keeps what evaluation keeps", () => {
    const text =
      "import nn\nmodel M(x: f32[N, 64]) -> f32[N, 64] = x |> dropout(0.5)\ntrain t()(x: f32[2, 64]) {\n  metric y = M(x)\n  metric still = M(x, training: false)\n}";
    const x = Array.from({ length: 128 }, (_, k) => k + 1);
    const got = draw(text, { x });
    expect(got.still).toEqual(x);
    expect(got.y?.every((value, k) => value === 0 || value === 2 * (k + 1))).toBe(true);
    expect(got.y?.filter((value) => value === 0).length).toBeGreaterThan(30);
  });
});
