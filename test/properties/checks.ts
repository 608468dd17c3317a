/** What has to hold of every program, checked one after the other; each throws with what is wrong. */
import fc from "fast-check";
import { fileLoader } from "../../compiler/cli/library.ts";
import { type Compiled, checkSource, compile, hasErrors } from "../../compiler/compile.ts";
import type { Diagnostic } from "../../compiler/diagnostics/index.ts";
import type { Program, ProgramEntry } from "../../compiler/elaborate/program.ts";
import { describeFailure, gradcheck } from "../../compiler/gradcheck/gradcheck.ts";
import { drawFrom, randomInputs } from "../../compiler/gradcheck/inputs.ts";
import { isSeparable } from "../../compiler/graph/separable.ts";
import { optimizeEntry } from "../../compiler/pipeline.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { parse, print } from "../../grammar/parse.ts";
import type { Device, Elements } from "../../runtime/device.ts";
import type { InputSlot, PersistentSlot } from "../../runtime/plan.ts";
import { allocate, elementCount } from "../../runtime/tensor.ts";
import { meaning } from "../grammar/support.ts";
import { type Closeness, expectClose, sensitivity } from "../support/compare.ts";
import type { RandomProgram } from "./random-program.ts";

const file = "model.dlx";
const loader = fileLoader(new URL("../../model.dlx", import.meta.url).pathname);

/** A program whose loss turns out not to depend on a weight is refused, rightly: another one is drawn. */
function expectNoErrors(diagnostics: readonly Diagnostic[]): void {
  fc.pre(diagnostics.every(({ code }) => code !== "E0404" && code !== "E0405"));
  if (hasErrors(diagnostics))
    throw new Error(diagnostics.map(({ code, severity, message }) => `${severity} ${code}: ${message}`).join("\n"));
}

/** The printed text has the same tree, and is printed the same. */
export function expectPrints(text: string): void {
  const { module, problems } = parse({ file, text });
  if (problems.length > 0) throw new Error(`the text does not parse: ${JSON.stringify(problems[0])}`);
  const printed = print(module);
  const again = parse({ file, text: printed });
  if (JSON.stringify(meaning(again.module)) !== JSON.stringify(meaning(module)))
    throw new Error(`printed, it means something else:\n${printed}`);
  if (print(again.module) !== printed) throw new Error(`printed twice, it differs:\n${printed}`);
}

/** `dlx check` finds no error, and the whole pipeline makes code for a target. */
export function compiled({ text, batch }: Pick<RandomProgram, "text" | "batch">, target: "wasm" | "webgpu"): Compiled {
  expectNoErrors(checkSource({ file, text }, loader));
  const options = { targets: [target], verify: true, batches: [1, batch], relaxed: false };
  const { compiled: made, diagnostics } = compile({ file, text }, loader, options);
  expectNoErrors(diagnostics);
  if (!made) throw new Error("no program");
  return made;
}

/** One entry at one point: values that float32 holds. */
export interface Point {
  readonly entry: ProgramEntry;
  readonly inputs: readonly (readonly number[])[];
  readonly wanted: readonly ArrayLike<number>[];
}

function pointOf(program: Program, entry: ProgramEntry, seed: number): Point {
  const values = randomInputs(program, entry, seed, drawFrom(seed, 0));
  const inputs = entry.graph.inputs.map(({ tensor }) =>
    Array.from(values.get(tensor) ?? [], rounded(tensor.type.dtype)),
  );
  return { entry, inputs, wanted: evaluateOutputs(entry.graph, inputs) };
}
const rounded = (dtype: string) => (value: number) => (dtype === "f32" ? Math.fround(value) : value);

/** A point of every entry. */
export const pointsOf = ({ program }: Compiled, seed: number): readonly Point[] =>
  program.entries.map((entry) => pointOf(program, entry, seed));

/** Optimised, the graph computes the same: float64 in another order of summation. `compiled` verified what passes leave. */
export function expectSameOptimized({ entry, inputs, wanted }: Point): void {
  const got = evaluateOutputs(optimizeEntry(entry, false), inputs);
  near(entry, got, wanted, { relative: 1e-9, absolute: 1e-9 });
}

/** What float32 leaves: more after more layers, and what moves by itself when the inputs move in their last places. */
export function expectNear({ entry, inputs, wanted }: Point, got: readonly ArrayLike<number>[], depth: number): void {
  const relative = 1e-5 * (1 + depth);
  // Differences of large values (a gradient that is 0 but for rounding) are as wrong as those values are.
  const largest = Math.max(1, ...wanted.flatMap((values) => Array.from(values, finite)));
  const absolute = 2e-6 * largest;
  try {
    near(entry, got, wanted, { relative, absolute });
  } catch {
    const slack = sensitivity(entry.graph, inputs, (moved) => evaluateOutputs(entry.graph, moved));
    near(entry, got, wanted, { relative, absolute, slack });
  }
}

/** Every entry on a device, from the same inputs and slots as the reference. */
export async function expectSameOn(
  device: Device,
  { manifest }: Compiled,
  points: readonly Point[],
  depth: number,
): Promise<void> {
  for (const [k, point] of points.entries()) {
    const { entry } = point;
    if (device.name === "webgpu" && entry.kind === "initialize") continue;
    const values = new Map(entry.graph.inputs.map(({ path }, i) => [path, point.inputs[i] ?? []]));
    const given = ({ dtype, shape }: InputSlot | PersistentSlot, path: string): Elements => {
      const elements = allocate(dtype, elementCount(shape));
      elements.set(values.get(path) ?? []);
      return elements;
    };
    for (const [slot, persistent] of manifest.persistent.entries())
      device.writeSlot(slot, given(persistent, persistent.path));
    const results = [
      ...(await device.run(
        k,
        entry.inputs.map((input) => given(input, input.name)),
      )),
    ];
    const got: ArrayLike<number>[] = [];
    for (const { role, path } of entry.graph.outputs) {
      const slot = manifest.persistent.findIndex((candidate) => candidate.path === path && candidate.role === role);
      got.push(slot >= 0 ? await device.readSlot(slot) : (results.shift() ?? []));
    }
    expectNear(point, got, depth);
  }
}

const finite = (value: number) => (Number.isFinite(value) ? Math.abs(value) : 0);

function near(
  { name, graph }: ProgramEntry,
  got: readonly ArrayLike<number>[],
  wanted: readonly ArrayLike<number>[],
  closeness: Closeness,
): void {
  try {
    expectClose(graph, got, wanted, closeness);
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Every gradient against central differences. */
export function expectGradients(program: Program, seed: number): void {
  const { failures } = gradcheck(program, { runs: 1, seed });
  if (failures.length > 0) throw new Error(failures.map(describeFailure).join("\n"));
}

/** Where rows are said to be independent, a row alone gives what it gives among others. */
export function expectRowsIndependent(program: Program, batch: number, seed: number): boolean {
  const predicts = program.entries.filter(({ kind }) => kind === "predict");
  const many = predicts.find((entry) => entry.batch === batch);
  const one = predicts.find((entry) => entry.batch === 1);
  const batched = many?.inputs.flatMap((input) => (input.batched ? [input.name] : [])) ?? [];
  if (!many || !one || batch === 1 || !isSeparable(many.graph, new Set(batched))) return false;
  const { inputs, wanted } = pointOf(program, many, seed);
  const byPath = new Map(many.graph.inputs.map(({ path }, k) => [path, inputs[k] ?? []]));
  for (let row = 0; row < batch; row++) {
    const own = one.graph.inputs.map(({ role, path }) => {
      const values = byPath.get(path) ?? [];
      const count = values.length / batch;
      return role === "argument" ? values.slice(row * count, (row + 1) * count) : values;
    });
    const rows = wanted.map((values) => {
      const count = values.length / batch;
      return Array.from(values).slice(row * count, (row + 1) * count);
    });
    near(one, evaluateOutputs(one.graph, own), rows, { relative: 1e-9, absolute: 1e-9 });
  }
  return true;
}

/** A failure prints its seed, and DLX_SEED runs it again. */
export function parameters(numRuns: number): fc.Parameters<unknown> {
  const seed = process.env.DLX_SEED;
  return { numRuns, ...(seed !== undefined && { seed: Number(seed) }) };
}
