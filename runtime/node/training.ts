/** One run of training with everything it leaves in its folder; what `dlx train` does after compiling. */
import { join } from "node:path";
import { DlxError } from "../errors.ts";
import type { InputSlot } from "../plan.ts";
import { decodeNumbers, readSafetensors } from "../safetensors.ts";
import type { Session } from "../session.ts";
import { Best } from "./best.ts";
import { bindRows } from "./data/column.ts";
import type { DataSet } from "./data/open.ts";
import { evaluable, evaluateRows, oneBatch } from "./evaluate.ts";
import { exists, readBytes, writableFolder, writeAtomically } from "./files.ts";
import { DivergedError, fitRows, mainLoss, stepsOf, stepsPerEpoch, tooFast } from "./fit.ts";
import { Metrics } from "./metrics.ts";
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
  /** Ends training when so many evaluations in a row found no smaller held-out loss; the best one's weights are written. */
  readonly patience?: number;
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
  /** The last evaluation's; with `patience` the best one's. */
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

/** Whether every weight in a file is a finite number. */
function allFinite(session: Session, bytes: Uint8Array): boolean {
  const { tensors } = readSafetensors(bytes);
  return session.parameters().every(({ path }) => {
    const stored = tensors.get(path);
    return !stored || decodeNumbers(stored).every(Number.isFinite);
  });
}

/** What of the evaluations is watched so that training can end early. Throws E0613 where there are none. */
function stopping({ session, block: name, patience }: TrainingOptions, held: number): Best | undefined {
  if (patience === undefined) return undefined;
  const block = session.train[name];
  const loss = mainLoss(session, name);
  if (!block || loss === undefined || evaluable(block, held) === 0)
    throw new DlxError("E0613", `to wait for a held-out loss there has to be one: ${held} rows are held out`);
  return new Best(loss, "min");
}

/** Trains until done or aborted; either way the folder then holds checkpoint, weights, metrics and report. */
export async function train(options: TrainingOptions): Promise<TrainingSummary> {
  const { session, out, seed, onMessage, patience = 0, checkpointSeconds = 30 } = options;
  const block = session.train[options.block];
  if (!block) throw new DlxError("E0607", `the program has no train block ${options.block}`);
  await writableFolder(out);
  // Then there are as many rows of nothing as steps, and a run may go on for more.
  const drawsItsOwn = options.data.train.columns.length === 0;
  const rows = bindRows(options.data.train, options.slots, options.data.mapping);
  const held = drawsItsOwn ? oneBatch(block) : bindRows(options.data.held, options.slots, options.data.mapping);
  const batch = drawsItsOwn ? 1 : (block.batch ?? 1);
  const perEpoch = stepsPerEpoch(rows, batch);
  const identity: Identity = {
    block: options.block,
    seed: String(seed),
    batch: String(batch),
    rows: String(drawsItsOwn ? 0 : rows.count),
  };
  const path = (name: string) => join(out, name);
  const plateau = options.plateau && new Plateau(options.plateau);
  const knobs = () => ({ ...options.knobs, ...plateau?.knobs });
  const best = stopping(options, held.count);
  if (options.resume) {
    const kept = await resume(options, identity);
    if (kept.plateau) plateau?.load(kept.plateau);
    if (kept.best) best?.load(kept.best);
  } else if (await exists(path(checkpointName))) onMessage?.(`Starting over: the run in ${out} is replaced`);

  let step = await block.stepsDone();
  const steps = stepsOf(perEpoch, options.epochs, options.limit);
  const metrics = await Metrics.open(path("metrics.jsonl"), step);
  let training: Record<string, number> = {};
  let heldOut: Record<string, number> = {};

  let saved = { step, time: 0 };
  const checkpoint = async () => {
    await metrics.flush();
    const position = { epoch: String(Math.floor(step / perEpoch)), batchInEpoch: String(step % perEpoch) };
    const state = await session.saveState({
      format: checkpointFormat,
      ...identity,
      step: String(step),
      ...position,
      ...(plateau && { plateau: plateau.save() }),
      ...(best && { best: best.save() }),
    });
    if (step > saved.step && !allFinite(session, state))
      throw new DivergedError(`a weight is no longer finite at step ${step}. ${tooFast}`);
    await writeAtomically(path(checkpointName), state);
    saved = { step, time: performance.now() };
  };
  const writeWeights = async () => writeAtomically(path("weights.safetensors"), await session.saveWeights());
  const waitedEnough = () => best !== undefined && best.waited >= patience;
  const evaluate = async (epoch: number) => {
    const { values } = await evaluateRows(block, held, knobs());
    if (Object.keys(values).length === 0) return;
    metrics.add({ kind: "evaluation", step, epoch, values });
    // Whole epochs alone, so that a run that was ended between two goes on as if it had not been.
    const whole = step % perEpoch === 0;
    const better = best && whole && best.see(values);
    if (better) await writeWeights();
    if (!best || better) heldOut = values;
    if (best && waitedEnough())
      onMessage?.(
        `${best.metric} has not been better than ${Number(best.value?.toPrecision(6))} in ${best.waited} evaluations: weights.safetensors is from then`,
      );
    if (plateau && whole && plateau.see(values)) {
      const { knob, metric } = plateau.options;
      onMessage?.(
        `${metric} has stopped getting better: ${knob} is ${Number(plateau.knobs[knob]?.toPrecision(6))} now`,
      );
    }
  };
  const ofData = (): [string, string][] => [
    ["epochs", (step / perEpoch).toFixed(1)],
    ["batch", String(batch)],
    ["rows", `${rows.count} to train on, ${held.count} held out`],
  ];
  const report = async () => {
    const facts: [string, string][] = [
      ["steps", String(step)],
      ...(drawsItsOwn ? [] : ofData()),
      ["seed", String(seed)],
      ["device", session.device],
    ];
    await writeAtomically(path("report.html"), formatReport({ title: options.title, facts }, metrics.lines));
  };

  // Before the first step, so that a folder that cannot hold it is found out now.
  await checkpoint();
  let interrupted = false;
  try {
    if (!waitedEnough())
      ({ interrupted } = await fitRows({
        session,
        block,
        name: options.block,
        rows,
        batch,
        seed,
        from: step,
        steps,
        knobs,
        signal: options.signal,
        onStep: ({ values, ...event }) => {
          step = event.step;
          training = values;
          metrics.add({ kind: "step", ...event, values: { ...values, ...plateau?.knobs } });
          options.onStep?.({ step, steps, epoch: event.epoch, values });
        },
        afterStep: async ({ epoch }) => {
          const epochDone = step % perEpoch === 0 || step === steps;
          if (epochDone) await evaluate(epoch);
          if (epochDone || performance.now() - saved.time > 1000 * checkpointSeconds) await checkpoint();
          return waitedEnough() ? "stop" : undefined;
        },
      }));
    await checkpoint();
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    await metrics.flush();
    await report();
    throw error.keeping(`${path(checkpointName)} is of step ${saved.step}`);
  }
  if (best?.value === undefined) await writeWeights();
  await report();
  return { step, epochs: step / perEpoch, interrupted, training, heldOut };
}
