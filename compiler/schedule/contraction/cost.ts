/** What the tiles of a scheme cost. */
import { areInConflict, lineElements, staysNear } from "../cache.ts";
import { extentsOf } from "./analysis.ts";
import type { DirectPanel, PackedPanel } from "./panels.ts";
import type { Clip, IndexLoop, Scheme } from "./scheme.ts";
import { lastOf, rowsAreColumns, rowTiles } from "./scheme.ts";
import type { Surroundings } from "./surroundings.ts";

/** A sum waits for the one before it: so many multiply-adds could have been done meanwhile. */
const latency = 8;

/** What fetching a line from the second cache adds where no prefetcher sees it coming. */
const lineCost = 3;
/** What storing a lane costs where its line has left the first cache before its neighbours are stored. */
const evictedStore = 10;

/** Lines that a panel touches while a sum runs once. */
function linesOf(panel: DirectPanel | PackedPanel, sum: readonly IndexLoop[]): number {
  const along = (loop: IndexLoop): number =>
    Math.ceil((loop.extent * Math.abs(panel.stride(lastOf(loop)))) / lineElements) || 1;
  return sum.reduce((lines, loop) => lines * Math.min(loop.extent, along(loop)), 1);
}

/**
 * Rows of which each has lines of its own, and a sum that strides over lines: what a line holds beside is wanted by another
 * tap of the same tile, or by another row much later. Unless the lines stay in the first cache until then, each row of a
 * tile fetches one at nearly every step.
 */
function rowMissCost({ rowPanel, rows, sum, tile }: Pick<Scheme, "rowPanel" | "rows" | "sum" | "tile">): number {
  const [row, innermost] = [rows.at(-1)!, sum.at(-1)];
  if (innermost === undefined || Math.abs(rowPanel.stride(lastOf(row))) < lineElements) return 0;
  const stride = Math.abs(rowPanel.stride(lastOf(innermost)));
  if (stride <= 1) return 0;
  const lines = linesOf(rowPanel, sum);
  const steps = sum.reduce((product, { extent }) => product * extent, 1);
  const until = lines < steps ? Math.min(tile.rows, row.extent) : row.extent;
  return staysNear(lines * until) ? 0 : lineCost * tile.rows * Math.min(1, stride / lineElements);
}

/**
 * What waiting for memory adds to a step of the sum, where a tile's panel does not stay in the first cache from one tile
 * to the next: it is too long, or a stride is a multiple of a power of two and its lines fall on few sets.
 */
function missCost(panel: DirectPanel | PackedPanel, sum: readonly IndexLoop[]): number {
  const conflict = sum.some((loop) => areInConflict(Math.abs(panel.stride(lastOf(loop))), loop.extent));
  if (staysNear(linesOf(panel, sum)) && !conflict) return 0;
  const innermost = sum.at(-1);
  const stride = innermost === undefined ? 0 : Math.abs(panel.stride(lastOf(innermost)));
  return (conflict ? 3 : 0.5) * Math.min(1, stride / lineElements);
}

/** The part of the steps that a clip leaves. */
export function keptBy({ position, sign, others, from, to }: Clip, extents: readonly number[]): number {
  const extent = extents[position]!;
  let bases = [0];
  for (const term of others)
    bases = Array.from({ length: extents[term.position]! }, (_, k) => k * term.coefficient).flatMap((more) =>
      bases.map((base) => base + more),
    );
  let kept = 0;
  for (const base of bases)
    for (let k = 0; k < extent; k++) if (base + sign * k >= from && base + sign * k < to) kept++;
  return kept / (bases.length * extent);
}

/** All tiles once, in multiply-adds of four lanes. */
export function tileCost(scheme: Omit<Scheme, "cost">, { accesses }: Surroundings): number {
  const shape = scheme.tile;
  const kept = scheme.clips.reduce((part, clip) => part * keptBy(clip, extentsOf(scheme.contraction)), 1);
  const product = (loops: readonly IndexLoop[]): number => loops.reduce((size, { extent }) => size * extent, 1);
  const [rows, columns] = [scheme.rows.at(-1)!.extent, scheme.columns.at(-1)!.extent];
  const cut = rowTiles(rows, shape.rows);
  const rowParts = [
    { size: cut.rows + 1, count: cut.larger },
    { size: cut.rows, count: cut.count - cut.larger },
  ];
  const columnParts = [
    { size: shape.columns, count: Math.floor(columns / shape.columns) },
    { size: columns % shape.columns, count: columns % shape.columns === 0 ? 0 : 1 },
  ];
  const steps = (kept * product(scheme.sum)) / (scheme.kind === "dot" ? 4 : 1);
  const entries = scheme.sum.length === 0 ? 0 : steps / (scheme.sum.at(-1)!.extent / (scheme.kind === "dot" ? 4 : 1));
  const lane = lastOf(scheme.columns.at(-1)!);
  const scattered = accesses.map((stride) => Math.abs(stride(lane))).filter((stride) => stride > 1);
  const scattering = scattered.reduce(
    (total, stride) => total + 5 + (areInConflict(stride, Math.min(columns, shape.columns)) ? 4 * evictedStore : 0),
    0,
  );
  /** Vectors along the sum that begin anywhere cross lines of the cache: such a load is two. */
  const crossing = (panel: DirectPanel | PackedPanel, loops: readonly IndexLoop[]): number =>
    scheme.kind === "dot" && loops.some((loop) => panel.stride(lastOf(loop)) % 4 !== 0) ? 2 : 1;
  const misses = missCost(scheme.rowPanel, scheme.sum) + missCost(scheme.columnPanel, scheme.sum) + rowMissCost(scheme);
  let cost = 0;
  for (const r of rowParts)
    for (const c of columnParts) {
      if (r.count * c.count === 0) continue;
      const vectors = scheme.kind === "dot" ? c.size : Math.ceil(c.size / 4);
      const products = r.size * vectors;
      const [own, across] = rowsAreColumns(scheme) ? [1, r.size] : [r.size, 1];
      const loads =
        1.2 * own * crossing(scheme.rowPanel, scheme.rows) +
        across * vectors * crossing(scheme.columnPanel, scheme.columns);
      const step = Math.max(products, 0.6 * loads, (2 * products + loads + 3) / 3, latency) + misses;
      const results = (r.size * c.size) / 4;
      const finish = 6 + results * (1 + 2 * accesses.length + scattering) + (scheme.kind === "dot" ? 4 * r.size : 0);
      const moving = scheme.outerSum === undefined ? 0 : 2 * results;
      cost += r.count * c.count * (steps * step + entries * 3 + finish + moving);
    }
  return cost * product(scheme.rows.slice(0, -1)) * product(scheme.columns.slice(0, -1));
}
