import { describe, expect, test } from "vitest";
import { parse } from "../../grammar/parse.ts";
import { print, printExpression } from "../../grammar/print.ts";
import { expressionOf, meaning, moduleOf, problemsOf } from "./support.ts";

/** Left: what is written; right: the same with all its parentheses. */
const precedence: readonly (readonly [string, string])[] = [
  ["a |> f |> g(1)", "((a |> f) |> g(1))"],
  ["a or b and c", "(a or (b and c))"],
  ["not a and b", "((not a) and b)"],
  ["not a == b", "(not (a == b))"],
  ["not not a", "(not (not a))"],
  ["a + b == c * d", "((a + b) == (c * d))"],
  ["a - b - c", "((a - b) - c)"],
  ["a / b * c % d @ e", "((((a / b) * c) % d) @ e)"],
  ["-a * b", "((-a) * b)"],
  ["-a^2", "(-(a^2))"],
  ["2^-x", "(2^(-x))"],
  ["a^b^c", "(a^(b^c))"],
  ["a * -b + c", "((a * (-b)) + c)"],
  ["- -a", "(-(-a))"],
  ["sum[k] a * b + c", "((sum[k] (a * b)) + c)"],
  ["sum[k] -a * b", "(sum[k] ((-a) * b))"],
  ["c * sum[k] a * b", "(c * (sum[k] (a * b)))"],
  ["-sum[k] a * b", "(-(sum[k] (a * b)))"],
  ["sum[i] sum[j] a * b > c", "((sum[i] (sum[j] (a * b))) > c)"],
  ["mean[n] -logp[n, label[n]]", "(mean[n] (-logp[n, label[n]]))"],
  ["x => a |> f", "(x => (a |> f))"],
  ["(x, y) => z => a", "((x, y) => (z => a))"],
  ["if a then b else c |> f", "(if a then b else (c |> f))"],
  ["if a then if b then c else d else e", "(if a then (if b then c else d) else e)"],
  ["1 + if a then b else c + 2", "(1 + (if a then b else (c + 2)))"],
  ["a.b(c)[d].e^2", "(((((a.b)(c))[d]).e)^2)"],
  ["-a.b", "(-(a.b))"],
  ["x |> f == y", "(x |> (f == y))"],
];

describe("precedence", () => {
  test.each(precedence)("%s", (text, full) => {
    expect(meaning(expressionOf(text))).toEqual(meaning(expressionOf(full)));
    // and the printer needs none of them
    expect(meaning(expressionOf(printExpression(expressionOf(full))))).toEqual(meaning(expressionOf(text)));
  });

  test("the printer shows where a reduction ends in front of a sum", () => {
    expect(printExpression(expressionOf("sum[k] a[k] * b[k] + c"))).toBe("(sum[k] a[k] * b[k]) + c");
    expect(printExpression(expressionOf("c - sum[k] a[k]"))).toBe("c - sum[k] a[k]");
  });
});

/** Bodies of a block, and the statements they are, printed. */
const newlines: readonly (readonly [name: string, text: string, statements: readonly string[]])[] = [
  ["a new line ends a statement", "a\nb", ["a", "b"]],
  ["so does a semicolon", "a; b;; c", ["a", "b", "c"]],
  ["not inside parentheses", "f(a,\nb\n)(\nc)", ["f(a, b)(c)"]],
  ["not inside brackets", "[a,\n-b\n][\n0]", ["[a, -b][0]"]],
  ["but inside a block inside parentheses", "f(x => {\na\n-b\n})", ["f(x => { a; -b })"]],
  ["a line that begins with - is new", "a\n-b", ["a", "-b"]],
  ["a line that begins with ( is new", "a\n(b)", ["a", "b"]],
  ["a line that begins with [ is new", "a\n[b]", ["a", "[b]"]],
  ["a reduction needs its bracket on its line", "sum\n[b]", ["sum", "[b]"]],
  ["a line may end with an operator", "a -\nb +\n(c)", ["a - b + c"]],
  ["other operators continue", "a\n* b\n+ c\n== d\nand e\nor f", ["a * b + c == d and e or f"]],
  ["pipes continue", "a\n|> f\n\n|> g", ["a |> f |> g"]],
  ["members continue", "a\n.b\n.c", ["a.b.c"]],
  ["else and then continue", "if a\nthen b\nelse c", ["if a then b else c"]],
  ["a block of an if may begin a line", "if a\n{ b }\nelse\n{ c }", ["if a { b } else { c }"]],
  [
    "minimize goes on over lines",
    "minimize l = a\nover b\nusing c\ngradients g => d",
    ["minimize l = a over b using c gradients g => d"],
  ],
  ["an operand may follow on the next line", "let a =\n-b", ["let a = -b"]],
  ["a value may follow := on the next line", "a :=\n(b)", ["a := b"]],
  ["a function may follow => on the next line", "x =>\n-x", ["x => -x"]],
  ["comments do not matter", "a // one\n// two\n* b // three\nc", ["a * b", "c"]],
  ["a block is a statement of its own", "a\n{ b }", ["a", "{ b }"]],
  ["carriage returns are blanks", "a\r\n-b\r\n* c", ["a", "-b * c"]],
];

describe("newlines", () => {
  test.each(newlines)("%s", (_, text, statements) => {
    const body = `fn f() {\n${text}\n}`;
    const wanted = `fn f() {\n${statements.join("\n")}\n}`;
    expect(problemsOf(body)).toEqual([]);
    expect(meaning(moduleOf(body))).toEqual(meaning(moduleOf(wanted)));
    const block = moduleOf(body).declarations[0]?.body;
    expect(block?.kind === "block" && block.statements.length).toBe(statements.length);
  });

  test("where may begin a line, and so may the body", () => {
    const text = 'fn f(x: f32[N])\n-> f32[N]\nwhere N > 0\nelse "none",\nM = 2\n= x';
    expect(problemsOf(text)).toEqual([]);
  });
});

/** Expressions that read as they stand. */
const forms: readonly string[] = [
  "f(_, std: 0.02)",
  "x[_, :, a:b, ::2, a:, :b, a:b:c, ...s, i else 0]",
  "(a: x, b: (y, z))",
  "()",
  "[[1, 2], []]",
  "((h, c), (a: b), _) => h",
  "() => 1",
  "repeat i < n, (h, c) = (x, y) { (c, h) }",
  "repeat _ < 3 { a := 1 }",
  "max(a, min(b, c))",
  "argmax[c < 3, ...s] x[...s, c]",
  '"a {x + 1} \\{b\\n {f("in {y}")}"',
  "a.max + like(b) + f32(x) + list",
  "{ let y = x; y }",
  "1e-4 + 2.5e3 + 007",
  "if a { b } else if c { d } else e",
  "if a then { b }",
  "x[(if a then b) else 0]",
  "f(if a then b else c)",
];

test.each(forms)("reads and prints: %s", (text) => {
  const expression = expressionOf(text);
  expect(meaning(expressionOf(printExpression(expression)))).toEqual(meaning(expression));
});

test("documentation goes to the declaration right below it, anything else is a comment", () => {
  const text = [
    "/// About the file.",
    "import nn",
    "/// Far away.",
    "",
    "/// One.",
    "///",
    "/// Two.",
    "export fn f() = 1 /// not this",
    "//// nor this",
    "fn g() = 2",
  ].join("\n");
  const { module } = parse({ file: "test.dlx", text });
  expect(module.declarations.map((declaration) => declaration.doc)).toEqual([["One.", "", "Two."], []]);
  expect(module.comments.map((comment) => comment.text)).toEqual([
    "/// About the file.",
    "/// Far away.",
    "/// not this",
    "//// nor this",
  ]);
  expect(print(module)).toBe(
    "/// About the file.\nimport nn\n\n/// Far away.\n\n/// One.\n///\n/// Two.\nexport fn f() = 1  /// not this\n\n//// nor this\nfn g() = 2\n",
  );
});

test("spans are those of the text", () => {
  const text = "fn f(x: f32) = (x + 1) * g(x)[0]";
  const { body } = moduleOf(text).declarations[0] ?? {};
  expect(
    body?.kind === "binary" && [body.span, body.left.span, body.right.span].map((s) => text.slice(s.start, s.end)),
  ).toEqual(["(x + 1) * g(x)[0]", "(x + 1)", "g(x)[0]"]);
});
