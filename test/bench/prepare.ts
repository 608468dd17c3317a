/** Makes a workload's folder: the bundle, weights and inputs in one file for all peers, the model as ONNX. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { peakModule } from "../../compiler/cli/peak.ts";
import { memoryPages } from "../../compiler/codegen/wasm/module.ts";
import type { Compiled, CompileOptions } from "../../compiler/compile.ts";
import { graphFlops } from "../../compiler/graph/flops.ts";
import {
  type DTypeName,
  type InputSlot,
  type Location,
  type PersistentSlot,
  wasmSections,
} from "../../runtime/plan.ts";
import { writeSafetensors } from "../../runtime/safetensors.ts";
import { isWeight } from "../../runtime/weights.ts";
import { compileSource, filesOf, writeBundle } from "../support/bundle.ts";
import { networks } from "./networks.ts";
import { kernelModel, networkModel } from "./onnx.ts";
import type { Workload } from "./workloads.ts";

export interface Prepared {
  readonly folder: string;
  /** Floating-point operations of one step, as the graph before optimisation has them. */
  readonly flops: number;
  /** Bytes of constants, weights and optimizer state, and of everything that a step needs beside. */
  readonly persistentBytes: number;
  readonly arenaBytes: number;
}

interface Stored {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DTypeName;
  readonly data: Float32Array | Int32Array;
}

/** A linear congruential generator (Numerical Recipes): every run has the same numbers. */
export function generator(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Matrices and filters as for relu (He et al. 2015), variances and scales around 1, offsets around 0. */
function weightOf({ path, shape, dtype }: PersistentSlot, uniform: () => number): Stored {
  const count = shape.reduce((a, b) => a * b, 1);
  const bound = shape.length > 1 ? Math.sqrt((6 * (shape[0] ?? 1)) / count) : 0.1;
  const centre = /(gamma|running_var)$/.test(path) ? 1 : 0;
  const data = Float32Array.from({ length: count }, () => centre + bound * (2 * uniform() - 1));
  return { name: path, shape, dtype, data };
}

export function inputOf({ name, shape, dtype, bounds }: InputSlot, uniform: () => number): Stored {
  const length = shape.reduce((a, b) => a * b, 1);
  const data = bounds
    ? Int32Array.from({ length }, () => bounds.min + Math.floor(uniform() * (bounds.max - bounds.min + 1)))
    : Float32Array.from({ length }, () => 2 * uniform() - 1);
  return { name, shape, dtype, data };
}

const options = (workload: Workload): CompileOptions => {
  if (workload.mode === "kernel") return { targets: ["wasm"] };
  const { mode, batch, block } = workload;
  if (mode === "predict") return { targets: ["wasm"], batches: [batch], blocks: [] };
  return { targets: ["wasm"], set: { batch }, ...(block === undefined ? {} : { blocks: [block] }) };
};

const isMeasured = (workload: Workload, { kind, batch }: { readonly kind: string; readonly batch?: number }) =>
  workload.mode === "train"
    ? kind === "step"
    : workload.mode === "predict"
      ? kind === "predict" && batch === workload.batch
      : kind === "call";

/** Where a single operation's inputs and result lie in memory. */
function placeOf({ manifest }: Compiled, index: number) {
  const plan = manifest.wasm?.plan;
  const entry = plan?.entries[index];
  if (!plan || !entry) throw new Error("no such entry in the plan");
  const sections = wasmSections(plan);
  const address = ({ space, offset }: Location) => (space === "arena" ? sections.arena + offset : offset);
  const [output] = entry.outputs;
  if (!output) throw new Error("an operation has a result");
  return {
    pages: memoryPages(sections.end),
    entry: `entry${index}`,
    addresses: entry.inputs.map(address),
    output: { address: address(output), count: output.bytes / 4 },
  };
}

export async function prepareWorkload(workload: Workload, folder: string): Promise<Prepared> {
  mkdirSync(folder, { recursive: true });
  const file = `${workload.model}.dlx`;
  const source = { file, text: readFileSync(join(import.meta.dirname, "models", file), "utf8") };
  const compiled = compileSource(source, options(workload));
  const { manifest, program } = compiled;
  const index = manifest.entries.findIndex((entry) => isMeasured(workload, entry));
  const entry = manifest.entries[index];
  const planned = program.entries[index];
  if (!entry || !planned) throw new Error(`${file} has nothing to measure for ${workload.name}`);

  const uniform = generator();
  const weights = manifest.persistent.filter(isWeight).map((slot) => weightOf(slot, uniform));
  const inputs = entry.inputs.map((slot) => inputOf(slot, uniform));
  const given = weights.length > 0 ? { weights: writeSafetensors(weights.map((w) => [w.name, w])) } : {};
  writeBundle(join(folder, "bundle"), await filesOf(compiled, given));
  if (workload.variants.includes("dlx winograd")) {
    const fast = compileSource(source, { ...options(workload), winograd: true });
    writeBundle(join(folder, "bundle-winograd"), await filesOf(fast, given));
  }
  const [input] = inputs;
  const [output] = entry.outputs;
  const floats = weights.flatMap(({ data, ...rest }) => (data instanceof Float32Array ? [{ ...rest, data }] : []));
  const model =
    workload.mode === "kernel"
      ? kernelModel(workload.model, inputs, output?.shape ?? [])
      : workload.mode === "predict"
        ? networkModel(networks[workload.network], input?.shape ?? [], floats, output?.shape[1] ?? 1)
        : undefined;
  if (model) writeFileSync(join(folder, "model.onnx"), model);
  const peak = writePeak(folder);
  writeJob(folder, workload, inputs, weights, peak, workload.mode === "kernel" ? placeOf(compiled, index) : undefined);
  const { plan } = manifest.wasm ?? {};
  return {
    folder,
    flops: graphFlops(planned.graph),
    persistentBytes: plan?.persistent[0] ?? 0,
    arenaBytes: plan?.arena[0] ?? 0,
  };
}

/** The modules of `peers/peak.mjs`, and where their numbers lie. */
function writePeak(folder: string) {
  const [plain, relaxed] = [peakModule(false), peakModule(true)];
  writeFileSync(join(folder, "peak.wasm"), plain.bytes);
  writeFileSync(join(folder, "peak.relaxed.wasm"), relaxed.bytes);
  return { pages: memoryPages(plain.memoryBytes), at: plain.at, numbers: plain.numbers };
}

function writeJob(
  folder: string,
  workload: Workload,
  inputs: readonly Stored[],
  weights: readonly Stored[],
  peak: ReturnType<typeof writePeak>,
  place: ReturnType<typeof placeOf> | undefined,
): void {
  let offset = 0;
  const slot = ({ name, shape, dtype, data }: Stored) => {
    const at = offset;
    offset += data.byteLength;
    return { name, shape, dtype, offset: at };
  };
  const described = {
    mode: workload.mode,
    kernel: workload.model,
    ...(workload.mode === "kernel"
      ? { operations: [] }
      : { operations: networks[workload.network], optimizer: workload.optimizer }),
    place,
    peak,
    inputs: inputs.map(slot),
    weights: weights.map(slot),
  };
  writeFileSync(join(folder, "job.json"), JSON.stringify(described));
  const bytes = [...inputs, ...weights].map(
    ({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
  writeFileSync(join(folder, "data.bin"), Buffer.concat(bytes));
}
