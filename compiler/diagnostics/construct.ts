import type { Source, Span } from "../../grammar/span.ts";
import { invariant } from "../invariant.ts";
import type { CatalogueEntry, Details, Diagnostic, Values } from "./diagnostic.ts";
import { fill, isComplete } from "./template.ts";

/** A diagnostic worded by its catalogue entry. `diagnose` gives the typed form of this. */
export function construct(
  entry: CatalogueEntry,
  source: Source,
  span: Span,
  values: Values,
  details: Details = {},
): Diagnostic {
  invariant(entry.message !== undefined, `${entry.code} is a code that is only explained`);
  const text = (value: string | number | undefined) => (value === undefined ? undefined : String(value));
  const help = entry.help.find((template) => isComplete(template, values));
  return {
    code: entry.code,
    severity: entry.severity,
    title: entry.title,
    message: fill(entry.message, values),
    source,
    span,
    expected: text(values.expected),
    got: text(values.got),
    help: details.help ?? (help === undefined ? undefined : fill(help, values)),
    related: details.related ?? [],
  };
}
