import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { permutation, randomKey, randomWords, seedWords, threefry2x32 } from "../../runtime/rng.ts";

// Random123 1.14, tests/kat_vectors: threefry2x32 with 20 rounds.
const knownAnswers: [counter: [number, number], key: [number, number], result: [number, number]][] = [
  [
    [0, 0],
    [0, 0],
    [0x6b200159, 0x99ba4efe],
  ],
  [
    [0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x1cb996fc, 0xbb002be7],
  ],
  [
    [0x243f6a88, 0x85a308d3],
    [0x13198a2e, 0x03707344],
    [0xc4923a9c, 0x483df7a0],
  ],
];

describe("threefry2x32", () => {
  test.each(knownAnswers)("counter %j key %j", (counter, key, result) => {
    expect(threefry2x32(key, counter)).toEqual(result);
  });
});

test("words follow the definition and depend on every argument", () => {
  const seed = seedWords(7);
  const key = randomKey(seed, 3, 5, 2);
  expect([...randomWords(seed, 3, 5, 2, 4)]).toEqual([0, 1, 2, 3].map((e) => threefry2x32(key, [e, 0])[0]));
  const variants = [
    randomWords(seedWords(8), 3, 5, 2, 2),
    randomWords(seedWords(2 ** 33 + 7), 3, 5, 2, 2),
    randomWords(seed, 4, 5, 2, 2),
    randomWords(seed, 3, 6, 2, 2),
    randomWords(seed, 3, 5, 3, 2),
    randomWords(seed, 3, 5, 2, 2),
  ];
  expect(new Set(variants.map(String)).size).toBe(variants.length);
});

test("words are uniform", () => {
  const count = 1 << 14;
  const words = randomWords([1, 2], 0, 0, 0, count);
  const mean = words.reduce((sum, word) => sum + word / 2 ** 32, 0) / count;
  const second = words.reduce((sum, word) => sum + (word / 2 ** 32) ** 2, 0) / count;
  expect(mean).toBeCloseTo(1 / 2, 2);
  expect(second).toBeCloseTo(1 / 3, 2);
});

test("a permutation is one", () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(300), (seed, count) => {
      const order = permutation(seedWords(seed), 0, 0, count);
      expect([...order].sort((a, b) => a - b)).toEqual([...order.keys()]);
    }),
  );
  expect(permutation([0, 1], 0, 0, 50)).not.toEqual(permutation([0, 1], 0, 1, 50));
});
