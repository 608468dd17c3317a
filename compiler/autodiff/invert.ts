/**
 * The points of a domain that a read's indexing map M sends to each element: M solved for the indices, row by row.
 *
 * A row `t = offset + s*u + rest` is solved for a pivot u. If |s| > 1, the target axis and every other index of the row are
 * split into residue classes modulo |s|; only consistent combinations are kept, in each of them u is an integer, and no
 * divisibility is left to be tested at run time. Each combination is one `Solution`: a strided box of the tensor.
 */
import { normalize, rangeOf, substitute } from "../graph/affine.ts";
import type { Coordinate, ScalarRead, Stride } from "../graph/graph.ts";
import { indexSubstituter, indicesOf, indicesOfCoordinate } from "../graph/traverse.ts";
import { invariant } from "../invariant.ts";

/** More pieces than this are not worth their dispatches. */
export const MOST_PIECES = 16;

/** The map has no inverse of this form: the adjoint is a `scatter_add` over the forward domain. */
export class NotInvertible extends Error {}

export interface Variable {
  readonly name: string;
  readonly extent: number;
}

export interface Target extends Stride {
  /** The variable that counts along the box; undefined if `count` is 1. */
  readonly variable: number | undefined;
}

/**
 * One box. Variables are numbered: the indices of the forward domain first, then what was introduced. `values` holds, for
 * every variable that is no longer free, its coordinate in the free ones.
 */
export interface Solution {
  readonly variables: readonly Variable[];
  readonly values: ReadonlyMap<number, Coordinate>;
  /** One an axis of the tensor. */
  readonly targets: readonly Target[];
  /** Axes where the target's own position must equal a coordinate (a repeated index, a gathered position). */
  readonly equalities: readonly { readonly axis: number; readonly coordinate: Coordinate; readonly clamp: boolean }[];
  /** Forward indices whose value may leave their extent: those points do not exist. */
  readonly unproved: readonly number[];
}

interface State extends Omit<Solution, "targets"> {
  readonly targets: readonly (Target | undefined)[];
}

/** How good an index is as a pivot: whether its range check comes for free, as the `else 0` of some factor. */
export type IsFree = (index: number) => boolean;

export function invert(read: ScalarRead, domain: readonly Variable[], isFree: IsFree): Solution[] {
  const { shape } = read.tensor.type;
  let states: State[] = [
    { variables: domain, values: new Map(), targets: shape.map(() => undefined), equalities: [], unproved: [] },
  ];
  const rest = new Set(shape.keys());
  while (rest.size > 0) {
    const [first] = states;
    if (!first) return [];
    let axis = -1;
    let least = Number.POSITIVE_INFINITY;
    for (const candidate of rest) {
      const effort = effortOf(first, read.coordinates[candidate]!);
      if (effort < least) {
        least = effort;
        axis = candidate;
      }
    }
    rest.delete(axis);
    states = states.flatMap((state) => solveRow(state, read, axis, isFree));
    if (states.length > MOST_PIECES) throw new NotInvertible();
  }
  return states.map((state) => ({
    ...state,
    targets: state.targets.map((target) => {
      invariant(target, "every axis is solved");
      return target;
    }),
  }));
}

/** Rows that pin one index come first, rows with data last: then most of their indices are known. */
function effortOf(state: State, coordinate: Coordinate): number {
  const open = [...indicesOfCoordinate(current(state, coordinate))].filter((position) => isOpen(state, position));
  return (coordinate.terms.some((term) => term.kind === "data") ? 1000 : 0) + open.length;
}

/** Free, and not the position in a box that is being computed. */
function isOpen(state: State, position: number): boolean {
  return !state.targets.some((target) => target?.variable === position);
}

/** A coordinate in the variables that are still free. */
export function current(solution: Pick<Solution, "variables" | "values">, coordinate: Coordinate): Coordinate {
  const extents = solution.variables.map((variable) => variable.extent);
  const by = (position: number) => solution.values.get(position) ?? variable(position);
  const inner = indexSubstituter({ by, value: () => undefined, extents });
  const result = substitute(coordinate, by, extents, (term) => {
    const replaced = inner.scalar(term.read);
    return replaced?.kind === "read" ? { ...term, read: replaced } : undefined;
  });
  if (!result) throw new NotInvertible();
  return result;
}

function variable(position: number, coefficient = 1, offset = 0): Coordinate {
  return { offset, terms: [{ kind: "affine", coefficient, position }] };
}

function modulo(a: number, m: number): number {
  return ((a % m) + m) % m;
}
function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : greatestCommonDivisor(b, a % b);
}

/** Gives a variable its value, everywhere. */
function bind(state: State, position: number, value: Coordinate): State {
  const bound: State = { ...state, values: new Map([[position, value]]) };
  const values = new Map([...state.values].map(([known, coordinate]) => [known, current(bound, coordinate)] as const));
  values.set(position, value);
  return { ...state, values };
}

/** A new variable; one of extent 1 is just 0. */
function introduce(
  state: State,
  name: string,
  extent: number,
): { state: State; value: Coordinate; id: number | undefined } {
  if (extent === 1) return { state, value: { offset: 0, terms: [] }, id: undefined };
  const id = state.variables.length;
  return { state: { ...state, variables: [...state.variables, { name, extent }] }, value: variable(id), id };
}

function withTarget(state: State, axis: number, target: Target): State {
  return { ...state, targets: state.targets.with(axis, target) };
}

function solveRow(state: State, read: ScalarRead, axis: number, isFree: IsFree): State[] {
  const extent = read.tensor.type.shape[axis];
  const original = read.coordinates[axis];
  invariant(extent !== undefined && original, "a coordinate an axis");
  const row = current(state, original);
  const inData = new Set<number>();
  const affine: { position: number; coefficient: number }[] = [];
  const inTables = new Set<number>();
  for (const term of row.terms) {
    if (term.kind === "data") for (const position of indicesOf(term.read)) inData.add(position);
    else if (term.kind === "table") inTables.add(term.position);
    else if (isOpen(state, term.position)) affine.push(term);
  }
  const hasData = row.terms.some((term) => term.kind === "data");
  const clamps = hasData && read.otherwise === undefined;
  if (affine.length === 0 && ![...inTables, ...inData].some((position) => isOpen(state, position)))
    return pinned(state, axis, extent, row, clamps);

  const [only, ...more] = row.terms;
  if (only?.kind === "table" && more.length === 0) return inverseTable(state, axis, extent, row.offset, only);
  if (clamps) throw new NotInvertible();
  const dense = !hasData && inTables.size === 0;
  const pivots = affine.filter(
    ({ position, coefficient }) =>
      !inData.has(position) && !inTables.has(position) && (dense || Math.abs(coefficient) === 1),
  );
  const pivot = bestPivot(state, pivots, isFree);
  if (!pivot) throw new NotInvertible();
  return residueClasses(state, axis, extent, row, pivot);
}

/**
 * The widest pivot wastes least: of the points computed, `|s| * extent` in `size of the axis` exist. One whose range check
 * is free is preferred unless another is more than twice as wide.
 */
function bestPivot(
  state: State,
  candidates: readonly { position: number; coefficient: number }[],
  isFree: IsFree,
): { position: number; coefficient: number } | undefined {
  const width = (candidate: { position: number; coefficient: number }) =>
    Math.abs(candidate.coefficient) *
    state.variables[candidate.position]!.extent *
    (isFree(candidate.position) ? 2 : 1);
  let best: { position: number; coefficient: number } | undefined;
  for (const candidate of candidates) if (!best || width(candidate) > width(best)) best = candidate;
  return best;
}

/** Nothing left to solve: a constant is a box of one; anything else must equal the target's position. */
function pinned(state: State, axis: number, extent: number, row: Coordinate, clamp: boolean): State[] {
  if (row.terms.length === 0) {
    if (row.offset < 0 || row.offset >= extent) return [];
    return [withTarget(state, axis, { start: row.offset, step: 1, count: 1, variable: undefined })];
  }
  const extents = state.variables.map((known) => known.extent);
  const range = rangeOf(row, extents) ?? { min: 0, max: extent - 1 };
  const start = Math.max(0, range.min);
  const count = Math.min(extent - 1, range.max) - start + 1;
  if (count <= 0) return [];
  const { state: next, id } = introduce(state, "t", count);
  const equalities = [...next.equalities, { axis, coordinate: row, clamp }];
  return [withTarget({ ...next, equalities }, axis, { start, step: 1, count, variable: id })];
}

/** `t = offset + table[u]`: the k-th position that reaches t is again a table, over the boxes of t that have one. */
function inverseTable(
  state: State,
  axis: number,
  extent: number,
  offset: number,
  term: { readonly table: readonly number[]; readonly position: number },
): State[] {
  const positions: number[][] = Array.from({ length: extent }, () => []);
  for (const [u, value] of term.table.entries()) positions[value + offset]?.push(u);
  const name = state.variables[term.position]!.name;
  const states: State[] = [];
  const most = Math.max(...positions.map((list) => list.length));
  for (let k = 0; k < most; k++) {
    for (const [start, stop] of runs(positions, (list) => list.length > k)) {
      const { state: next, id } = introduce(state, name, stop - start);
      const table = positions.slice(start, stop).map((list) => list[k]!);
      const value =
        id === undefined ? normalize(table[0]!, []) : normalize(0, [{ kind: "table", table, position: id }]);
      const solved = bind(next, term.position, value);
      states.push(withTarget(solved, axis, { start, step: 1, count: stop - start, variable: id }));
      if (states.length > MOST_PIECES) throw new NotInvertible();
    }
  }
  return states;
}

function runs<T>(list: readonly T[], holds: (item: T) => boolean): [start: number, stop: number][] {
  const found: [number, number][] = [];
  let start: number | undefined;
  for (const [k, item] of list.entries()) {
    if (holds(item)) start ??= k;
    else if (start !== undefined) {
      found.push([start, k]);
      start = undefined;
    }
  }
  if (start !== undefined) found.push([start, list.length]);
  return found;
}

function residueClasses(
  state: State,
  axis: number,
  extent: number,
  row: Coordinate,
  pivot: { readonly position: number; readonly coefficient: number },
): State[] {
  const modulus = Math.abs(pivot.coefficient);
  let classes: { state: State; row: Coordinate }[] = [{ state, row }];
  for (const term of row.terms) {
    if (term.kind !== "affine" || term.position === pivot.position) continue;
    const parts = modulus / greatestCommonDivisor(modulus, term.coefficient);
    if (parts === 1) continue;
    classes = classes
      .flatMap(({ state: before }) => split(before, term.position, parts))
      .map((next) => ({
        state: next,
        row: current(next, row),
      }));
    if (classes.length > MOST_PIECES) throw new NotInvertible();
  }
  return classes.flatMap((one) => solveClass(one.state, axis, extent, one.row, pivot));
}

/** `v = parts * w + r` for every residue r. */
function split(state: State, position: number, parts: number): State[] {
  const { name, extent } = state.variables[position]!;
  const states: State[] = [];
  for (let residue = 0; residue < Math.min(parts, extent); residue++) {
    const { state: next, id } = introduce(state, name, Math.ceil((extent - residue) / parts));
    const value = id === undefined ? normalize(residue, []) : variable(id, parts, residue);
    const bound = bind(next, position, value);
    const targets = bound.targets.map((target): Target | undefined => {
      if (target?.variable !== position) return target;
      const count = Math.ceil((extent - residue) / parts);
      return { start: target.start + target.step * residue, step: target.step * parts, count, variable: id };
    });
    states.push({ ...bound, targets });
  }
  return states;
}

/** Every coefficient but the pivot's is now a multiple of the modulus, or the modulus is 1. */
function solveClass(
  state: State,
  axis: number,
  extent: number,
  row: Coordinate,
  pivot: { readonly position: number; readonly coefficient: number },
): State[] {
  const { position, coefficient } = pivot;
  const modulus = Math.abs(coefficient);
  const extents = state.variables.map((known) => known.extent);
  const range = rangeOf(row, extents) ?? { min: 0, max: extent - 1 };
  const low = Math.max(0, range.min);
  const start = low + modulo(row.offset - low, modulus);
  const count = Math.floor((Math.min(extent - 1, range.max) - start) / modulus) + 1;
  if (count <= 0) return [];
  const index = state.variables[position]!;
  const { state: next, value, id } = introduce(state, index.name, count);
  // u = (start + modulus * h - rest) / coefficient, term by term without a remainder.
  const rest = row.terms.filter((term) => term.kind === "data" || term.position !== position);
  const numerator = normalize(start - row.offset + 0, [
    ...value.terms.map((term) => (term.kind === "affine" ? { ...term, coefficient: modulus } : term)),
    ...rest.map((term) =>
      term.kind === "table"
        ? { ...term, table: term.table.map((entry) => -entry) }
        : { ...term, coefficient: -term.coefficient },
    ),
  ]);
  const quotient = divide(numerator, coefficient);
  const solved = withTarget(bind(next, position, quotient), axis, { start, step: modulus, count, variable: id });
  const reach = rangeOf(
    quotient,
    solved.variables.map((known) => known.extent),
  );
  const proved = reach && reach.min >= 0 && reach.max < index.extent;
  return [proved ? solved : { ...solved, unproved: [...solved.unproved, position] }];
}

function divide(coordinate: Coordinate, by: number): Coordinate {
  const exactly = (value: number): number => {
    invariant(value % by === 0, `${value} is no multiple of ${by}`);
    return value / by + 0;
  };
  return normalize(
    exactly(coordinate.offset),
    coordinate.terms.map((term) =>
      term.kind === "table"
        ? { ...term, table: term.table.map(exactly) }
        : { ...term, coefficient: exactly(term.coefficient) },
    ),
  );
}
