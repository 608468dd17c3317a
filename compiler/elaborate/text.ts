import { positionAt, type Source, type Span } from "../../grammar/span.ts";

/** A piece of the program on one line, for messages. */
export function textOf(source: Source, { span }: { readonly span: Span }): string {
  return source.text.slice(span.start, span.end).replaceAll(/\s+/g, " ").trim();
}

export function lineOf({ source, span }: { readonly source: Source; readonly span: Span }): number {
  return positionAt(source.text, span.start).line;
}
