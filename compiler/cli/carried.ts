/**
 * Files of weights and programs with several models: what a block does not train is carried along, so that models can be
 * trained one after the other into one file, and a bundle has the models that the file has.
 */
import { readSafetensors, writeSafetensors } from "../../runtime/safetensors.ts";
import { isWeight } from "../../runtime/weights.ts";
import type { Compiled } from "../compile.ts";
import type { Terminal } from "./terminal.ts";
import { compileFile, elaborateFile, namesOf, openCompiled, type Wanted } from "./toolchain.ts";

/** Weights as a flag names them. */
export interface WeightsFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const rootOf = (path: string) => path.split(".", 1)[0] ?? path;
/** States of training have names with a slash. */
const modelsIn = ({ bytes, name }: WeightsFile) =>
  new Set([...readSafetensors(bytes, name).tensors.keys()].filter((key) => !key.includes("/")).map(rootOf));
const modelsOf = ({ manifest }: Compiled) =>
  new Set(manifest.persistent.filter(isWeight).map(({ path }) => rootOf(path)));
/** The program's models that the file has nothing of; none where it has nothing of any: then it is another program's. */
function absent(compiled: Compiled, file: WeightsFile): string[] {
  const [own, there] = [modelsOf(compiled), modelsIn(file)];
  const missing = [...own].filter((name) => !there.has(name));
  return missing.length < own.size ? missing : [];
}
const quiet = (terminal: Terminal): Terminal => ({ ...terminal, note: () => {} });
const listed = (names: readonly string[]) => `${names.join(", ")} ${names.length > 1 ? "are" : "is"}`;

/** Compiles a train block with those models beside it that the file has, which keep their weights. */
export async function compileWith(
  file: string,
  wanted: Wanted,
  weights: WeightsFile | undefined,
  terminal: Terminal,
): Promise<Compiled> {
  const compiled = await compileFile(file, wanted, terminal);
  if (!weights) return compiled;
  const [own, there] = [modelsOf(compiled), modelsIn(weights)];
  const models = (await namesOf(file, "model")).filter((name) => there.has(name) && !own.has(name));
  return models.length === 0 ? compiled : compileFile(file, { ...wanted, models }, quiet(terminal));
}

/** The file's weights, and random ones for models that it has nothing of. */
export async function completed(
  compiled: Compiled,
  weights: WeightsFile,
  seed: number,
  terminal: Terminal,
): Promise<Uint8Array> {
  const missing = absent(compiled, weights);
  if (missing.length === 0) return weights.bytes;
  const session = await openCompiled(compiled, { device: "cpu", weights: "random", seed });
  try {
    const drawn = [...readSafetensors(await session.saveWeights()).tensors];
    const { tensors, metadata } = readSafetensors(weights.bytes, weights.name);
    const more = drawn.filter(([key]) => missing.includes(rootOf(key)));
    terminal.note(`${listed(missing)} not in ${weights.name}: random weights to begin with\n`);
    return writeSafetensors([...more, ...tensors], metadata);
  } finally {
    session.dispose();
  }
}

/** Compiles a bundle of what the file has weights for: other models, and functions that read them, are left out. */
export async function compileBundle(
  file: string,
  wanted: Wanted,
  weights: WeightsFile | undefined,
  terminal: Terminal,
): Promise<Compiled> {
  const compiled = await compileFile(file, wanted, terminal);
  const missing = weights && wanted.train === "none" ? absent(compiled, weights) : [];
  // What is asked for by name has to be there.
  const asked = wanted.model !== undefined && missing.includes(wanted.model);
  if (!weights || missing.length === 0 || asked) return compiled;
  const models =
    wanted.model === undefined ? [...modelsOf(compiled)].filter((name) => !missing.includes(name)) : undefined;
  const { entries } = await elaborateFile(file, wanted, quiet(terminal));
  const functions = entries.filter(({ kind }) => kind === "call");
  const reads = (entry: (typeof functions)[number]) =>
    entry.graph.inputs.some(({ path, role }) => role !== "argument" && missing.includes(rootOf(path)));
  const calls = functions.filter((entry) => !reads(entry)).map(({ of }) => of);
  const left = functions.filter(reads).map(({ of }) => of);
  const with_ =
    left.length > 0
      ? `, and so are the functions that read ${missing.length > 1 ? "them" : "it"}: ${left.join(", ")}`
      : "";
  terminal.note(`${listed(missing)} not in ${weights.name}, and left out${with_}\n`);
  return compileFile(file, { ...wanted, ...(models && { models }), calls }, quiet(terminal));
}
