/**
 * Winograd's minimal filtering: m x m results of a 3x3 window from (m + 2)^2 products instead of 9 m^2. After Lavin and
 * Gray, "Fast Algorithms for Convolutional Neural Networks" (2016): Y = A' [(G g G') * (B' d B)] A, with the points 0, 1, -1,
 * infinity for F(2x2, 3x3), and 2, -2 besides for F(4x4, 3x3).
 */
import type { KernelBuilder } from "../../kernel/build.ts";
import { add, constant, mul, sub } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";

export type TileSize = 2 | 4;

/**
 * How far a result may be off, of the largest one. Measured on random data: with 8 to 512 channels at most 1e-6 and 1.2e-5
 * (root mean square 8e-7 and 4e-6; sums as they are written 3e-6 and 1.3e-6), gradients of weights over 32 images 9.4e-6
 * (4.4e-6; 3.3e-7 and 3e-7), for which the bound of size 4 holds.
 */
export const winogradTolerance: Readonly<Record<TileSize, number>> = { 2: 4e-6, 4: 3e-5 };

/** One dimension of the three transforms: each takes and gives a line of vectors. */
export interface Transform {
  /** Results a side. */
  readonly size: TileSize;
  /** Points a side: `size + 2`. */
  readonly points: number;
  readonly input: Line;
  readonly weights: Line;
  readonly output: Line;
}
export type Line = (kernel: KernelBuilder, line: readonly Expression[]) => Expression[];

/** The arithmetic of one line, every step named. */
function arithmetic(kernel: KernelBuilder) {
  const name = (value: Expression): Expression => kernel.letIn("t", value);
  return {
    plus: (a: Expression, b: Expression) => name(add(a, b)),
    minus: (a: Expression, b: Expression) => name(sub(a, b)),
    times: (a: Expression, factor: number) => name(mul(a, constant("f32", factor, 4))),
    /** `a * factor + b`, which the relaxed module fuses. */
    into: (a: Expression, factor: number, b: Expression) => name(add(mul(a, constant("f32", factor, 4)), b)),
  };
}
const all = (line: readonly Expression[]) => line as readonly [Expression, Expression, Expression, ...Expression[]];

const two: Transform = {
  size: 2,
  points: 4,
  input(kernel, line) {
    const { plus, minus } = arithmetic(kernel);
    const [a, b, c, d] = line as [Expression, Expression, Expression, Expression];
    return [minus(a, c), plus(b, c), minus(c, b), minus(b, d)];
  },
  weights(kernel, line) {
    const { plus, minus, times } = arithmetic(kernel);
    const [a, b, c] = all(line);
    const ends = plus(a, c);
    return [a, times(plus(ends, b), 1 / 2), times(minus(ends, b), 1 / 2), c];
  },
  output(kernel, line) {
    const { plus, minus } = arithmetic(kernel);
    const [a, b, c, d] = line as [Expression, Expression, Expression, Expression];
    return [plus(plus(a, b), c), minus(minus(b, c), d)];
  },
};

type Six = [Expression, Expression, Expression, Expression, Expression, Expression];
const four: Transform = {
  size: 4,
  points: 6,
  input(kernel, line) {
    const { plus, minus, times, into } = arithmetic(kernel);
    const [a, b, c, d, e, f] = line as Six;
    const [even, odd] = [into(c, -4, e), into(b, -4, d)];
    const wide = minus(e, c);
    const slope = minus(d, b);
    const twice = times(slope, 2);
    return [
      into(minus(a, c), 4, wide),
      plus(even, odd),
      minus(even, odd),
      plus(wide, twice),
      minus(wide, twice),
      into(slope, -4, minus(f, d)),
    ];
  },
  weights(kernel, line) {
    const { plus, minus, times, into } = arithmetic(kernel);
    const [a, b, c] = all(line);
    const ends = plus(a, c);
    const far = into(c, 1 / 6, times(a, 1 / 24));
    return [
      times(a, 1 / 4),
      times(plus(ends, b), -1 / 6),
      times(minus(b, ends), 1 / 6),
      into(b, 1 / 12, far),
      into(b, -1 / 12, far),
      c,
    ];
  },
  output(kernel, line) {
    const { plus, minus, into } = arithmetic(kernel);
    const [a, b, c, d, e, f] = line as Six;
    const [near, nearOdd] = [plus(b, c), minus(b, c)];
    const [far, farOdd] = [plus(d, e), minus(d, e)];
    return [plus(plus(a, near), far), into(farOdd, 2, nearOdd), into(far, 4, near), plus(into(farOdd, 8, nearOdd), f)];
  },
};

/**
 * F(3x3, 4x4): a window of 4x4, cut out of an adjoint, slides over data to nine places. The points are those of F(4x4, 3x3),
 * and so is the data's transform.
 */
export const adjointWindow: Line = (kernel, line) => {
  const { plus, minus, times, into } = arithmetic(kernel);
  const [a, b, c, d] = line as [Expression, Expression, Expression, Expression];
  const [even, odd] = [plus(a, c), plus(b, d)];
  const [farEven, farOdd] = [into(c, 1 / 6, times(a, 1 / 24)), into(d, 1 / 3, times(b, 1 / 12))];
  return [
    times(a, 1 / 4),
    times(plus(even, odd), -1 / 6),
    times(minus(odd, even), 1 / 6),
    plus(farEven, farOdd),
    minus(farEven, farOdd),
    d,
  ];
};
export const ninePlaces: Line = (kernel, line) => {
  const { plus, minus, into } = arithmetic(kernel);
  const [a, b, c, d, e, f] = line as Six;
  const [near, far] = [plus(b, c), plus(d, e)];
  return [plus(plus(a, near), far), into(minus(d, e), 2, minus(b, c)), plus(into(far, 4, near), f)];
};

export const transforms: Readonly<Record<TileSize, Transform>> = { 2: two, 4: four };

/** A transform down the columns, then along the rows: `lines[i][j]` is row i. */
export function bothWays(
  kernel: KernelBuilder,
  line: Line,
  lines: readonly (readonly Expression[])[],
): readonly (readonly Expression[])[] {
  const columns = lines[0]!.map((_, j) =>
    line(
      kernel,
      lines.map((row) => row[j]!),
    ),
  );
  return columns[0]!.map((_, i) =>
    line(
      kernel,
      columns.map((column) => column[i]!),
    ),
  );
}
