/** A half-open range of UTF-16 offsets `[start, end)` in one source text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A place in a text file; both numbers count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One source file: where it came from and what it says. */
export interface Source {
  /** Path as the user wrote it, or `stdlib/nn/conv.dlx` for the library. */
  readonly file: string;
  readonly text: string;
}

/** The smallest span that covers both. */
export function cover(a: Span, b: Span): Span {
  return { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}

/** Line and column of an offset. Linear in the text: meant for diagnostics, not for loops. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - before.lastIndexOf("\n") };
}
