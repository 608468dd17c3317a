/** The inside of string literals: escapes and `{expression}`. */
import type { Span } from "./span.ts";

/**
 * The offset after the closing quote of the string that opens at `start`, or undefined if its line ends first. Inside
 * `{ }` stands an expression, which may hold strings itself; `\{` is a brace.
 */
export function scanString(text: string, start: number): number | undefined {
  const inside: ("string" | "braces")[] = ["string"];
  for (let i = start + 1; i < text.length; i++) {
    const character = text[i];
    if (character === "\n") return undefined;
    if (inside.at(-1) === "string") {
      if (character === "\\") {
        if (text[i + 1] !== "\n") i++;
      } else if (character === '"') {
        inside.pop();
        if (inside.length === 0) return i + 1;
      } else if (character === "{") inside.push("braces");
    } else if (character === '"') inside.push("string");
    else if (character === "{") inside.push("braces");
    else if (character === "}") inside.pop();
  }
  return undefined;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  '"': '"',
  "\\": "\\",
  "{": "{",
  "}": "}",
};

export interface StringPieces {
  /** Text as meant, or where an expression stands. */
  readonly pieces: readonly (string | Span)[];
  /** Escapes that mean nothing. */
  readonly badEscapes: readonly Span[];
}

/** Takes a closed literal, quotes included, apart. Spans are offsets into `text`. */
export function splitString(text: string, start: number, end: number): StringPieces {
  const pieces: (string | Span)[] = [];
  const badEscapes: Span[] = [];
  let run = "";
  for (let i = start + 1; i < end - 1; i++) {
    const character = text[i] ?? "";
    if (character === "\\") {
      const meaning = ESCAPES[text[i + 1] ?? ""];
      if (meaning === undefined) badEscapes.push({ start: i, end: i + 2 });
      else run += meaning;
      i++;
    } else if (character === "{") {
      const close = closingBrace(text, i);
      if (run !== "") pieces.push(run);
      run = "";
      pieces.push({ start: i + 1, end: close });
      i = close;
    } else run += character;
  }
  if (run !== "") pieces.push(run);
  return { pieces, badEscapes };
}

function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return i;
    else if (text[i] === '"') i = (scanString(text, i) ?? text.length) - 1;
  }
  return text.length;
}

/** The literal, quotes included, of a run of plain text. */
export function quote(text: string): string {
  return `"${escapeText(text)}"`;
}

/** Plain text as it stands inside a literal. */
export function escapeText(text: string): string {
  return text.replace(/[\\"{\n\t\r]/g, (character) => {
    switch (character) {
      case "\n":
        return "\\n";
      case "\t":
        return "\\t";
      case "\r":
        return "\\r";
      default:
        return `\\${character}`;
    }
  });
}
