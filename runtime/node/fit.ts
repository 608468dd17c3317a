/** Training on rows of a data set, with nothing kept: what a run into a folder and one fold of a search share. */
import { DlxError } from "../errors.ts";
import { seedWords } from "../rng.ts";
import type { Session, TrainBlock } from "../session.ts";
import { shuffled } from "../train-loop.ts";
import type { LocalRows } from "./data/column.ts";
import { scalarResults } from "./metrics.ts";

/** A loss, or a weight, is no longer a number: E0806. */
export class DivergedError extends DlxError {
  readonly #text: string;
  constructor(text: string) {
    super("E0806", text);
    this.#text = text;
  }
  /** The same, with what is left of the training before it. */
  keeping(what: string): DivergedError {
    return new DivergedError(`${this.#text}. ${what}`);
  }
}

/** The usual cause. */
export const tooFast = "Most often the learning rate is too high: try a tenth of it, a warm-up or clipped gradients";
const round = (value: number) => Number(value.toPrecision(4));

/** Sees every step's losses; throws DivergedError at the first that is not finite, with the last that was. */
export class LossWatch {
  readonly #names: readonly string[];
  #last: { readonly step: number; readonly values: Readonly<Record<string, number>> } | undefined;
  constructor(session: Session, block: string) {
    const outputs = session.signature[`${block}.step`]?.outputs ?? [];
    this.#names = outputs.flatMap(({ name, role }) => (role === "loss" ? [name] : []));
  }
  see(step: number, values: Readonly<Record<string, number>>): void {
    for (const name of this.#names) {
      const value = values[name] ?? 0;
      if (Number.isFinite(value)) continue;
      const before = this.#last?.values[name];
      const text = Number.isNaN(value) ? "NaN" : "infinite";
      throw new DivergedError(
        before === undefined
          ? `\`${name}\` is ${text} at step ${step}, the first: look for NaN in the data or the weights, a logarithm of 0 or a division by 0`
          : `\`${name}\` is ${text} at step ${step}; at step ${this.#last?.step} it was ${round(before)}. ${tooFast}`,
      );
    }
    this.#last = { step, values };
  }
}

/** The first loss of a block: by what runs are compared. */
export function mainLoss(session: Session, block: string): string | undefined {
  return session.signature[`${block}.step`]?.outputs.find(({ role }) => role === "loss")?.name;
}

/** Rows to train on have to make up a batch. Throws E0613. */
export function stepsPerEpoch(rows: LocalRows, batch: number): number {
  if (rows.count < batch)
    throw new DlxError(
      "E0613",
      `the data has ${rows.count} rows to train on, fewer than one batch of ${batch}: choose a smaller --batch`,
    );
  return Math.floor(rows.count / batch);
}

/** Steps of a whole training; without `epochs` as many as `limit` takes, or one pass. */
export function stepsOf(perEpoch: number, epochs: number | undefined, limit: number | undefined): number {
  return Math.min(
    (epochs ?? (limit === undefined ? 1 : Number.POSITIVE_INFINITY)) * perEpoch,
    limit ?? Number.POSITIVE_INFINITY,
  );
}

export interface FitRowsOptions {
  readonly session: Session;
  readonly block: TrainBlock;
  readonly name: string;
  readonly rows: LocalRows;
  /** Rows a step takes. */
  readonly batch: number;
  readonly seed: number;
  /** Steps made before, and when it is done. */
  readonly from: number;
  readonly steps: number;
  /** Values for the knobs of the next step. */
  knobs(): Readonly<Record<string, number>>;
  readonly signal?: AbortSignal | undefined;
  /** Called after each step, also one whose loss is not finite. */
  readonly onStep?: (event: FitStep) => void;
  /** Waited for after each step whose losses are finite. Training ends where it answers "stop". */
  readonly afterStep?: (event: FitStep) => Promise<"stop" | undefined>;
}
export interface FitStep {
  readonly step: number;
  readonly epoch: number;
  readonly values: Readonly<Record<string, number>>;
}

/** Trains from step `from` to `steps`; answers the last step, and whether `signal` was why. Throws DivergedError. */
export async function fitRows(options: FitRowsOptions): Promise<{ step: number; interrupted: boolean }> {
  const { session, block, name, rows, batch, seed, from, steps, knobs, signal } = options;
  const perEpoch = stepsPerEpoch(rows, batch);
  const watch = new LossWatch(session, name);
  const firstEpoch = Math.floor(from / perEpoch);
  const stop = new AbortController();
  let step = from;
  try {
    await block.fit(
      async function* (epoch) {
        const skipped = epoch === firstEpoch ? from % perEpoch : 0;
        for await (const inputs of shuffled(rows, batch, seedWords(seed), epoch, skipped))
          yield { ...inputs, ...knobs() };
      },
      {
        epochs: Math.ceil(steps / perEpoch),
        firstEpoch,
        limit: Math.max(0, steps - from),
        signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
        onStep: async (event) => {
          step = event.step;
          const values = scalarResults(event.results);
          const made = { step, epoch: event.epoch, values };
          options.onStep?.(made);
          watch.see(step, values);
          if ((await options.afterStep?.(made)) === "stop") stop.abort();
        },
      },
    );
  } catch (error) {
    if (!(error instanceof DlxError && error.code === "E0803")) throw error;
  }
  return { step, interrupted: step < steps && !stop.signal.aborted };
}
