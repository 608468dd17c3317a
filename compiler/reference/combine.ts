/** The combiners over float64: each starts from nothing, takes one value after the other, and gives its results. */
import type { Combiner } from "../graph/graph.ts";
import type { ScalarType } from "../types/dtype.ts";

export interface Accumulator {
  start(): void;
  take(value: number): void;
  /** Valid until the next `start`. */
  readonly results: readonly (() => number)[];
}

/** As PyTorch orders: a NaN is greater (and smaller) than anything, and the first one stays. */
function extremum(beats: (value: number, best: number) => boolean, withPosition: boolean): Accumulator {
  let best = 0;
  let position = 0;
  let count = 0;
  const results = [() => best];
  if (withPosition) results.push(() => position);
  return {
    start() {
      count = 0;
    },
    take(value) {
      const first = count === 0;
      if (first || (!Number.isNaN(best) && (Number.isNaN(value) || beats(value, best)))) {
        best = value;
        position = count;
      }
      count++;
    },
    results,
  };
}

function fold(identity: number, combine: (accumulated: number, value: number) => number): Accumulator {
  let accumulated = identity;
  return {
    start() {
      accumulated = identity;
    },
    take(value) {
      accumulated = combine(accumulated, value);
    },
    results: [() => accumulated],
  };
}

/** Mean and centred sum of squares, merged value by value (Chan, Golub and LeVeque 1979, with one side a single value). */
function moments(): Accumulator {
  let count = 0;
  let mean = 0;
  let squares = 0;
  return {
    start() {
      count = 0;
      mean = 0;
      squares = 0;
    },
    take(value) {
      count++;
      const difference = value - mean;
      mean += difference / count;
      squares += difference * (value - mean);
    },
    results: [() => mean, () => squares],
  };
}

/** Addition of the type: integers wrap. */
export function adder(type: ScalarType): (a: number, b: number) => number {
  switch (type) {
    case "i32":
      return (a, b) => (a + b) | 0;
    case "u32":
      return (a, b) => (a + b) >>> 0;
    default:
      return (a, b) => a + b;
  }
}

function multiplier(type: ScalarType): (a: number, b: number) => number {
  switch (type) {
    case "i32":
      return Math.imul;
    case "u32":
      return (a, b) => Math.imul(a, b) >>> 0;
    default:
      return (a, b) => a * b;
  }
}

export function accumulator(combiner: Combiner, type: ScalarType): Accumulator {
  switch (combiner) {
    case "map":
      return fold(0, (_, value) => value);
    case "sum":
      return fold(0, adder(type));
    case "prod":
      return fold(1, multiplier(type));
    case "max":
    case "max_first":
      return extremum((value, best) => value > best, combiner === "max_first");
    case "min":
    case "min_first":
      return extremum((value, best) => value < best, combiner === "min_first");
    case "any":
      return fold(0, (accumulated, value) => (accumulated !== 0 || value !== 0 ? 1 : 0));
    case "all":
      return fold(1, (accumulated, value) => (accumulated !== 0 && value !== 0 ? 1 : 0));
    case "moments":
      return moments();
  }
  return combiner satisfies never;
}
