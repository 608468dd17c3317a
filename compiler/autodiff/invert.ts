/**
 * The points of a domain that a read's indexing map M sends to each element: M solved for the indices, row by row.
 *
 * A row `t = offset + s*u + rest` is solved for a pivot u. If |s| > 1, the target axis and every other index of the row are
 * split into residue classes modulo |s|; only consistent combinations are kept, in each of them u is an integer, and no
 * divisibility is left to be tested at run time. Each combination is one `Solution`: a strided box of the tensor.
 */
import { normalize, rangeOf } from "../graph/affine.ts";
import type { Coordinate, ScalarRead } from "../graph/graph.ts";
import { indicesOf, indicesOfCoordinate } from "../graph/traverse.ts";
import { invariant } from "../invariant.ts";
import { type Pivot, polyphase, residueClasses } from "./residues.ts";
import {
  bind,
  current,
  introduce,
  isOpen,
  MOST_PIECES,
  NotInvertible,
  type Solution,
  type State,
  type Variable,
  withTarget,
} from "./solution.ts";

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
    const before = states;
    const attempt = (solve: typeof residueClasses): State[] => {
      const next = before.flatMap((state) => solveRow(state, read, axis, isFree, solve));
      if (next.length > MOST_PIECES) throw new NotInvertible();
      return next;
    };
    try {
      states = attempt(residueClasses);
    } catch (error) {
      if (!(error instanceof NotInvertible)) throw error;
      states = attempt((...row) => [polyphase(...row)]);
    }
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

function solveRow(state: State, read: ScalarRead, axis: number, isFree: IsFree, solve: typeof residueClasses): State[] {
  const extent = read.tensor.type.shape[axis];
  const original = read.coordinates[axis];
  invariant(extent !== undefined && original, "a coordinate an axis");
  const row = current(state, original);
  const inData = new Set<number>();
  const affine: Pivot[] = [];
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
  return solve(state, axis, extent, row, pivot);
}

/**
 * The widest pivot wastes least: of the points computed, `|s| * extent` in `size of the axis` exist. One whose range check
 * is free is preferred unless another is more than twice as wide.
 */
function bestPivot(state: State, candidates: readonly Pivot[], isFree: IsFree): Pivot | undefined {
  const width = (candidate: Pivot) =>
    Math.abs(candidate.coefficient) *
    state.variables[candidate.position]!.extent *
    (isFree(candidate.position) ? 2 : 1);
  let best: Pivot | undefined;
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
