import { expect, test } from "vitest";
import { fits } from "../../examples/overfitting/run.ts";
import { curves, last, verdict } from "../../examples/rates/run.ts";

test("rates: low ones hardly move, good ones fall, high ones end in no number", { timeout: 120_000 }, async () => {
  const [low, right, high] = await curves([1e-5, 0.1, 1e6], 60);
  if (!low || !right || !high) throw new Error("no curves");
  expect(verdict(low)).toBe("flat: too low");
  expect(last(right)).toBeLessThan(0.5 * last(low));
  expect(verdict(high)).toMatch(/^no number from step \d+ on/);
});

test("overfitting: a penalty raises the loss, and shrinks what fitting by heart costs", {
  timeout: 120_000,
}, async () => {
  const [nothing, dropped, decayed] = await fits(100, 20, 200);
  expect(decayed?.first).toBeGreaterThan((nothing?.first ?? Number.NaN) + 1);
  expect(nothing?.trained.accuracy).toBe(1);
  expect(nothing?.held.fit).toBeGreaterThan(10 * (nothing?.trained.fit ?? Number.NaN));
  expect(dropped?.first).not.toBe(nothing?.first);
});
