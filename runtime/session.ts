/** What `load()` of a bundle returns: a program on a device, its calls checked, queued and typed by name. */
import {
  type Callable,
  countRows,
  execute,
  type Inputs,
  type Outputs,
  outputsOf,
  type Parts,
  prepare,
  Tally,
} from "./call.ts";
import type { Device } from "./device.ts";
import { DlxError } from "./errors.ts";
import type { DTypeName, Entry, InputSlot, Manifest, OutputSlot } from "./plan.ts";
import { mostThreads } from "./plan.ts";
import { seedWords } from "./rng.ts";
import { type Batches, type FitOptions, trainLoop } from "./train-loop.ts";
import { fillSlots, initializedBy, isWeight, type LoadReport, loadSlots, saveSlots } from "./weights.ts";

export interface LoadOptions {
  /** "auto" (the default): WebGPU where there is one, else the CPU. */
  readonly device?: "auto" | "webgpu" | "cpu";
  /** Default: the shipped weights if there are any, else random ones. */
  readonly weights?: URL | Uint8Array | ArrayBuffer | "random";
  /** A non-negative integer; what is drawn at random follows from it. */
  readonly seed?: number;
  /** CPU threads, up to 64; more than one need shared memory: in pages, the headers COOP and COEP. */
  readonly threads?: number;
  /** Runs the CPU's part in a worker, so that this thread is never blocked. */
  readonly worker?: boolean;
  /** Asks for fused multiply-add on the CPU; on Node 20 that sets a flag of V8. */
  readonly relaxedSimd?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly message: string }) => void;
}

/** What a compiled program brings along. */
export interface Parcel {
  readonly manifest: Manifest;
  /** A file that the manifest names. */
  read(file: string, signal?: AbortSignal): Promise<Uint8Array>;
  /** Makes a device of the program; undefined where the program or this place has none. */
  readonly open: {
    readonly [Name in "cpu" | "webgpu"]?: (options: LoadOptions) => Promise<Device>;
  } & {
    /** A CPU device that runs `initialize` entries only, of programs built for WebGPU alone. */
    readonly draw?: (options: LoadOptions) => Promise<Device>;
  };
}

export type Call = (inputs?: Inputs) => Promise<Outputs>;
export interface TrainBlock {
  /** Rows a step takes; undefined where the block's inputs have no common batch. */
  readonly batch: number | undefined;
  /** Rows that one run of an evaluation can take; others are made up of these. */
  readonly evaluationSizes: readonly number[];
  /** One step of training on exactly the built batch. */
  step(inputs: Inputs): Promise<Outputs>;
  fit(batches: Batches | ((epoch: number) => Batches), options?: FitOptions): Promise<Outputs>;
  /** Loss and metrics without training: means over rows, and formulas of totals. */
  evaluate(data: Inputs | Batches): Promise<Outputs>;
  /** Steps made so far. */
  stepsDone(): Promise<number>;
}
export interface Signature {
  readonly inputs: readonly InputSlot[];
  readonly outputs: readonly OutputSlot[];
}
export interface Session {
  readonly device: Device["name"];
  /** Inputs and results of everything that can be called, by entry: `LeNet@64`, `lenet.step`, `saliency`. */
  readonly signature: Readonly<Record<string, Signature>>;
  readonly predict: Call;
  readonly models: Readonly<Record<string, { readonly predict: Call }>>;
  readonly call: Readonly<Record<string, Call>>;
  readonly train: Readonly<Record<string, TrainBlock>>;
  /** The only train block's. */
  readonly trainStep: TrainBlock["step"];
  readonly evaluate: TrainBlock["evaluate"];
  parameters(): { path: string; dtype: DTypeName; shape: readonly number[] }[];
  saveWeights(): Promise<Uint8Array>;
  loadWeights(bytes: Uint8Array | ArrayBuffer, options?: { partial?: boolean; file?: string }): Promise<LoadReport>;
  /** Everything that outlives calls; `metadata` is kept with it. */
  saveState(metadata?: Readonly<Record<string, string>>): Promise<Uint8Array>;
  loadState(bytes: Uint8Array | ArrayBuffer, options?: { file?: string }): Promise<LoadReport>;
  dispose(): void;
}

const bytesOf = (data: Uint8Array | ArrayBuffer) => (data instanceof Uint8Array ? data : new Uint8Array(data));

/** Reads a file next to a bundle, in browsers and in Node. Throws E0805. */
export async function readFile(url: URL, signal?: AbortSignal): Promise<Uint8Array> {
  try {
    if (url.protocol === "file:" && typeof process === "object")
      return new Uint8Array(await process.getBuiltinModule("node:fs/promises").readFile(url, { signal }));
    const response = await fetch(url, { signal });
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    throw new Error(`status ${response.status}`);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new DlxError("E0805", `cannot read ${url}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

async function openDevice(parcel: Parcel, options: LoadOptions): Promise<Device> {
  const { device = "auto", onProgress } = options;
  const { cpu, webgpu } = parcel.open;
  if (device !== "cpu" && webgpu) {
    try {
      return await webgpu(options);
    } catch (error) {
      if (device !== "auto" || !cpu) throw error;
      onProgress?.({ message: `Using the CPU: ${error instanceof Error ? error.message : error}` });
    }
  }
  if (device === "webgpu" || !cpu)
    throw new DlxError("E0801", `this program was not built for ${device === "webgpu" ? "WebGPU" : "the CPU"}`);
  return cpu(options);
}

/** What types cannot say, and what callers without types get wrong. */
function checkOptions({ device = "auto", weights, seed = 0, threads = 1 }: LoadOptions): void {
  if (!["auto", "webgpu", "cpu"].includes(device))
    throw new DlxError("E0801", `load: \`device\` is "auto", "webgpu" or "cpu", not ${JSON.stringify(device)}`);
  const isFile = weights instanceof URL || weights instanceof Uint8Array || weights instanceof ArrayBuffer;
  if (weights !== undefined && weights !== "random" && !isFile)
    throw new DlxError("E0603", `load: \`weights\` is a URL, bytes of a safetensors file or "random"`);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new DlxError("E0605", `load: \`seed\` is a non-negative integer, not ${seed}`);
  if (!Number.isSafeInteger(threads) || threads < 1 || threads > mostThreads)
    throw new DlxError("E0605", `load: \`threads\` is a whole number from 1 to ${mostThreads}, not ${threads}`);
}

/** Gives every persistent slot its first value. Random ones are drawn on the CPU: the same bits for every device. */
async function initialize(device: Device, parcel: Parcel, options: LoadOptions): Promise<void> {
  const { manifest } = parcel;
  const { weights = manifest.weights ? undefined : "random" } = options;
  const given =
    weights === "random"
      ? undefined
      : weights instanceof URL
        ? await readFile(weights, options.signal)
        : weights
          ? bytesOf(weights)
          : await parcel.read(manifest.weights!.file, options.signal);
  const seed = seedWords(options.seed ?? 0);
  const entries = [...manifest.entries.entries()]
    .filter(([, { kind }]) => kind === "initialize")
    .map(([index, { of }]) => ({ index, slots: initializedBy(manifest, of) }))
    .filter(({ slots }) => slots.length > 0 && !(given && slots.every((slot) => isWeight(manifest.persistent[slot]!))))
    // A block's own values may be computed from the weights.
    .sort((a, b) => blockRank(manifest, a.slots) - blockRank(manifest, b.slots));
  const { cpu: openCpu, draw = openCpu } = parcel.open;
  const cpu =
    entries.length > 0 && device.name === "webgpu"
      ? await draw?.({ ...options, worker: false, threads: 1 })
      : undefined;
  const drawing = cpu ?? device;
  const targets = cpu ? [cpu, device] : [device];
  for (const target of targets) fillSlots(target, seed);
  let weightsDue = given;
  const giveWeights = () => {
    if (weightsDue) for (const target of targets) loadSlots(target, isWeight, weightsDue);
    weightsDue = undefined;
  };
  for (const { index, slots } of entries) {
    if (blockRank(manifest, slots) > 0) giveWeights();
    await drawing.run(index, []);
    if (cpu) for (const slot of slots) device.writeSlot(slot, await cpu.readSlot(slot));
  }
  giveWeights();
  cpu?.dispose();
}
const blockRank = (manifest: Manifest, slots: readonly number[]) => (manifest.persistent[slots[0]!]!.block ? 1 : 0);

/** `Net` is the session as the program's own types describe it. */
export async function openSession<Net = Session>(parcel: Parcel, options: LoadOptions = {}): Promise<Session & Net> {
  const { manifest } = parcel;
  const { signal } = options;
  const abort = () => {
    if (signal?.aborted) throw new DlxError("E0803", "loading was aborted", { cause: signal.reason });
  };
  abort();
  checkOptions(options);
  const device = await openDevice(parcel, options).catch((error) => {
    abort();
    throw error;
  });
  let failure: DlxError | undefined;
  let interrupt: (error: DlxError) => void = () => {};
  device.lost.catch((error: DlxError) => {
    failure ??= error;
    interrupt(error);
  });
  try {
    await initialize(device, parcel, options);
    abort();
  } catch (error) {
    device.dispose();
    abort();
    throw error;
  }

  let tail: Promise<unknown> = Promise.resolve();
  let jobs = 0;
  const finish = () => {
    jobs--;
  };
  /** Runs jobs one after the other, the first at once; a job that waits when the device is lost rejects. */
  const enqueue = <T>(job: () => Promise<T>): Promise<T> => {
    const start = () =>
      new Promise<T>((resolve, reject) => {
        if (failure) throw failure;
        interrupt = reject;
        job().then(resolve, reject);
      });
    const result = jobs++ === 0 ? start() : tail.then(start);
    tail = result.then(finish, finish);
    return result;
  };
  const run = device.run.bind(device);
  const parts = async (callable: Callable, inputs: Inputs = {}): Promise<Parts> => {
    if (failure) throw failure;
    // A call that waits works on what its inputs hold now.
    const prepared = prepare(callable, inputs, jobs > 0);
    return enqueue(() => execute(callable, prepared, run));
  };
  const callOf =
    (callable: Callable): Call =>
    async (inputs) =>
      outputsOf(callable, (await parts(callable, inputs)).results);

  const callables = (kind: Entry["kind"], combine: (of: string) => Callable["combine"]): [string, Callable][] => {
    const indexed = manifest.entries
      .map((entry, index) => ({ entry, index }))
      .filter(({ entry }) => entry.kind === kind);
    return [...new Set(indexed.map(({ entry }) => entry.of))].map((of) => [
      of,
      {
        title: kind === "call" ? of : `${of}.${kind}`,
        variants: indexed
          .filter(({ entry }) => entry.of === of)
          .sort((a, b) => (a.entry.batch ?? 0) - (b.entry.batch ?? 0)),
        combine: combine(of),
      },
    ]);
  };
  const byRows = (of: string) => (manifest.separable.includes(of) ? "concatenate" : "exact");
  const evaluations = new Map(callables("evaluate", () => "average"));
  const closings = new Map(callables("closing", () => "exact"));

  const blockOf = ([name, callable]: [string, Callable]): [string, TrainBlock] => {
    const batch = callable.variants[0]!.entry.batch;
    const step = callOf(callable);
    const counter = manifest.persistent.findIndex((slot) => slot.role === "step" && (slot.block ?? name) === name);
    const stepsDone = async () => (counter < 0 ? 0 : (await enqueue(() => device.readSlot(counter)))[0]!);
    const isFull = (inputs: Inputs) => {
      const rows = countRows(callable, inputs);
      return rows === undefined || batch === undefined || rows >= batch;
    };
    return [
      name,
      {
        batch,
        evaluationSizes: evaluations.get(name)?.variants.map(({ entry }) => entry.batch ?? 1) ?? [],
        step,
        stepsDone,
        fit: (batches, options) => trainLoop({ isFull, step, stepsDone }, batches, options),
        evaluate: async (data) => {
          const evaluation = evaluations.get(name);
          if (!evaluation) throw new DlxError("E0607", `${name}.evaluate was not built`);
          const { outputs } = evaluation.variants[0]!.entry;
          const tally = new Tally(outputs);
          const many = Symbol.asyncIterator in data || Symbol.iterator in data;
          for await (const inputs of many ? data : [data]) tally.add(await parts(evaluation, inputs));
          if (tally.rows === 0) throw new DlxError("E0601", `${name}.evaluate: no batches came`);
          const results = tally.results();
          const means = outputsOf(evaluation, results);
          const closing = closings.get(name);
          if (!closing) return means;
          const totals = results.filter((_, k) => outputs[k]!.role === "total");
          const closed = await enqueue(() => run(closing.variants[0]!.index, totals));
          const values: Outputs = { ...means, ...outputsOf(closing, closed) };
          // In the order of the block.
          const names = callable.variants[0]!.entry.outputs.map((output) => output.name);
          return Object.fromEntries(names.flatMap((one) => (one in values ? [[one, values[one]!]] : [])));
        },
      },
    ];
  };

  const models = Object.fromEntries(
    callables("predict", byRows).map(([name, callable]) => [name, { predict: callOf(callable) }]),
  );
  const train = Object.fromEntries(callables("step", () => "exact").map(blockOf));
  const [block, ...furtherBlocks] = Object.values(train);
  const only = block && furtherBlocks.length === 0 ? block : undefined;
  const refuse = (what: string) => () => Promise.reject(new DlxError("E0607", what));
  const noMain = refuse("no model is the main one: use models.NAME.predict");
  const noBlock = refuse("there is not exactly one train block: use train.NAME");
  const about = {
    compiler: manifest.compiler,
    source: manifest.source.sha256,
    device: [device.name, ...(device.details ? [device.details] : [])].join(" "),
  };

  const session: Session = {
    device: device.name,
    signature: Object.fromEntries(
      manifest.entries.flatMap(({ name, kind, inputs, outputs }) =>
        kind === "closing" ? [] : [[name, { inputs, outputs: outputs.filter(({ role }) => role !== "total") }]],
      ),
    ),
    predict: models[manifest.main ?? ""]?.predict ?? noMain,
    models,
    call: Object.fromEntries(callables("call", byRows).map(([name, callable]) => [name, callOf(callable)])),
    train,
    trainStep: only?.step ?? noBlock,
    evaluate: only?.evaluate ?? noBlock,
    parameters: () =>
      manifest.persistent
        .filter(({ role }) => role === "parameter")
        .map(({ path, dtype, shape }) => ({ path, dtype, shape })),
    saveWeights: () => enqueue(() => saveSlots(device, isWeight, about)),
    loadWeights: (bytes, options) => enqueue(async () => loadSlots(device, isWeight, bytesOf(bytes), options)),
    saveState: (metadata) => enqueue(() => saveSlots(device, () => true, { ...about, ...metadata })),
    loadState: (bytes, options) => enqueue(async () => loadSlots(device, () => true, bytesOf(bytes), options)),
    dispose: () => {
      failure ??= new DlxError("E0804", "this program was disposed of");
      interrupt(failure);
      device.dispose();
    },
  };
  return session as Session & Net;
}
