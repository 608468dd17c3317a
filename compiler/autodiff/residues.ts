/** A row `t = offset + s*u + rest` with |s| > 1, solved for u without a division at run time. */
import { multiple, normalize, rangeOf, sum } from "../graph/affine.ts";
import type { Coordinate } from "../graph/graph.ts";
import { invariant } from "../invariant.ts";
import {
  bind,
  current,
  introduce,
  isOpen,
  MOST_PIECES,
  NotInvertible,
  type State,
  type Target,
  variable,
  withTarget,
} from "./solution.ts";

function modulo(a: number, m: number): number {
  return ((a % m) + m) % m;
}
function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : greatestCommonDivisor(b, a % b);
}

export interface Pivot {
  readonly position: number;
  readonly coefficient: number;
}

/** One state for every consistent combination of residues. */
export function residueClasses(state: State, axis: number, extent: number, row: Coordinate, pivot: Pivot): State[] {
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
  if (state.targets.some((target) => target?.phase === position || (target?.phase && target.variable === position)))
    throw new NotInvertible();
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
function solveClass(state: State, axis: number, extent: number, row: Coordinate, pivot: Pivot): State[] {
  const { position, coefficient } = pivot;
  const modulus = Math.abs(coefficient);
  const extents = state.variables.map((known) => known.extent);
  const range = rangeOf(row, extents) ?? { min: 0, max: extent - 1 };
  const low = Math.max(0, range.min);
  const start = low + modulo(row.offset - low, modulus);
  const count = Math.floor((Math.min(extent - 1, range.max) - start) / modulus) + 1;
  if (count <= 0) return [];
  const { state: next, value, id } = introduce(state, state.variables[position]!.name, count);
  const place = sum({ offset: start, terms: [] }, multiple(value, modulus));
  const solved = bind(next, position, solveFor(pivot, place, row));
  return [proveRange(withTarget(solved, axis, { start, step: modulus, count, variable: id }), position)];
}

/**
 * More classes than pieces are worth: one index v of the row, of coefficient c prime to the modulus m, is padded to whole
 * steps, `v = m*w + r'` with `c r' = r` modulo m, and the residue r of the target is an index like any other:
 * `t = base + m*h + r`. One node computes all residues; what the padding added reads 0.
 */
export function polyphase(state: State, axis: number, extent: number, row: Coordinate, pivot: Pivot): State {
  const modulus = Math.abs(pivot.coefficient);
  const [padded, ...more] = row.terms.filter(
    (term) => term.kind !== "affine" || (term.position !== pivot.position && modulo(term.coefficient, modulus) !== 0),
  );
  if (padded?.kind !== "affine" || more.length > 0 || !isOpen(state, padded.position)) throw new NotInvertible();
  const inverse = Array.from({ length: modulus }, (_, k) => k).find(
    (k) => modulo(k * padded.coefficient, modulus) === 1,
  );
  if (inverse === undefined) throw new NotInvertible();

  const range = rangeOf(
    row,
    state.variables.map((known) => known.extent),
  ) ?? { min: 0, max: extent - 1 };
  const low = Math.max(0, range.min);
  const base = low - modulo(low - row.offset, modulus);
  const count = Math.floor((Math.min(extent - 1, range.max) - base) / modulus) + 1;
  const whole = state.variables[padded.position]!;
  const outer = introduce(state, state.variables[pivot.position]!.name, count);
  const phase = introduce(outer.state, `${whole.name}_phase`, modulus);
  const taps = introduce(phase.state, whole.name, Math.ceil(whole.extent / modulus));
  invariant(phase.id !== undefined, "a modulus is at least 2");
  const table = Array.from({ length: modulus }, (_, r) => modulo(r * inverse, modulus));
  const residue = normalize(0, [{ kind: "table", table, position: phase.id }]);
  const split = bind(taps.state, padded.position, sum(multiple(taps.value, modulus), residue));
  const place = sum(sum({ offset: base, terms: [] }, multiple(outer.value, modulus)), phase.value);
  const solved = bind(split, pivot.position, solveFor(pivot, place, current(split, row)));
  const target = { start: base, step: modulus, count, variable: outer.id, phase: phase.id };
  return proveRange(proveRange(withTarget(solved, axis, target), padded.position), pivot.position);
}

/** `(place - rest) / coefficient`, term by term without a remainder. */
function solveFor({ position, coefficient }: Pivot, place: Coordinate, row: Coordinate): Coordinate {
  const rest = row.terms.filter((term) => term.kind === "data" || term.position !== position);
  return divide(sum(place, multiple({ offset: row.offset, terms: rest }, -1)), coefficient);
}

/** Remembers an index whose value may lie outside its extent. */
function proveRange(state: State, position: number): State {
  const extents = state.variables.map((known) => known.extent);
  const range = rangeOf(current(state, variable(position)), extents);
  if (range && range.min >= 0 && range.max < extents[position]!) return state;
  return { ...state, unproved: [...state.unproved, position] };
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
