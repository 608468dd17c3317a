/** `replacing` and `cut`: other functions inside of a function, and a function in two parts. */
import { describe, expect, test } from "vitest";
import { call, programOf, runEntry } from "./run.ts";
import { checkText } from "./support.ts";

const weights = (path: string, count: number) =>
  Array.from({ length: count }, (_, k) => Math.sin(1 + path.length + 1.7 * k));

describe("replacing", () => {
  const half = "fn half(x: f32[N]) -> f32[N] = x / 2\nfn twice(x: f32[N]) -> f32[N] = half(half(x)) + 1\n";
  test.each([
    ["below other functions", "replacing(twice, half, x => 3 * x)(x)", [10, 19]],
    ["in a pipe", "replacing(y => y |> half |> half, half, x => 3 * x)(x)", [9, 18]],
    ["by one that calls it", "replacing(twice, half, x => half(x) - 1)(x)", [-0.25, 0]],
    [
      "inside of another, the innermost first",
      "replacing(replacing(twice, half, x => x), half, x => 3 * x)(x)",
      [2, 3],
    ],
    [
      "by one whose calls are replaced further out",
      "replacing(replacing(twice, half, x => half(x) + 1), half, x => 3 * x)(x)",
      [14, 23],
    ],
    ["of the language", "replacing(y => 2 * abs(y), abs, y => -y)(x)", [-2, -4]],
    ["in a scan", "scan(x, 2, (y, k) => (replacing(half, half, z => 5 * z)(y), ()))[0]", [25, 50]],
    ["around index notation", "replacing(y => { let z[i] = sum(half(y)) * y[i]; z }, half, z => 2 * z)(x)", [6, 12]],
    ["nowhere else", "half(replacing(half, half, x => 3 * x)(x))", [1.5, 3]],
  ])("%s", (_, expression, wanted) => {
    expect(call(`${half}export fn f(x: f32[2]) -> f32[2] = ${expression}`, { x: [1, 2] })).toEqual(wanted);
  });
  test("of an instance, whose weights are then not asked for", () => {
    const { entries } = programOf(`layer scaled()(x: f32[N]) -> f32[N] {
  param factor: f32 = 3
  factor * x
}
model M(x: f32[N]) -> f32[N] {
  let first = scaled()
  let second = scaled()
  x |> first |> second
}
export fn f(x: f32[2]) -> f32[2] = replacing(M, M.second, x => x + 1)(x)
`);
    const entry = entries.find(({ kind }) => kind === "call");
    expect(entry && runEntry(entry, { x: [1, 2], "M.first.factor": [3] })).toEqual({ output: [4, 7] });
  });
  test("warns where nothing is replaced", () => {
    const found = checkText(`${half}export fn f(x: f32[2]) -> f32[2] = replacing(y => y, half, twice)(x)\n`);
    expect(found.map(({ code }) => code)).toEqual(["W0111"]);
  });
});

describe("cut", () => {
  const net = `import nn
model Net(x: f32[N, 2]) -> f32[N, 3] {
  let skip = dense(3)
  let body = dense(4)
  let head = dense(3)
  skip(x) + (x |> body |> tanh |> head)
}
`;
  const given = { x: [0.3, -0.8] };
  const run = (...lines: readonly string[]) => {
    const { entries } = programOf(`${net}${lines.join("\n")}\n`);
    const entry = entries.find(({ kind }) => kind === "call");
    if (!entry) throw new Error("nothing to run");
    return Object.values(runEntry(entry, given, weights));
  };
  test.each([
    ["an instance", "Net.body"],
    ["a path", '"Net.body"'],
    ["a question", "y => y.shape[1] == 4"],
    ["a question for what a function gave", 'y => is_made_by(y, "tanh")'],
  ])("at %s: the rest of what is inside is the result", (_, at) => {
    const [whole, again, size] = run(
      `export fn f(x: f32[1, 2]) { let (a, rest) = cut(Net, ${at})(x); (Net(x), rest(a), a[0, 0]) }`,
    );
    expect(again).toEqual(whole);
    const [inner] = run(
      `export fn f(x: f32[1, 2]) = ${at.includes("tanh") ? "tanh(Net.body(x))" : "Net.body(x)"}[0, 0]`,
    );
    // The question for four columns is answered last by tanh.
    const last = at.startsWith("y => y.shape") ? Math.tanh(inner?.[0] ?? Number.NaN) : inner?.[0];
    expect(size?.[0]).toBeCloseTo(last ?? Number.NaN, 12);
  });
  test("the rest is differentiated by what was inside", () => {
    const [got = []] = run(
      "export fn f(x: f32[1, 2]) { let (a, rest) = cut(Net, Net.body)(x); grad(a => rest(a)[0, 1])(a) }",
    );
    const [wanted = []] = run("export fn f(x: f32[1, 2]) = grad(a => (a |> tanh |> Net.head)[0, 1])(Net.body(x))");
    expect(got).toEqual(wanted.map((value) => expect.closeTo(value, 12)));
  });
  test("layers that the function makes are the same ones again", () => {
    const text = `import nn
model M(x: f32[N, 2]) -> f32[N, 3] {
  let (a, rest) = cut(y => y |> dense(4) |> tanh |> dense(3), y => is_made_by(y, "tanh"))(x)
  rest(a)
}
`;
    const { persistent } = programOf(text);
    expect(persistent.flatMap(({ role, path }) => (role === "parameter" ? [path] : []))).toEqual([
      "M.dense_1.weight",
      "M.dense_1.bias",
      "M.dense_2.weight",
      "M.dense_2.bias",
    ]);
  });
  test.each([
    ['cut(Net, "Net.hed")(x)[0]', "E0229", /Net comes by no tensor called Net.hed/],
    ["cut(Net, y => y.rank == 7)(x)[0]", "E0229", /for which that is true/],
    ["cut(Net, y => sum(y) > 0)(x)[0]", "E0214", /needs a compile-time bool/],
    ["cut(Net, Net.body)(x)[1](x)", "E0316", /cut/],
    ['cut(y => scan(y, 2, (h, k) => (Net.skip(h)[:, 0:2], ()))[0], "Net.skip")(x)[0]', "E0229", /Net.skip/],
  ])("%s is refused", (expression, code, message) => {
    const found = checkText(`${net}export fn f(x: f32[1, 2]) = ${expression}\n`);
    expect(found.map((one) => one.code)).toEqual([code]);
    expect(found[0]?.message).toMatch(message);
  });
});
