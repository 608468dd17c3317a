import type { Source, Span } from "../../grammar/span.ts";

export type Severity = "error" | "warning";

/** Another place that has to do with a diagnostic, and what it has to do with it. */
export interface RelatedPlace {
  readonly source: Source;
  readonly span: Span;
  readonly message: string;
}

/** Something to tell the user about a program, as data: made by `diagnose`, worded in the catalogue, shown by `render`. */
export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  /** The kind of mistake, the same for every diagnostic of this code. */
  readonly title: string;
  /** This mistake, in one or two sentences. */
  readonly message: string;
  readonly source: Source;
  readonly span: Span;
  readonly expected?: string | undefined;
  readonly got?: string | undefined;
  /** One concrete thing to do about it. */
  readonly help?: string | undefined;
  readonly related: readonly RelatedPlace[];
}

/** What a template's `{name}` stands for. */
export type Values = Readonly<Record<string, string | number | undefined>>;

/** For codes whose texts mention no values: written `{}`. */
export type NoValues = Readonly<Record<never, never>>;

/** What a diagnostic may carry beyond the values of its message. */
export interface Details {
  readonly related?: readonly RelatedPlace[] | undefined;
  /** Instead of the catalogue's help, where the place knows better. */
  readonly help?: string | undefined;
}

/** One entry of the catalogue, as read from its markdown file. */
export interface CatalogueEntry {
  readonly code: string;
  readonly severity: Severity;
  readonly title: string;
  /** Template of the message; undefined for codes that are only explained (those of running bundles). */
  readonly message: string | undefined;
  /** Templates; the first of which all values are known is the help. */
  readonly help: readonly string[];
  readonly explanation: string;
  /** An example that has the mistake, and the same put right. */
  readonly bad: string;
  readonly good: string;
}
