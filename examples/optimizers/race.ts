/**
 * `npx tsx examples/optimizers/race.ts`: how many steps optimizers take down a narrow valley and away from a saddle point, each
 * with the best of nine learning rates. Writes valley.svg and saddle.svg beside this file.
 */
import { writeFileSync } from "node:fs";
import { chartFile } from "../../runtime/node/chart.ts";
import { isMain, openExample, table } from "../support/program.ts";

const STEPS = 3000;
const RATES = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1];
const NAMES = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "lion", "newton"] as const;
/** A run has arrived where its loss stays below this for the last tenth of all steps at least. */
const ARRIVED = 1e-6;

export interface Run {
  readonly name: string;
  readonly rate: number;
  /** Steps after which the loss stays below ARRIVED; infinite if it does not. */
  readonly steps: number;
  /** The loss before every step. */
  readonly losses: readonly number[];
}

/** The run that arrives first of those with each of the learning rates; Newton's method takes none. */
export async function best(surface: "valley" | "saddle", name: (typeof NAMES)[number], steps: number): Promise<Run> {
  const block = name === "newton" ? `${surface}_newton` : `${surface}_race`;
  const set: Record<string, string> = name === "newton" ? {} : { name };
  const { session } = await openExample(import.meta.url, { set, blocks: [block], models: [], calls: [] });
  const start = await session.saveState();
  let found: Run | undefined;
  for (const rate of name === "newton" ? [0] : RATES) {
    await session.loadState(start);
    const losses: number[] = [];
    for (let step = 0; step < steps; step++) {
      const results = await session.train[block]?.step({ rate });
      losses.push(Number(results?.loss));
    }
    const last = losses.findLastIndex((loss) => !(loss < ARRIVED));
    const run = { name, rate, losses, steps: last + 1 <= 0.9 * steps ? last + 1 : Number.POSITIVE_INFINITY };
    const nearer = (a: Run, b: Run) => (a.losses.at(-1) ?? Number.NaN) < (b.losses.at(-1) ?? Number.NaN);
    if (!found || run.steps < found.steps || (run.steps === found.steps && nearer(run, found))) found = run;
  }
  session.dispose();
  if (!found) throw new Error("there are no learning rates");
  return found;
}

/** Points of a chart: 400 steps, or up to where the loss is as good as 0. */
function upTo(losses: readonly number[]): [step: number, loss: number][] {
  const end = losses.findIndex((loss) => loss < 1e-12);
  return losses.slice(0, end < 0 ? 400 : Math.min(end, 400)).map((loss, step) => [step, loss]);
}

if (isMain(import.meta.url)) {
  for (const surface of ["valley", "saddle"] as const) {
    const runs: Run[] = [];
    for (const name of NAMES) runs.push(await best(surface, name, STEPS));
    const head = [surface, "learning rate", "steps to 1e-6", "loss after 20", "after 100", "after 500"];
    const lines = runs.map(({ name, rate, steps, losses }) => [
      name,
      name === "newton" ? "" : String(rate),
      Number.isFinite(steps) ? String(steps) : "not reached",
      ...[20, 100, 500].map((step) => (losses[step] ?? Number.NaN).toExponential(1)),
    ]);
    console.log(`${table(head, lines)}\n`);
    const title =
      surface === "valley" ? "Loss by step, condition number 100" : "Loss by step, from beside a saddle point";
    const series = runs.map(({ name, losses }) => ({ name, points: upTo(losses) }));
    writeFileSync(new URL(`${surface}.svg`, import.meta.url), chartFile(title, series, { logarithmic: true }));
  }
}
