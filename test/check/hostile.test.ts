/** No program makes the compiler fail: examples with pieces moved, doubled, dropped or swapped end in diagnostics. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check } from "../../compiler/elaborate/check.ts";
import { elaborate } from "../../compiler/elaborate/elaborate.ts";
import { loadModules } from "../../compiler/elaborate/modules.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { library, sourceOf } from "../elaborate/support.ts";

const root = resolve(import.meta.dirname, "../..");
const small = `import nn
import loss
import optim
layer block(k: int = 2, act: fn = relu)(x: f32[N, C, H, W]) -> f32[N, k, OH, OW]
where OH = (H - 1) / 2 + 1, OW = (W - 1) / 2 + 1, k > 0 else "k is {k}"
{
  let y = x |> conv2d(k, stride: 2, padding: 1, bias: false) |> batch_norm |> act
  let z[n, c, ...s] = y[n, c, ...s] - mean[...t] y[n, c, ...t]
  z
}
model M(image: f32[N, 1, 6, 6]) -> f32[N, 3] {
  let features = block(2)
  let head = dense(3)
  image |> features |> dropout(0.25) |> flatten |> head
}
train t(batch: int = 2)(image: f32[batch, 1, 6, 6], label: i32[batch], rate: f32 = 0.1) {
  let logits = M(image)
  minimize loss = cross_entropy(logits, label) + 0.1 * l2(M.params) over M.params using p => momentum(lr: rate, weight_decay: if p.rank > 1 then 0.1 else 0)
    gradients g => clip_global_norm(g, 1.0)
  state average: like(M.params) = M.params
  average := map((a, p) => 0.9 * a + 0.1 * p, average, M.params)
  when loss > 1 { average := M.params }
  metric accuracy = accuracy(with_params(M, average)(image, training: false), label)
}
export fn saliency(image: f32[1, 1, 6, 6], class: i32) -> f32[6, 6] = abs(grad(x => M(x)[0, class])(image))[0, 0, :, :]
export fn sums(x: f32[4, 3]) -> f32[3] {
  let (last, steps) = scan(zeros([3]), x, (h, a) => (h + a, h * a))
  let y[i < 3] = sum[k < 4] steps[k, (i + 1) % 3] * last[i / 2 + i % 2 else 0]
  repeat j < 2, v = y { v |> (u => u * j) }
}
`;
const pieces = (text: string) =>
  text.match(/[A-Za-z_][A-Za-z_0-9]*|\d+(?:\.\d+)?|"[^"\n]*"|\s+|[^\sA-Za-z_0-9]/g) ?? [];

type Change = { readonly kind: "drop" | "double" | "swap" | "move"; readonly at: number; readonly to: number };
const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom("drop" as const, "double" as const, "swap" as const, "move" as const),
  at: fc.nat(),
  to: fc.nat(),
});
function apply(tokens: string[], { kind, at, to }: Change): void {
  const i = at % tokens.length;
  const j = to % tokens.length;
  const [a = "", b = ""] = [tokens[i], tokens[j]];
  if (kind === "drop") tokens.splice(i, 1);
  else if (kind === "double") tokens.splice(i, 0, a);
  else if (kind === "swap") [tokens[i], tokens[j]] = [b, a];
  else tokens[i] = b;
}

/** Both ways through the compiler; whatever comes out is well-formed. */
function survive(text: string): void {
  const loaded = loadModules(sourceOf(text), library);
  check(loaded);
  const { program, diagnostics } = elaborate(loaded);
  expect(program !== undefined || loaded.diagnostics.length > 0 || diagnostics.length > 0).toBe(true);
  if (program && loaded.diagnostics.length === 0) for (const { graph } of program.entries) verify(graph, "elaborate");
}

describe("hostile programs", () => {
  test("the program itself is right", () => {
    const loaded = loadModules(sourceOf(small), library);
    expect(
      [...loaded.diagnostics, ...check(loaded), ...elaborate(loaded).diagnostics].map(({ message }) => message),
    ).toEqual([]);
  });

  test("changed programs end in diagnostics", () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const tokens = pieces(small);
        for (const one of changes) apply(tokens, one);
        survive(tokens.join(""));
      }),
      { numRuns: process.env.DLX_DEEP ? Number(process.env.DLX_DEEP) * 500 : 25 },
    );
  });

  const whole = readdirSync(join(root, "stdlib"), { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".dlx"),
  );
  if (process.env.DLX_DEEP)
    test("changed library files end in diagnostics", () => {
      fc.assert(
        fc.property(fc.constantFrom(...whole), fc.array(change, { minLength: 1, maxLength: 4 }), (file, changes) => {
          const tokens = pieces(readFileSync(join(root, "stdlib", file), "utf8"));
          for (const one of changes) apply(tokens, one);
          survive(tokens.join(""));
        }),
        { numRuns: Number(process.env.DLX_DEEP) * 200 },
      );
    });

  const rows: readonly (readonly [string, string])[] = [
    ["nothing", ""],
    ["recursion without end", "fn f(x: f32) -> f32 = f(x)\nexport fn g(x: f32) -> f32 = f(x)"],
    ["recursion through a lambda", "export fn g(x: f32) -> f32 {\n  let f = (h, y) => h(h, y)\n  f(f, x)\n}"],
    [
      "recursion in a dimension",
      "fn f(x: f32[N], n: int) -> f32[N] = f(x, n + 1)\nexport fn g(x: f32[2]) -> f32[2] = f(x, 0)",
    ],
    ["a layer in itself", "layer a()(x: f32[N]) -> f32[N] = x |> a()\nmodel M(x: f32[N]) -> f32[N] = x |> a"],
    ["a model in itself", "model M(x: f32[N]) -> f32[N] = M(x)"],
    ["models in each other", "model A(x: f32[N]) -> f32[N] = B(x)\nmodel B(x: f32[N]) -> f32[N] = A(x)"],
    ["a model's own parameters", "model M(x: f32[N]) -> f32[N] = x * fold((s, w) => s + sum(w), 0.0, M.params)"],
    ["an enormous repeat", "export fn f(x: f32) -> f32 { repeat i < 10^15, y = x { y } }"],
    ["an enormous tensor", "export fn f(x: f32) -> f32[100000, 100000, 100000] = fill([100000, 100000, 100000], x)"],
    ["an enormous power", "export fn f(x: f32[N]) -> f32[N^100] = fill([N^100], x[0])"],
    ["numbers past the integers", "export fn f(x: f32) -> f32 = x * (9007199254740993 * 9007199254740993)"],
    ["a default that uses itself", "fn f(x: f32, k: int = k) -> f32 = x * k\nexport fn g(x: f32) -> f32 = f(x)"],
    ["a definition that uses itself", "export fn g(x: f32[N]) -> f32[N] where K = K + 1 = x"],
    ["a state of its own value", "model M(x: f32) -> f32 {\n  state s: f32 = s\n  x\n}"],
    ["no elements", "export fn g(x: f32[0]) -> f32 = sum(x)"],
    [
      "a carry that grows",
      "export fn g(x: f32[2]) -> f32[2] {\n  let (h, _) = scan(x, 3, (h, i) => (concat([h, h]), ()))\n  h\n}",
    ],
    ["a gradient of nothing", 'export fn g(x: f32[2]) -> f32[2] = grad(x => "a")(x)'],
    ["an optimizer as a layer", "import optim\nmodel M(x: f32[N]) -> f32[N] = x |> sgd(0.1)"],
    ["a train block as a value", "train t()(x: f32) { metric m = x }\nexport fn f(x: f32) -> f32 = t(x)"],
    ["a module as a value", "import nn\nexport fn f(x: f32) -> f32 = nn"],
    ["negative sizes", "import nn\nmodel M(x: f32[N, 1, 4, 4]) -> f32[N, 1] = x |> conv2d(-1) |> flatten"],
    ["an index as a size", "export fn f(x: f32[4]) -> f32[4] { let y[i] = sum(zeros([i + 1])) + x[i]; y }"],
    ["an index in a condition", "export fn f(x: f32[4]) -> f32[4] { let y[i] = if i > 2 then x[i] else 0; y }"],
    ["an index as a count", "export fn f(x: f32[4]) -> f32[4] { let y[i] = repeat k < i, h = x[i] { h * 2 }; y }"],
    ["an index in a list", "export fn f(x: f32[4]) -> f32[4] { let y[i] = [1, 2][i] * x[i]; y }"],
    [
      "a scan in index notation",
      "export fn f(x: f32[4]) -> f32[4] { let y[i] = scan(x[i], 3, (h, k) => (h * h, ()))[0]; y }",
    ],
    ["an instance per index", "import nn\nmodel M(x: f32[4, 3]) -> f32[4] { let y[i] = dense(1)(x[i, :])[0]; y }"],
    ["a parameter per index", "model M(x: f32[4]) -> f32[4] { let y[i] = { param w: f32 = 1; x[i] * w }; y }"],
    ["strings in tensors", 'export fn f(x: f32[4]) -> f32[4] = select(x > 0, "a", x)'],
    ["an unfinished program", "model M(x: f32[N, 3"],
    [
      "a random draw in a scan",
      "export fn f(x: f32[4]) -> f32[4] {\n  let (h, _) = scan(x, 3, (h, k) => (h + normal([4]), ()))\n  h\n}",
    ],
    [
      "minimize inside when",
      "import optim\nmodel M(x: f32) -> f32 {\n  param w: f32 = 1\n  x * w\n}\ntrain t()(x: f32) {\n  when x > 0 { minimize l = M(x) over M.params using sgd(0.1) }\n}",
    ],
    ["a slice of everything", "export fn f(x: f32[4]) -> f32 = x[:][:][0:4:1][3]"],
    [
      "a derivative from outside",
      "export fn f(x: f32[4]) -> f32[4] {\n  let pull = vjp(t => t^2, x)\n  let y[i] = sum(pull(x * x[i]))\n  y\n}",
    ],
    ["an initial value of inputs", "train t()(x: f32[4]) {\n  state s: f32[4] = 2 * x\n  metric m = sum(s)\n}"],
    ["a spread of no run", "export fn f(x: f32[4]) -> f32 { let y[i] = x[...q]; y[0] }"],
  ];
  test.each(rows)("%s", (_, text) => survive(text));
});
