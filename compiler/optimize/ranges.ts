/** What is known of a scalar's values from its form alone. */
import { type Interval, rangeOf } from "../graph/affine.ts";
import type { Scalar } from "../graph/graph.ts";
import { valueCoordinate } from "../graph/scalars.ts";

export interface Ranges {
  /** Bounds of an i32 scalar; undefined where nothing is known. */
  of(scalar: Scalar): Interval | undefined;
}

const limit = 2 ** 31;

const all: Interval = { min: -limit, max: limit - 1 };

export function rangesOver(extents: readonly number[]): Ranges {
  const of = (scalar: Scalar): Interval | undefined => {
    if (scalar.type !== "i32") return undefined;
    if (scalar.kind === "apply" && (scalar.name === "max" || scalar.name === "min")) {
      const [a, b] = scalar.arguments.map((argument) => of(argument) ?? all);
      const pick = scalar.name === "max" ? Math.max : Math.min;
      return a && b && { min: pick(a.min, b.min), max: pick(a.max, b.max) };
    }
    const coordinate = valueCoordinate(scalar);
    const range = coordinate && rangeOf(coordinate, extents);
    return range && range.min >= -limit && range.max < limit ? range : undefined;
  };
  return { of };
}

/** Whether an f32 scalar can be neither infinite nor NaN. */
export function finite(scalar: Scalar, ranges: Ranges): boolean {
  if (scalar.type !== "f32") return true;
  if (scalar.kind === "constant") return Number.isFinite(scalar.value);
  if (scalar.kind !== "apply") return false;
  if (scalar.name === "to_f32") return scalar.arguments.every((argument) => argument.type !== "f32");
  if (scalar.name === "select") return scalar.arguments.slice(1).every((argument) => finite(argument, ranges));
  if (["neg", "abs", "sign", "max", "min"].includes(scalar.name))
    return scalar.arguments.every((argument) => finite(argument, ranges));
  return false;
}
