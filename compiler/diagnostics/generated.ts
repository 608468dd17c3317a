// Made by `npx tsx compiler/diagnostics/generate.ts` from catalogue/*.md; edit those.
import type { Source, Span } from "../../grammar/span.ts";
import { construct } from "./construct.ts";
import type { CatalogueEntry, Details, Diagnostic } from "./diagnostic.ts";

export const catalogue = {
  E0101: {
    code: "E0101",
    severity: "error",
    title: "A character that dlx does not know",
    message: "dlx has no `{character}`",
    help: ["write `{instead?}`","remove it"],
    explanation: "Programs are written with letters, digits, `_`, the operators of the language, strings in `\"` and comments after `//`.\nOther characters may stand in strings and comments only. What other languages write `&&`, `||` and `!` is `and`, `or`\nand `not`; a power is `^`.",
    bad: "fn f(x: f32[N]) -> f32[N] = x # doubled later",
    good: "fn f(x: f32[N]) -> f32[N] = x // doubled later",
  },
  E0107: {
    code: "E0107",
    severity: "error",
    title: "Something else was expected",
    message: "expected {expected}; got {got}",
    help: ["{help?}"],
    explanation: "The parser knows what can stand at this place, and this is not it. The rest of the file is read as well, so that other\nmistakes show in the same run.",
    bad: "fn f(x: f32[N]) -> f32[N] = x * * 2",
    good: "fn f(x: f32[N]) -> f32[N] = x * 2",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;

export type Code = keyof typeof catalogue;

/** One typed constructor a code; the texts are the catalogue's. */
export const diagnose = {
  /** A character that dlx does not know: dlx has no `{character}` */
  E0101: (source: Source, span: Span, values: Readonly<{ character: string | number; instead?: string | number | undefined }>, details?: Details): Diagnostic =>
    construct(catalogue.E0101, source, span, values, details),
  /** Something else was expected: expected {expected}; got {got} */
  E0107: (source: Source, span: Span, values: Readonly<{ expected: string | number; got: string | number; help?: string | number | undefined }>, details?: Details): Diagnostic =>
    construct(catalogue.E0107, source, span, values, details),
};
