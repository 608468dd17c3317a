/** Programs that draw, the inputs of their graphs, and statistics of what they draw. */
import type { ProgramEntry } from "../../compiler/elaborate/program.ts";
import { elementCount } from "../../compiler/graph/builder.ts";
import { programOf } from "../elaborate/run.ts";

/** A step whose outputs are whole numbers that have to be the same everywhere: words, masks, orders. */
export const exactDraws = `
train t()(x: f32) {
  metric words = random_bits([1001])
  metric others = random_bits([7, 11, 13])
  metric seeded = random_bits([64], seed: 5)
  metric mask = bernoulli([33, 31], 0.3)
  metric rare = bernoulli([4000], 1e-3)
  metric order = argsort(uniform([5, 60]))
  metric dice = i32(6 * uniform([1000]))
  let (_, rolled) = scan(0.0, 9, (h, i) => (h, random_bits([17])))
  metric rolled = rolled
  let (_, kept) = scan(x, 9, (h, i) => (h, bernoulli([17], 0.5)))
  metric kept = kept
}`;

export interface Drawing {
  readonly entry: ProgramEntry;
  /** From a seed, at a step of training. */
  readonly inputs: (seed: readonly [number, number], step: number) => readonly (readonly number[])[];
}
/** The first step of a program. */
export function drawing(text: string): Drawing {
  const entry = programOf(text).entries.find(({ kind }) => kind === "step");
  if (!entry) throw new Error("no step");
  const inputs = (seed: readonly [number, number], step: number) =>
    entry.graph.inputs.map(({ role, tensor }) => {
      if (role === "seed") return [...seed];
      return new Array<number>(elementCount(tensor.type.shape)).fill(role === "step" ? step : 0);
    });
  return { entry, inputs };
}

export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k] ?? 0;
  return sum / values.length;
};
/** Mean of the power of distances from a centre. */
export const moment = (values: ArrayLike<number>, centre: number, power: number): number =>
  mean(Array.from(values, (value) => (value - centre) ** power));

/** Pearson's; of independent values it is normal around 0 with deviation 1 / sqrt(count). */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [ma, mb] = [mean(a), mean(b)];
  const products = Array.from(a, (value, k) => (value - ma) * ((b[k] ?? 0) - mb));
  return mean(products) / Math.sqrt(moment(a, ma, 2) * moment(b, mb, 2));
}
/** How many deviations Pearson's statistic of counts lies above or below what equally likely ones give. */
export function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  return (statistic - freedom) / Math.sqrt(2 * freedom);
}
/** How often each byte stands in words. */
export function bytesOf(words: ArrayLike<number>): number[] {
  const counts = new Array<number>(256).fill(0);
  for (let k = 0; k < words.length; k++)
    for (let shift = 0; shift < 32; shift += 8) {
      const byte = ((words[k] ?? 0) >>> shift) & 255;
      counts[byte] = (counts[byte] ?? 0) + 1;
    }
  return counts;
}
