/** Mean and centred sum of squares in one pass over the values are as exact as in two, whatever the values. */
import { describe, expect, test } from "vitest";
import { readGraph } from "../../compiler/graph/read.ts";
import { interpretOnCpu, runOnCpu } from "../support/run-cpu.ts";

type Values = (k: number, count: number) => number;
/** Between -1 and 1, without a pattern. */
const noise = (k: number): number => {
  const x = Math.sin(k * 12.9898 + 4.1) * 43758.5453;
  return 2 * (x - Math.floor(x)) - 1;
};
const values: Readonly<Record<string, Values>> = {
  "around 0": noise,
  "far from 0": (k) => 1e4 + noise(k),
  "far below 0": (k) => -3e5 + 8 * noise(k),
  constant: () => 0.1,
  // The origin is far from the mean here: the worst that can be, and a digit worse.
  "first values unlike the others": (k, count) => (k < count / 40 ? 50 : 0) + noise(k),
  "one value unlike the others": (k) => (k === 0 ? 1000 : 0) + noise(k),
  "slowly growing": (k, count) => 100 * (k / count) + 0.01 * noise(k),
};

interface Domain {
  readonly rows: number;
  readonly count: number;
  readonly node: string;
  /** Where value k of a row lies. */
  readonly at: (row: number, k: number) => number;
}
const inOrder = (rows: number, count: number): Domain => ({
  rows,
  count,
  node: `moments[i<${rows} | j<${count}] %x[${count}*i + j]`,
  at: (row, k) => row * count + k,
});
const domains: Readonly<Record<string, Domain>> = {
  "5 rows of 4099": inOrder(5, 4099),
  "2 rows of 8192": inOrder(2, 8192),
  "33 rows of 3": inOrder(33, 3),
  "9 columns of 701": {
    rows: 9,
    count: 701,
    node: "moments[i<9 | j<701] %x[9*j + i]",
    at: (row, k) => 9 * k + row,
  },
  "3 channels of 6 images": {
    rows: 3,
    count: 462,
    node: "moments[c<3 | n<6, i<11, j<7] %x[231*n + 77*c + 7*i + j]",
    at: (row, k) => 231 * Math.floor(k / 77) + 77 * row + (k % 77),
  },
};

/** In float64, of the values as float32 has them. */
function exactly(x: readonly number[]): { readonly mean: number; readonly squares: number } {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  return { mean, squares: x.reduce((sum, value) => sum + (value - mean) ** 2, 0) };
}

describe.each(Object.entries(domains))("%s", (_, { rows, count, node, at }) => {
  const graph = readGraph(`input %x: f32[${rows * count}] argument x
    %m, %q: f32[${rows}], f32[${rows}] = ${node}
    output %m result m
    output %q result q`);

  test.each(Object.entries(values))("%s", (name, value) => {
    const worse = name.startsWith("first") ? 10 : 1;
    const lists = Array.from({ length: rows }, (_, row) =>
      Array.from({ length: count }, (_, k) => Math.fround(value(k + (row % 2), count))),
    );
    const x = lists.flat();
    for (const [row, list] of lists.entries()) for (const [k, one] of list.entries()) x[at(row, k)] = one;
    const [means, squares] = runOnCpu(graph, [x]);
    for (let row = 0; row < rows; row++) {
      const want = exactly(lists[row]!);
      const size = Math.abs(want.mean) + Math.sqrt(want.squares / count);
      expect(Math.abs(means![row]! - want.mean)).toBeLessThanOrEqual(worse * 3e-7 * size);
      // A mean is known to half a unit in its last place: what remains of that, squared, is all that may be left over.
      const unit = count * (6e-8 * want.mean) ** 2;
      expect(Math.abs(squares![row]! - want.squares)).toBeLessThanOrEqual(worse * 3e-6 * want.squares + unit);
      expect(squares![row]!).toBeGreaterThanOrEqual(0);
    }
  });

  test("stays in its buffers", () => {
    const x = Array.from({ length: rows * count }, (_, k) => Math.fround(noise(k)));
    const want = exactly(Array.from({ length: count }, (_, k) => x[at(0, k)]!));
    expect(interpretOnCpu(graph, [x])[1]![0]).toBeCloseTo(want.squares, 2);
  });
});
