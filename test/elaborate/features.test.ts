/** The rest of the language, one small program a row: compile-time values, dtypes, records, calls, models in models. */
import { describe, expect, test } from "vitest";
import { call, type Given, programOf, runEntry } from "./run.ts";

const rows: readonly (readonly [name: string, text: string, given: Given, expected: readonly number[]])[] = [
  ["u8 input", "export fn f(x: u8[3]) -> f32[3] = f32(x) / 255", { x: [0, 51, 255] }, [0, 0.2, 1]],
  ["bool tensors", "export fn f(x: f32[3]) -> bool[3] = x > 1 and not (x > 2)", { x: [1, 1.5, 3] }, [0, 1, 0]],
  [
    "integer tensors round down",
    "export fn f(x: i32[4]) -> i32[4] = x / 2 + x % 3",
    { x: [-3, -1, 4, 5] },
    [-2, 1, 3, 4],
  ],
  ["unsigned", "export fn f(x: u32[2]) -> u32[2] = shift_right(x, 1) + 1", { x: [4294967295, 2] }, [2147483648, 2]],
  ["half precision rounds", "export fn f(x: f32[2]) -> f16[2] = f16(x)", { x: [0.1, 2049] }, [0.0999755859375, 2048]],
  [
    "whole powers are products",
    "export fn f(x: f32[3]) -> f32[3] = x^3 + x^-1 + x^0",
    { x: [-2, 1, 2] },
    [-7.5, 3, 9.5],
  ],
  ["real powers", "export fn f(x: f32[2]) -> f32[2] = x^0.5 + x^1.5", { x: [4, 9] }, [10, 30]],
  ["a power of a tensor", "export fn f(x: f32[2]) -> f32[2] = 2^x", { x: [3, -1] }, [8, 0.5]],
  [
    "compile-time arithmetic",
    "export fn f(x: f32[2]) -> f32[2] = x * (7 / 2 + 7 % 2 + 2^3) * sqrt(2.0)^2",
    { x: [1, 2] },
    [24, 48],
  ],
  ["floats stay exact while compiling", "export fn f(x: f32[1]) -> f32[1] = x * ((1.0 / 3) * 3)", { x: [5] }, [5]],
  [
    "lists",
    "export fn f(x: f32[2], n: list[int] = [3, 1, 4, 1, 5]) -> f32[2] = x * (n[2] + length(n) + sum(n[1:3]) + max(n))",
    { x: [1, 2] },
    [19, 38],
  ],
  [
    "lists joined and compared",
    "export fn f(x: f32[1]) -> f32[1] = if [1, 2] + [3] == [1, 2, 3] then x else -x",
    { x: [1] },
    [1],
  ],
  [
    "a list where a tensor is declared",
    "fn g(x: f32[N, C], w: f32[C], m: i32[C, C]) -> f32[C] { let y[j] = sum[n, i] x[n, i] * w[i] * f32(m[i, j]); y }\nexport fn f(x: f32[2, 3]) -> f32[3] = g(x, [1, 0.5, -2], [[1, 2, 3], [4, 5, 6], [7, 8, 9]])",
    { x: [1, 2, 3, 4, 5, 6] },
    [-107, -116.5, -126],
  ],
  [
    "a list of truths",
    "fn g(m: bool[S]) -> f32[S] = f32(m)\nexport fn f() -> f32[3] = g([true, 1 > 2, true])",
    {},
    [1, 0, 1],
  ],
  [
    "a list of lists",
    "fn g(w: f32[2, 2]) -> f32[2] = w[1, :]\nexport fn f() -> f32[2] = g([[0, 1], [1.5, -0.25]])",
    {},
    [1.5, -0.25],
  ],
  [
    "texts",
    'fn g(x: f32[1], how: str) -> f32[1] = if how == "twice" then 2 * x else x\nexport fn f(x: f32[1]) -> f32[1] = g(x, "tw" + "ice")',
    { x: [1] },
    [2],
  ],
  [
    "records",
    "fn g(x: f32[2]) = (first: x[0], rest: (x[1], 7))\nexport fn f(x: f32[2]) -> f32 { let r = g(x); let (a, b) = r.rest; r.first * 100 + a * 10 + b }",
    { x: [1, 2] },
    [127],
  ],
  [
    "functions as values",
    "fn twice(f: fn, x: f32[1]) -> f32[1] = f(f(x))\nexport fn f(x: f32[1]) -> f32[1] = twice(v => v * 3 + 1, x)",
    { x: [1] },
    [13],
  ],
  [
    "closures keep what they saw",
    "export fn f(x: f32[1]) -> f32[1] {\n  let k = 2\n  let g = v => v * k\n  let k = 10\n  g(x) + k\n}",
    { x: [3] },
    [16],
  ],
  [
    "holes",
    "fn g(a: f32[1], b: f32[1], c: int) -> f32[1] = a * 100 + b * 10 + c\nexport fn f(x: f32[1]) -> f32[1] { let h = g(_, x, 3); h(2 * x) }",
    { x: [1] },
    [213],
  ],
  [
    "a hole in a named place",
    "fn g(a: f32[1], c: f32[1]) -> f32[1] = a * 10 + c\nexport fn f(x: f32[1]) -> f32[1] = x |> g(c: _, 2 * x)",
    { x: [1] },
    [21],
  ],
  [
    "pipes into calls, names, lambdas",
    "fn g(a: f32[1], k: int = 2) -> f32[1] = a * k\nexport fn f(x: f32[1]) -> f32[1] = x |> g |> g(3) |> (v => v + 1) |> g(_, 5)",
    { x: [1] },
    [35],
  ],
  [
    "if as a value and nested",
    "export fn f(x: f32[1], n: int = 3) -> f32[1] = if n > 5 then x else if n == 3 then 3 * x else 9 * x",
    { x: [2] },
    [6],
  ],
  [
    "recursion over ints",
    "fn power(x: f32[1], n: int) -> f32[1] = if n == 0 then x / x else x * power(x, n - 1)\nexport fn f(x: f32[1]) -> f32[1] = power(x, 5)",
    { x: [2] },
    [32],
  ],
  [
    "repeat carries tuples",
    "export fn f(x: f32[1]) -> f32[1] {\n  let (a, b) = repeat i < 5, (p, q) = (x, x) { (q, p + q) }\n  b\n}",
    { x: [1] },
    [13],
  ],
  [
    "repeat with its number",
    "export fn f(x: f32[1]) -> f32[1] { repeat i < 4, h = x { h * 10 + i } }",
    { x: [1] },
    [10123],
  ],
  ["blocks are values", "export fn f(x: f32[2]) -> f32[2] = { let y = x * 2; y + 1 }", { x: [1, 2] }, [3, 5]],
  [
    "runs of dimensions",
    "fn flat(x: f32[N, ...S]) -> f32[N, product(S)] = reshape(x, [N, product(S)])\nexport fn f(x: f32[2, 2, 2]) -> f32[2, 4] = flat(x) + length(shape(x))",
    { x: [1, 2, 3, 4, 5, 6, 7, 8] },
    [4, 5, 6, 7, 8, 9, 10, 11],
  ],
  [
    "an empty run",
    "fn bump(x: f32[...S]) -> f32[...S] { let y[...s] = x[...s] + 1; y }\nexport fn f(x: f32) -> f32 = bump(x)",
    { x: [1] },
    [2],
  ],
  [
    "runs inside index notation",
    "export fn f(x: f32[2, 3, 2]) -> f32[3] { let y[c] = sum[n, ...s] x[n, c, ...s]; y }",
    { x: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] },
    [18, 26, 34],
  ],
  [
    "select between compile-time numbers",
    "export fn f(x: f32[2]) -> f32[2] = x * select(true, 2, 3)",
    { x: [1, 2] },
    [2, 4],
  ],
  [
    "masks choose, scalars stretch",
    "export fn f(x: f32[3]) -> f32[3] = select(x > 0, x, 0) + select(x > 0, 1, 2)",
    { x: [-1, 0, 3] },
    [2, 2, 4],
  ],
  ["infinities", "export fn f(x: f32[2]) -> f32 = max[i] select(x[i] > 10, x[i], -inf)", { x: [1, 2] }, [-Infinity]],
  [
    "defaults that use earlier parameters",
    "fn g(x: f32[1], k: int, s: int = k + 1) -> f32[1] = x * s\nexport fn f(x: f32[1]) -> f32[1] = g(x, 4)",
    { x: [1] },
    [5],
  ],
  [
    "where definitions and results",
    "fn pairs(x: f32[N]) -> f32[M] where M = N / 2 { let y[i < M] = x[2*i] + x[2*i + 1]; y }\nexport fn f(x: f32[6]) -> f32[3] = pairs(x)",
    { x: [1, 2, 3, 4, 5, 6] },
    [3, 7, 11],
  ],
  ["an integer read as a float", "export fn f(x: i32[3]) -> f32[3] = f32(x) * 0.5", { x: [1, 2, 3] }, [0.5, 1, 1.5]],
  [
    "negative literals in coordinates",
    "export fn f(x: f32[5]) -> f32[5] { let y[i] = x[4 - i]; y }".replace("[i]", "[i < 5]"),
    { x: [1, 2, 3, 4, 5] },
    [5, 4, 3, 2, 1],
  ],
  [
    "a tensor's members",
    "export fn f(x: f32[2, 3]) -> f32[2, 3] = x * x.rank + x.shape[1]",
    { x: [0, 1, 2, 3, 4, 5] },
    [3, 5, 7, 9, 11, 13],
  ],
  [
    "whole-tensor functions",
    "export fn f(x: f32[2, 2]) -> f32 = sum(x) + 10 * max(x) + 100 * mean(x) + 1000 * f32(argmax(x))",
    { x: [1, 4, 2, 1] },
    [8 + 40 + 200 + 1000],
  ],
];

describe("features", () => {
  test.each(rows)("%s", (_, text, given, expected) => {
    const got = call(text, given);
    expect(got.length).toBe(expected.length);
    got.forEach((value, k) => {
      if (Number.isFinite(expected[k])) expect(value).toBeCloseTo(expected[k] ?? Number.NaN, 9);
      else expect(value).toBe(expected[k]);
    });
  });

  test("results by name", () => {
    const program = programOf(
      "model M(x: f32[N, 2]) -> (sum: f32[N], both: (f32[N], f32[N])) {\n  let s[n] = sum[k] x[n, k]\n  (sum: s, both: (x[:, 0], x[:, 1]))\n}",
    );
    const [entry] = program.entries;
    const got = entry && runEntry(entry, { x: [1, 2] });
    expect(got).toEqual({ sum: [3], both_1: [1], both_2: [2] });
  });

  test("models in models, and instances of another model", () => {
    const program = programOf(
      `
      layer scale()(x: f32[N]) -> f32[N] { param w: f32 = 2; x * w }
      model Inner(x: f32[N]) -> f32[N] { let first = scale(); x |> first |> scale }
      model Outer(x: f32[N]) -> f32[N] = Inner(x) + Inner.first(x)
      export fn f(x: f32[1]) -> f32[1] = Outer(x) + Outer.params_of
    `.replace(" + Outer.params_of", ""),
    );
    expect(program.persistent.map(({ path }) => path)).toEqual(["Inner.first.w", "Inner.scale_1.w"]);
    const entry = program.entries.find(({ kind }) => kind === "call");
    expect(entry && runEntry(entry, { x: [1], "Inner.first.w": [3], "Inner.scale_1.w": [5] }).output).toEqual([18]);
  });

  test("of several models, only what is asked for has weights", () => {
    const text = `import nn
      import loss
      import optim
      model Left(x: f32[N, 2]) -> f32[N, 3] { let body = dense(4); let head = dense(3); x |> body |> head }
      model Right(x: f32[N, 2]) -> f32[N, 3] = x |> dense(3)
      train left()(x: f32[5, 2]) { minimize size = mean(Left.body(x)^2) over Left.body.params using sgd(lr: 0.1) }
      export fn right(x: f32[1, 2]) -> f32[1, 3] = Right(x)
      export fn nothing(x: f32[1]) -> f32[1] = x`;
    const left = ["body.weight", "body.bias", "head.weight", "head.bias"].map((name) => `Left.${name}`);
    const right = ["weight", "bias"].map((name) => `Right.dense_1.${name}`);
    const slots = (options: Parameters<typeof programOf>[1]) =>
      programOf(text, options).persistent.flatMap(({ role, path }) => (role === "parameter" ? [path] : []));
    expect(slots({})).toEqual([...left, ...right]);
    expect(slots({ models: ["Right"], blocks: [], calls: [] })).toEqual(right);
    expect(slots({ models: "main", blocks: [], calls: [] })).toEqual([]);
    expect(slots({ models: [], blocks: [], calls: ["right"] })).toEqual(right);
    expect(slots({ models: [], blocks: [], calls: ["nothing"] })).toEqual([]);
    // A block that trains a part of a model stores all of it.
    expect(slots({ models: [], blocks: ["left"], calls: [] })).toEqual(left);
  });

  test("tied weights", () => {
    const program = programOf(`import nn
      model M(id: i32[N]) -> f32[N, 4] {
        let token = embedding(4, 2)
        let h = token(id)
        let y[n, v] = sum[d] h[n, d] * token.weight[v, d]
        y
      }`);
    const [entry] = program.entries;
    const weight = [1, 2, 3, 4, 5, 6, 7, 8];
    expect(entry && runEntry(entry, { id: [1], "M.token.weight": weight }).output).toEqual([11, 25, 39, 53]);
  });

  test("configuration from outside", () => {
    const text =
      "train t(batch: int, rate: float = 0.5, wide: bool = false, sizes: list[int] = [1])(x: f32[batch]) {\n  metric m = sum(x) * rate * (if wide then 10 else 1) * sum(sizes)\n}";
    const run = (set: Readonly<Record<string, string | number | boolean>>) => {
      const program = programOf(text, { set });
      const entry = program.entries.find(({ kind }) => kind === "step");
      return (
        entry && {
          batch: entry.batch,
          m: runEntry(entry, { x: Array.from({ length: entry.batch ?? 0 }, () => 1), "t.step": [0] }).m?.[0],
        }
      );
    };
    expect(run({ batch: 3 })).toEqual({ batch: 3, m: 1.5 });
    expect(run({ batch: "4", rate: "2", wide: "true", sizes: "[2, 3]" })).toEqual({ batch: 4, m: 400 });
    expect(() => programOf(text)).toThrow("E0202");
  });

  test("a model's configuration from outside", () => {
    const text =
      "layer scale(by: float)(x: f32[N, D]) { param w: f32[D] = ones\n by * w[_, :] * x }\nmodel M(by: float = 2.0, width: int = 3)(x: f32[N, width]) -> f32[N, width] where width > 1 = x |> scale(by)\nmodel Twice(x: f32[N, 3]) = M(M(x))\nexport fn half(x: f32[2, 3]) = M(x) / 2";
    const half = (set: Readonly<Record<string, string | number>>) => {
      const entry = programOf(text, { set }).entries.find(({ of }) => of === "half");
      return entry && runEntry(entry, { x: [1, 2, 3, 4, 5, 6], "M.scale_1.w": [1, 1, 2] }).output;
    };
    expect(half({})).toEqual([1, 2, 6, 4, 5, 12]);
    expect(half({ by: 4 })).toEqual([2, 4, 12, 8, 10, 24]);
    expect(() => programOf(text, { set: { width: 1 } })).toThrow("E0307");
    expect(() => programOf(text, { set: { width: 4 } })).toThrow("E0301");
    expect(() => programOf("model M(width: int)(x: f32[N, width]) = x")).toThrow("E0202");
  });

  test("chosen sizes", () => {
    const text = "model M(x: f32[N, T]) -> f32[N] { let y[n] = sum[t] x[n, t]; y }";
    expect(() => programOf(text)).toThrow("E0318");
    const program = programOf(text, { sizes: { T: 3 }, batches: [1, 4] });
    expect(program.entries.map(({ name, batch, inputs }) => [name, batch, inputs[0]?.shape])).toEqual([
      ["M@1", 1, [1, 3]],
      ["M@4", 4, [4, 3]],
    ]);
  });
});
