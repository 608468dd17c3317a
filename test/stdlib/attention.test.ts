/** What PyTorch 1.13 leaves open: rows that see nothing, and positions. */
import { describe, expect, test } from "vitest";
import { waved } from "./run.ts";

describe("a query that sees no key", () => {
  const block = (expression: string) => `export fn of(q: f32[2, 3], k: f32[4, 3], v: f32[4, 2]) {
  let seen[i < 2, j < 4] = i > 0 and j != 1
  let attend = (q, k, v) => ${expression}
  let y = attend(q, k, v)
  (y, grad(q => sum(y * attend(q, k, v)))(q), grad(k => sum(y * attend(q, k, v)))(k), grad(v => sum(cos(attend(q, k, v))))(v))
}`;

  test("gets 0, and passes no gradient", () => {
    const [y = [], dq = [], dk = [], dv = []] = waved(block("scaled_dot_product_attention(q, k, v, mask: seen)"));
    expect(y.slice(0, 2)).toEqual([0, 0]);
    expect(dq.slice(0, 3)).toEqual([0, 0, 0]);
    // The other query's are what they are without the first, and the key that it does not see has none.
    const alone = "scaled_dot_product_attention(q[1:, :], k, v, mask: seen[1:, :])";
    const [y1 = [], dq1 = [], dk1 = [], dv1 = []] = waved(block(alone));
    const near = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 12));
    expect(y.slice(2)).toEqual(near(y1));
    expect(dq.slice(3)).toEqual(near(dq1.slice(3)));
    expect(dk).toEqual(near(dk1));
    expect(dv).toEqual(near(dv1));
    expect([...dq.slice(3), ...dk.slice(0, 3)].every((value) => value !== 0)).toBe(true);
    expect(dk.slice(3, 6)).toEqual([0, 0, 0]);
  });
});

test("sinusoidal_positions", () => {
  const [got = []] = waved("export fn of() = sinusoidal_positions(3, 5, base: 100.0)");
  const wanted = [0, 1, 2].flatMap((t) =>
    [0, 1, 2, 3, 4].map((d) => {
      const angle = t / 100 ** ((d - (d % 2)) / 5);
      return d % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    }),
  );
  expect(got).toEqual(wanted.map((value) => expect.closeTo(value, 12)));
});

test("products of rotated queries and keys depend on their distance alone", () => {
  const [products = [], first = [], turned = []] = waved(`export fn of(q: f32[4], k: f32[4]) {
  let (a, b) = (rotary(fill([6, 4], 1.0) * q[_, :]), rotary(fill([6, 4], 1.0) * k[_, :]))
  let product[i, j] = sum[e] a[i, e] * b[j, e]
  (product, a[0, :] - q, a[1, :] - q)
}`);
  for (let i = 1; i < 6; i++)
    for (let j = 1; j < 6; j++)
      expect(products[6 * i + j]).toBeCloseTo(products[6 * (i - 1) + j - 1] ?? Number.NaN, 12);
  expect(first).toEqual([0, 0, 0, 0]);
  expect(Math.max(...turned.map(Math.abs))).toBeGreaterThan(0.1);
});
