/** Pruning and quantisation against what they promise, in float64. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { program } from "./rows.ts";
import { run } from "./run.ts";

const w = [0.5, -0.1, 0.9, 0.02, -0.7, 0.3, -0.04, 0.2, 0.6, -0.8, 0.05, 1];
const v = [3, -2, 0.01, 4];
const pruned = (amount: string, scope: string) =>
  Object.values(
    run(
      program(
        `export fn f(w: f32[3, 4], b: f32[2], v: f32[2, 2]) = prune_mask((w, b, v), ${amount}, scope: "${scope}")`,
      ),
      { w, v, b: [0, 1e-9] },
    ),
  );
const without = (values: readonly number[], count: number) => {
  const order = values.map((value, k) => [Math.abs(value), k] as const).sort(([a], [b]) => a - b);
  const gone = order.slice(0, count).map(([, k]) => k);
  return values.map((_, k) => (gone.includes(k) ? 0 : 1));
};

describe("prune_mask", () => {
  test.each([0, 0.25, 0.5, 0.75, 1])("amount %d of all weights, none of a bias", (amount) => {
    const mask = without([...w, ...v], Math.round(16 * amount));
    expect(pruned(amount.toFixed(2), "global")).toEqual([mask.slice(0, 12), [1, 1], mask.slice(12)]);
  });
  test("of each tensor alone", () => {
    expect(pruned("0.25", "tensor")).toEqual([without(w, 3), [1, 1], without(v, 1)]);
  });
  test("what is pruned stays pruned through an optimizer with momentum and decay", () => {
    const text = program(
      "model M(x: f32[N, 4]) -> f32[N, 3] = x |> dense(3)",
      "train t()(x: f32[2, 4]) {",
      "  let mask = nonzero_mask(M.params)",
      "  minimize loss = sum(M(x)^2) over M.params using momentum(lr: 0.1, weight_decay: 0.1)",
      "  M.params := apply_mask(M.params, mask)",
      "  metric sparsity = sparsity(M.params)",
      "}",
    );
    const weight = w.map((value, k) => (k % 3 === 0 ? 0 : value));
    const given = { x: v.concat(v), "M.dense_1.weight": weight, "M.dense_1.bias": [0, 0, 0] };
    const moving = { "t.loss.M.dense_1.weight.v": w, "t.loss.M.dense_1.bias.v": [1, 1, 1] };
    const after = run(text, { ...given, ...moving });
    expect(after["M.dense_1.weight"]?.map((value) => value === 0)).toEqual(weight.map((value) => value === 0));
    expect(after["M.dense_1.bias"]).not.toContain(0);
    expect(after.sparsity?.[0]).toBeCloseTo(1 / 3, 12);
  });
});

test("channel_mask takes whole channels of least norm", () => {
  const norms = [4, 1, 3, 2, 5];
  const weight = norms.flatMap((norm) => [norm * 0.6, 0, -norm * 0.8]);
  for (const [amount, kept] of [
    ["0.0", [4, 1, 3, 2, 5]],
    ["0.4", [4, 3, 5]],
    ["1.0", []],
  ] as const) {
    const mask = run(program(`export fn f(w: f32[5, 3]) = channel_mask(w, ${amount})`), { w: weight }).output;
    expect(mask).toEqual(norms.flatMap((norm) => new Array(3).fill(kept.some((one) => one === norm) ? 1 : 0)));
  }
});

describe("quantise_per_channel", () => {
  test.each([2, 4, 8])("%i bits: every channel on its own grid, its greatest value unchanged", (bits) => {
    const most = 2 ** (bits - 1) - 1;
    const text = program(`export fn f(w: f32[3, 5]) = quantise_per_channel(w, bits: ${bits})`);
    fc.assert(
      fc.property(fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 15, maxLength: 15 }), (given) => {
        const q = run(text, { w: given }).output ?? [];
        for (let f = 0; f < 3; f++) {
          const [row, stored] = [given.slice(5 * f, 5 * f + 5), q.slice(5 * f, 5 * f + 5)];
          const size = Math.max(...row.map(Math.abs));
          const scale = size / most;
          for (const [k, value] of stored.entries()) {
            expect(Math.abs(value - (row[k] ?? Number.NaN))).toBeLessThanOrEqual(scale / 2 + 1e-12);
            if (scale > 1e-300) expect(Math.abs(value / scale - Math.round(value / scale))).toBeLessThan(1e-9);
          }
          expect(Math.max(...stored.map(Math.abs))).toBeCloseTo(size, 12);
        }
      }),
      { numRuns: 50 },
    );
  });
  test("a channel of zeros stays, and the gradient goes straight through", () => {
    const zero = run(program("export fn f(w: f32[2, 2]) = quantise_per_channel(w)"), { w: [0, 0, 1, 0.1] }).output;
    expect(zero).toEqual([0, 0, 1, expect.closeTo(13 / 127, 12)]);
    const text = program("export fn f(w: f32[2, 2], c: f32[2, 2]) = grad(w => sum(c * quantise_per_channel(w)))(w)");
    expect(run(text, { w: [1, 2, 3, 4], c: [5, 6, 7, 8] }).output).toEqual([5, 6, 7, 8]);
  });
});
