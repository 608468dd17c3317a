import { positionAt } from "../../grammar/span.ts";
import type { Diagnostic, Severity } from "./diagnostic.ts";

/** A diagnostic for machines; lines and columns count from 1, the end is exclusive. */
export interface DiagnosticJson {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly help: string | null;
}

export function toJson(diagnostic: Diagnostic): DiagnosticJson {
  const { source, span } = diagnostic;
  const start = positionAt(source.text, span.start);
  const end = positionAt(source.text, span.end);
  return {
    code: diagnostic.code,
    severity: diagnostic.severity,
    message: diagnostic.message,
    file: source.file,
    line: start.line,
    column: start.column,
    endLine: end.line,
    endColumn: end.column,
    help: diagnostic.help ?? null,
  };
}
