/** What the tiles of a scheme cost. */
import type { DirectPanel, PackedPanel } from "./panels.ts";
import type { IndexLoop, Scheme } from "./scheme.ts";
import { lastOf } from "./scheme.ts";
import type { Surroundings } from "./surroundings.ts";

/** The first cache: elements of a line, lines that a panel may fill, sets and ways (32 KiB). */
const cache = { lineElements: 16, lines: 384, sets: 64, ways: 8 } as const;

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
  return 3 * Math.min(1, stride / cache.lineElements);
}
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** All tiles once, in multiply-adds of four lanes. */
export function tileCost(scheme: Omit<Scheme, "cost">, { accesses }: Surroundings): number {
  const shape = scheme.tile;
  const product = (loops: readonly IndexLoop[]): number => loops.reduce((size, { extent }) => size * extent, 1);
  const [rows, columns] = [scheme.rows.at(-1)!.extent, scheme.columns.at(-1)!.extent];
  const parts = (extent: number, size: number): { size: number; count: number }[] =>
    [
      { size, count: Math.floor(extent / size) },
      { size: extent % size, count: extent % size === 0 ? 0 : 1 },
    ].filter(({ count }) => count > 0);
  const steps = product(scheme.sum) / (scheme.kind === "dot" ? 4 : 1);
  const entries = scheme.sum.length === 0 ? 0 : steps / (scheme.sum.at(-1)!.extent / (scheme.kind === "dot" ? 4 : 1));
  const lane = lastOf(scheme.columns.at(-1)!);
  const scattered = accesses.filter((stride) => Math.abs(stride(lane)) > 1).length;
  const misses = missCost(scheme.rowPanel, scheme.sum) + missCost(scheme.columnPanel, scheme.sum);
  let cost = 0;
  for (const r of parts(rows, shape.rows))
    for (const c of parts(columns, shape.columns)) {
      const vectors = scheme.kind === "dot" ? c.size : Math.ceil(c.size / 4);
      const products = r.size * vectors;
      const loads = r.size + vectors;
      const step = Math.max(products, 0.6 * loads, (2 * products + loads + 3) / 3) + misses;
      const results = (r.size * c.size) / 4;
      const finish = 6 + results * (1 + 2 * accesses.length + 5 * scattered) + (scheme.kind === "dot" ? 4 * r.size : 0);
      const moving = scheme.outerSum === undefined ? 0 : 2 * results;
      cost += r.count * c.count * (steps * step + entries * 3 + finish + moving);
    }
  return cost * product(scheme.rows.slice(0, -1)) * product(scheme.columns.slice(0, -1));
}
