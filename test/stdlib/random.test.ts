/**
 * Random draws: moments of every generator, independence of streams, steps, iterations, seeds, rows and neighbours, and the
 * same words, masks and orders in the reference and on WebAssembly. Seeds are fixed, so that nothing here is by chance; bounds
 * are five standard deviations.
 */
import { describe, expect, test } from "vitest";
import { optimizeEntry } from "../../compiler/pipeline.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { bytesOf, chiSquare, correlation, drawing, exactDraws, mean, moment } from "../support/random-draws.ts";
import { runOnCpu } from "../support/run-cpu.ts";

const count = 4096;
const seed: readonly [number, number] = [2026, 0];

type Draw = (seed: readonly [number, number], step: number) => Record<string, readonly number[]>;
/** Metrics of a step by name. */
function drawer(body: string): Draw {
  const { entry, inputs } = drawing(`import init\nimport preprocess\ntrain t()(x: f32) {\n  ${body}\n}`);
  return (from, step) => {
    const outputs = evaluateOutputs(entry.graph, inputs(from, step));
    return Object.fromEntries(entry.graph.outputs.map(({ path }, k) => [path, Array.from(outputs[k] ?? [])]));
  };
}
const shape = `[${count / 4}, 4]`;

// The variance of a standard normal cut off at +-a is 1 - 2 a phi(a) / erf(a / sqrt(2)).
const cut = 1 - (4 * Math.exp(-2)) / Math.sqrt(2 * Math.PI) / 0.9544997361036416;
const generators: readonly (readonly [expression: string, centre: number, variance: number])[] = [
  [`uniform(${shape})`, 0.5, 1 / 12],
  [`uniform(${shape}, low: -2, high: 3)`, 0.5, 25 / 12],
  [`normal(${shape})`, 0, 1],
  [`normal(${shape}, std: 3, centre: -1)`, -1, 9],
  [`f32(bernoulli(${shape}, 0.3))`, 0.3, 0.21],
  [`truncated_normal(${shape}, std: 2.0)`, 0, 4 * cut],
  [`symmetric_beta(${shape}, 0.5)`, 0.5, 1 / 8],
  [`symmetric_beta(${shape}, 3.0)`, 0.5, 1 / 28],
  [`kaiming_uniform(${shape})`, 0, 0.5],
  [`xavier_normal(${shape})`, 0, 2 / (4 + count / 4)],
  [`f32(argsort(uniform(${shape})))`, 1.5, 1.25],
];

describe.each(generators)("%s", (expression, centre, variance) => {
  const draw = drawer(
    `metric a = ${expression}\n  metric b = ${expression}\n  let (_, r) = scan(0.0, 2, (h, i) => (h, ${expression}))\n  metric rolled = r`,
  );
  const { a = [], b = [], rolled = [] } = draw(seed, 0);

  test("has its mean and variance", () => {
    expect(Math.abs(mean(a) - centre)).toBeLessThan(5 * Math.sqrt(variance / count));
    const deviation = Math.sqrt((moment(a, centre, 4) - variance ** 2) / count);
    expect(Math.abs(moment(a, centre, 2) - variance)).toBeLessThan(5 * deviation + 1e-6 * variance);
  });

  test("is independent of other draws", () => {
    const { a: nextStep = [] } = draw(seed, 1);
    const { a: nextSeed = [] } = draw([2027, 0], 0);
    // The same with a seed apart in its high word.
    const { a: farSeed = [] } = draw([2026, 1], 0);
    const half = rolled.length / 2;
    const pairs: Readonly<Record<string, readonly [readonly number[], readonly number[]]>> = {
      "another place of the program": [a, b],
      "the next step": [a, nextStep],
      "the next seed": [a, nextSeed],
      "a far seed": [a, farSeed],
      "the next iteration": [rolled.slice(0, half), rolled.slice(half)],
      "the next row": [a.slice(0, -4), a.slice(4)],
    };
    for (const [what, [one, other]] of Object.entries(pairs)) {
      expect(one.length, what).toBe(other.length);
      expect(one, what).not.toEqual(other);
      expect(Math.abs(correlation(one, other)), what).toBeLessThan(5 / Math.sqrt(one.length));
    }
  });
});

describe("words", () => {
  const draw = drawer("metric a = random_bits([8192])\n  metric b = random_bits([8192])");
  const { a = [], b = [] } = draw(seed, 0);
  const { a: later = [] } = draw(seed, 1);
  const both = (p: readonly number[], q: readonly number[]) => p.map((word, k) => (word ^ (q[k] ?? 0)) >>> 0);
  test.each([
    ["have every byte as often", a],
    ["have every byte as often at the next step", later],
    ["differ from another stream's in every way as often", both(a, b)],
    ["differ from the next step's", both(a, later)],
    ["differ from their neighbours", both(a.slice(0, -1), a.slice(1))],
  ])("%s", (_, words) => {
    expect(new Set(words).size).toBeGreaterThan(0.999 * words.length);
    expect(Math.abs(chiSquare(bytesOf(words)))).toBeLessThan(5);
  });
});

test("every order of four is drawn as often", () => {
  const orders = drawer(`metric order = argsort(uniform([${count}, 4]))`)(seed, 0).order ?? [];
  const counts = new Map<string, number>();
  for (let k = 0; k < orders.length; k += 4) {
    const order = orders.slice(k, k + 4).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  expect(Math.abs(chiSquare([...counts.values()]))).toBeLessThan(5);
});

describe("words, masks and orders are the same", () => {
  const { entry, inputs } = drawing(exactDraws);
  const optimized = optimizeEntry(entry, true);
  test.each([0, 3])("on WebAssembly, step %i", async (step) => {
    const given = inputs([7, 1], step);
    const wanted = evaluateOutputs(entry.graph, given);
    for (const got of [evaluateOutputs(optimized, given), await runOnCpu(optimized, given)])
      for (const [k, { path }] of entry.graph.outputs.entries())
        expect(Array.from(got[k] ?? []), path).toEqual(Array.from(wanted[k] ?? []));
  });
});
