/** What `check` says of derivatives, states and initial values without building a graph is what building the graph says. */
import { describe, expect, test } from "vitest";
import { checkText, elaborateText } from "../elaborate/support.ts";

const model = "model M(x: f32[N]) -> f32[N] {\n  param w: f32 = 1\n  param v: f32 = 2\n  x * w + v\n}\n";
const sgd = "optimizer sgd(lr: f32 = 0.1)(w: f32[...S], g: f32[...S], step: i32) -> f32[...S] = w - lr * g\n";
const training = (body: string) => `${model}${sgd}train t()(x: f32[4]) {\n  ${body}\n}`;
const minimize = (loss: string) => training(`minimize loss = ${loss} over M.params using sgd()`);

const rows: readonly { readonly name: string; readonly text: string; readonly code?: string }[] = [
  { name: "a loss of the parameters", text: minimize("sum(M(x)^2)") },
  { name: "a loss of one parameter", text: minimize("sum(x) * M.params.w") },
  { name: "a loss without parameters", text: minimize("sum(x)"), code: "E0404" },
  { name: "everything stopped", text: minimize("sum(stop_gradient(M(x)))"), code: "E0404" },
  { name: "one of two ways stopped", text: minimize("sum(stop_gradient(M(x)) * M(x))") },
  { name: "a step on the way", text: minimize("sum(floor(M(x)))"), code: "E0405" },
  {
    name: "a step with a gradient of its own",
    text: minimize("sum(custom_grad(x => floor(x), (x, y, dy) => dy)(M(x)))"),
  },
  {
    name: "positions",
    text: training("let y = M(x)\n  minimize loss = f32(argmax[i] y[i]) over M.params using sgd()"),
    code: "E0405",
  },
  {
    name: "positions in sorted order",
    text: training("let y = M(x)\n  minimize loss = sum(f32(argsort(y))) over M.params using sgd()"),
    code: "E0405",
  },
  { name: "what stands in sorted order", text: minimize("sort(M(x))[1]") },
  {
    name: "a sorted axis that is not there",
    text: "export fn f(x: f32[4]) -> f32[4] = sort(x, axis: 1)",
    code: "E0305",
  },
  { name: "a mask beside the value", text: minimize("sum(select(M(x) > 0, M(x), 0))") },
  { name: "a mask alone", text: minimize("sum(select(M(x) > 0, x, 0))"), code: "E0405" },
  {
    name: "carries that change places",
    text: training(
      "let ((a, b), ys) = scan((zeros([1]), zeros([1])), M(x), ((a, b), y) => ((b, b + y), y))\n  minimize loss = a[0] over M.params using sgd()",
    ),
  },
  {
    name: "two updates, the second from before the first",
    text: training(
      "let y = M(x)\n  minimize a = sum(y) over M.params using sgd()\n  minimize b = sum(y * y) over M.params using sgd()",
    ),
    code: "E0403",
  },
  {
    name: "two updates",
    text: training(
      "minimize a = sum(M(x)) over M.params using sgd()\n  minimize b = sum(M(x)^2) over M.params using sgd()",
    ),
  },
  { name: "a gradient", text: "export fn f(x: f32[4]) -> f32[4] = grad(x => sum(x^2))(x)" },
  {
    name: "a gradient of whole numbers",
    text: "export fn f(x: f32[4]) -> f32[4] = grad(x => sum(f32(i32(x))))(x)",
    code: "E0405",
  },
  {
    name: "a slope of a slope of lines",
    text: "export fn f(x: f32[4]) -> f32[4] = grad(x => sum(grad(x => sum(select(x > 0, x, 0)))(x)))(x)",
  },
  {
    name: "each row's gradient",
    text: "export fn f(x: f32[4, 3]) -> f32[4, 3] {\n  let g[i < 4, j < 3] = grad(r => sum(r^3))(x[i, :])[j]\n  g\n}",
  },
  { name: "a product with a Hessian", text: "export fn f(x: f32[4], v: f32[4]) -> f32[4] = hvp(x => sum(x^3), x)(v)" },
  {
    name: "an initial value from an input",
    text: "model M(x: f32[4]) -> f32[4] {\n  param w: f32[4] = x * 2\n  x * w\n}",
    code: "E0224",
  },
  {
    name: "an initial value from another parameter",
    text: "model M(x: f32[4]) -> f32[4] {\n  param w: f32[4] = 1\n  param v: f32[4] = w + 1\n  x * w + v\n}",
  },
  {
    name: "a state that changes in prediction",
    text: "model M(x: f32[4]) -> f32[4] {\n  state s: f32[4] = 0\n  s := x\n  x\n}",
    code: "E0223",
  },
  {
    name: "a state that changes in training",
    text: "model M(x: f32[4]) -> f32[4] {\n  state s: f32[4] = 0\n  if training { s := x }\n  x\n}",
  },
];

describe("derivatives, states and initial values", () => {
  test.each(rows)("$name", ({ text, code }) => {
    const wanted = code === undefined ? [] : [code];
    const errors = (found: readonly { readonly code: string }[]) =>
      found.map((one) => one.code).filter((one) => one.startsWith("E"));
    expect(errors(elaborateText(text).diagnostics)).toEqual(wanted);
    expect(errors(checkText(text))).toEqual(wanted);
  });

  test("a step of what is always out of range is no way: only building shows that", () => {
    const outside =
      "model M(x: f32[N]) -> f32[N] {\n  param w: f32[4] = 1\n  let y[i] = x[i] * floor(w[i + 10 else 0])\n  y\n}\n";
    const text = `${outside}${sgd}train t()(x: f32[4]) {\n  minimize loss = sum(M(x)) over M.params using sgd()\n}`;
    expect(elaborateText(text).diagnostics.map(({ code }) => code)).toEqual(["E0404"]);
    expect(checkText(text)).toEqual([]);
  });

  test("where a derivative ends is told with its line", () => {
    const [found] = checkText(minimize("sum(floor(M(x)))"));
    expect(found?.message).toMatch(/^M\.w has no gradient: the way M\.w -> .* ends at floor \(model\.dlx:8\)$/);
  });

  const [w, argument] = ["M.w has no gradient: the way M.w -> ", "this argument has no gradient: the way x -> "];
  const slope = (of: string, result = "f32[4]") => `export fn f(x: f32[4]) -> ${result} = grad(x => ${of})(x)`;
  const functions =
    "fn step(x: f32[...S]) -> f32[...S] = f32(i32(10 * x))\nlayer hard()(x: f32[N]) -> f32[N] = step(x)\n";
  test.each<[name: string, text: string, path: string, by: string]>([
    ["a mask", minimize("sum(select(M(x) > 0, 1.0, 0))"), w, "`>`"],
    ["a comparison of functions", slope("sum(f32(exp(x) <= x))"), argument, "`<=`"],
    ["whole numbers in a function", functions + minimize("sum(step(M(x))^2)"), w, "i32"],
    ["whole numbers in a layer", functions + minimize("sum((M(x) |> hard)^2)"), w, "i32"],
    ["positions", training("let y = M(x)\n  minimize a = f32(argmax[i] y[i]) over M.params using sgd()"), w, "argmax"],
    ["positions in order", slope("sum(f32(argsort(x)))"), argument, "argsort"],
    ["an index", slope("{\n  let y[i < 2] = x[i32(x[i])]\n  sum(f32(y > 0))\n}"), argument, "`>`"],
    [
      "an index alone",
      "export fn f(x: f32[4], t: f32[9]) -> f32[4] = grad(x => sum(t[i32(x[0])]))(x)",
      argument,
      "i32",
    ],
    ["the sign", "export fn f(x: f32[4]) -> f32[4, 4] = hessian(x => sum(sign(x)))(x)", argument, "sign"],
    [
      "each row",
      "export fn f(x: f32[4, 2]) -> f32[4, 2] = grad(x => sum(vmap(r => round(sum(r)))(x)))(x)",
      argument,
      "round",
    ],
    ["a loop", slope("scan(0.0, floor(x), (c, v) => (c + v, ()))[0]"), argument, "floor"],
  ])("%s: the same words when checked and when built", (_, text, path, by) => {
    const checked = checkText(text);
    expect(checked[0]?.message.startsWith(path), checked[0]?.message).toBe(true);
    for (const found of [checked, elaborateText(text).diagnostics]) {
      expect(found.map(({ code }) => code)).toEqual(["E0405"]);
      expect(found[0]?.message).toContain(` ends at ${by} (model.dlx:`);
    }
  });
});
