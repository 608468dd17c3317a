import type { Span } from "./span.ts";

/**
 * Something wrong with a source text, as data: a code of the catalogue (`compiler/diagnostics/catalogue/`) and the values
 * its message mentions. Wording lives in the catalogue alone.
 */
export interface Problem {
  readonly code: string;
  readonly span: Span;
  readonly values: Readonly<Record<string, string | number>>;
}
