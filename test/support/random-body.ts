/** Random scalar bodies and reads: strides, dilation, padding, tables, gathers. */
import { hasData, normalize, provedInRange } from "../../compiler/graph/affine.ts";
import { read } from "../../compiler/graph/builder.ts";
import type { Axis, Coordinate, Scalar, ScalarRead, Tensor, Term } from "../../compiler/graph/graph.ts";
import { apply } from "../../compiler/graph/scalars.ts";
import { invariant } from "../../compiler/invariant.ts";

/** Random choices from one 32-bit seed (mulberry32). */
export class Choices {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** A whole number in [0, count). */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * count);
  }
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
  of<T>(list: readonly T[]): T {
    const item = list[this.below(list.length)];
    invariant(item !== undefined, "nothing to choose from");
    return item;
  }
}

/**
 * A tensor with what is known of its values: their greatest size, and whether float64 arithmetic on them has been exact
 * so far (small dyadic fractions). Ties and comparisons are asked of exact values only: rewriting a sum must not flip them.
 */
export interface Known {
  readonly tensor: Tensor;
  readonly bound: number;
  readonly exact: boolean;
}
export interface KnownScalar {
  readonly scalar: Scalar;
  readonly bound: number;
  readonly exact: boolean;
}

export const largestExact = 2 ** 30;
export const largest = 2 ** 12;

const number = (value: number): Scalar => ({ kind: "constant", type: "f32", value });

export interface BodyContext {
  readonly choices: Choices;
  readonly axes: readonly Axis[];
  /** f32 tensors to read from. */
  readonly floats: readonly Known[];
  /** i32 tensors for gathers. */
  readonly integers: readonly Tensor[];
  /** Only exact arithmetic on exact values. */
  readonly exact: boolean;
  /** Only rows with a derivative, away from kinks. */
  readonly smooth: boolean;
}

/** A coordinate into an axis of this extent, in range or not. */
function coordinate(context: BodyContext, extent: number, nested: boolean): Coordinate {
  const { choices, axes } = context;
  const index = (): number => choices.below(axes.length);
  const kind = axes.length === 0 ? 0 : choices.below(12);
  if (kind === 0) return { offset: choices.below(extent), terms: [] };
  if (kind <= 5) {
    const position = index();
    const room = extent - axes[position]!.extent;
    return normalize(room > 0 ? choices.below(room + 1) : 0, [{ kind: "affine", coefficient: 1, position }]);
  }
  if (kind === 6) {
    const position = index();
    const { extent: count } = axes[position]!;
    const table = Array.from({ length: count }, () => choices.below(extent));
    return normalize(0, [{ kind: "table", table, position }]);
  }
  if (kind === 7 && !nested && context.integers.length > 0) {
    const source = choices.of(context.integers);
    const terms: Term[] = [
      { kind: "data", coefficient: choices.of([1, 1, 2, -1]), read: integerRead(context, source) },
    ];
    if (choices.chance(30)) terms.push({ kind: "affine", coefficient: 1, position: index() });
    return normalize(choices.between(-1, 1), terms);
  }
  const terms: Term[] = [{ kind: "affine", coefficient: choices.of([1, 1, 2, 3, -1, -2]), position: index() }];
  if (choices.chance(60)) terms.push({ kind: "affine", coefficient: choices.of([1, 1, 2, -1]), position: index() });
  return normalize(choices.between(-2, 3), terms);
}

function integerRead(context: BodyContext, tensor: Tensor): ScalarRead {
  return readOf(context, tensor, true);
}

/** A read of a tensor anywhere; an `else` value where some coordinate can leave it. */
export function readOf(context: BodyContext, tensor: Tensor, nested = false): ScalarRead {
  const { choices, axes } = context;
  const extents = axes.map((axis) => axis.extent);
  const { shape } = tensor.type;
  const coordinates = shape.map((extent) => coordinate(context, extent, nested));
  const proved = coordinates.every((c, axis) => hasData(c) || provedInRange(c, extents, shape[axis]!));
  const otherwise = proved && choices.chance(85) ? undefined : choices.of([0, 0, 0, 1, -1]);
  return read(tensor, coordinates, otherwise);
}

/** A random f32 body. */
export function randomBody(context: BodyContext, depth: number): KnownScalar {
  const { choices } = context;
  const shared: KnownScalar[] = [];
  const sources = context.exact ? context.floats.filter(({ exact }) => exact) : context.floats;
  const leaf = (): KnownScalar => {
    if (choices.chance(12)) {
      const value = choices.of([0, 1, -1, 2, 0.5, -0.25]);
      return { scalar: number(value), bound: Math.abs(value), exact: true };
    }
    if (choices.chance(8) && context.axes.length > 0) {
      const position = choices.below(context.axes.length);
      const scalar = apply("to_f32", { kind: "index", type: "i32", position });
      return { scalar, bound: context.axes[position]!.extent, exact: true };
    }
    if (sources.length === 0) return { scalar: number(1), bound: 1, exact: true };
    const { tensor, bound, exact } = choices.of(sources);
    return { scalar: readOf(context, tensor), bound: Math.max(1, bound), exact };
  };
  const tree = (height: number): KnownScalar => {
    if (shared.length > 0 && choices.chance(12)) return choices.of(shared);
    if (height === 0 || choices.chance(15)) {
      const found = leaf();
      shared.push(found);
      return found;
    }
    const found = limited(operation(height - 1), context.exact);
    shared.push(found);
    return found;
  };
  const exactLeaf = (): Scalar => {
    const found = leaf();
    return found.exact ? found.scalar : number(choices.between(-1, 1));
  };
  const operation = (height: number): KnownScalar => {
    const a = tree(height);
    const bounded = (scalar: Scalar, bound: number, exact: boolean): KnownScalar => ({ scalar, bound, exact });
    const kind = choices.below(context.exact ? 8 : 12);
    if (kind >= 8 && kind < 11) return unary(a, kind - 8);
    const b = tree(height);
    const exact = a.exact && b.exact;
    switch (kind) {
      case 0:
      case 1:
        return bounded(apply("mul", a.scalar, b.scalar), a.bound * b.bound, exact);
      case 2:
        return bounded(apply("sub", a.scalar, b.scalar), a.bound + b.bound, exact);
      case 3:
        return bounded(apply("neg", a.scalar), a.bound, a.exact);
      case 4:
        if (context.smooth) break;
        return bounded(apply(choices.of(["max", "min"]), a.scalar, b.scalar), Math.max(a.bound, b.bound), exact);
      case 5: {
        const mask = context.smooth
          ? apply("lt", indexOrNumber(context), number(1.5))
          : apply(choices.of(["lt", "ge", "eq"]), exactLeaf(), exactLeaf());
        return bounded(apply("select", mask, a.scalar, b.scalar), Math.max(a.bound, b.bound), exact);
      }
      case 11: {
        const divisor = apply("add", apply("mul", b.scalar, b.scalar), number(1));
        return bounded(apply("div", a.scalar, divisor), a.bound, false);
      }
      default:
        break;
    }
    return bounded(apply("add", a.scalar, b.scalar), a.bound + b.bound, exact);
  };
  return tree(depth);
}

function unary(a: KnownScalar, kind: number): KnownScalar {
  const square = apply("mul", a.scalar, a.scalar);
  if (kind === 0) return { scalar: apply("sin", a.scalar), bound: 1, exact: false };
  const positive = apply("add", square, number(1));
  if (kind === 1) return { scalar: apply("sqrt", positive), bound: a.bound + 1, exact: false };
  return { scalar: apply("log", positive), bound: a.bound + 1, exact: false };
}

function indexOrNumber({ choices, axes }: BodyContext): Scalar {
  if (axes.length === 0) return number(choices.below(3));
  return apply("to_f32", { kind: "index", type: "i32", position: choices.below(axes.length) });
}

/** Keeps values small enough that rounding stays far below the tests' tolerance. */
export function limited(value: KnownScalar, exact: boolean): KnownScalar {
  if (value.exact && value.bound <= largestExact) return value;
  if (!exact && value.bound <= largest) return { ...value, exact: false };
  if (exact) {
    const clamped = apply("max", apply("min", value.scalar, number(8)), number(-8));
    return { scalar: clamped, bound: 8, exact: true };
  }
  return { scalar: apply("sin", value.scalar), bound: 1, exact: false };
}
