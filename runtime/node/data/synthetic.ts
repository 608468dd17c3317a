/**
 * `synthetic:NAME[,rows=1000][,noise=0.1][,seed=0]`: small data sets to try things on, the same everywhere.
 *
 * | name      | columns                       | what it is                                                    |
 * | --------- | ----------------------------- | ------------------------------------------------------------- |
 * | `spirals` | x f32[2], label of 3          | three interleaved spiral arms                                 |
 * | `moons`   | x f32[2], label of 2          | two interleaved half circles                                  |
 * | `circles` | x f32[2], label of 2          | a circle within a circle                                      |
 * | `blobs`   | x f32[2], label of 4          | four normal clouds                                            |
 * | `xor`     | x f32[2], label of 2          | whether the signs of two coordinates differ                   |
 * | `sine`    | x f32[1], y f32[1]            | y = sin(pi x) on [-1, 1]                                      |
 * | `linear`  | x f32[4], y f32[1]            | y = x . (1, -2, 3, 0) + 0.5                                   |
 * | `bars`    | image 1 x 12 x 12, label of 2 | a bright bar, lying or standing, on a noisy ground            |
 * | `parity`  | x f32[8], label of 2          | eight bits (0 or 1) and whether an odd number of them is set  |
 */
import { DlxError } from "../../errors.ts";
import { randomKey, seedWords, threefry2x32 } from "../../rng.ts";
import { arrayColumn, type Column } from "./column.ts";

/** Draws of one data set, in order. */
class Draws {
  private readonly key: [number, number];
  private counter = 0;
  constructor(seed: number) {
    this.key = randomKey(seedWords(seed), 0, 0, 0);
  }
  /** In [0, 1). */
  uniform(): number {
    return threefry2x32(this.key, [this.counter++, 0])[0] / 2 ** 32;
  }
  /** An integer from 0 to `count - 1`. */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }
  /** Box and Muller's normal. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }
}

interface Example {
  readonly [column: string]: readonly number[];
}
/** Given the row's number, so that classes come equally often. */
type Generator = (draws: Draws, row: number, noise: number) => Example;

const point = (draws: Draws, radius: number, angle: number, noise: number): number[] => [
  radius * Math.cos(angle) + noise * draws.normal(),
  radius * Math.sin(angle) + noise * draws.normal(),
];

const generators: Readonly<Record<string, Generator>> = {
  spirals: (draws, row, noise) => {
    const label = row % 3;
    const along = draws.uniform();
    const angle = (2 * Math.PI * label) / 3 + 4 * along + noise * draws.normal();
    return { x: [along * Math.cos(angle), along * Math.sin(angle)], label: [label] };
  },
  moons: (draws, row, noise) => {
    const label = row % 2;
    const [x = 0, y = 0] = point(draws, 1, Math.PI * (draws.uniform() + label), noise);
    return { x: label === 0 ? [x - 0.5, y - 0.25] : [x + 0.5, y + 0.25], label: [label] };
  },
  circles: (draws, row, noise) => {
    const label = row % 2;
    return { x: point(draws, label === 0 ? 1 : 0.5, 2 * Math.PI * draws.uniform(), noise), label: [label] };
  },
  blobs: (draws, row, noise) => {
    const label = row % 4;
    const [x = 0, y = 0] = point(draws, 1, (Math.PI / 2) * label, 2 * noise);
    return { x: [x, y], label: [label] };
  },
  xor: (draws, _, noise) => {
    const [a, b] = [2 * draws.uniform() - 1, 2 * draws.uniform() - 1];
    return { x: [a + noise * draws.normal(), b + noise * draws.normal()], label: [Number(a > 0 !== b > 0)] };
  },
  sine: (draws, _, noise) => {
    const x = 2 * draws.uniform() - 1;
    return { x: [x], y: [Math.sin(Math.PI * x) + noise * draws.normal()] };
  },
  linear: (draws, _, noise) => {
    const x = Array.from({ length: 4 }, () => draws.normal());
    const y = [1, -2, 3, 0].reduce((sum, weight, k) => sum + weight * x[k]!, 0.5);
    return { x, y: [y + noise * draws.normal()] };
  },
  bars: (draws, row, noise) => {
    const label = row % 2;
    const place = draws.below(12);
    const image = Array.from({ length: 144 }, (_, i) => {
      const lit = label === 0 ? Math.floor(i / 12) === place : i % 12 === place;
      return Math.min(255, Math.max(0, Math.round(255 * ((lit ? 0.8 : 0.2) + noise * draws.normal()))));
    });
    return { image, label: [label] };
  },
  parity: (draws) => {
    const x = Array.from({ length: 8 }, () => draws.below(2));
    return { x, label: [x.reduce((sum, bit) => sum + bit, 0) % 2] };
  },
};

/** Throws E0611. */
export function syntheticColumns(name: string, rows: number, noise: number, seed: number): Column[] {
  const generate = generators[name];
  if (!generate || !Object.hasOwn(generators, name))
    throw new DlxError("E0611", `synthetic:${name}: expected one of ${Object.keys(generators).join(", ")}`);
  const draws = new Draws(seed);
  const examples = Array.from({ length: rows }, (_, row) => generate(draws, row, noise));
  return Object.keys(examples[0] ?? {}).map((column) => {
    const values = examples.flatMap((example) => example[column] ?? []);
    const source = `synthetic:${name} (${column})`;
    if (column === "image") return arrayColumn(column, Uint8Array.from(values), [rows, 12, 12], source);
    if (column === "label") return arrayColumn(column, Int32Array.from(values), [rows], source);
    return arrayColumn(column, Float32Array.from(values), [rows, values.length / rows], source);
  });
}
