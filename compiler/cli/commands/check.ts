import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { type ExitCode, hasErrors, showDiagnostics } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import { checkFile, type ProgramFlags } from "../toolchain.ts";

export async function run(terminal: Terminal, files: string[], flags: ProgramFlags): Promise<ExitCode> {
  const diagnostics: Diagnostic[] = [];
  for (const file of files) diagnostics.push(...(await checkFile(file, flags)));
  await showDiagnostics(diagnostics, terminal, flags.json === true);
  if (!flags.json) {
    const count = (severity: string, word: string) => {
      const found = diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;
      return found === 0 ? [] : [`${found} ${word}${found === 1 ? "" : "s"}`];
    };
    const counts = [...count("error", "error"), ...count("warning", "warning")];
    terminal.note(`${counts.join(", ") || "no errors"} in ${files.length} file${files.length === 1 ? "" : "s"}\n`);
  }
  return hasErrors(diagnostics) ? 1 : 0;
}
