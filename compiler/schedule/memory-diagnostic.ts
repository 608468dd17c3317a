/** A program that takes too much memory, in words. */
import { parse } from "../../grammar/parse.ts";
import type { Source } from "../../grammar/span.ts";
import { bytesText } from "../diagnostics/bytes.ts";
import { type Diagnostic, diagnose } from "../diagnostics/index.ts";
import type { Origin } from "../graph/graph.ts";
import type { MemoryProblem, Resident } from "./budget.ts";

export const lineText = (origin: Origin | undefined): string => (origin ? ` (${origin.file}:${origin.line})` : "");

function residentText({ tensor, bytes, origin }: Resident): string {
  if (!tensor) return `scratch memory (${bytesText(bytes)})`;
  const { dtype, shape } = tensor.type;
  return `${tensor.name} ${dtype}[${shape.join(", ")}]${lineText(origin)}`;
}

export const placeText = { cpu: "of WebAssembly memory", gpu: "of GPU memory" } as const;

/** At the declaration that the entry belongs to, or the file's beginning. */
export function memoryDiagnostic(problem: MemoryProblem, source: Source): Diagnostic {
  const { reason, target, entry, bytes, persistent, limit, largest } = problem;
  const declaration = parse(source).module.declarations.find(({ name }) => name.text === entry.of);
  const values = {
    entry: entry.name,
    place: placeText[target],
    least: bytesText(bytes),
    limit: bytesText(limit),
    persistent: bytesText(persistent),
    largest: largest.map(residentText).join(", "),
  };
  const span = declaration?.name.span ?? { start: 0, end: 0 };
  return reason === "asked" ? diagnose.E0521(source, span, values) : diagnose.E0522(source, span, values);
}
