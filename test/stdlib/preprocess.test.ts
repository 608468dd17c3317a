/** Preparing data: fitted statistics, principal components and the distributions of what is drawn, in float64. */
import { describe, expect, test } from "vitest";
import { program } from "./rows.ts";
import { drawn, run } from "./run.ts";

/** Rows around (1, -2, 3) with variances of about 9, 1 and 1/9 along an orthonormal basis. */
const basis = [
  [2 / 3, 2 / 3, 1 / 3],
  [-2 / 3, 1 / 3, 2 / 3],
  [1 / 3, -2 / 3, 2 / 3],
];
const cloud = Array.from({ length: 40 }, (_, n) => {
  const along = [3 * Math.sin(1.7 * n), Math.cos(2.3 * n), Math.sin(3.1 * n + 1) / 3];
  return [1, -2, 3].map((centre, d) => centre + along.reduce((sum, a, k) => sum + a * (basis[k]?.[d] ?? 0), 0));
});
const x = cloud.flat();
const rowsOf = (values: readonly number[] = [], width: number) =>
  Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width));
const dot = (a: readonly number[] = [], b: readonly number[] = []) =>
  a.reduce((sum, value, k) => sum + value * (b[k] ?? Number.NaN), 0);
const column = (rows: readonly (readonly number[])[], k: number) => rows.map((row) => row[k] ?? Number.NaN);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const moment = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, k) => sum + (value - mean(a)) * ((b[k] ?? Number.NaN) - mean(b)), 0) / (a.length - 1);

describe("pca", () => {
  const fitted = (k: number, then: string) =>
    run(
      program(
        "export fn fit(x: f32[40, 3]) {",
        `  let (centre: centre, components: components, variance: variance) = pca(x, ${k})`,
        `  ${then}`,
        "}",
      ),
      { x },
    );

  test("components are eigenvectors of the covariance, the variances their eigenvalues, the greatest first", () => {
    const {
      centre = [],
      components,
      variance = [],
    } = fitted(3, "(centre: centre, components: components, variance: variance)");
    const c = [0, 1, 2].map((i) => [0, 1, 2].map((j) => moment(column(cloud, i), column(cloud, j))));
    const found = rowsOf(components, 3);
    found.forEach((direction, k) => {
      c.forEach(
        (row, i) => void expect(dot(row, direction)).toBeCloseTo((variance[k] ?? Number.NaN) * (direction[i] ?? 0), 9),
      );
      found.forEach((other, j) => void expect(dot(direction, other)).toBeCloseTo(j === k ? 1 : 0, 12));
      expect(Math.max(...direction)).toBe(Math.max(...direction.map(Math.abs)));
    });
    expect(variance).toEqual([...variance].sort((a, b) => b - a));
    expect(variance.reduce((sum, value) => sum + value, 0)).toBeCloseTo(
      dot(
        [0, 1, 2].map((i) => c[i]?.[i] ?? 0),
        [1, 1, 1],
      ),
      9,
    );
    centre.forEach((value, d) => void expect(value).toBeCloseTo(mean(column(cloud, d)), 12));
  });

  test("what is left out of a plane is the variance of the last direction", () => {
    const { output } = fitted(2, "pca_reconstruct(pca_project(x, centre, components), centre, components)");
    const { variance = [] } = fitted(3, "(variance: variance, nothing: centre)");
    const apart = x.reduce((sum, value, k) => sum + (value - (output?.[k] ?? Number.NaN)) ** 2, 0) / 39;
    expect(apart).toBeCloseTo(variance[2] ?? Number.NaN, 9);
  });

  test.each(["whiten", "zca_whiten"])("%s leaves variance 1 and no correlation", (name) => {
    const white = rowsOf(fitted(3, `${name}(x, centre, components, variance, eps: 0.0)`).output, 3);
    for (let i = 0; i < 3; i++)
      for (let j = 0; j < 3; j++) expect(moment(column(white, i), column(white, j))).toBeCloseTo(i === j ? 1 : 0, 8);
  });

  test("of data that fills a plane has a third direction without variance", () => {
    const flat = cloud.flatMap(([a = 0, b = 0]) => [a, b, a + b]);
    const text = program("export fn fit(x: f32[40, 3]) = pca(x, 3)");
    const { components, variance = [] } = run(text, { x: flat });
    expect(variance[2]).toBeCloseTo(0, 12);
    const third = rowsOf(components, 3)[2];
    expect(Math.abs(dot(third, [1, 1, -1]) / Math.sqrt(3))).toBeCloseTo(1, 9);
  });
});

describe("scaling", () => {
  test("standardise and min_max of channels", () => {
    const values = [1, 2, 3, 4, 10, 10, 10, 10, 5, 6, 7, 8, 10, 10, 10, 10];
    const of = (name: string) => run(program(`export fn f(x: f32[2, 2, 4]) = ${name}(x)`), { x: values }).output ?? [];
    const std = Math.sqrt((1 + 9 + 25 + 49) / 4 / 4);
    of("standardise").forEach(
      (value, k) => void expect(value).toBeCloseTo(values[k] === 10 ? 0 : ((values[k] ?? 0) - 4.5) / std, 12),
    );
    of("min_max").forEach(
      (value, k) => void expect(value).toBeCloseTo(values[k] === 10 ? 0 : ((values[k] ?? 0) - 1) / 7, 12),
    );
  });

  test("standard_scaler has the statistics of all batches after the last one", () => {
    const text = program(
      "model M(x: f32[N, 3]) = x |> standard_scaler",
      "train t()(x: f32[10, 3]) {\n  metric largest = max(M(x))\n}",
    );
    let state: Record<string, readonly number[]> = {};
    for (let batch = 0; batch < 4; batch++)
      state = { ...state, ...run(text, { ...state, x: x.slice(batch * 30, batch * 30 + 30) }) };
    const [centre = [], variance = []] = ["centre", "variance"].map((name) => state[`M.standard_scaler_1.${name}`]);
    expect(state["M.standard_scaler_1.count"]).toEqual([40]);
    for (let d = 0; d < 3; d++) {
      expect(centre[d]).toBeCloseTo(mean(column(cloud, d)), 10);
      expect(variance[d]).toBeCloseTo((moment(column(cloud, d), column(cloud, d)) * 39) / 40, 10);
    }
  });

  test("one_hot", () => {
    const text = program("export fn f(label: i32[2, 2]) = one_hot(label, 3)");
    expect(run(text, { label: [2, 0, 1, 1] }).output).toEqual([0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0]);
  });
});

describe("symmetric_beta", () => {
  // The mean is 1/2, the variance 1/(4(2a+1)), the fourth central moment 3/(16(2a+1)(2a+3)); bounds are five standard errors.
  test.each([0.1, 0.2, 0.5, 1, 2, 8])("alpha %d has the moments of the Beta distribution", (a) => {
    const count = 20_000;
    const draws = drawn(`symmetric_beta([${count}], ${a.toFixed(1)})`);
    const variance = 1 / (4 * (2 * a + 1));
    const fourth = 3 / (16 * (2 * a + 1) * (2 * a + 3));
    const central = (power: number) => mean(draws.map((value) => (value - 0.5) ** power));
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThanOrEqual(1);
    expect(Math.abs(central(1))).toBeLessThan(5 * Math.sqrt(variance / count));
    expect(Math.abs(central(2) - variance)).toBeLessThan(5 * Math.sqrt((fourth - variance ** 2) / count));
    expect(Math.abs(central(4) - fourth)).toBeLessThan(5 * Math.sqrt(1 / 256 / count));
    if (a !== 1) return;
    // Beta(1, 1) is uniform.
    for (const share of [0.1, 0.3, 0.7, 0.9])
      expect(Math.abs(draws.filter((value) => value < share).length / count - share)).toBeLessThan(0.02);
  });
});

test("mixup mixes inputs and targets by the same shares, with partners that are a permutation", () => {
  const text = program("export fn f(x: f32[50], target: f32[50, 50]) = mixup(x, target, alpha: 1.0)");
  const identity = Array.from({ length: 2500 }, (_, k) => (k % 51 === 0 ? 1 : 0));
  const values = Array.from({ length: 50 }, (_, k) => k);
  const { x: mixed = [], target } = run(text, { x: values, target: identity });
  const shares = rowsOf(target, 50);
  shares.forEach((share, n) => {
    expect(dot(share, values)).toBeCloseTo(mixed[n] ?? Number.NaN, 10);
    expect(mean(share) * 50).toBeCloseTo(1, 12);
    expect(share.filter((value) => value > 0).length).toBeLessThanOrEqual(2);
  });
  const partners = shares.map((share, n) => share.findIndex((value, k) => k !== n && value > 0));
  expect(new Set(partners.filter((k) => k >= 0)).size).toBe(partners.filter((k) => k >= 0).length);
});

describe("augmentations", () => {
  const image = Array.from({ length: 2 * 3 * 6 * 6 }, (_, k) => 0.1 + ((k * 37) % 100) / 125);
  const of = (expression: string) =>
    run(program(`export fn f(x: f32[2, 3, 6, 6]) = ${expression}`), { x: image }).output ?? [];

  test.each(["random_affine(x)", "color_jitter(x)"])("%s without ranges changes nothing", (expression) => {
    of(expression).forEach((value, k) => void expect(value).toBeCloseTo(image[k] ?? Number.NaN, 12));
  });

  test("random_affine reads rows and columns from a turned, scaled and moved place", () => {
    // One channel holds its row, one its column, which mixing of neighbours gives back exactly: the result is the map.
    const places = Array.from({ length: 2 * 81 }, (_, k) => (k < 81 ? Math.floor(k / 9) : k % 9));
    const text = program("export fn f(x: f32[1, 2, 9, 9]) = random_affine(x, degrees: 30, translate: 0.1, scale: 0.2)");
    const got = run(text, { x: places }).output ?? [];
    const row = (i: number, j: number) => got[i * 9 + j] ?? Number.NaN;
    const column = (i: number, j: number) => got[81 + i * 9 + j] ?? Number.NaN;
    const along = [row(5, 4) - row(4, 4), column(5, 4) - column(4, 4)] as const;
    const across = [row(4, 5) - row(4, 4), column(4, 5) - column(4, 4)] as const;
    // A rotation times 1 / factor.
    expect(across[1]).toBeCloseTo(along[0], 12);
    expect(across[0]).toBeCloseTo(-along[1], 12);
    const factor = 1 / Math.hypot(...along);
    expect(Math.abs(factor - 1)).toBeLessThan(0.2);
    const angle = (Math.atan2(along[1], along[0]) * 180) / Math.PI;
    expect(Math.abs(angle)).toBeLessThan(30);
    expect(Math.abs(angle)).toBeGreaterThan(0.01);
    // The middle comes from up to a tenth of nine pixels away in each direction, before turning and scaling.
    const moved = factor * Math.hypot(row(4, 4) - 4, column(4, 4) - 4);
    expect(moved).toBeGreaterThan(0);
    expect(moved).toBeLessThan(0.9 * Math.SQRT2);
    expect(row(3, 3) + row(5, 5)).toBeCloseTo(2 * row(4, 4), 12);
  });

  test("cutout clears one square in all channels", () => {
    const cut = of("cutout(x, 3)");
    for (let n = 0; n < 2; n++) {
      const cleared = Array.from({ length: 36 }, (_, at) => at).filter((at) => cut[n * 108 + at] === 0);
      const [rows, columns] = [new Set(cleared.map((at) => Math.floor(at / 6))), new Set(cleared.map((at) => at % 6))];
      expect(cleared.length).toBe(rows.size * columns.size);
      expect(Math.max(rows.size, columns.size)).toBeLessThanOrEqual(3);
      expect(Math.min(rows.size, columns.size)).toBeGreaterThanOrEqual(2);
      for (let c = 0; c < 3; c++)
        for (let at = 0; at < 36; at++) {
          const k = n * 108 + c * 36 + at;
          expect(cut[k]).toBe(cleared.includes(at) ? 0 : image[k]);
        }
    }
  });

  test("color_jitter of the brightness alone is a factor for each image", () => {
    const lit = of("color_jitter(x, brightness: 0.1)");
    for (const n of [0, 1]) {
      const factor = (lit[n * 108] ?? Number.NaN) / (image[n * 108] ?? Number.NaN);
      expect(Math.abs(factor - 1)).toBeLessThanOrEqual(0.1);
      for (let k = n * 108; k < n * 108 + 108; k++)
        expect(lit[k]).toBeCloseTo(Math.min(1, factor * (image[k] ?? 0)), 12);
    }
  });
});
