/** When a knob is scaled: the learning rates that torch 1.13's ReduceLROnPlateau(threshold=1e-4) gives for the same values. */
import { expect, test } from "vitest";
import { Plateau, type PlateauOptions } from "../../runtime/node/plateau.ts";

const usual: PlateauOptions = {
  knob: "rate",
  start: 1,
  metric: "loss",
  mode: "min",
  factor: 0.5,
  patience: 1,
  lowest: 0,
};
const rows: readonly [options: Partial<PlateauOptions>, values: readonly number[], rates: readonly number[]][] = [
  [{}, [3, 2, 2, 2, 1.99995, 1, 1, 1, 1, 1, 1], [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]],
  [{ mode: "max", factor: 0.1, patience: 0 }, [0.5, 0.6, 0.6, 0.7, 0.7, 0.7], [1, 1, 0.1, 0.1, 0.01, 0.001]],
  [{ patience: 0, lowest: 0.2 }, [1, 1, 1, 1, 1, 1], [1, 0.5, 0.25, 0.2, 0.2, 0.2]],
  [{}, [2, Number.NaN, Number.NaN, 1, 1], [1, 1, 0.5, 0.5, 0.5]],
];

test.each(rows)("%j: %j", (options, values, rates) => {
  let plateau = new Plateau({ ...usual, ...options });
  for (const [k, loss] of values.entries()) {
    const before = plateau.knobs.rate;
    expect(plateau.see({ loss })).toBe(plateau.knobs.rate !== before);
    expect(plateau.knobs.rate).toBeCloseTo(rates[k]!, 12);
    // What a checkpoint holds is all there is to know.
    const saved = plateau.save();
    plateau = new Plateau({ ...usual, ...options });
    plateau.load(saved);
  }
});

test("a rate below the lowest stays, and infinities are never the best", () => {
  const plateau = new Plateau({ ...usual, start: 0.1, lowest: 0.2, patience: 0 });
  expect([1, 1, 1].map((loss) => plateau.see({ loss }))).toEqual([false, false, false]);
  expect(plateau.knobs).toEqual({ rate: 0.1 });
  const other = new Plateau({ ...usual, patience: 0 });
  expect([Infinity, 5, 6].map((loss) => other.see({ loss }))).toEqual([true, false, true]);
});
