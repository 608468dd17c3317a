import type { Source, Span } from "../../grammar/span.ts";

/** A piece of the program on one line, for messages. */
export function textOf(source: Source, { span }: { readonly span: Span }): string {
  return source.text.slice(span.start, span.end).replaceAll(/\s+/g, " ").trim();
}
