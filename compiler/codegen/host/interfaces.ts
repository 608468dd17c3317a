/** The types that users import, as TypeScript text. Only `Net`'s calls depend on the program. */
import type { Manifest } from "../../../runtime/plan.ts";
import { nameOf } from "./literal.ts";
import { type CallVariants, inputsType, outputsType, variants } from "./signature.ts";

/** Everything a user's editor shows. */
export const interfaces = (manifest: Manifest): string => `${before}\n${net(manifest)}\n${after}`;

const before = `/** An array with its shape, for calls in which more than one dimension is free. */
export interface Shaped<T> {
  readonly data: T;
  readonly shape: readonly number[];
}

export interface LoadOptions {
  /** "auto" (the default) takes WebGPU where there is one. */
  readonly device?: "auto" | "webgpu" | "cpu";
  /** A safetensors file. Default: the shipped weights, or random ones where none are shipped. */
  readonly weights?: URL | Uint8Array | ArrayBuffer | "random";
  /** A non-negative integer from which everything random follows; default 0. */
  readonly seed?: number;
  /** CPU threads, up to 64; more than one need shared memory: in pages, the headers COOP and COEP. */
  readonly threads?: number;
  /** Run the CPU's part in a worker, made of this very file: the calling thread never waits for it. */
  readonly worker?: boolean;
  /** Use fused multiply-add on the CPU; on Node 20 that sets a flag of V8. */
  readonly relaxedSimd?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly message: string }) => void;
}

export interface FitOptions<Results> {
  /** Passes over the data; default 1. */
  readonly epochs?: number;
  /** Steps at most. */
  readonly limit?: number;
  /** Called after each step, and waited for. */
  readonly onStep?: (event: { readonly step: number; readonly epoch: number; readonly results: Results }) => unknown;
  readonly signal?: AbortSignal;
}

export type Batches<Inputs> = Iterable<Inputs> | AsyncIterable<Inputs>;

export interface TrainBlock<Inputs, Results> {
  /** Rows that a step takes. */
  readonly batch: number | undefined;
  /** One step on exactly the built batch. */
  step(inputs: Inputs): Promise<Results>;
  /** Steps over batches; a short last batch is dropped. Answers the last step's results. */
  fit(batches: Batches<Inputs> | ((epoch: number) => Batches<Inputs>), options?: FitOptions<Results>): Promise<Results>;
  /** Loss and metrics without training: means over rows, and formulas of totals. */
  evaluate(data: Inputs | Batches<Inputs>): Promise<Results>;
  stepsDone(): Promise<number>;
}
`;

function net(manifest: Manifest): string {
  const models = variants(manifest, "predict");
  const calls = variants(manifest, "call");
  const blocks = variants(manifest, "step");
  const callType = (call: CallVariants) => `(inputs: ${inputsType(call)}) => Promise<${outputsType(call)}>`;
  const blockType = (call: CallVariants) => `TrainBlock<${inputsType(call)}, ${outputsType(call)}>`;
  const each = (list: readonly CallVariants[], type: (call: CallVariants) => string) =>
    list.length === 0 ? "{}" : `{ ${list.map((call) => `readonly ${nameOf(call.of)}: ${type(call)}`).join("; ")} }`;
  const main = models.find(({ of }) => of === manifest.main);
  const predict = main ? `  /** The model ${main.of}. */\n  readonly predict: ${callType(main)};\n` : "";
  const only = blocks.length === 1 ? blocks[0] : undefined;
  const train = only
    ? `  /** A step of ${only.of}. */
  readonly trainStep: ${blockType(only)}["step"];
  readonly evaluate: ${blockType(only)}["evaluate"];
`
    : "";
  return `/** The program of ${manifest.source.file}. */
export interface Net {
  /** What it runs on. */
  readonly device: "cpu" | "webgpu";
  /** Names, dtypes and shapes of everything that can be called. */
  readonly signature: Readonly<Record<string, { readonly inputs: readonly Slot[]; readonly outputs: readonly Slot[] }>>;
${predict}  readonly models: ${each(models, (call) => `{ readonly predict: ${callType(call)} }`)};
  /** Every \`export fn\`. */
  readonly call: ${each(calls, callType)};
  /** Every train block that was built in. */
  readonly train: ${each(blocks, blockType)};
${train}  parameters(): { path: string; dtype: string; shape: readonly number[] }[];
  /** Parameters and layer state, as safetensors. */
  saveWeights(): Promise<Uint8Array>;
  loadWeights(bytes: Uint8Array | ArrayBuffer, options?: { partial?: boolean }): Promise<{ loaded: string[]; missing: string[]; unexpected: string[] }>;
  /** Weights, optimizer, step and seed: training resumes exactly. */
  saveState(): Promise<Uint8Array>;
  loadState(bytes: Uint8Array | ArrayBuffer): Promise<unknown>;
  /** Frees the device's memory; later calls reject. */
  dispose(): void;
}
`;
}

const after = `export interface Slot {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}
`;
