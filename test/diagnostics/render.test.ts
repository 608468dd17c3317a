import { describe, expect, test } from "vitest";
import { construct } from "../../compiler/diagnostics/construct.ts";
import {
  type CatalogueEntry,
  diagnose,
  editDistance,
  fromProblem,
  render,
  suggest,
  toJson,
} from "../../compiler/diagnostics/index.ts";
import { parse } from "../../grammar/parse.ts";
import type { Source } from "../../grammar/span.ts";

const source: Source = { file: "model.dlx", text: "fn f(x: f32) = x |> conv2d(3)\n\tfn g() = {\n  1\n}\n" };
const entry: CatalogueEntry = {
  code: "E0999",
  severity: "error",
  title: "Test",
  message: "expected {expected}; got {got}{more?}",
  help: ["did you mean `{suggestion?}`?", "look it up"],
  explanation: "",
  bad: "",
  good: "",
};
const at = (text: string, from = 0) => {
  const start = source.text.indexOf(text, from);
  return { start, end: start + text.length };
};
const plain = { color: false };

describe("construct", () => {
  test("fills templates, and takes the first help that is complete", () => {
    const one = construct(entry, source, at("conv2d"), { expected: "a", got: 3 });
    expect(one).toMatchObject({
      message: "expected a; got 3",
      help: "look it up",
      expected: "a",
      got: "3",
      related: [],
    });
    const two = construct(entry, source, at("conv2d"), { expected: "a", got: 3, more: "!", suggestion: "b" });
    expect(two).toMatchObject({ message: "expected a; got 3!", help: "did you mean `b`?" });
    const three = construct(entry, source, at("conv2d"), { expected: "a", got: 3 }, { help: "mine" });
    expect(three.help).toBe("mine");
  });
  test("a missing value is a defect", () => {
    expect(() => construct(entry, source, at("conv2d"), { expected: "a" })).toThrow("lacks a value for got");
    expect(() => construct({ ...entry, message: undefined }, source, at("conv2d"), {})).toThrow("only explained");
  });
  test("braces that are no places stay", () => {
    expect(construct({ ...entry, message: "{ } {A} {a b}" }, source, at("f"), {}).message).toBe("{ } {A} {a b}");
  });
});

describe("render", () => {
  test("an excerpt with carets, related places and help", () => {
    const other: Source = { file: "other.dlx", text: "a\nb\nccc" };
    const diagnostic = construct(
      entry,
      source,
      at("conv2d(3)"),
      { expected: "a", got: "b" },
      {
        related: [{ source: other, span: { start: 4, end: 7 }, message: "defined here" }],
      },
    );
    expect(render(diagnostic, plain)).toBe(
      [
        "error[E0999]: expected a; got b",
        " --> model.dlx:1:21",
        "  |",
        "1 | fn f(x: f32) = x |> conv2d(3)",
        "  |                     ^^^^^^^^^",
        "note: defined here",
        " --> other.dlx:3:1",
        "  |",
        "3 | ccc",
        "  | ^^^",
        "help: look it up",
        "",
      ].join("\n"),
    );
  });
  test("several lines show the first and the last; tabs stay under tabs", () => {
    const start = source.text.indexOf("fn g");
    const span = { start, end: source.text.lastIndexOf("}") + 1 };
    expect(render(construct(entry, source, span, { expected: "a", got: "b" }), plain)).toBe(
      [
        "error[E0999]: expected a; got b",
        " --> model.dlx:2:2",
        "  |",
        "2 | \tfn g() = {",
        "  | \t^^^^^^^^^^",
        "  :",
        "4 | }",
        "  | ^",
        "help: look it up",
        "",
      ].join("\n"),
    );
  });
  test("the end of the file, and an empty file", () => {
    const end = { start: source.text.length, end: source.text.length };
    expect(render(construct(entry, source, end, { expected: "a", got: "b" }), plain)).toContain("model.dlx:5:1");
    const empty: Source = { file: "empty.dlx", text: "" };
    const diagnostic = construct(entry, empty, { start: 0, end: 0 }, { expected: "a", got: "b" });
    expect(render(diagnostic, plain)).toContain("1 |\n  | ^");
  });
  test("a long line is cut around the place, and control characters do no harm", () => {
    const long: Source = { file: "long.dlx", text: `${"x".repeat(5_000)}\u001b[31m${"y".repeat(5_000)}` };
    const text = render(construct(entry, long, { start: 5_000, end: 5_001 }, { expected: "a", got: "b" }), plain);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThan(140);
    expect(text).not.toContain("\u001b");
    expect(text.split("\n")[3]?.[23]).toBe("\u00b7");
    expect(text.split("\n")[4]?.indexOf("^")).toBe(23);
  });
  test("colours only where asked", () => {
    const diagnostic = construct(entry, source, at("conv2d"), { expected: "a", got: "b" });
    expect(render(diagnostic, { color: true })).toContain("\u001b[1;31m");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
    const stripped = render(diagnostic, { color: true }).replaceAll(/\u001b\[[0-9;]*m/g, "");
    expect(stripped).toBe(render(diagnostic, plain));
  });
});

test("problems of the grammar become diagnostics", () => {
  const wrong: Source = { file: "wrong.dlx", text: "fn f(x: f32) = x & x" };
  const [problem] = parse(wrong).problems;
  expect(problem && fromProblem(problem, wrong)).toMatchObject({
    code: "E0101",
    severity: "error",
    message: "dlx has no `&`",
    help: "write `and`",
  });
  const type: Source = { file: "type.dlx", text: "fn f(x: flaot) = x" };
  const [unknown] = parse(type).problems;
  expect(unknown && fromProblem(unknown, type).help).toBe("did you mean `float`?");
  expect(() => fromProblem({ code: "E9999", span: at("f"), values: {} }, wrong)).toThrow("E9999");
});

test("typed constructors", () => {
  const diagnostic = diagnose.E0101(source, at("conv2d"), { character: "#" });
  expect(toJson(diagnostic)).toEqual({
    code: "E0101",
    severity: "error",
    message: "dlx has no `#`",
    file: "model.dlx",
    line: 1,
    column: 21,
    endLine: 1,
    endColumn: 27,
    help: "remove it",
  });
});

describe("did you mean", () => {
  const names = ["conv2d", "max_pool", "avg_pool", "relu", "gelu", "dense", "batch_norm", "x"];
  test.each([
    ["conv2", "conv2d"],
    ["Conv2D", "conv2d"],
    ["max_pol", "max_pool"],
    ["maxpool", "max_pool"],
    ["batchnorm", "batch_norm"],
    ["dnese", "dense"],
    ["rellu", "relu"],
    ["linear", undefined],
    ["y", undefined],
    ["", undefined],
    ["dense", undefined],
  ])("%s: %s", (name, wanted) => expect(suggest(name, names)).toBe(wanted));

  test.each([
    ["", "", 0],
    ["", "abc", 3],
    ["kitten", "sitting", 3],
    ["ab", "ba", 1],
    ["abc", "abc", 0],
  ])("distance of %s and %s", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
    for (const enough of [1, 2, 3, 5])
      expect(Math.min(editDistance(a, b, enough), enough)).toBe(Math.min(distance, enough));
  });
});
