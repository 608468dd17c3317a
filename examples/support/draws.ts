/** Seeded random numbers for generated data: the same everywhere. */
import { randomKey, seedWords, threefry2x32 } from "../../runtime/rng.ts";

export class Draws {
  readonly #key: readonly [number, number];
  #counter = 0;
  constructor(seed: number) {
    this.#key = randomKey(seedWords(seed), 0, 0, 0);
  }
  /** In [0, 1). */
  uniform(): number {
    return threefry2x32(this.#key, [this.#counter++, 0])[0] / 2 ** 32;
  }
  /** A whole number from 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }
}
