import type { CatalogueEntry } from "./diagnostic.ts";
import { catalogue } from "./generated.ts";

const entries: Readonly<Record<string, CatalogueEntry>> = catalogue;

/** All codes, in order. */
export const codes: readonly string[] = Object.keys(entries);

export function entryOf(code: string): CatalogueEntry | undefined {
  return Object.hasOwn(entries, code) ? entries[code] : undefined;
}

/** What `dlx explain CODE` prints, or undefined for a code that does not exist. */
export function explain(code: string): string | undefined {
  const entry = entryOf(code);
  if (entry === undefined) return undefined;
  const indented = (text: string) => text.replace(/^(?=.)/gm, "    ");
  return [
    `${entry.code} (${entry.severity}): ${entry.title}`,
    "",
    entry.explanation,
    "",
    "Wrong:",
    "",
    indented(entry.bad),
    "",
    "Right:",
    "",
    indented(entry.good),
    "",
  ].join("\n");
}
