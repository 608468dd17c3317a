/** What the tiles of a scheme cost. */
import { extentsOf } from "./analysis.ts";
import type { DirectPanel, PackedPanel } from "./panels.ts";
import type { Clip, IndexLoop, Scheme } from "./scheme.ts";
import { lastOf, rowTiles } from "./scheme.ts";
import type { Surroundings } from "./surroundings.ts";

/** The first cache: elements of a line, lines that a panel may fill, sets and ways (32 KiB). */
const cache = { lineElements: 16, lines: 384, sets: 64, ways: 8 } as const;

/** A sum waits for the one before it: so many multiply-adds could have been done meanwhile. */
const latency = 7;

/**
 * What waiting for memory adds to a step of the sum, where a tile's panel does not stay in the first cache from one tile
 * to the next: it is too long, or a stride is a multiple of a power of two and its lines fall on few sets.
 */
function missCost(panel: DirectPanel | PackedPanel, sum: readonly IndexLoop[]): number {
  let lines = 1;
  let conflict = false;
  for (const loop of sum) {
    const stride = Math.abs(panel.stride(lastOf(loop)));
    lines *= Math.min(loop.extent, Math.ceil((loop.extent * stride) / cache.lineElements) || 1);
    if (stride < cache.lineElements || stride % cache.lineElements !== 0) continue;
    const sets = cache.sets / gcd(cache.sets, stride / cache.lineElements);
    if (loop.extent > sets * cache.ways) conflict = true;
  }
  if (lines <= cache.lines && !conflict) return 0;
  const innermost = sum.at(-1);
  const stride = innermost === undefined ? 0 : Math.abs(panel.stride(lastOf(innermost)));
  return (conflict ? 3 : 0.5) * Math.min(1, stride / cache.lineElements);
}
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

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
  const scattered = accesses.filter((stride) => Math.abs(stride(lane)) > 1).length;
  /** Vectors along the sum that begin anywhere cross lines of the cache: such a load is two. */
  const crossing = (panel: DirectPanel | PackedPanel, loops: readonly IndexLoop[]): number =>
    scheme.kind === "dot" && loops.some((loop) => panel.stride(lastOf(loop)) % 4 !== 0) ? 2 : 1;
  const misses = missCost(scheme.rowPanel, scheme.sum) + missCost(scheme.columnPanel, scheme.sum);
  let cost = 0;
  for (const r of rowParts)
    for (const c of columnParts) {
      if (r.count * c.count === 0) continue;
      const vectors = scheme.kind === "dot" ? c.size : Math.ceil(c.size / 4);
      const products = r.size * vectors;
      const loads =
        1.2 * r.size * crossing(scheme.rowPanel, scheme.rows) + vectors * crossing(scheme.columnPanel, scheme.columns);
      const step = Math.max(products, 0.6 * loads, (2 * products + loads + 3) / 3, latency) + misses;
      const results = (r.size * c.size) / 4;
      const finish = 6 + results * (1 + 2 * accesses.length + 5 * scattered) + (scheme.kind === "dot" ? 4 * r.size : 0);
      const moving = scheme.outerSum === undefined ? 0 : 2 * results;
      cost += r.count * c.count * (steps * step + entries * 3 + finish + moving);
    }
  return cost * product(scheme.rows.slice(0, -1)) * product(scheme.columns.slice(0, -1));
}
