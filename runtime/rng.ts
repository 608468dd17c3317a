/**
 * Counter-based random words: Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy
 * as 1, 2, 3", SC 2011, section 4). The same bits on every device, in any order, resumable from the counters alone.
 *
 * With `T(key; counter)` the block function on pairs of u32, the words of one `random` node are
 *
 *     stepKey  = T(seed;    stream, step)
 *     key      = T(stepKey; iteration, 0)
 *     word[e]  = T(key;     e, 0)[0]
 *
 * where `step` and `iteration` (of the enclosing scan) are 0 if there is none. A kernel computes `key` once a dispatch (or
 * once a workgroup) and one block an element.
 */
export type Pair = readonly [number, number];

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const parity = 0x1bd11bda;

/** The block function; both halves of the result are u32. */
export function threefry2x32(key: Pair, counter: Pair): [number, number] {
  const keys = [key[0] | 0, key[1] | 0, parity ^ key[0] ^ key[1]];
  let a = (counter[0] + keys[0]!) | 0;
  let b = (counter[1] + keys[1]!) | 0;
  for (let round = 0; round < 20; round++) {
    const by = rotations[round % 8]!;
    a = (a + b) | 0;
    b = ((b << by) | (b >>> (32 - by))) ^ a;
    if (round % 4 === 3) {
      const group = (round + 1) / 4;
      a = (a + keys[group % 3]!) | 0;
      b = (b + keys[(group + 1) % 3]! + group) | 0;
    }
  }
  return [a >>> 0, b >>> 0];
}

/** The key of a node's words at one step and scan iteration. */
export function randomKey(seed: Pair, stream: number, step: number, iteration: number): [number, number] {
  return threefry2x32(threefry2x32(seed, [stream, step]), [iteration, 0]);
}

/** `count` words of a stream, as defined above. */
export function randomWords(seed: Pair, stream: number, step: number, iteration: number, count: number): Uint32Array {
  const key = randomKey(seed, stream, step, iteration);
  return Uint32Array.from({ length: count }, (_, element) => threefry2x32(key, [element, 0])[0]);
}

/** A seed as the two words a program's `seed` slot holds: the low and the high half of a non-negative safe integer. */
export function seedWords(seed: number): [number, number] {
  return [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
}

/**
 * A permutation of `0 .. count - 1`: Fisher-Yates, one word of the stream a swap. `floor(word * n / 2^32)` is biased by
 * less than n / 2^32.
 */
export function permutation(seed: Pair, stream: number, step: number, count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, position) => position);
  const words = randomWords(seed, stream, step, 0, count);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor((words[last]! * (last + 1)) / 2 ** 32);
    const kept = order[last]!;
    order[last] = order[other]!;
    order[other] = kept;
  }
  return order;
}
