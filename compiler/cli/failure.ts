/** The three ways to fail, and what the user reads of each. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DlxError } from "../../runtime/errors.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { type Terminal, toJsonText } from "./terminal.ts";

/** Exit codes: 0 well; 1 the user's program or data; 2 wrong usage; 3 a defect of dlx; 130 the user has stopped it. */
export type ExitCode = 0 | 1 | 2 | 3 | 130;

/** The user has stopped the command before anything came of it. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}

/** The command was called wrongly. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
/** The program has errors. */
export class ProgramError extends Error {
  override readonly name = "ProgramError";
  readonly diagnostics: readonly Diagnostic[];
  constructor(diagnostics: readonly Diagnostic[]) {
    super("the program has errors");
    this.diagnostics = diagnostics;
  }
}

/** A bundle has a class `DlxError` of its own. */
export function isDlxError(error: unknown): error is DlxError {
  return error instanceof Error && error.name === "DlxError" && "code" in error && typeof error.code === "string";
}

/** Codes of the runtime that speak of the command line rather than of data. */
const usageCodes = new Set(["E0611", "E0615"]);

/** Tells the user what went wrong; never a stack trace, but for defects a file that has it. */
export async function reportFailure(
  error: unknown,
  terminal: Terminal,
  { json, command }: { json: boolean; command: readonly string[] },
): Promise<ExitCode> {
  if (error instanceof ProgramError) {
    await showDiagnostics(error.diagnostics, terminal, json);
    return 1;
  }
  if (error instanceof InterruptedError) {
    if (json) terminal.out(toJsonText({ error: { code: "interrupted", message: error.message } }));
    else terminal.note(`${error.message}\n`);
    return 130;
  }
  if (error instanceof UsageError || isDlxError(error)) {
    const code = isDlxError(error) ? error.code : undefined;
    const message = code === undefined ? error.message : error.message.slice(code.length + 2);
    if (json) terminal.out(toJsonText({ error: { code: code ?? "usage", message } }));
    else {
      terminal.note(`${paint(terminal, code ? `error[${code}]` : "error")}: ${message}\n`);
      if (code) terminal.note(`       \`dlx explain ${code}\` says more\n`);
    }
    return code === undefined || usageCodes.has(code) ? 2 : 1;
  }
  const message = error instanceof Error ? error.message : String(error);
  const dump = writeDump(error, command);
  if (json) terminal.out(toJsonText({ error: { code: "defect", message, dump } }));
  terminal.note(
    `${paint(terminal, "defect")}: ${message.split("\n")[0]}\n` +
      `This is a mistake in dlx, not in your program. Please report it${dump ? ` with the file ${dump}` : ""}.\n`,
  );
  return 3;
}

const paint = (terminal: Terminal, text: string) => (terminal.color ? `\u001b[1;31m${text}\u001b[0m` : text);

function writeDump(error: unknown, command: readonly string[]): string | undefined {
  try {
    const path = join(mkdtempSync(join(tmpdir(), "dlx-defect-")), "report.txt");
    const stage = error instanceof Error && "dump" in error ? `\n${String(error.dump)}\n` : "";
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const where = `node ${process.version} ${process.platform} ${process.arch}`;
    const sources = command.filter((word) => word.endsWith(".dlx")).map((file) => `\n---- ${file}\n${textOf(file)}`);
    writeFileSync(path, `dlx ${command.join(" ")}\n${where}\n\n${stack}\n${stage}${sources.join("")}`);
    return path;
  } catch {
    return undefined;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "(cannot be read)\n";
  }
}

/** Diagnostics as text on standard error, or as JSON on standard output. */
export async function showDiagnostics(
  diagnostics: readonly Diagnostic[],
  terminal: Terminal,
  json: boolean,
): Promise<void> {
  if (json) {
    const { toJson } = await import("../diagnostics/json.ts");
    terminal.out(toJsonText({ diagnostics: diagnostics.map(toJson) }));
    return;
  }
  const { render } = await import("../diagnostics/render.ts");
  for (const diagnostic of diagnostics) terminal.note(`${render(diagnostic, { color: terminal.color })}\n`);
}

export const hasErrors = (diagnostics: readonly Diagnostic[]): boolean =>
  diagnostics.some(({ severity }) => severity === "error");
