/** Training over batches: the loop of `fit`, and the seeded order in which rows of a data set come. */
import type { Inputs, Outputs } from "./call.ts";
import { DlxError } from "./errors.ts";
import { type Pair, permutation } from "./rng.ts";

export type Batches = Iterable<Inputs> | AsyncIterable<Inputs>;

/** What the loop drives: a train block of a session. */
export interface Stepper {
  /** Whether a batch has as many rows as a step takes. */
  isFull(inputs: Inputs): boolean;
  step(inputs: Inputs): Promise<Outputs>;
  /** Steps made so far, of all runs. */
  stepsDone(): Promise<number>;
}

export interface StepEvent {
  /** Counts every step since the parameters were drawn, across resumed runs. */
  readonly step: number;
  readonly epoch: number;
  readonly results: Outputs;
}
export interface FitOptions {
  /** Passes over the data; default 1. */
  readonly epochs?: number;
  /** Number of the first pass; default 0. */
  readonly firstEpoch?: number;
  /** Steps at most. */
  readonly limit?: number;
  /** Called after each step, and waited for. */
  readonly onStep?: (event: StepEvent) => unknown;
  /** Ends training after the step under way; `fit` rejects with E0803. */
  readonly signal?: AbortSignal;
}

/** Milliseconds between two chances for timers, signals and the page. */
const longestStretch = 16;

/** Lets everything else that waits run. On the CPU a step ends without that: awaiting it comes back at once. */
function breathe(): Promise<void> {
  return new Promise((resume) => {
    if (typeof setImmediate === "function") setImmediate(resume);
    else {
      // Browsers make nested timeouts wait for 4 ms; a message does not.
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resume();
      };
      port2.postMessage(0);
    }
  });
}

/** Trains; answers the last step's results. `batches` may be a function of the epoch, for another order each time. */
export async function trainLoop(
  stepper: Stepper,
  batches: Batches | ((epoch: number) => Batches),
  { epochs = 1, firstEpoch = 0, limit = Number.POSITIVE_INFINITY, onStep, signal }: FitOptions = {},
): Promise<Outputs> {
  let step = await stepper.stepsDone();
  const end = step + limit;
  let results: Outputs = {};
  let breath = performance.now();
  for (let epoch = firstEpoch; epoch < epochs; epoch++) {
    let short = false;
    for await (const inputs of typeof batches === "function" ? batches(epoch) : batches) {
      if (performance.now() - breath > longestStretch) {
        await breathe();
        breath = performance.now();
      }
      if (signal?.aborted) throw new DlxError("E0803", `aborted after step ${step}`, { cause: signal.reason });
      if (step >= end) return results;
      // Only the last batch may be short: it is left out, a second one says that the batches are cut wrongly.
      if (short) throw new DlxError("E0606", "a batch before the last one has too few rows");
      short = !stepper.isFull(inputs);
      if (short) continue;
      results = await stepper.step(inputs);
      step++;
      await onStep?.({ step, epoch, results });
    }
  }
  return results;
}

/** A data set that can be read at any rows. */
export interface Rows {
  readonly count: number;
  /** The rows at these positions, in this order. */
  read(positions: Uint32Array): Inputs | Promise<Inputs>;
}

/** The random stream that orders epochs; a program's own streams count from 0. */
const shuffleStream = 0xffffffff;

/**
 * Batches of one epoch in its seeded order, from batch number `from`. The order is a function of seed and epoch alone, so
 * a run that stopped anywhere continues with the rows it would have seen.
 */
export async function* shuffled(
  rows: Rows,
  batch: number,
  seed: Pair,
  epoch: number,
  from = 0,
): AsyncGenerator<Inputs, void, undefined> {
  const order = permutation(seed, shuffleStream, epoch, rows.count);
  for (let begin = from * batch; begin + batch <= rows.count; begin += batch)
    yield rows.read(order.subarray(begin, begin + batch));
}

/** All rows in their own order; the last batch may be short. */
export async function* inOrder(rows: Rows, batch: number): AsyncGenerator<Inputs, void, undefined> {
  for (let begin = 0; begin < rows.count; begin += batch) {
    const end = Math.min(begin + batch, rows.count);
    yield rows.read(Uint32Array.from({ length: end - begin }, (_, i) => begin + i));
  }
}
