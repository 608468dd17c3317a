/** What lexer and parser complain about, as problems of the catalogue. */
import { EOF, type IRecognitionException, type IToken } from "chevrotain";
import { spanOf } from "./layout.ts";
import type { Problem } from "./problem.ts";
import type { Span } from "./span.ts";
import * as t from "./tokens.ts";

/** Signs of other languages, and what dlx writes. */
const INSTEAD: Readonly<Record<string, string>> = {
  "&": "and",
  "|": "or",
  "!": "not",
  "#": "//",
  "'": '"',
  "`": '"',
  "≤": "<=",
  "≥": ">=",
  "≠": "!=",
  "·": "*",
  "×": "*",
  "−": "-",
  "→": "->",
  "“": '"',
  "”": '"',
};

/** Words of other languages that begin a statement there, and what dlx writes. */
const FOREIGN: Readonly<Record<string, string>> = {
  return: "the last expression of a block is its value",
  for: "write index notation, `repeat i < n { .. }` or `scan`",
  while: "there are loops of a fixed count only: `repeat` and `scan`",
  def: "write `fn`",
  function: "write `fn`",
  func: "write `fn`",
  class: "write `layer` or `model`",
  struct: "a record is written `(name: value)`",
  var: "write `let`",
  const: "write `let`",
  val: "write `let`",
  type: "shapes are written where they are used",
  elif: "write `else if`",
  elsif: "write `else if`",
  lambda: "write `x => ..`",
  from: "write `import name`",
  assert: 'write `where condition else "text"`',
  print: '`trace(x, "name")` names a value for the tools',
};

/** How many bad words are told of; a file with more is no program. */
const MOST_BAD_WORDS = 20;

/** Characters that begin no token, malformed numbers, strings left open. */
export function lexicalProblems(tokens: readonly IToken[]): Problem[] {
  const problems: Problem[] = [];
  for (const token of tokens) {
    if (problems.length >= MOST_BAD_WORDS) break;
    const span = spanOf(token);
    if (token.tokenType === t.Unknown) {
      problems.push({ code: "E0101", span, values: describeCharacter(token.image) });
    } else if (token.tokenType === t.MalformedNumber) {
      problems.push({ code: "E0102", span, values: { text: token.image, ...splitNumber(token.image) } });
    } else if (token.tokenType === t.OpenString) {
      problems.push({ code: "E0103", span, values: {} });
    }
  }
  return problems;
}

function describeCharacter(image: string): Problem["values"] {
  const character = String.fromCodePoint(image.codePointAt(0) ?? 0xfffd);
  const instead = INSTEAD[character];
  const visible = /[\p{L}\p{N}\p{P}\p{S}]/u.test(character)
    ? character
    : `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
  return { character: visible, ...(instead === undefined ? {} : { instead }) };
}

function splitNumber(image: string): Problem["values"] {
  const [, number, rest] = /^(\d+(?:\.\d+)?)([A-Za-z_]\w*)$/.exec(image) ?? [];
  const meant = number !== undefined && rest !== undefined && !/^([xXbo]\w*|[eE]\d*|_\d*)$/.test(rest);
  return meant ? { number, rest } : {};
}

/** Something in front of the first declaration. */
export function strayProblem(token: IToken): Problem {
  const instead = FOREIGN[token.image];
  if (instead !== undefined) return { code: "E0122", span: spanOf(token), values: { word: token.image, instead } };
  return { code: "E0109", span: spanOf(token), values: { got: token.image } };
}

/** Two statements on one line. */
export function unseparatedProblem(token: IToken, previous: IToken): Problem {
  const instead = FOREIGN[previous.image];
  if (instead !== undefined && previous.tokenType === t.Identifier) {
    return { code: "E0122", span: spanOf(previous), values: { word: previous.image, instead } };
  }
  if (token.tokenType === t.Is) return { code: "E0121", span: spanOf(token), values: { name: previous.image } };
  return { code: "E0108", span: spanOf(token), values: { got: `\`${token.image}\`` } };
}

/** An error of the parser; its message is the phrase of what was expected. */
export function syntaxProblem(text: string, error: IRecognitionException, lineStarts: ReadonlySet<IToken>): Problem {
  const { token, previousToken } = withPrevious(error);
  const rule = error.context.ruleStack.at(-1);
  const atEnd = token.tokenType === EOF || lineStarts.has(token);
  const span: Span =
    atEnd && previousToken !== undefined
      ? { start: spanOf(previousToken).end, end: spanOf(previousToken).end }
      : spanOf(token);
  if (error.name === "NotAllInputParsedException" && token.tokenType !== EOF) {
    return lineStarts.has(token)
      ? strayProblem(token)
      : { code: "E0108", span: spanOf(token), values: { got: `\`${token.image}\`` } };
  }
  if (!atEnd && t.reservedWords.has(token.image) && error.message === "a name") {
    return { code: "E0113", span, values: { name: token.image, what: "a reserved word" } };
  }
  if (!atEnd && rule === "type" && error.name === "NoViableAltException" && /^[A-Za-z]/.test(token.image)) {
    return { code: "E0114", span, values: { name: token.image, candidates: TYPE_WORDS } };
  }
  const rest = /^[^\S\n]*(\S?)/.exec(text.slice(span.end, span.end + 200))?.[1];
  const end = text.slice(span.end).trim() === "" ? "the end of the file" : "the end of the line";
  // What follows the last token of an interpolation is the string's own brace.
  const got = !atEnd ? `\`${token.image}\`` : rest === "}" && token.tokenType === EOF ? "`}`" : end;
  if (!atEnd && CANDIDATES.has(token.image) && !endsOperand(previousToken)) {
    return { code: "E0113", span, values: { name: token.image, what: "a reserved word" } };
  }
  return { code: "E0107", span, values: { expected: error.message, got } };
}

/** For a suggestion. */
const TYPE_WORDS = "f32 f16 i32 u32 bool u8 int float str fn layer list like";

/** Reserved words that someone might give to a value. */
const CANDIDATES: ReadonlySet<string> = new Set(
  "model layer optimizer train param state repeat warn when minimize over using gradients metric".split(" "),
);

/** Whether what follows cannot be meant as an operand. */
function endsOperand(token: IToken | undefined): boolean {
  return token === undefined || /[\w)\]}"]$/.test(token.image);
}

/** A bracket that `layout.ts` put in: complaints about it repeat the one about its missing. */
export function isVirtual(token: IToken): boolean {
  return token.tokenType !== EOF && (token.endOffset ?? 0) < token.startOffset;
}

function withPrevious(error: IRecognitionException): { token: IToken; previousToken: IToken | undefined } {
  const previous = "previousToken" in error ? error.previousToken : undefined;
  return {
    token: error.token,
    previousToken: isToken(previous) && !Number.isNaN(previous.startOffset) ? previous : undefined,
  };
}

function isToken(value: unknown): value is IToken {
  return typeof value === "object" && value !== null && "startOffset" in value && "tokenType" in value;
}
