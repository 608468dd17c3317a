/**
 * Combiners as kernel code: accumulators that take one value (or four lanes) at a time and are merged in the end. NaN as
 * in the reference: the greatest and the least of all, and the first one stays.
 */
import type { Combiner } from "../graph/graph.ts";
import { invariant } from "../invariant.ts";
import type { KernelBuilder } from "../kernel/build.ts";
import {
  add,
  and,
  apply,
  constant,
  div,
  eq,
  f32,
  gt,
  lane,
  lt,
  max,
  mul,
  ne,
  or,
  select,
  shuffle,
  splat,
  sub,
} from "../kernel/build.ts";
import type { Expression, Lanes, Variable } from "../kernel/ir.ts";
import type { ScalarType } from "../types/dtype.ts";

/** What has been combined so far: the value, and for `max_first` and `min_first` its position. */
export type Partial = readonly Expression[];

export interface Combining {
  readonly types: readonly ScalarType[];
  identity(lanes: Lanes): Partial;
  /** Both sides have the same lanes; `ordered` says that all of `left` comes before all of `right`. */
  merge(left: Partial, right: Partial, ordered: boolean): Partial;
}

export function combining(combiner: Combiner, type: ScalarType): Combining {
  switch (combiner) {
    case "sum":
      return fold("add", type, 0);
    case "prod":
      return fold("mul", type, 1);
    case "max":
      return fold("max", type, lowest(type));
    case "min":
      return fold("min", type, highest(type));
    case "any":
      return fold("or", "bool", 0);
    case "all":
      return fold("and", "bool", 1);
    case "max_first":
      return first(type, gt, lowest(type));
    case "min_first":
      return first(type, lt, highest(type));
    case "moments":
      return sums;
    case "map":
      invariant(false, "a map is no reduction");
      break;
    default:
      combiner satisfies never;
  }
  throw new Error("unreachable");
}

function lowest(type: ScalarType): number {
  return type === "i32" ? -(2 ** 31) : type === "u32" ? 0 : Number.NEGATIVE_INFINITY;
}
function highest(type: ScalarType): number {
  return type === "i32" ? 2 ** 31 - 1 : type === "u32" ? 2 ** 32 - 1 : Number.POSITIVE_INFINITY;
}

function fold(name: string, type: ScalarType, identity: number): Combining {
  return {
    types: [type],
    identity: (lanes) => [constant(type, identity, lanes)],
    merge: ([left], [right]) => [apply(name, type, left!, right!)],
  };
}

/** What `momentsOf` makes moments of: the sums of differences from some value, and of their squares. */
const sums: Combining = {
  types: ["f32", "f32"],
  identity: (lanes) => [constant("f32", 0, lanes), constant("f32", 0, lanes)],
  merge: (left, right) => left.map((part, k) => add(part, right[k]!)),
};

/**
 * Mean and centred sum of squares of `count` values from the sums of their differences from `origin` and of the squares of
 * these. The error of the second grows with the square of the mean difference over the variance (Chan, Golub and LeVeque
 * 1983, "Algorithms for Computing the Sample Variance", section 3): it is small where the origin is near the mean.
 */
export function momentsOf([differences, squares]: Partial, origin: Expression, count: number): Partial {
  const between = div(differences!, splat(f32(count), differences!.lanes));
  // Rounding must not leave a negative sum of squares.
  const centred = sub(squares!, mul(differences!, between));
  return [add(origin, between), max(centred, constant("f32", 0, centred.lanes))];
}

/** Whether a reduction takes positions beside values. */
export function takesPosition(combiner: Combiner): boolean {
  return combiner === "max_first" || combiner === "min_first";
}

function first(type: ScalarType, beats: (a: Expression, b: Expression) => Expression, identity: number): Combining {
  return {
    types: [type, "i32"],
    // Position 0 is right even of an accumulator that took nothing: its value can only win if all values are the identity.
    identity: (lanes) => [constant(type, identity, lanes), constant("i32", 0, lanes)],
    merge: ([best, where], [value, at], ordered) => {
      let take = beats(value!, best!);
      const earlier = lt(at!, where!);
      if (!ordered) take = or(take, and(eq(value!, best!), earlier));
      if (type === "f32") {
        const bestIsNumber = eq(best!, best!);
        take = or(take, and(ne(value!, value!), ordered ? bestIsNumber : or(bestIsNumber, earlier)));
      }
      return [select(take, value!, best!), select(take, at!, where!)];
    },
  };
}

/** Takes values one after the other. */
export interface Taking {
  take(value: Partial, ordered: boolean): void;
  /** What has been combined so far. */
  readonly variables: Partial;
}

/** Mutable locals that hold a partial result: for loops. */
export class Accumulator implements Taking {
  readonly #kernel: KernelBuilder;
  readonly #combining: Combining;
  readonly variables: readonly Variable[];

  constructor(kernel: KernelBuilder, combining: Combining, lanes: Lanes) {
    this.#kernel = kernel;
    this.#combining = combining;
    this.variables = combining.identity(lanes).map((value) => kernel.declare("accumulator", value));
  }
  take(value: Partial, ordered: boolean): void {
    const lanes = this.variables[0]!.lanes;
    const here = value.map((part) => splat(part, lanes));
    const merged = this.#combining.merge(this.variables, here, ordered);
    const named = merged.length === 1 ? merged : merged.map((part) => this.#kernel.letIn("t", part));
    for (const [k, variable] of this.variables.entries()) this.#kernel.assign(variable, named[k]!);
  }
}

/**
 * The greatest or the least of four lanes each. That some value was NaN is kept apart: the processor's own maximum loses it,
 * and one that does not takes five instructions a value where these are three.
 */
class Extreme implements Taking {
  readonly #kernel: KernelBuilder;
  readonly #function: "raw_max" | "raw_min";
  readonly #value: Variable;
  readonly #invalid: Variable;

  constructor(kernel: KernelBuilder, combiner: "max" | "min") {
    this.#kernel = kernel;
    this.#function = `raw_${combiner}`;
    const identity = combiner === "max" ? lowest("f32") : highest("f32");
    this.#value = kernel.declare("accumulator", constant("f32", identity, 4));
    this.#invalid = kernel.declare("invalid", constant("bool", 0, 4));
  }
  get variables(): Partial {
    return [this.#kernel.letIn("t", select(this.#invalid, constant("f32", Number.NaN, 4), this.#value))];
  }
  take([value]: Partial): void {
    const here = splat(value!, 4);
    this.#kernel.assign(this.#value, apply(this.#function, "f32", this.#value, here));
    this.#kernel.assign(this.#invalid, or(this.#invalid, ne(here, here)));
  }
}

/** For a loop: whichever takes values fastest. */
export function accumulatorOf(kernel: KernelBuilder, combiner: Combiner, type: ScalarType, lanes: Lanes): Taking {
  if (lanes === 4 && type === "f32" && (combiner === "max" || combiner === "min")) return new Extreme(kernel, combiner);
  return new Accumulator(kernel, combining(combiner, type), lanes);
}

/** As an accumulator, within one block: every value has a name, and the first is taken as it is. */
export class Chain implements Taking {
  readonly #kernel: KernelBuilder;
  readonly #combining: Combining;
  readonly #lanes: Lanes;
  #partial: Partial | undefined;

  constructor(kernel: KernelBuilder, combining: Combining, lanes: Lanes) {
    this.#kernel = kernel;
    this.#combining = combining;
    this.#lanes = lanes;
  }
  get variables(): Partial {
    return this.#partial ?? this.#combining.identity(this.#lanes);
  }
  take(value: Partial, ordered: boolean): void {
    const here = value.map((part) => splat(part, this.#lanes));
    const merged = this.#partial === undefined ? here : this.#combining.merge(this.#partial, here, ordered);
    this.#partial = merged.map((part) => this.#kernel.letIn("t", part));
  }
}

/** One partial result of several, in a balanced tree. */
export function mergeAll(kernel: KernelBuilder, combining: Combining, partials: readonly Partial[]): Partial {
  if (partials.length === 1) return partials[0]!;
  const half = Math.ceil(partials.length / 2);
  const left = mergeAll(kernel, combining, partials.slice(0, half));
  const right = mergeAll(kernel, combining, partials.slice(half));
  return combining.merge(left, right, false).map((part) => kernel.letIn("t", part));
}

/** The four lanes of a partial result, merged. */
export function mergeLanes(kernel: KernelBuilder, combining: Combining, partial: Partial): Partial {
  const moved = (from: Partial, pick: readonly [number, number, number, number]): Partial =>
    from.map((part) => kernel.letIn("t", shuffle(part, part, pick)));
  const pairs = mergeAll(kernel, combining, [partial, moved(partial, [1, 0, 3, 2])]);
  const whole = mergeAll(kernel, combining, [pairs, moved(pairs, [2, 3, 0, 1])]);
  return whole.map((part) => kernel.letIn("t", lane(part, 0)));
}
