import { expect, test } from "vitest";
import { byActivation, byVariance, fromZeros } from "../../examples/signal/run.ts";

test("signals vanish, stay or explode as the theory of relu says", async () => {
  const depth = 5;
  const signals = await byVariance(depth);
  const [one, two, three] = signals.map(({ activations }) => (activations.at(-1) ?? 0) / (activations[0] ?? 0));
  // Relu halves the mean square, weights multiply it by c; a hundred units leave some chance.
  for (const [got, c] of [
    [one, 1],
    [two, 2],
    [three, 3],
  ] as const) {
    const wanted = (c / 2) ** ((depth - 1) / 2);
    expect((got ?? 0) / wanted).toBeGreaterThan(0.6);
    expect((got ?? 0) / wanted).toBeLessThan(1.7);
  }
  const normalised = signals.slice(3).map(({ activations }) => (activations.at(-1) ?? 0) / (activations[0] ?? 0));
  for (const ratio of normalised) expect(Math.abs(Math.log(ratio))).toBeLessThan(0.3);
});

test("sigmoids shrink gradients at least fourfold a layer", async () => {
  const [relu, , sigmoid] = await byActivation(5);
  const share = (gradients: readonly number[] = []) => (gradients[0] ?? 0) / (gradients.at(-1) ?? 0);
  expect(share(relu?.gradients)).toBeGreaterThan(0.1);
  expect(share(sigmoid?.gradients)).toBeLessThan(4 ** -4);
});

test("zeros stay zeros", async () => {
  const [usual, zeros] = await fromZeros(40, 200);
  expect(zeros?.loss).toBeCloseTo(Math.log(10), 1);
  expect(usual?.loss).toBeLessThan(zeros?.loss ?? 0);
});
