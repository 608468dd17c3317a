/** Hyper-parameter search by cross-validation: each trial is trained once a fold and judged on the rows held out. */
import { DlxError } from "../../errors.ts";
import type { InputSlot } from "../../plan.ts";
import type { Session } from "../../session.ts";
import { bindRows } from "../data/column.ts";
import type { Split } from "../data/folds.ts";
import { evaluateRows } from "../evaluate.ts";
import { DivergedError, fitRows, stepsOf, stepsPerEpoch } from "../fit.ts";
import type { Journal, Results } from "./journal.ts";
import type { Values } from "./space.ts";

/** A program made ready for a trial. */
export interface Prepared {
  readonly session: Session;
  readonly block: string;
  readonly slots: readonly InputSlot[];
  readonly knobs: Readonly<Record<string, number>>;
  /** State before the first step. */
  readonly initial: Uint8Array;
}

export interface SearchOptions {
  readonly trials: readonly Values[];
  readonly folds: readonly Split[];
  readonly mapping: ReadonlyMap<string, string>;
  readonly journal: Journal;
  /** The program of a trial. */
  prepare(values: Values): Promise<Prepared>;
  readonly epochs: number | undefined;
  readonly limit: number | undefined;
  readonly seed: number;
  /** By which result trials are compared. */
  readonly by: { readonly metric: string; readonly mode: "min" | "max" };
  readonly signal: AbortSignal;
  /** Called when another fold is done or known; `trial` once its last one is. */
  readonly onFold?: (event: { readonly done: number; readonly folds: number; readonly trial?: Trial }) => void;
}

export interface Trial {
  readonly values: Values;
  /** Each fold's; fewer where one diverged. */
  readonly folds: readonly Results[];
  readonly mean: Results;
  /** Standard deviation over the folds, of the sample. */
  readonly spread: Results;
  /** Why it loses. */
  readonly diverged?: string;
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const spreadOf = (values: readonly number[]) => {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1));
};

function summarize(values: Values, folds: readonly Results[], diverged: string | undefined): Trial {
  const over = (measure: (values: readonly number[]) => number) =>
    Object.fromEntries(
      Object.keys(folds[0] ?? {}).map((name) => [name, measure(folds.map((results) => results[name] ?? Number.NaN))]),
    );
  return { values, folds, mean: over(meanOf), spread: over(spreadOf), ...(diverged !== undefined && { diverged }) };
}

/** Trains on one fold; answers what its held-out rows say, undefined if interrupted. */
async function runFold(
  { session, block: name, slots, knobs, initial }: Prepared,
  split: Split,
  { mapping, epochs, limit, seed, signal }: SearchOptions,
): Promise<Results | undefined> {
  const block = session.train[name];
  if (!block) throw new DlxError("E0607", `the program has no train block ${name}`);
  const rows = bindRows(split.train, slots, mapping);
  const held = bindRows(split.held, slots, mapping);
  const steps = stepsOf(stepsPerEpoch(rows, block.batch ?? 1), epochs, limit);
  await session.loadState(initial);
  const { interrupted } = await fitRows({
    session,
    block,
    name,
    rows,
    batch: block.batch ?? 1,
    seed,
    from: 0,
    steps,
    knobs: () => knobs,
    signal,
  });
  if (interrupted) return undefined;
  return (await evaluateRows(block, held, knobs)).values;
}

/** Runs all trials, best first in the answer; those that diverged come last. What the journal knows is not run again. */
export async function search(options: SearchOptions): Promise<{ trials: Trial[]; interrupted: boolean }> {
  const { trials, folds, journal, by, signal, onFold } = options;
  const done: Trial[] = [];
  let count = 0;
  let interrupted = false;
  for (const values of trials) {
    const results: Results[] = [];
    let diverged: string | undefined;
    let fresh = false;
    for (const [fold, split] of folds.entries()) {
      const known = journal.known(values, fold);
      if (!known && signal.aborted) interrupted = true;
      let found = known;
      if (!found && !interrupted)
        found = await runFold(await options.prepare(values), split, options).catch((error) => {
          if (!(error instanceof DivergedError)) throw error;
          diverged = error.message;
          return { [by.metric]: Number.NaN };
        });
      if (!found) {
        interrupted = true;
        break;
      }
      if (!Object.hasOwn(found, by.metric))
        throw new DlxError(
          "E0615",
          `trials cannot be compared by ${by.metric}; held-out rows give ${Object.keys(found).join(", ") || "nothing"}`,
        );
      if (!known) await journal.addFold(values, fold, found);
      fresh ||= !known;
      results.push(found);
      const value = found[by.metric] ?? Number.NaN;
      if (!Number.isFinite(value)) {
        diverged ??= `held-out ${by.metric} is ${value}`;
        break;
      }
      onFold?.({ done: count + fold + 1, folds: trials.length * folds.length });
    }
    if (interrupted) break;
    count += folds.length;
    const trial = summarize(values, results, diverged);
    if (fresh)
      await journal.addTrial({ values, mean: trial.mean, spread: trial.spread, ...(diverged && { diverged }) });
    done.push(trial);
    onFold?.({ done: count, folds: trials.length * folds.length, trial });
  }
  const rank = ({ mean, diverged }: Trial) =>
    diverged !== undefined ? Number.POSITIVE_INFINITY : (by.mode === "min" ? 1 : -1) * (mean[by.metric] ?? Number.NaN);
  const order = (a: number, b: number) => (a === b ? 0 : a - b);
  return { trials: done.sort((a, b) => order(rank(a), rank(b))), interrupted };
}
