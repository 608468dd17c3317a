import { codes, entryOf, explain } from "../../diagnostics/explain.ts";
import { suggest } from "../../diagnostics/suggest.ts";
import { type ExitCode, UsageError } from "../failure.ts";
import { type Terminal, toJsonText } from "../terminal.ts";

/** Without a code: all of them, one a line. */
export async function run(terminal: Terminal, [wanted]: string[], { json }: { json?: boolean }): Promise<ExitCode> {
  if (wanted === undefined) {
    const all = codes.map((code) => ({ code, title: entryOf(code)?.title ?? "" }));
    terminal.out(json ? toJsonText(all) : all.map(({ code, title }) => `${code}  ${title}\n`).join(""));
    return 0;
  }
  const code = wanted.toUpperCase();
  const text = explain(code);
  if (text === undefined) {
    const near = suggest(code, codes);
    throw new UsageError(`there is no diagnostic ${wanted}${near ? `; did you mean ${near}?` : ""}`);
  }
  terminal.out(json ? toJsonText(entryOf(code)) : text);
  return 0;
}
