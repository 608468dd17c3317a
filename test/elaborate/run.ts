/** Runs entries of a program text in the float64 reference. */

import type { ElaborateOptions } from "../../compiler/elaborate/elaborate.ts";
import type { ProgramEntry } from "../../compiler/elaborate/program.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { elaborateText } from "./support.ts";

export function programOf(text: string, options: ElaborateOptions = {}) {
  const { program, diagnostics } = elaborateText(text, options);
  if (!program) throw new Error(diagnostics.map(({ code, message }) => `${code} ${message}`).join("\n"));
  for (const { graph } of program.entries) verify(graph, "elaborate");
  return program;
}

export type Given = Readonly<Record<string, readonly number[]>>;

/** Outputs by path. Inputs not given are filled with `otherwise` of their path. */
export function runEntry(
  entry: ProgramEntry,
  given: Given,
  otherwise: (path: string, count: number) => readonly number[] = (path) => {
    throw new Error(`no value for ${path}`);
  },
): Record<string, number[]> {
  const inputs = entry.graph.inputs.map(({ tensor, path }) => {
    const count = tensor.type.shape.reduce((a, b) => a * b, 1);
    const values = given[path] ?? otherwise(path, count);
    if (values.length !== count) throw new Error(`${path} needs ${count} values, got ${values.length}`);
    return values;
  });
  const outputs = evaluateOutputs(entry.graph, inputs);
  return Object.fromEntries(entry.graph.outputs.map(({ path }, k) => [path, Array.from(outputs[k] ?? [])]));
}

/** The one `export fn` of a text, run on its inputs; the result called `output`. */
export function call(text: string, given: Given, options: ElaborateOptions = {}): number[] {
  const program = programOf(text, options);
  const entry = program.entries.find(({ kind }) => kind === "call");
  if (!entry) throw new Error("no export fn");
  const { output } = runEntry(entry, { ...given, seed: [1, 2] });
  if (!output) throw new Error("no output");
  return output;
}

/** Numbers that look like nothing in particular, the same every time. */
export function sample(count: number, seed = 1): number[] {
  let state = seed * 2654435761;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * 2 - 1;
  });
}
