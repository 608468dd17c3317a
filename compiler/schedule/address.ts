/**
 * From a read's coordinates to a flat offset in memory, for one element or for four lanes at once. An offset is a scalar
 * expression plus a constant a lane while everything is affine, and four scalar expressions where data decides.
 */

import type { Coordinate, DataTerm } from "../graph/graph.ts";
import { invariant } from "../invariant.ts";
import { add, and, constant, ge, i32, lane, le, max, min, mul, splat, vector } from "../kernel/build.ts";
import type { Expression } from "../kernel/ir.ts";

export type Four<T> = readonly [T, T, T, T];
const zeros: Four<number> = [0, 0, 0, 0];

/** The value of a domain index where a body is lowered: `base`, or `base + lanes[l]` in lane l. */
export interface IndexValue {
  readonly base: Expression;
  readonly lanes: Four<number> | undefined;
  /** Inclusive bounds of the value over all iterations and lanes: what boundary conditions are proved from. */
  readonly min: number;
  readonly max: number;
}

/** An index that is a loop variable or a number, the same in all lanes. */
export function indexAt(base: Expression, min: number, max: number): IndexValue {
  return base.kind === "constant"
    ? { base, lanes: undefined, min: base.value, max: base.value }
    : { base, lanes: undefined, min, max };
}
/** Four consecutive values of an index, the first of which is `base`. */
export function indexLanes(base: Expression, min: number, max: number): IndexValue {
  return { base, lanes: [0, 1, 2, 3], min, max };
}

/** `base + lanes[l]`, or `each[l]`. */
export type LaneValue =
  | { readonly base: Expression; readonly lanes: Four<number>; readonly each?: undefined }
  | { readonly each: Four<Expression> };

export interface Bounded {
  readonly value: LaneValue;
  readonly min: number;
  readonly max: number;
}

/** The value of every lane, where they agree. */
export function sharedBase(value: LaneValue): Expression | undefined {
  return value.each === undefined && value.lanes.every((offset) => offset === 0) ? value.base : undefined;
}

function laneOf(value: LaneValue, l: 0 | 1 | 2 | 3): Expression {
  return value.each !== undefined ? value.each[l] : add(value.base, value.lanes[l]);
}
function eachLane(value: LaneValue): Four<Expression> {
  return [laneOf(value, 0), laneOf(value, 1), laneOf(value, 2), laneOf(value, 3)];
}
const map4 = <T, U>([a, b, c, d]: Four<T>, f: (value: T) => U): Four<U> => [f(a), f(b), f(c), f(d)];

function addValues(a: LaneValue, b: LaneValue): LaneValue {
  if (a.each === undefined && b.each === undefined) {
    const [x, y] = [a.lanes, b.lanes];
    return { base: add(a.base, b.base), lanes: [x[0] + y[0], x[1] + y[1], x[2] + y[2], x[3] + y[3]] };
  }
  const [x, y] = [eachLane(a), eachLane(b)];
  return { each: [add(x[0], y[0]), add(x[1], y[1]), add(x[2], y[2]), add(x[3], y[3])] };
}
function scaleValue(a: LaneValue, factor: number): LaneValue {
  if (a.each !== undefined) return { each: map4(a.each, (e) => mul(e, factor)) };
  return { base: mul(a.base, factor), lanes: map4(a.lanes, (offset) => offset * factor) };
}
export function mapValue(a: LaneValue, f: (e: Expression) => Expression): LaneValue {
  const shared = sharedBase(a);
  if (shared !== undefined) return { base: f(shared), lanes: zeros };
  return { each: map4(eachLane(a), f) };
}

/** A lane value as an expression: scalar where all lanes agree. */
export function toExpression(value: LaneValue): Expression {
  if (value.each !== undefined) return vector(value.each);
  const shared = sharedBase(value);
  if (shared !== undefined) return shared;
  return add(splat(value.base), vector(value.lanes.map(i32)));
}
export function fromExpression(e: Expression): LaneValue {
  return e.lanes === 1 ? { base: e, lanes: zeros } : { each: [lane(e, 0), lane(e, 1), lane(e, 2), lane(e, 3)] };
}

/** What coordinates need of the lowering that they are part of. */
export interface CoordinateSource {
  index(position: number): IndexValue;
  /** `table[index]`. */
  table(table: readonly number[], at: LaneValue): LaneValue;
  /** The value of an integer read, as i32. */
  data(term: DataTerm): Expression;
}

const largest = 2 ** 31 - 1;

export function lowerCoordinate(coordinate: Coordinate, source: CoordinateSource): Bounded {
  let value: LaneValue = { base: i32(coordinate.offset), lanes: zeros };
  let [low, high] = [coordinate.offset, coordinate.offset];
  const dataTerms: DataTerm[] = [];
  for (const term of coordinate.terms) {
    if (term.kind === "data") {
      dataTerms.push(term);
      continue;
    }
    const index = source.index(term.position);
    const here: LaneValue = { base: index.base, lanes: index.lanes ?? zeros };
    if (term.kind === "affine") {
      value = addValues(value, scaleValue(here, term.coefficient));
      const ends = [term.coefficient * index.min, term.coefficient * index.max];
      low += Math.min(...ends);
      high += Math.max(...ends);
    } else {
      const range = term.table.slice(index.min, index.max + 1);
      invariant(range.length > 0, "an index lies in its table");
      value = addValues(value, source.table(term.table, here));
      low += Math.min(...range);
      high += Math.max(...range);
    }
  }
  if (dataTerms.length === 0) return { value, min: low, max: high };
  // Wrapping would turn a value far out of range into one in range: so data are clamped to what cannot wrap first.
  const rest = Math.max(Math.abs(low), Math.abs(high));
  const room = dataTerms.map((term) => Math.floor((largest - rest) / (dataTerms.length * Math.abs(term.coefficient))));
  dataTerms.forEach((term, k) => {
    const limit = room[k]!;
    const data = fromExpression(source.data(term));
    const safe = limit >= largest ? data : mapValue(data, (e) => min(max(e, -limit), limit));
    value = addValues(value, scaleValue(safe, term.coefficient));
  });
  return { value, min: -(2 ** 31), max: largest };
}

/** The coordinate brought into `[0, extent)` where it is not proved to lie there, and the condition that it did. */
export function confine(
  coordinate: Bounded,
  extent: number,
): { readonly value: LaneValue; readonly inside: Expression | undefined } {
  const below = coordinate.min < 0;
  const above = coordinate.max > extent - 1;
  if (!below && !above) return { value: coordinate.value, inside: undefined };
  const here = toExpression(coordinate.value);
  const bound = (limit: number): Expression => constant("i32", limit, here.lanes);
  let inside: Expression | undefined;
  if (below) inside = ge(here, bound(0));
  if (above) {
    const under = le(here, bound(extent - 1));
    inside = inside === undefined ? under : and(inside, under);
  }
  const clamp = (e: Expression): Expression => {
    const raised = below ? max(e, 0) : e;
    return above ? min(raised, extent - 1) : raised;
  };
  return { value: mapValue(coordinate.value, clamp), inside };
}

/** The sum of coordinates times strides. */
export function flatten(values: readonly LaneValue[], strides: readonly number[]): LaneValue {
  return values.reduce<LaneValue>(
    (sum, value, axis) => (strides[axis] === 0 ? sum : addValues(sum, scaleValue(value, strides[axis] ?? 0))),
    { base: i32(0), lanes: zeros },
  );
}
