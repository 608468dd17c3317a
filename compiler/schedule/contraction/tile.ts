/**
 * Tiles of a contraction on a GPU, chosen by a small cost model: arithmetic and loads of a thread, times how many rounds
 * of threads the GPU has to run. Multiplying more operands held in registers costs less; covering the result with fewer
 * wasted points, and having enough threads, costs less too.
 */
import { panelElements } from "./workgroup-panel.ts";

export interface Tile {
  /** Rows and columns of a thread's own part; columns are vectors of four. */
  readonly threadRows: number;
  readonly threadVectors: number;
  /** Threads of the workgroup along rows and columns. */
  readonly rowThreads: number;
  readonly columnThreads: number;
  /** Steps of the summation in workgroup memory at a time. */
  readonly depth: number;
  /** Pieces that the summation is cut in; each gives a partial result. */
  readonly pieces: number;
}
export interface Extents {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

export const tileRows = (tile: Tile): number => tile.threadRows * tile.rowThreads;
export const tileColumns = (tile: Tile): number => tile.threadVectors * 4 * tile.columnThreads;
export const tileThreads = (tile: Tile): number => tile.rowThreads * tile.columnThreads;

const bytesOf = (tile: Tile): number =>
  4 * (panelElements(tileRows(tile), tile.depth) + panelElements(tileColumns(tile), tile.depth));

/** What WebGPU offers everywhere: 16 KiB of workgroup memory, 256 invocations. */
const workgroupBytes = 16384;
const maximumThreads = 256;
/** Threads that a GPU runs at once, roughly. */
const residentThreads = 2 ** 14;
/** A launch costs about as much as this many steps of a thread. */
const launchCost = 4000;

const threadParts: readonly (readonly [rows: number, vectors: number])[] = [
  [1, 1],
  [2, 1],
  [4, 1],
  [4, 2],
  [8, 2],
];
const powers = [1, 2, 4, 8, 16, 32];

export function chooseTile(extents: Extents): Tile {
  const deepest = Math.min(16, 2 ** Math.ceil(Math.log2(Math.max(4, extents.k))));
  let best: Tile | undefined;
  let lowest = Number.POSITIVE_INFINITY;
  for (const [threadRows, threadVectors] of threadParts)
    for (const rowThreads of powers)
      for (const columnThreads of powers) {
        const threads = rowThreads * columnThreads;
        if (threads < 32 || threads > maximumThreads) continue;
        const shape = { threadRows, threadVectors, rowThreads, columnThreads, pieces: 1 };
        const depth = [deepest, deepest / 2].find((steps) => bytesOf({ ...shape, depth: steps }) <= workgroupBytes);
        if (depth === undefined) continue;
        for (let pieces = 1; pieces === 1 || (pieces <= 256 && extents.k / pieces >= 4 * deepest); pieces *= 2) {
          const tile: Tile = { ...shape, depth, pieces };
          const cost = costOf(tile, extents);
          if (cost >= lowest) continue;
          best = tile;
          lowest = cost;
        }
      }
  return best!;
}

function costOf(tile: Tile, { batch, m, n, k }: Extents): number {
  const [rows, columns] = [tileRows(tile), tileColumns(tile)];
  const own = tile.threadRows * tile.threadVectors * 4;
  const threads = tileThreads(tile);
  // A step: the products, the operands from workgroup memory, and this thread's share of filling it.
  const step = own + tile.threadRows + tile.threadVectors * 4 + (12 * (rows + columns)) / threads;
  const workgroups = batch * Math.ceil(m / rows) * Math.ceil(n / columns) * tile.pieces;
  const rounds = Math.max(1, (workgroups * threads) / residentThreads);
  const merge = tile.pieces === 1 ? 0 : launchCost + (tile.pieces * 4 * batch * m * n) / residentThreads;
  return (Math.ceil(k / tile.pieces) * step + 20 * own) * rounds + merge;
}
