/** Algebra of read coordinates: sums, multiples, ranges, substitution of indices. Results are always normalized. */
import { invariant } from "../invariant.ts";
import type { AffineTerm, Coordinate, DataTerm, TableTerm, Term } from "./graph.ts";

/** The inclusive range of a value. */
export interface Interval {
  readonly min: number;
  readonly max: number;
}

/**
 * One term an index: affine terms of an index merge, and merge into a table of the same index if there is one. Terms that
 * vanish are dropped, constant tables become offsets, tables that are affine become affine terms.
 */
export function normalize(offset: number, terms: readonly Term[]): Coordinate {
  return isNormal(terms) ? { offset: offset === 0 ? 0 : offset, terms } : merged(offset, terms);
}

/** What most are: affine terms of different indices, then data. */
function isNormal(terms: readonly Term[]): boolean {
  for (let k = 0; k < terms.length; k++) {
    const term = terms[k]!;
    if (term.kind === "table" || term.coefficient === 0) return false;
    if (term.kind === "data") continue;
    for (let before = 0; before < k; before++) {
      const other = terms[before]!;
      if (other.kind === "data" || other.position === term.position) return false;
    }
  }
  return true;
}

function merged(offset: number, terms: readonly Term[]): Coordinate {
  const order: number[] = [];
  const affine = new Map<number, number>();
  const tables = new Map<number, readonly number[]>();
  const data: DataTerm[] = [];
  for (const term of terms) {
    if (term.kind === "data") {
      if (term.coefficient !== 0) data.push(term);
      continue;
    }
    if (!order.includes(term.position)) order.push(term.position);
    if (term.kind === "affine") affine.set(term.position, (affine.get(term.position) ?? 0) + term.coefficient);
    else {
      const other = tables.get(term.position);
      tables.set(term.position, other ? term.table.map((value, k) => value + other[k]!) : term.table);
    }
  }
  const result: Term[] = [];
  for (const position of order) {
    let coefficient = affine.get(position) ?? 0;
    const table = tables.get(position);
    if (table) {
      const values = table.map((value, k) => value + coefficient * k);
      const slope = values.length > 1 ? values[1]! - values[0]! : 0;
      if (!values.every((value, k) => value === values[0]! + slope * k)) {
        result.push({ kind: "table", table: values, position });
        continue;
      }
      offset += values[0]!;
      coefficient = slope;
    }
    if (coefficient !== 0) result.push({ kind: "affine", coefficient, position });
  }
  return { offset: offset === 0 ? 0 : offset, terms: [...result, ...data] };
}

export function sum(a: Coordinate, b: Coordinate): Coordinate {
  return normalize(a.offset + b.offset, [...a.terms, ...b.terms]);
}

export function multiple(coordinate: Coordinate, factor: number): Coordinate {
  if (factor === 1) return coordinate;
  return normalize(
    coordinate.offset * factor,
    coordinate.terms.map((term): Term => {
      if (term.kind === "table") return { ...term, table: term.table.map((value) => value * factor) };
      return { ...term, coefficient: term.coefficient * factor };
    }),
  );
}

/** Undefined where the coordinate depends on data. `extents` are the domain's. */
export function rangeOf(coordinate: Coordinate, extents: readonly number[]): Interval | undefined {
  let min = coordinate.offset;
  let max = coordinate.offset;
  for (const term of coordinate.terms) {
    switch (term.kind) {
      case "affine": {
        const extent = extents[term.position];
        invariant(extent !== undefined, `no index ${term.position}`);
        const last = term.coefficient * (extent - 1);
        min += Math.min(0, last);
        max += Math.max(0, last);
        break;
      }
      case "table":
        min += Math.min(...term.table);
        max += Math.max(...term.table);
        break;
      case "data":
        return undefined;
      default:
        term satisfies never;
    }
  }
  return { min, max };
}

/** Whether every value lies in [0, extent). */
export function provedInRange(coordinate: Coordinate, extents: readonly number[], extent: number): boolean {
  const range = rangeOf(coordinate, extents);
  return range !== undefined && range.min >= 0 && range.max < extent;
}

export function hasData(coordinate: Coordinate): boolean {
  return coordinate.terms.some((term) => term.kind === "data");
}

/** Every term affine. */
export function isAffine(coordinate: Coordinate): coordinate is Coordinate & { terms: readonly AffineTerm[] } {
  return coordinate.terms.every((term) => term.kind === "affine");
}

/** The index, if the coordinate is exactly one index. */
export function plainIndex(coordinate: Coordinate): number | undefined {
  const [term, ...more] = coordinate.terms;
  if (coordinate.offset !== 0 || more.length > 0 || term?.kind !== "affine" || term.coefficient !== 1) return undefined;
  return term.position;
}

/**
 * Puts a coordinate in each index's place. `extents` are those of the new domain. Data terms are left to the caller through
 * `data`. Undefined where the result has no such form: a table of an index that became a sum of several.
 */
export function substitute(
  coordinate: Coordinate,
  by: (position: number) => Coordinate,
  extents: readonly number[],
  data: (term: DataTerm) => DataTerm | undefined,
): Coordinate | undefined {
  let offset = coordinate.offset;
  const terms: Term[] = [];
  for (const term of coordinate.terms) {
    switch (term.kind) {
      case "affine": {
        const replaced = multiple(by(term.position), term.coefficient);
        offset += replaced.offset;
        terms.push(...replaced.terms);
        break;
      }
      case "table": {
        const replaced = tabulated(term, by(term.position), extents);
        if (typeof replaced === "number") offset += replaced;
        else if (replaced) terms.push(replaced);
        else return undefined;
        break;
      }
      case "data": {
        const replaced = data(term);
        if (!replaced) return undefined;
        terms.push(replaced);
        break;
      }
      default:
        term satisfies never;
    }
  }
  return normalize(offset, terms);
}

function tabulated(term: TableTerm, at: Coordinate, extents: readonly number[]): TableTerm | number | undefined {
  const [inner, ...more] = at.terms;
  if (!inner) return term.table[at.offset];
  if (more.length > 0 || inner.kind === "data") return undefined;
  const extent = extents[inner.position];
  invariant(extent !== undefined, `no index ${inner.position}`);
  const table: number[] = [];
  for (let k = 0; k < extent; k++) {
    const value = term.table[at.offset + (inner.kind === "affine" ? inner.coefficient * k : inner.table[k]!)];
    if (value === undefined) return undefined;
    table.push(value);
  }
  return { kind: "table", table, position: inner.position };
}
