import { parse, print } from "../../../grammar/parse.ts";
import { writeAtomically } from "../../../runtime/node/files.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { fromProblem } from "../../diagnostics/problem.ts";
import { type ExitCode, showDiagnostics } from "../failure.ts";
import { readSource } from "../source.ts";
import { type Terminal, toJsonText } from "../terminal.ts";

/** A file with syntax errors stays as it is. */
export async function run(
  terminal: Terminal,
  files: string[],
  { check, json }: { check?: boolean; json?: boolean },
): Promise<ExitCode> {
  const diagnostics: Diagnostic[] = [];
  const changed: string[] = [];
  for (const file of files) {
    const source = file === "-" ? { file: "standard input", text: await terminal.input() } : await readSource(file);
    const { module, problems } = parse(source);
    if (problems.length > 0) {
      diagnostics.push(...problems.map((problem) => fromProblem(problem, source)));
      continue;
    }
    const formatted = print(module);
    if (formatted !== source.text) changed.push(file);
    if (check) continue;
    if (file === "-") terminal.out(formatted);
    else if (formatted !== source.text) await writeAtomically(file, formatted);
  }
  if (json && diagnostics.length === 0) terminal.out(toJsonText({ changed }));
  else if (diagnostics.length > 0) await showDiagnostics(diagnostics, terminal, json === true);
  else if (check) for (const file of changed) terminal.note(`${file} is not formatted\n`);
  return diagnostics.length > 0 || (check && changed.length > 0) ? 1 : 0;
}
