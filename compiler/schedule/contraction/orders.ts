/** Orders of indices and dimensions, and which indices run together. */
import type { PackedPanel } from "./panels.ts";
import type { IndexLoop } from "./scheme.ts";
import { lastOf } from "./scheme.ts";
import type { Support } from "./support.ts";

/** Orders of the rows: the last one is cut into tiles, and where that leaves thin ones another may do better. */
export function rowOrders(positions: readonly number[], extents: readonly number[]): (readonly number[])[] {
  const isWhole = (position: number): boolean => extents[position]! % 4 === 0;
  const last = positions.at(-1);
  if (last === undefined || isWhole(last)) return [positions];
  const others = positions.filter((position) => isWhole(position));
  return [positions, ...others.map((other) => [...positions.filter((position) => position !== other), other])];
}

/** Whether packing expects an index to be fixed. */
export function isBoundTo(panel: PackedPanel, index: number): boolean {
  return panel.layout.dimensions.some(({ bound }) => bound.some(({ position }) => position === index));
}

export function indexIn(positions: readonly number[], position: number): number {
  const at = positions.indexOf(position);
  return at < 0 ? positions.length : at;
}

/** Dimensions by the first of their indices in `positions`; those with an index in `first` stand before the others. */
export function orderDimensions(support: Support, positions: readonly number[], first: readonly number[]): number[] {
  const rank = (d: number): number => {
    const { terms } = support.dimensions[d]!;
    const leading = terms.some(({ position }) => first.includes(position)) ? 0 : positions.length;
    return leading + Math.min(...terms.map(({ position }) => indexIn(positions, position)));
  };
  return support.dimensions.map((_, d) => d).sort((a, b) => rank(a) - rank(b));
}

export function collapsed(
  positions: readonly number[],
  strides: readonly ((position: number) => number)[],
  apart: ReadonlySet<number>,
  extents: readonly number[],
): IndexLoop[] {
  const loops: IndexLoop[] = [];
  for (const position of positions) {
    const extent = extents[position]!;
    const last = loops.at(-1);
    const outer = last && lastOf(last);
    const together =
      outer !== undefined &&
      !apart.has(outer) &&
      !apart.has(position) &&
      strides.every((stride) => stride(outer) === stride(position) * extent);
    if (last && together)
      loops[loops.length - 1] = { positions: [...last.positions, position], extent: last.extent * extent };
    else loops.push({ positions: [position], extent });
  }
  return loops;
}

/** Loops cost something to enter: a short innermost one gives way to one twice as long. */
export function longestInnermost(loops: readonly IndexLoop[]): IndexLoop[] {
  const innermost = loops.at(-1);
  if (innermost === undefined || innermost.extent >= 8) return [...loops];
  const longest = loops.reduce((a, b) => (b.extent > a.extent ? b : a));
  if (longest.extent < 2 * innermost.extent) return [...loops];
  return [...loops.filter((loop) => loop !== longest), longest];
}
