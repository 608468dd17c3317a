import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse, print } from "../../grammar/parse.ts";
import { problemsOf } from "./support.ts";

const deep = 10_000;
const inBody = (text: string) => `fn f(x: f32) = ${text}\n`;
const wrapped = (open: string, close: string, depth: number) => inBody(`${open.repeat(depth)}x${close.repeat(depth)}`);
const nested = (open: string, close: string, inner = "x") => inBody(open.repeat(deep) + inner + close.repeat(deep));

/** Texts that are nested or chained further than any stack reaches, and the one thing to say about each. */
const rows: readonly (readonly [name: string, text: string, code: string])[] = [
  ["parentheses", nested("(", ")"), "E0501"],
  ["brackets", nested("[", "]"), "E0501"],
  ["blocks", nested("{", "}"), "E0501"],
  ["calls", nested("f(", ")"), "E0501"],
  ["coordinates", nested("x[", "]"), "E0501"],
  ["types", `fn f(x: ${"list[".repeat(deep)}int${"]".repeat(deep)}) = x`, "E0501"],
  ["signs", nested("-", ""), "E0501"],
  ["nots", nested("not ", ""), "E0501"],
  ["powers", nested("x^", ""), "E0501"],
  ["powers of signs", nested("x^-", ""), "E0501"],
  ["reductions", nested("sum[k] ", ""), "E0501"],
  ["products of reductions", nested("x * sum[k] ", ""), "E0501"],
  ["lambdas", nested("x => ", ""), "E0501"],
  ["lambdas on lines", nested("x =>\n", ""), "E0501"],
  ["else-if chains", nested("if x then x else ", ""), "E0501"],
  ["else-if chains of blocks", nested("if x { x } else ", ""), "E0501"],
  ["ifs in ifs", nested("if x then ", ""), "E0501"],
  ["ifs in conditions", nested("if ", " then x"), "E0501"],
  ["repeats", nested("repeat i < 1, h = ", " { h }"), "E0501"],
  ["repeats in counts", nested("repeat i < ", " { h }"), "E0501"],
  ["sums", nested("x + ", ""), "E0503"],
  ["pipes", inBody(`x${" |> f".repeat(deep)}`), "E0503"],
  ["pipes on lines", inBody(`x${"\n|> f".repeat(deep)}`), "E0503"],
  ["calls of calls", inBody(`f${"()".repeat(deep)}`), "E0503"],
  ["members", inBody(`f${".a".repeat(deep)}`), "E0503"],
  ["comparisons", inBody(`x${" < x".repeat(deep)}`), "E0503"],
];

describe("limits", () => {
  test.each(rows)("%s", (_, text, code) => {
    expect(problemsOf(`${text}\nfn g() = 1 1`).map((problem) => problem.slice(0, 5))).toEqual([code, "E0108"]);
  });

  test("what lies within them is read", () => {
    const near = 95;
    const texts = [
      wrapped("(", ")", near),
      wrapped("f(a: [", "])", near / 2),
      wrapped("f(x => { let y = ", "\n y })", near / 3),
      wrapped("if x[", "] then x else x", near / 2),
      inBody(`${"-".repeat(near)}x`),
      inBody(`${"sum[k] ".repeat(near)}x`),
      inBody(`${"x^".repeat(near)}x`),
      inBody(`x${" + x".repeat(550)}`),
      inBody(`x${" |> f".repeat(550)}`),
      inBody(`[${"x^2 + -x * (x), ".repeat(1_000)}]`),
      `fn f(x: f32) {\n${"  let y = if x then -x^2 else x => sum[k] x[k]\n".repeat(500)}  x\n}`,
    ];
    for (const text of texts) {
      const { module, problems } = parse({ file: "test.dlx", text });
      expect(problems, text.slice(0, 60)).toEqual([]);
      expect(parse({ file: "test.dlx", text: print(module) }).problems).toEqual([]);
    }
  });

  test("a mebibyte and more", () => {
    expect(problemsOf(" ".repeat(1 << 20))).toEqual([]);
    expect(problemsOf(" ".repeat((1 << 20) + 1))).toEqual(["E0502 1:1"]);
  });
});

describe("garbage", () => {
  const mega = process.env.DLX_DEEP ? 1 << 20 : 1 << 17;
  const bytes = (length: number, alphabet: (value: number) => number) => {
    let state = 12345;
    const next = () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 16;
    };
    return Array.from({ length }, () => String.fromCharCode(alphabet(next()))).join("");
  };
  const brackets = "()[]{}";
  const texts: Readonly<Record<string, string>> = {
    "opening brackets": "([{".repeat(mega / 3),
    "closing brackets": ")]}".repeat(mega / 3),
    "pairs of brackets": "()[]{}".repeat(mega / 6),
    "brackets at random": bytes(mega, (value) => brackets.charCodeAt(value % 6)),
    "brackets in a body": `fn f() = ${"()".repeat(mega / 2 - 10)}`,
    "bytes without zero": bytes(mega, (value) => (value % 255) + 1),
    "any UTF-16": bytes(mega, (value) => (value === 0 ? 1 : value)),
    "with a zero": `fn f() = 1\0${"x".repeat(100)}`,
    "quotation marks": '"'.repeat(mega),
    "braces in a string": `"${"{".repeat(mega - 2)}"`,
    "strings in strings": `fn f() = ${'"{'.repeat(10_000)}1${'}"'.repeat(10_000)}`,
    "declaration words": "fn ".repeat(mega / 3),
    "declaration words on lines": "fn\n".repeat(mega / 3),
    "let words": `fn f() {\n${"let\n".repeat(mega / 5)}}`,
    "lines of prose": "汉字 汉字\n".repeat(mega / 6),
    "open strings on lines": '"\n'.repeat(mega / 2),
    "one name": "x".repeat(mega),
    "one number": "1".repeat(mega),
    "many names": `fn f() = ${"x ".repeat(mega / 2 - 10)}`,
    "comment signs": "//\n".repeat(mega / 3),
    ellipses: "...".repeat(mega / 3),
  };

  test("a mebibyte of brackets", () => {
    expect(problemsOf("(".repeat(1 << 20))).toEqual(["E0501 1:101"]);
    expect(problemsOf(inBody("(".repeat((1 << 20) - 100)))).toEqual(["E0501 1:116"]);
  });

  test.each(Object.keys(texts))("%s", (name) => {
    const { module, problems } = parse({ file: "test.dlx", text: texts[name] ?? "" });
    expect(problems.length).toBeLessThanOrEqual(100);
    if (name !== "comment signs") expect(problems.length).toBeGreaterThan(0);
    expect(typeof print(module)).toBe("string");
  });
});

test("no text makes the parser throw, and problems lie inside the text", () => {
  const words = [
    ...'fn layer model train let param state if then else repeat where warn when minimize over using metric not sum max f32 list like x y 1 2.5 "a" "{x}"'.split(
      " ",
    ),
    ...'( ) [ ] { } , ; : := = => -> |> + - * ^ < == . ... _ \n \n //c\n ///d\n " # export import'.split(" "),
  ];
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 3 })), { maxLength: 60 }),
      (tokens) => {
        const text = tokens.join(" ");
        const { module, problems } = parse({ file: "test.dlx", text });
        for (const { span } of problems) {
          expect(span.start).toBeGreaterThanOrEqual(0);
          expect(span.end).toBeGreaterThanOrEqual(span.start);
          expect(span.end).toBeLessThanOrEqual(text.length);
        }
        // What was understood can be printed, and is understood again.
        expect(parse({ file: "test.dlx", text: print(module) }).problems).toEqual(
          problems.length === 0 ? [] : expect.anything(),
        );
      },
    ),
    { numRuns: process.env.DLX_DEEP ? 50_000 : 2_000 },
  );
});
