/** Train blocks: what a step gives, against hand calculation. */
import { describe, expect, test } from "vitest";
import { type Given, programOf, runEntry, sample } from "./run.ts";

const head = `
model M(x: f32[N, 2]) -> f32[N] {
  param w: f32[2] = 0.5
  param b: f32 = 0.25
  let y[n] = sum[k] x[n, k] * w[k]
  y + b
}
optimizer sgd(lr: f32)(w: f32[...S], g: f32[...S], step: i32) -> f32[...S] = w - lr * g
optimizer momentum(lr: f32, beta: f32)(w: f32[...S], g: f32[...S], step: i32) -> f32[...S] {
  state v: f32[...S] = 0
  v := beta * v + g
  w - lr * v
}
`;
const X = sample(6, 3);
const W = [0.3, -0.7];
const B = 0.1;
const column = (k: number) => [0, 1, 2].map((n) => X[2 * n + k] ?? 0);
const outputs = () => [0, 1, 2].map((n) => (X[2 * n] ?? 0) * (W[0] ?? 0) + (X[2 * n + 1] ?? 0) * (W[1] ?? 0) + B);
const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
/** Gradient of sum(y^2) in w and b. */
const slope = () => {
  const y = outputs();
  return {
    w: [0, 1].map((k) => total(y.map((one, n) => 2 * one * (column(k)[n] ?? 0)))),
    b: total(y.map((one) => 2 * one)),
  };
};
const given: Given = { x: X, "M.w": W, "M.b": [B], "t.step": [4], seed: [0, 0] };

function step(body: string, more: Given = {}): Record<string, number[]> {
  const program = programOf(`${head}\ntrain t(batch: int = 3)(x: f32[batch, 2], rate: f32 = 0.1) {\n${body}\n}`);
  const entry = program.entries.find(({ name }) => name === "t.step");
  if (!entry) throw new Error("no step");
  return runEntry(entry, { ...given, rate: [0.1], ...more });
}
function close(got: readonly number[] | undefined, expected: readonly number[]): void {
  expect(got?.length).toBe(expected.length);
  for (const [k, value] of expected.entries()) expect(got?.[k]).toBeCloseTo(value, 9);
}

describe("train blocks", () => {
  test("one step of gradient descent", () => {
    const got = step("minimize loss = sum(M(x)^2) over M.params using sgd(lr: rate)\n metric first = M(x)[0]");
    const g = slope();
    close(got.loss, [total(outputs().map((y) => y * y))]);
    close(
      got["M.w"],
      W.map((w, k) => w - 0.1 * (g.w[k] ?? 0)),
    );
    close(got["M.b"], [B - 0.1 * g.b]);
    // The metric stands after the update: it sees the new parameters.
    const [w0 = 0, w1 = 0] = got["M.w"] ?? [];
    close(got.first, [(X[0] ?? 0) * w0 + (X[1] ?? 0) * w1 + (got["M.b"]?.[0] ?? 0)]);
    expect(got["t.step"]).toEqual([5]);
  });

  test("a learning rate that depends on the step", () => {
    const got = step("minimize loss = sum(M(x)^2) over M.params using sgd(lr: rate / f32(step + 1))");
    close(got["M.b"], [B - (0.1 / 5) * slope().b]);
  });

  test("an optimizer's state", () => {
    const path = "t.loss.M.w.v";
    const got = step("minimize loss = sum(M(x)^2) over M.params using momentum(lr: rate, beta: 0.9)", {
      [path]: [1, 2],
      "t.loss.M.b.v": [3],
    });
    const v = [1, 2].map((one, k) => 0.9 * one + (slope().w[k] ?? 0));
    close(got[path], v);
    close(
      got["M.w"],
      W.map((w, k) => w - 0.1 * (v[k] ?? 0)),
    );
  });

  test("what is not in `over` is frozen", () => {
    const got = step("minimize loss = sum(M(x)^2) over M.b using sgd(lr: rate)");
    expect(got["M.w"]).toBeUndefined();
    close(got["M.b"], [B - 0.1 * slope().b]);
  });

  test("an optimizer for each parameter, by rank and name", () => {
    const got = step(
      'minimize loss = sum(M(x)^2) over M.params using p => sgd(lr: if p.rank > 0 then 0 else if p.name == "M.b" then rate else 9)',
    );
    close(got["M.w"], W);
    close(got["M.b"], [B - 0.1 * slope().b]);
  });

  test("gradients pass through a function of the tree", () => {
    const got = step(
      "minimize loss = sum(M(x)^2) over M.params using sgd(lr: 1) gradients g => map(d => d * 0 + 2, g)",
    );
    close(
      got["M.w"],
      W.map((w) => w - 2),
    );
    close(got["M.b"], [B - 2]);
  });

  test("later expressions see the new values, earlier ones keep the old", () => {
    const got = step(`
      let before = sum(M(x))
      M.params := map(p => p * 2, M.params)
      metric old = before
      metric new = sum(M(x))`);
    close(got.old, [total(outputs())]);
    close(got.new, [2 * total(outputs())]);
    close(
      got["M.w"],
      W.map((w) => 2 * w),
    );
  });

  test("when chooses each assignment at run time", () => {
    const body = `
      state count: f32 = 0
      let wrong = sum(M(x)) > 1000
      when not wrong { count := count + 1; M.b := M.b + 1 }
      when wrong { M.w := M.w * 0 }`;
    const got = step(body, { "t.count": [7] });
    close(got["t.count"], [8]);
    close(got["M.b"], [B + 1]);
    close(got["M.w"], W);
  });

  test("a moving average of the parameters, and its use in place of them", () => {
    const got = step(
      `minimize loss = sum(M(x)^2) over M.params using sgd(lr: rate)
       state average: like(M.params) = M.params
       average := map((a, p) => 0.9 * a + 0.1 * p, average, M.params)
       metric averaged = sum(with_params(M, average)(x, training: false))`,
      { "t.average.w": [1, 2], "t.average.b": [3] },
    );
    const g = slope();
    const average = [1, 2].map((a, k) => 0.9 * a + 0.1 * ((W[k] ?? 0) - 0.1 * (g.w[k] ?? 0)));
    const bias = 0.9 * 3 + 0.1 * (B - 0.1 * g.b);
    close(got["t.average.w"], average);
    close(got["t.average.b"], [bias]);
    close(got.averaged, [
      total([0, 1, 2].map((n) => total([0, 1].map((k) => (column(k)[n] ?? 0) * (average[k] ?? 0))) + bias)),
    ]);
  });

  test("evaluation computes the same without changing anything", () => {
    const program = programOf(`${head}\ntrain t(batch: int = 3)(x: f32[batch, 2]) {
      state seen: f32 = 0
      minimize loss = sum(M(x)^2) over M.params using sgd(lr: 0.1)
      seen := seen + 1
      metric mode = if training then 1.0 else 0.0
    }`);
    const entry = program.entries.find(({ name }) => name === "t.evaluate");
    const got = entry && runEntry(entry, { ...given, "t.seen": [0] });
    close(got?.loss, [total(outputs().map((y) => y * y))]);
    close(got?.mode, [0]);
    expect(entry?.graph.outputs.map(({ path }) => path)).toEqual(["loss", "mode"]);
  });

  test("a second minimize sees the first one's update", () => {
    const got = step(`
      minimize a = sum(M(x)^2) over M.w using sgd(lr: rate)
      minimize b = sum(M(x)^2) over M.b using sgd(lr: rate)`);
    const w = W.map((one, k) => one - 0.1 * (slope().w[k] ?? 0));
    const y = [0, 1, 2].map((n) => total([0, 1].map((k) => (column(k)[n] ?? 0) * (w[k] ?? 0))) + B);
    close(got.b, [total(y.map((one) => one * one))]);
    close(got["M.b"], [B - 0.1 * total(y.map((one) => 2 * one))]);
  });

  test("initial values: constants are fills, the rest is computed", () => {
    const program = programOf(`
      model M(x: f32[N, 3]) -> f32[N, 3] {
        param w: f32[3] = s => f32(arange(3)) + product(s)
        param v: f32[3] = 2
        param u: f32[3] = normal(_, std: 0.02)
        let y[n, k] = x[n, k] * w[k] * v[k] * u[k]
        y
      }`);
    expect(program.persistent.find(({ path }) => path === "M.v")?.fill).toBe(2);
    const entry = program.entries.find(({ name }) => name === "initialize");
    const got = entry && runEntry(entry, { seed: [1, 0] });
    close(got?.["M.w"], [3, 4, 5]);
    expect(got?.["M.u"]?.every((value) => value !== 0 && Math.abs(value) < 0.2)).toBe(true);
    expect(new Set(got?.["M.u"]).size).toBe(3);
  });
});

describe("paths", () => {
  const paths = (text: string) =>
    programOf(text)
      .persistent.filter(({ role }) => role === "parameter")
      .map(({ path }) => path);
  const layer =
    "layer scale(k: int = 1)(x: f32[N, D]) -> f32[N, D] {\n param w: f32[D] = k\n let y[n, d] = x[n, d] * w[d]\n y\n}\n";
  const rows: readonly (readonly [name: string, body: string, expected: readonly string[]])[] = [
    ["counted in source order", "x |> scale(1) |> scale", ["M.scale_1.w", "M.scale_2.w"]],
    [
      "a let's name in front",
      "{ let a = x |> scale(1)\n let b = a |> scale(1) |> scale(2)\n b }",
      ["M.a.scale_1.w", "M.b.scale_1.w", "M.b.scale_2.w"],
    ],
    ["an instance takes its let's name", "{ let first = scale(3)\n x |> first }", ["M.first.w"]],
    ["applied twice it shares", "{ let s = scale(3)\n x |> s |> s }", ["M.s.w"]],
    [
      "repeat numbers its instances",
      "{ let y = repeat i < 2, h = x { h |> scale(i) }\n y }",
      ["M.y.0.scale_1.w", "M.y.1.scale_1.w"],
    ],
    [
      "a name used twice is numbered",
      "{ let y = x |> scale(1)\n let y = y |> scale(1)\n y }",
      ["M.y.scale_1.w", "M.y.scale_2.w"],
    ],
    [
      "instances in a list",
      "{ let both = [scale(1), scale(2)]\n x |> both[1] |> both[0] }",
      ["M.both.scale_1.w", "M.both.scale_2.w"],
    ],
    ["a function's layers belong to its caller", "twice(x)", ["M.scale_1.w", "M.scale_2.w"]],
  ];
  test.each(rows)("%s", (_, body, expected) => {
    const text = `${layer}fn twice(x: f32[N, D]) -> f32[N, D] = x |> scale(1) |> scale(2)\nmodel M(x: f32[N, 4]) -> f32[N, 4] ${body.startsWith("{") ? body : `= ${body}`}`;
    expect([...paths(text)].sort()).toEqual([...expected].sort());
  });
});
