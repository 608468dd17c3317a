/** How large the pieces are that a sliding window is computed in, and where everything lies in scratch memory. */
import type { KernelBuilder } from "../../kernel/build.ts";
import { add, i32, min, mul, sub } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";
import { roundUp } from "../contraction/panels.ts";
import { piecesOf } from "../cut.ts";
import type { Sliding } from "./analysis.ts";
import type { TileSize, Transform } from "./transforms.ts";
import { transforms } from "./transforms.ts";

/** Elements of transformed data that stay in the second cache, beside weights and results. */
const cachedElements = 2 ** 17;
/** Tiles at a time: more do not reuse the weights better. */
const mostTiles = 64;
/** Of the products at a time. */
const cachedProducts = 2 ** 15;

/** Results next to each other are written four at a time. */
export const unitWidth = 4;

export interface WinogradPlan {
  readonly sliding: Sliding;
  readonly transform: Transform;
  /** Points of a tile: as many products a channel and tile. */
  readonly points: number;
  readonly images: number;
  readonly groups: number;
  readonly outputs: number;
  readonly channels: number;
  /** Tiles down and across an image; across a multiple of a unit's. */
  readonly tileRows: number;
  readonly tileColumns: number;
  readonly unitTiles: number;
  /** Rows of tiles that are transformed together, at most, and how many such bands an image has. */
  readonly bandRows: number;
  readonly bands: number;
  /** Images of a block; above 1 only where an image is one band. */
  readonly blockImages: number;
  /** Tiles of a block, or of all there is where every tile is transformed first. */
  readonly tiles: number;
  /** Every tile is transformed before the products: threads share the channels of the result, not blocks of tiles. */
  readonly together: boolean;
  /** Pairs of vectors of result channels, and how many are multiplied at a time. */
  readonly pairs: number;
  readonly pairBlock: number;
  /** Elements from one pixel to the next where channels are next to each other: filled up. */
  readonly column: number;
  /** From one point's transformed data, and products with one vector, to the next point's. */
  readonly dataPoint: number;
  readonly productPoint: number;
  /** Weights of one point and pair. */
  readonly pairWeights: number;
}

const product = (positions: readonly number[], extents: readonly number[]): number =>
  positions.reduce((total, position) => total * extents[position]!, 1);

/** Many lines at a distance of a power of two would fall on few sets of the first cache. */
export const apart = (stride: number): number => (stride % 128 === 0 ? stride + 16 : stride);

export function planOf(sliding: Sliding, size: TileSize): WinogradPlan {
  const { extents } = sliding;
  const transform = transforms[size];
  const points = transform.points ** 2;
  const [images, groups, outputs] = [sliding.images, sliding.groups, sliding.outputs].map((positions) =>
    product(positions, extents),
  ) as [number, number, number];
  const channels = extents[sliding.channels]!;
  const column = roundUp(channels, 4);
  const tileRows = Math.ceil(sliding.rows.extent / size);
  const unitTiles = unitWidth / size;
  const tileColumns = Math.ceil(sliding.columns.extent / unitWidth) * unitTiles;
  const imageTiles = tileRows * tileColumns;
  const pairs = Math.ceil(outputs / 8);

  const most = Math.max(8, Math.min(mostTiles, Math.floor(cachedElements / (points * column))));
  const together =
    groups === 1 && images * imageTiles <= Math.max(most, 2 * Math.floor(cachedElements / (points * column)));
  const bandCount = Math.ceil(tileRows / Math.max(1, Math.min(tileRows, Math.floor(most / tileColumns))));
  // The loops within a single piece of work are shared themselves.
  const alone = together && images * bandCount === 1;
  const bands = alone ? 1 : piecesOf(tileRows, bandCount, groups * images);
  const bandRows = Math.ceil(tileRows / bands);
  const blockImages = bands > 1 || together ? 1 : largestDivisor(images, Math.floor(most / imageTiles));
  const tiles = roundUp(together ? images * imageTiles : blockImages * bandRows * tileColumns, 4);
  const productPoint = apart(tiles * 4);
  const fitting = Math.max(1, Math.floor(cachedProducts / (2 * points * productPoint)));
  // Threads share the blocks of channels where all tiles are one piece of work.
  const wanted = together ? Math.min(fitting, Math.ceil(pairs / 8)) : Math.min(fitting, pairs);
  const pairBlock = Math.ceil(pairs / Math.ceil(pairs / wanted));
  return {
    sliding,
    transform,
    points,
    images,
    groups,
    outputs,
    channels,
    tileRows,
    tileColumns,
    unitTiles,
    bandRows,
    bands,
    blockImages,
    tiles,
    together,
    pairs,
    pairBlock,
    column,
    dataPoint: apart(tiles * column),
    productPoint,
    pairWeights: apart(channels * 8),
  };
}

function largestDivisor(of: number, most: number): number {
  for (let divisor = Math.min(of, most); divisor > 1; divisor--) if (of % divisor === 0) return divisor;
  return 1;
}

/** Elements of the transformed weights. */
export function weightElements({ groups, pairs, points, pairWeights }: WinogradPlan): number {
  return groups * pairs * points * pairWeights;
}

/** A block of pairs: how many it has, and where its weights begin. They lie in the order in which they are multiplied. */
export function pairBlockAt(
  kernel: KernelBuilder,
  { pairs, pairBlock, points, pairWeights }: WinogradPlan,
  group: Expression,
  first: Expression,
): { readonly count: Expression; readonly weights: Expression } {
  const count = pairs % pairBlock === 0 ? i32(pairBlock) : min(i32(pairBlock), sub(i32(pairs), first));
  return {
    count: kernel.letIn("count", count),
    weights: kernel.letIn("weights", mul(add(mul(group, pairs), first), points * pairWeights)),
  };
}
