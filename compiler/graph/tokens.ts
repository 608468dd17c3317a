/** The tokens of a graph's text. */
import { invariant } from "../invariant.ts";
import type { Origin } from "./graph.ts";
import { infixOfSymbol } from "./notation.ts";

export interface Token {
  readonly kind: "tensor" | "word" | "number" | "string" | "name" | "symbol" | "end";
  readonly text: string;
  /** Counts from 1. */
  readonly line: number;
}
export interface OriginComment {
  readonly origin: Origin;
  readonly line: number;
}

const symbols = [
  ...infixOfSymbol.keys(),
  "[",
  "]",
  "{",
  "}",
  "(",
  ")",
  "<",
  "|",
  ",",
  ":",
  ";",
  "=",
  "+",
  "-",
  "*",
  "%",
]
  .filter((symbol) => !/^\w/.test(symbol))
  .sort((a, b) => b.length - a.length);

const patterns: readonly (readonly [Token["kind"], RegExp])[] = [
  ["tensor", /%(?:"(?:[^"\\]|\\.)*"|\w[\w.]*)/y],
  ["name", /\$\d+/y],
  ["number", /\d+(?:\.\d+)?(?:e[+-]?\d+)?/y],
  ["string", /"(?:[^"\\]|\\.)*"/y],
  ["word", /[A-Za-z_][\w.]*/y],
];

export function tokenize(text: string): { tokens: Token[]; origins: OriginComment[] } {
  const tokens: Token[] = [];
  const origins: OriginComment[] = [];
  let offset = 0;
  let line = 1;
  while (offset < text.length) {
    const space = /\s+|\/\/[^\n]*/y;
    space.lastIndex = offset;
    const skipped = space.exec(text)?.[0];
    if (skipped !== undefined) {
      const comment = /^\/\/ (\S.*?):(\d+)(?: (.+?))?\s*$/.exec(skipped);
      if (comment) {
        const [, file = "", at = "", path] = comment;
        origins.push({ origin: { file, line: Number(at), ...(path !== undefined && { path }) }, line });
      }
      line += skipped.split("\n").length - 1;
      offset += skipped.length;
      continue;
    }
    const token = tokenAt(text, offset, line);
    invariant(token, `unreadable graph text at ${JSON.stringify(text.slice(offset, offset + 20))}`);
    tokens.push(token);
    offset += token.text.length;
  }
  tokens.push({ kind: "end", text: "the end", line });
  return { tokens, origins };
}

function tokenAt(text: string, offset: number, line: number): Token | undefined {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = offset;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) return { kind, text: found, line };
  }
  const symbol = symbols.find((candidate) => text.startsWith(candidate, offset));
  return symbol === undefined ? undefined : { kind: "symbol", text: symbol, line };
}

/** A position in the tokens, with the checks a reader needs. */
export class TokenStream {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get token(): Token {
    return this.#tokens[this.#next]!;
  }
  take(): Token {
    const token = this.token;
    if (token.kind !== "end") this.#next++;
    return token;
  }
  is(text: string): boolean {
    return this.token.text === text && (this.token.kind === "symbol" || this.token.kind === "word");
  }
  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.take();
    return true;
  }
  expect(text: string): void {
    if (!this.accept(text)) this.fail(`expected "${text}"`);
  }
  kind(kind: Token["kind"]): string {
    if (this.token.kind !== kind) this.fail(`expected a ${kind}`);
    return this.take().text;
  }
  /** A word that is one of these. */
  oneOf<T extends string>(words: readonly T[]): T {
    const found = words.find((word) => this.is(word));
    if (found === undefined) return this.fail(`expected one of ${words.join(", ")}`);
    this.take();
    return found;
  }
  fail(message: string): never {
    invariant(false, `graph text, line ${this.token.line}, at "${this.token.text}": ${message}`);
  }
}
