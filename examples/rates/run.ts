/**
 * The same network with learning rates from too low to too high. Prints a table and writes the curves beside this file.
 *
 *     npx tsx examples/rates/run.ts
 */
import { writeFileSync } from "node:fs";
import { chartFile } from "../../runtime/node/chart.ts";
import { seedWords } from "../../runtime/rng.ts";
import { shuffled } from "../../runtime/train-loop.ts";
import { digitRows, digits } from "../support/digits.ts";
import { isMain, openExample, table } from "../support/program.ts";

export interface Curve {
  readonly rate: number;
  /** The loss of every step. */
  readonly losses: readonly number[];
}

export async function curves(rates: readonly number[], steps: number): Promise<Curve[]> {
  const rows = digitRows(digits().train);
  const found: Curve[] = [];
  for (const rate of rates) {
    const { session } = await openExample(import.meta.url, { blocks: ["rates"] });
    const block = session.train.rates;
    if (!block) throw new Error("there is no block rates");
    const losses: number[] = [];
    for (let epoch = 0; losses.length < steps; epoch++)
      for await (const batch of shuffled(rows, block.batch ?? 1, seedWords(0), epoch)) {
        if (losses.length === steps) break;
        const { loss } = await block.step({ ...batch, rate });
        losses.push(typeof loss === "number" ? loss : Number.NaN);
      }
    session.dispose();
    found.push({ rate, losses });
  }
  return found;
}

/** The mean of the last `count` losses. */
export const last = ({ losses }: Curve, count = 20): number =>
  losses.slice(-count).reduce((total, loss) => total + loss, 0) / Math.min(count, losses.length);

export function verdict(curve: Curve): string {
  const end = last(curve);
  const [start = 0] = curve.losses;
  const broken = curve.losses.findIndex((loss) => !Number.isFinite(loss));
  if (broken >= 0) return `no number from step ${broken} on: far too high`;
  const jump = Math.max(...curve.losses) > 1.5 * start;
  if (jump)
    return end > 0.9 * start ? "jumps up and nothing is left to learn with: too high" : "jumps up first: too high";
  if (end > 0.9 * start) return "flat: too low";
  return end < 0.25 ? "falls: right" : "falls slowly: low";
}

if (isMain(import.meta.url)) {
  const all = await curves([1e-4, 0.01, 0.1, 1, 10, 1e6], 400);
  console.log(
    table(
      ["rate", "first loss", "loss after 400 steps", ""],
      all.map((curve) => [
        String(curve.rate),
        curve.losses[0]?.toFixed(3) ?? "",
        last(curve).toFixed(3),
        verdict(curve),
      ]),
    ),
  );
  writeFileSync(
    new URL("rates.svg", import.meta.url),
    chartFile(
      "Loss by step, for learning rates",
      all.map(({ rate, losses }) => ({
        name: `rate ${rate}`,
        points: losses.map((loss, step) => [step, loss] as const),
      })),
      { logarithmic: true },
    ),
  );
}
