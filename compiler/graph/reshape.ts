/** Coordinates of a row-major reshape, translated block by block without division. */
import { hasData, isAffine, multiple, normalize, provedInRange, rangeOf, sum } from "./affine.ts";
import type { Coordinate, Term } from "./graph.ts";

interface Block {
  /** Axes of extent > 1, positions in the view's and in the source's shape. */
  readonly view: readonly number[];
  readonly source: readonly number[];
}

/** The finest runs of axes on both sides with equal numbers of elements. */
export function blocksOf(view: readonly number[], source: readonly number[]): Block[] {
  const blocks: Block[] = [];
  const axes = (shape: readonly number[]): number[] => [...shape.keys()].filter((axis) => shape[axis] !== 1);
  const left = axes(view);
  const right = axes(source);
  while (left.length > 0 || right.length > 0) {
    const block = { view: [] as number[], source: [] as number[] };
    let a = 1;
    let b = 1;
    do {
      if (a <= b && left.length > 0) {
        const axis = left.shift()!;
        block.view.push(axis);
        a *= view[axis]!;
      } else if (right.length > 0) {
        const axis = right.shift()!;
        block.source.push(axis);
        b *= source[axis]!;
      } else return blocks;
    } while (a !== b);
    blocks.push(block);
  }
  return blocks;
}

/**
 * Where an element of the view lies in its source. Undefined where that needs a division, or where a coordinate that may be
 * out of range would lose its axis.
 */
export function throughView(
  coordinates: readonly Coordinate[],
  view: readonly number[],
  source: readonly number[],
  extents: readonly number[],
): Coordinate[] | undefined {
  const result: Coordinate[] = source.map(() => ({ offset: 0, terms: [] }));
  for (const [axis, extent] of view.entries())
    if (extent === 1 && !provedInRange(coordinates[axis]!, extents, 1)) return undefined;
  for (const block of blocksOf(view, source)) {
    const [onlyView, ...moreView] = block.view;
    const [onlySource, ...moreSource] = block.source;
    if (moreView.length === 0 && moreSource.length === 0) {
      result[onlySource!] = coordinates[onlyView!]!;
      continue;
    }
    let flat: Coordinate = { offset: 0, terms: [] };
    for (const axis of block.view) {
      const coordinate = coordinates[axis]!;
      if (hasData(coordinate) || !provedInRange(coordinate, extents, view[axis]!)) return undefined;
      flat = sum(multiple(flat, view[axis]!), coordinate);
    }
    for (const axis of [...block.source].reverse()) {
      if (axis === onlySource) {
        result[axis] = flat;
        continue;
      }
      const parts = split(flat, source[axis]!, extents);
      if (!parts) return undefined;
      result[axis] = parts.rest;
      flat = parts.quotient;
    }
  }
  return result;
}

/** `coordinate = quotient * by + rest` with `0 <= rest < by` proved. */
export function split(
  coordinate: Coordinate,
  by: number,
  extents: readonly number[],
): { quotient: Coordinate; rest: Coordinate } | undefined {
  const divided: Term[] = [];
  const left: Term[] = [];
  for (const term of coordinate.terms) {
    if (term.kind === "table" && term.table.every((value) => value % by === 0))
      divided.push({ ...term, table: term.table.map((value) => value / by) });
    else if (term.kind !== "table" && term.coefficient % by === 0)
      divided.push({ ...term, coefficient: term.coefficient / by });
    else left.push(term);
  }
  const range = rangeOf({ offset: coordinate.offset, terms: left }, extents);
  if (!range) return undefined;
  const whole = Math.floor(range.min / by);
  if (range.max - whole * by >= by) return undefined;
  return {
    quotient: normalize(whole, divided),
    rest: normalize(coordinate.offset - whole * by, left),
  };
}

/**
 * The radix of a mixed-radix coordinate `K*g + c` with `0 <= c < K`, c not constant, into an axis whose extent K divides:
 * such an axis is better split by a view.
 */
export function radixOf(coordinate: Coordinate, extent: number, extents: readonly number[]): number | undefined {
  if (coordinate.terms.length < 2 || !isAffine(coordinate)) return undefined;
  const candidates = coordinate.terms
    .map((term) => (term.kind === "affine" ? Math.abs(term.coefficient) : 0))
    .filter((size) => size > 1);
  for (const radix of candidates.sort((a, b) => a - b)) {
    if (extent % radix !== 0 || radix === extent) continue;
    const parts = split(coordinate, radix, extents);
    if (parts && parts.rest.terms.length > 0 && parts.quotient.terms.length > 0) return radix;
  }
  return undefined;
}
