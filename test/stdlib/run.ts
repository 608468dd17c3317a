/** A program of the library's tests, evaluated in float64. */
import type { ProgramEntry } from "../../compiler/elaborate/program.ts";
import { elementCount } from "../../compiler/graph/builder.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { programOf } from "../elaborate/run.ts";
import { program } from "./rows.ts";

export type Given = Readonly<Record<string, readonly number[]>>;

function firstEntry(text: string): ProgramEntry {
  const [entry] = programOf(text).entries.filter(({ kind }) => kind === "call" || kind === "step");
  if (!entry) throw new Error("nothing to run");
  return entry;
}

/** The first entry's outputs by path; inputs that are not given are 0. */
export function run(text: string, given: Given = {}): Record<string, readonly number[]> {
  const entry = firstEntry(text);
  const inputs = entry.graph.inputs.map(
    ({ path, tensor }) => given[path] ?? new Array<number>(elementCount(tensor.type.shape)).fill(0),
  );
  const outputs = evaluateOutputs(entry.graph, inputs);
  return Object.fromEntries(entry.graph.outputs.map(({ path }, k) => [path, Array.from(outputs[k] ?? [])]));
}
export const drawn = (expression: string) => run(program(`export fn value() = ${expression}`)).output ?? [];

/** Each output of the first function that the declarations export, after imports of the whole library; inputs are waves. */
export function waved(declarations: string): readonly (readonly number[])[] {
  const text = program(declarations);
  const inputs = firstEntry(text).graph.inputs.map(({ path, tensor }, k) => {
    const wave = Array.from({ length: elementCount(tensor.type.shape) }, (_, i) => Math.sin(1 + 3 * i + 7 * k));
    return [path, wave] as const;
  });
  return Object.values(run(text, Object.fromEntries(inputs)));
}
