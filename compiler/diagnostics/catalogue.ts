/** Reads catalogue entries from their markdown and prints the module `generated.ts` from them. */
import type { CatalogueEntry } from "./diagnostic.ts";
import { placesOf } from "./template.ts";

/** Reads one entry; throws an `Error` that names the file and what is wrong with it. */
export function readEntry(file: string, markdown: string): CatalogueEntry {
  const wrong = (what: string) => new Error(`${file}: ${what}`);
  const heading = /^# ([EW]\d{4}): (.+)\n/.exec(markdown);
  if (!heading?.[1] || !heading[2]) throw wrong('the first line has to be "# E0123: Title"');
  const [whole, code, title] = heading;
  if (file !== `${code}.md`) throw wrong(`the file of ${code} has to be called ${code}.md`);

  const sections = markdown.slice(whole.length).split(/^## (.+)\n/m);
  const [head = "", ...rest] = sections;
  const examples = new Map<string, string>();
  for (let i = 0; i + 1 < rest.length; i += 2) examples.set(rest[i] ?? "", rest[i + 1] ?? "");
  for (const name of examples.keys()) {
    if (name !== "Bad" && name !== "Good") throw wrong(`no section "${name}" is known, only Bad and Good`);
  }

  let message: string | undefined;
  const help: string[] = [];
  const explanation: string[] = [];
  for (const line of head.split("\n")) {
    const item = /^- (\w+): (.+)$/.exec(line);
    if (item?.[1] === "message" && item[2]) message = item[2];
    else if (item?.[1] === "help" && item[2]) help.push(item[2]);
    else explanation.push(line);
  }
  if (explanation.join("").trim() === "") throw wrong("the explanation is missing");

  const example = (name: string): string => {
    const fence = /```\w+\n([\s\S]*?)```/.exec(examples.get(name) ?? "");
    if (!fence?.[1]) throw wrong(`section "## ${name}" with a fenced example is missing`);
    return fence[1].trimEnd();
  };
  return {
    code,
    severity: code.startsWith("W") ? "warning" : "error",
    title: title.trim(),
    message,
    help,
    explanation: explanation.join("\n").trim(),
    bad: example("Bad"),
    good: example("Good"),
  };
}

/** The text of `generated.ts`. */
export function printCatalogue(entries: readonly CatalogueEntry[]): string {
  const sorted = [...entries].sort((a, b) => (a.code < b.code ? -1 : 1));
  const constructors = sorted.flatMap((entry) =>
    entry.message === undefined ? [] : constructorOf(entry, entry.message),
  );
  const types = ["CatalogueEntry", "Details", "Diagnostic", "NoValues"].filter(
    (name) => name !== "NoValues" || constructors.some((line) => line.includes("values: NoValues")),
  );
  return [
    "// Made by `npx tsx compiler/diagnostics/generate.ts` from catalogue/*.md; edit those.",
    'import type { Source, Span } from "../../grammar/span.ts";',
    'import { construct } from "./construct.ts";',
    `import type { ${types.join(", ")} } from "./diagnostic.ts";`,
    "",
    "export const catalogue = {",
    ...sorted.flatMap((entry) => [`  ${entry.code}: {`, ...fields(entry), "  },"]),
    "} as const satisfies Readonly<Record<string, CatalogueEntry>>;",
    "",
    "export type Code = keyof typeof catalogue;",
    "",
    "/** One typed constructor a code; the texts are the catalogue's. */",
    "export const diagnose = {",
    ...constructors,
    "};",
    "",
  ].join("\n");
}

function fields(entry: CatalogueEntry): string[] {
  return Object.entries(entry).map(([key, value]) => `    ${key}: ${JSON.stringify(value) ?? "undefined"},`);
}

function constructorOf(entry: CatalogueEntry, message: string): string[] {
  const places = new Map(placesOf(message));
  for (const template of entry.help) {
    for (const [name, optional] of placesOf(template)) {
      places.set(name, (places.get(name) ?? true) && optional);
    }
  }
  const members = [...places].map(([name, optional]) =>
    optional ? `${name}?: string | number | undefined` : `${name}: string | number`,
  );
  const type = members.length === 0 ? "NoValues" : `Readonly<{ ${members.join("; ")} }>`;
  return [
    `  /** ${entry.title}: ${message.replaceAll("*/", "* /")} */`,
    `  ${entry.code}: (source: Source, span: Span, values: ${type}, details?: Details): Diagnostic =>`,
    `    construct(catalogue.${entry.code}, source, span, values, details),`,
  ];
}
