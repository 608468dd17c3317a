/** A program of the library's tests, evaluated in float64. */
import { elementCount } from "../../compiler/graph/builder.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { programOf } from "../elaborate/run.ts";
import { program } from "./rows.ts";

export type Given = Readonly<Record<string, readonly number[]>>;

/** The first entry's outputs by path; inputs that are not given are 0. */
export function run(text: string, given: Given = {}): Record<string, readonly number[]> {
  const [entry] = programOf(text).entries.filter(({ kind }) => kind === "call" || kind === "step");
  if (!entry) throw new Error("nothing to run");
  const inputs = entry.graph.inputs.map(
    ({ path, tensor }) => given[path] ?? new Array<number>(elementCount(tensor.type.shape)).fill(0),
  );
  const outputs = evaluateOutputs(entry.graph, inputs);
  return Object.fromEntries(entry.graph.outputs.map(({ path }, k) => [path, Array.from(outputs[k] ?? [])]));
}
export const drawn = (expression: string) => run(program(`export fn value() = ${expression}`)).output ?? [];
