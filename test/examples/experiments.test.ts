import { expect, test } from "vitest";
import { compressed } from "../../examples/compress/run.ts";
import { fits } from "../../examples/overfitting/run.ts";
import { curves, last, verdict } from "../../examples/rates/run.ts";

test("rates: low ones hardly move, good ones fall, high ones end in no number", async () => {
  const [low, right, high] = await curves([1e-5, 0.1, 1e6], 60);
  if (!low || !right || !high) throw new Error("no curves");
  expect(verdict(low)).toBe("flat: too low");
  expect(last(right)).toBeLessThan(0.5 * last(low));
  expect(verdict(high)).toMatch(/^no number from step \d+ on/);
});

test("overfitting: a penalty raises the loss, and shrinks what fitting by heart costs", async () => {
  const [nothing, dropped, decayed] = await fits(100, 20, 200);
  expect(decayed?.first).toBeGreaterThan((nothing?.first ?? Number.NaN) + 1);
  expect(nothing?.trained.accuracy).toBe(1);
  expect(nothing?.held.fit).toBeGreaterThan(10 * (nothing?.trained.fit ?? Number.NaN));
  expect(dropped?.first).not.toBe(nothing?.first);
});

test("compress: a tenth of the weights or half of the channels, trained on, and a quarter of the bytes in eight bits", async () => {
  const variants = await compressed(150, 500);
  const [all, all8, sparse, sparse8, thin, thin8] = variants;
  const biases = 6 + 16 + 120 + 84 + 10;
  const weights = 61_706 - biases;
  expect(all?.bytes).toBe(4 * 61_706);
  expect(all8?.bytes).toBe(weights + 4 * biases + 4 * biases);
  // Biases start from 0 and move with the first step.
  expect(sparse?.weights).toBe(weights - Math.round(0.9 * weights) + biases);
  expect(sparse?.gzipped).toBeLessThan(0.25 * (all?.gzipped ?? 0));
  const [first, second, third, fourth] = [3, 8, 60, 42];
  const few = 25 * first + 25 * first * second + 25 * second * third + third * fourth + 10 * fourth;
  expect(thin?.weights).toBe(few + first + second + third + fourth + 10);
  for (const [float, quantised] of [
    [all, all8],
    [sparse, sparse8],
    [thin, thin8],
  ]) {
    expect(quantised?.bytes).toBeLessThan(0.31 * (float?.bytes ?? 0));
    expect(quantised?.weights).toBeLessThanOrEqual(float?.weights ?? 0);
    expect(Math.abs((quantised?.accuracy ?? 0) - (float?.accuracy ?? 1))).toBeLessThan(0.02);
  }
  for (const { before, accuracy } of variants) if (before !== undefined) expect(accuracy).toBeGreaterThan(before);
});
