/** One run of training with everything it leaves in its folder; what `dlx train` does after compiling. */
import { join } from "node:path";
import { chooseSizes } from "../call.ts";
import { DlxError } from "../errors.ts";
import type { InputSlot } from "../plan.ts";
import { seedWords } from "../rng.ts";
import { readSafetensors } from "../safetensors.ts";
import type { Session, TrainBlock } from "../session.ts";
import { inOrder, type Rows, shuffled } from "../train-loop.ts";
import { bindRows } from "./data/column.ts";
import type { DataSet } from "./data/open.ts";
import { exists, readBytes, writableFolder, writeAtomically } from "./files.ts";
import { Metrics, scalarResults } from "./metrics.ts";
import { Plateau, type PlateauOptions } from "./plateau.ts";
import { formatReport } from "./report.ts";

export interface TrainingOptions {
  readonly session: Session;
  readonly block: string;
  /** The block's inputs. */
  readonly slots: readonly InputSlot[];
  readonly data: DataSet;
  readonly out: string;
  readonly title: string;
  /** Passes over the data, counted from the first run on; without it as many as `limit` needs. */
  readonly epochs?: number;
  /** Steps, counted from the first run on. */
  readonly limit?: number;
  readonly seed: number;
  /** Continues the run in `out`. */
  readonly resume: boolean;
  /** Values for the block's knobs. */
  readonly knobs?: Readonly<Record<string, number>>;
  /** Scales one of the knobs when an epoch's evaluation is no better than those before. */
  readonly plateau?: PlateauOptions;
  readonly signal?: AbortSignal;
  /** After a checkpoint, at least so long until the next. */
  readonly checkpointSeconds?: number;
  readonly onStep?: (progress: TrainingProgress) => void;
  readonly onMessage?: (message: string) => void;
}
export interface TrainingProgress {
  readonly step: number;
  /** Steps when training is done. */
  readonly steps: number;
  readonly epoch: number;
  readonly values: Readonly<Record<string, number>>;
}
export interface TrainingSummary {
  readonly step: number;
  readonly epochs: number;
  readonly interrupted: boolean;
  /** The last step's results. */
  readonly training: Readonly<Record<string, number>>;
  /** The last evaluation's. */
  readonly heldOut: Readonly<Record<string, number>>;
}

export const checkpointName = "checkpoint.safetensors";
const checkpointFormat = "dlx-checkpoint-1";

/** What a checkpoint has to have in common with the run that continues it. */
interface Identity {
  readonly block: string;
  readonly seed: string;
  readonly batch: string;
  readonly rows: string;
}

/** Reads the checkpoint in `out` into the session; answers what is kept with it. Throws E0704 where it belongs to another run. */
async function resume(
  { session, out, onMessage }: TrainingOptions,
  identity: Identity,
): Promise<Readonly<Record<string, string>>> {
  const path = join(out, checkpointName);
  if (!(await exists(path))) throw new DlxError("E0704", `there is nothing to resume: ${path} does not exist`);
  const bytes = await readBytes(path);
  const { metadata } = readSafetensors(bytes, path);
  if (metadata.format !== checkpointFormat) throw new DlxError("E0704", `${path} is not a checkpoint of dlx`);
  for (const [name, value] of Object.entries(identity))
    if (metadata[name] !== value)
      throw new DlxError("E0704", `${path} was made with ${name} ${metadata[name]}, this run has ${name} ${value}`);
  await session.loadState(bytes, { file: path });
  const here = readSafetensors(await session.saveWeights()).metadata;
  const names = { device: "device", compiler: "version of dlx", source: "source" } as const;
  for (const key of ["device", "compiler", "source"] as const)
    if (metadata[key] !== here[key])
      onMessage?.(
        `The checkpoint was made with another ${names[key]}${key === "source" ? "" : ` (${metadata[key]}, now ${here[key]})`}: what follows may differ from an uninterrupted run`,
      );
  return metadata;
}

/** Loss and metrics over as many rows as the built evaluations can make up; answers how many. */
export async function evaluateRows(
  block: TrainBlock,
  rows: Rows,
  knobs: Readonly<Record<string, number>>,
  onBatch?: (rows: number) => void,
): Promise<{ values: Record<string, number>; rows: number }> {
  const sizes = block.evaluationSizes;
  const size = Math.max(0, ...sizes);
  // What is left at the end can be evaluated only if smaller sizes were built that make it up.
  const rest = size > 0 ? rows.count % size : rows.count;
  const count = size > 0 && chooseSizes(rest, sizes, false) ? rows.count : rows.count - rest;
  if (count === 0) return { values: {}, rows: 0 };
  const batches = async function* () {
    let seen = 0;
    for await (const inputs of inOrder({ ...rows, count, read: (positions) => rows.read(positions) }, size)) {
      if (seen > 0) onBatch?.(seen);
      yield { ...inputs, ...knobs };
      seen = Math.min(seen + size, count);
    }
    onBatch?.(seen);
  };
  return { values: scalarResults(await block.evaluate(batches())), rows: count };
}

/** Trains until done or aborted; either way the folder then holds checkpoint, weights, metrics and report. */
export async function train(options: TrainingOptions): Promise<TrainingSummary> {
  const { session, out, seed, onMessage, checkpointSeconds = 30 } = options;
  const block = session.train[options.block];
  if (!block) throw new DlxError("E0607", `the program has no train block ${options.block}`);
  await writableFolder(out);
  const rows = bindRows(options.data.train, options.slots, options.data.mapping);
  const held = bindRows(options.data.held, options.slots, options.data.mapping);
  const batch = block.batch ?? 1;
  const perEpoch = Math.floor(rows.count / batch);
  if (perEpoch === 0)
    throw new DlxError(
      "E0613",
      `the data has ${rows.count} rows to train on, fewer than one batch of ${batch}: choose a smaller --batch`,
    );
  const identity: Identity = {
    block: options.block,
    seed: String(seed),
    batch: String(batch),
    rows: String(rows.count),
  };
  const path = (name: string) => join(out, name);
  const plateau = options.plateau && new Plateau(options.plateau);
  const knobs = () => ({ ...options.knobs, ...plateau?.knobs });
  if (options.resume) {
    const kept = (await resume(options, identity)).plateau;
    if (kept) plateau?.load(kept);
  } else if (await exists(path(checkpointName))) onMessage?.(`Starting over: the run in ${out} is replaced`);

  let step = await block.stepsDone();
  const epochs = options.epochs ?? (options.limit === undefined ? 1 : Math.ceil(options.limit / perEpoch));
  const steps = Math.min(epochs * perEpoch, options.limit ?? Number.POSITIVE_INFINITY);
  const firstEpoch = Math.floor(step / perEpoch);
  const metrics = await Metrics.open(path("metrics.jsonl"), step);
  let training: Record<string, number> = {};
  let heldOut: Record<string, number> = {};

  const checkpoint = async () => {
    await metrics.flush();
    const position = { epoch: String(Math.floor(step / perEpoch)), batchInEpoch: String(step % perEpoch) };
    await writeAtomically(
      path(checkpointName),
      await session.saveState({
        format: checkpointFormat,
        ...identity,
        step: String(step),
        ...position,
        ...(plateau && { plateau: plateau.save() }),
      }),
    );
  };
  const evaluate = async (epoch: number) => {
    const { values } = await evaluateRows(block, held, knobs());
    if (Object.keys(values).length === 0) return;
    heldOut = values;
    metrics.add({ kind: "evaluation", step, epoch, values });
    // Whole epochs alone, so that a run that was ended between two goes on as if it had not been.
    if (plateau && step % perEpoch === 0 && plateau.see(values)) {
      const { knob, metric } = plateau.options;
      onMessage?.(
        `${metric} has stopped getting better: ${knob} is ${Number(plateau.knobs[knob]?.toPrecision(6))} now`,
      );
    }
  };

  // Before the first step, so that a folder that cannot hold it is found out now.
  await checkpoint();
  let saved = performance.now();
  let interrupted = false;
  try {
    await block.fit(
      async function* (epoch) {
        const from = epoch === firstEpoch ? step % perEpoch : 0;
        for await (const inputs of shuffled(rows, batch, seedWords(seed), epoch, from)) yield { ...inputs, ...knobs() };
      },
      {
        epochs,
        firstEpoch,
        limit: Math.max(0, steps - step),
        signal: options.signal,
        onStep: async (event) => {
          step = event.step;
          training = scalarResults(event.results);
          metrics.add({ kind: "step", step, epoch: event.epoch, values: { ...training, ...plateau?.knobs } });
          options.onStep?.({ step, steps, epoch: event.epoch, values: training });
          const epochDone = step % perEpoch === 0 || step === steps;
          if (epochDone) await evaluate(event.epoch);
          if (epochDone || performance.now() - saved > 1000 * checkpointSeconds) {
            await checkpoint();
            saved = performance.now();
          }
        },
      },
    );
  } catch (error) {
    if (!(error instanceof DlxError && error.code === "E0803")) throw error;
    interrupted = step < steps;
  }
  await checkpoint();
  await writeAtomically(path("weights.safetensors"), await session.saveWeights());
  const facts: [string, string][] = [
    ["steps", String(step)],
    ["epochs", (step / perEpoch).toFixed(1)],
    ["batch", String(batch)],
    ["rows", `${rows.count} to train on, ${held.count} held out`],
    ["seed", String(seed)],
    ["device", session.device],
  ];
  await writeAtomically(path("report.html"), formatReport({ title: options.title, facts }, metrics.lines));
  return { step, epochs: step / perEpoch, interrupted, training, heldOut };
}
