import { describe, expect, test } from "vitest";
import { parse } from "../../grammar/parse.ts";
import { problemsOf } from "./support.ts";

/** Texts with mistakes, and where they are told: each once. */
const rows: readonly (readonly [name: string, text: string, problems: readonly string[]])[] = [
  ["nothing", "", []],
  ["blanks and comments only", "\n  // nothing\n/// here\n", []],
  [
    "three mistakes in one body",
    "fn f(x: f32) {\n  let = 3\n  let y = x +* 2\n  let z = y\n  let a b\n  z\n}",
    ["E0107 2:7", "E0107 3:14", "E0107 5:9"],
  ],
  [
    "a mistake in each of three declarations",
    "fn f(x: f32) = x * * 2\nfn g(x f32) = x\nfn h(x: f32) = x\nmodel M(x: f32[N]) -> f32[N] =\n",
    ["E0107 1:20", "E0107 2:8", "E0107 4:31"],
  ],
  [
    "mistakes in a header and in its body",
    "layer l(a int)(x: f32[N]) {\n  param w f32 = zeros\n  w\n}",
    ["E0107 1:11", "E0107 2:11"],
  ],
  [
    "a parenthesis forgotten before a statement",
    "fn f(x: f32) {\n  let y = exp(x\n  let z = y\n  z\n}",
    ["E0105 2:14"],
  ],
  ["a bracket forgotten before a block", "fn f(x: f32[N) -> f32[N {\n  x\n}", ["E0105 1:12", "E0105 1:22"]],
  ["a parenthesis forgotten before a declaration", "fn f(x: f32) = exp(x\nfn g(x: f32) = x", ["E0105 1:19"]],
  [
    "an inner brace forgotten, told where the columns say",
    "fn f(x: f32) {\n  if a {\n    let y = x\n  y\n}\nfn g(x: f32) = x x",
    ["E0105 2:8", "E0108 6:18"],
  ],
  ["an outer brace forgotten", "fn f(x: f32) {\n  x\nfn g(x: f32) = x", ["E0105 1:14"]],
  ["a bracket too many", "fn f(x: f32) = (x))\nfn g(x: f32) = x]", ["E0106 1:19", "E0106 2:17"]],
  ["a bracket of the wrong kind", "fn f(x: f32) = exp(x]\nfn g(x: f32) = [x)", ["E0106 1:21", "E0106 2:18"]],
  ["statements outside of declarations", "let x = 3\nfn f(x: f32) = x\nx + 1\n", ["E0109 1:1", "E0109 3:1"]],
  ["stray statements below a block", "fn f(x: f32) {\n  x\n}\nlet y = 3\nfn g() = 1", ["E0109 4:1"]],
  ["two statements on a line", "fn f(x: f32) {\n  let y = x let z = y\n  z\n}", ["E0108 2:13"]],
  ["words of other languages", "def f(x):\n  return x\nfn g(x: f32) {\n  return x\n}", ["E0122 1:1", "E0122 4:3"]],
  ["`=` for `:=`", "fn f(x: f32) {\n  y = x\n  y\n}", ["E0121 2:5"]],
  [
    "signs of other languages",
    "fn f(x: f32) = x && x # no\nfn g(x: f32) = !x",
    ["E0101 1:18", "E0101 1:23", "E0101 2:16"],
  ],
  [
    "malformed numbers, each",
    "fn f(x: f32) = 2pi + 0x10 + 1e\nfn g() = 1e999",
    ["E0102 1:16", "E0102 1:22", "E0102 1:29", "E0124 2:10"],
  ],
  ["an open string", 'fn f(x: f32) where x else "no\n= x\nfn g(x: f32) = x x', ["E0103 1:27", "E0108 3:18"]],
  [
    "mistakes inside strings",
    'fn f(x: f32) where x else "{x +} {} \\q"\n= x',
    ["E0107 1:32", "E0123 1:34", "E0104 1:37"],
  ],
  ["parameter lists", "layer l(x: f32) = x\nfn f(a: int)(x: f32) = x", ["E0115 1:7", "E0115 2:4"]],
  ["export of a layer", "export layer l()(x: f32) = x", ["E0116 1:1"]],
  ["a comparison that chains", "fn f(x: f32) = 0 < x < 1", ["E0110 1:22"]],
  ["an expression in front of =>", "fn f(x: f32) = x + 1 => x", ["E0111 1:16"]],
  [
    "holes",
    "fn f(x: f32) = _ + x\nfn g(x: f32) = f(_ + 1)\nfn h(x: f32) = [_]",
    ["E0112 1:16", "E0112 2:18", "E0112 3:17"],
  ],
  [
    "reserved words and reductions as names",
    "fn f(over: f32) = x\nfn g(max: f32) = max\nfn h() { let sum = 1; sum }",
    ["E0113 1:6", "E0113 2:6", "E0113 3:14"],
  ],
  ["reserved words as values", "fn f(x: f32) = x + over", ["E0113 1:20"]],
  ["an unknown type", "fn f(x: double) = x\nfn g(x: f32[N]) -> tensor = x", ["E0114 1:9", "E0114 2:20"]],
  ["assignment to a value", "train t()(x: f32) {\n  f(x) := 2\n  x[0] := 1\n}", ["E0118 2:3", "E0118 3:3"]],
  ["half a record", "fn f(x: f32) = (a: x, x)\nfn g() -> (a: f32, f32) = 1", ["E0119 1:23", "E0119 2:20"]],
  ["an import below", "fn f() = 1\nimport nn", ["E0125 2:1"]],
  ["an import of an expression", 'import "{x}"', ["E0117 1:8"]],
  [
    "incomplete headers",
    "fn\nfn f\nfn f() ->\nimport\nmodel",
    ["E0107 1:3", "E0107 2:5", "E0107 3:10", "E0107 4:7", "E0107 5:6"],
  ],
  ["minimize without its parts", "train t()(x: f32) {\n  minimize loss = x over x\n  metric a = x\n}", ["E0107 2:27"]],
];

describe("every mistake is told once, where it is", () => {
  test.each(rows)("%s", (_, text, problems) => expect(problemsOf(text)).toEqual(problems));
});

test("what was understood is kept", () => {
  const text = "import nn\nfn f(x: f32) {\n  let = 3\n  let y = x\n  y\n}\nfn g(x = x\nfn h(x: f32) = x";
  const { module } = parse({ file: "test.dlx", text });
  expect(module.imports.map((item) => item.path)).toEqual(["nn"]);
  expect(module.declarations.map((declaration) => declaration.name.text)).toEqual(["f", "h"]);
  const body = module.declarations[0]?.body;
  expect(body?.kind === "block" && body.statements.map((statement) => statement.kind)).toEqual(["let", "expression"]);
});
