/** The ways in which a contraction can run on the CPU, as data. */
import type { DirectPanel, PackedPanel } from "./panels.ts";

/** Indices that run together, outermost first: in every memory the whole is one step of the last index. */
export interface IndexLoop {
  readonly positions: readonly number[];
  readonly extent: number;
}
/** The index whose step is the loop's; none (-1) for the one iteration that stands for no index at all. */
export function lastOf(loop: IndexLoop): number {
  return loop.positions.at(-1) ?? -1;
}
export const once: IndexLoop = { positions: [], extent: 1 };

/**
 * `lanes`: a tile of rows by vectors of columns, one step of the sum at a time. `dot`: the lanes hold four steps of the
 * sum, and are added up in the end.
 */
export interface Scheme {
  readonly kind: "lanes" | "dot";
  readonly rowPanel: DirectPanel | PackedPanel;
  readonly columnPanel: DirectPanel | PackedPanel;
  readonly batch: readonly IndexLoop[];
  /** The last of the rows and of the columns is cut into tiles. */
  readonly rows: readonly IndexLoop[];
  readonly columns: readonly IndexLoop[];
  /** A part of the sum that runs outside of the tiles, whose results rest in memory meanwhile. */
  readonly outerSum: IndexLoop | undefined;
  /** Parts of the outer sum, whose results rest apart: one each for as many threads. Fixed here, so sums are the same bits. */
  readonly parts: number;
  /** The first of the rows or of the columns, if packing happens inside of it. */
  readonly outer: IndexLoop | undefined;
  /** Iterations of the first loop of rows (or tiles of the last) whose operands stay in the second cache together. */
  readonly rowBlock: number;
  readonly sum: readonly IndexLoop[];
  readonly tile: TileShape;
  readonly cost: number;
}

/** Unlike the names of the other schemes of a contraction. */
export function nameOfScheme(scheme: Scheme): string {
  const loops = (list: readonly IndexLoop[]): string => list.map(({ positions }) => positions.join("+")).join(" ");
  const [rows, columns] = [`rows ${loops(scheme.rows)}`, `columns ${loops(scheme.columns)}`];
  const size = `${scheme.tile.rows}x${scheme.tile.columns}`;
  return `${scheme.kind} ${size}, ${rows} ${scheme.rowPanel.kind}, ${columns} ${scheme.columnPanel.kind}`;
}

export interface TileShape {
  readonly rows: number;
  readonly columns: number;
}
/**
 * As many accumulators as registers hold beside their operands: eight vectors, sixteen registers. A single row is as fast as
 * its columns come from memory: eight of them side by side, a quarter faster than four.
 */
export function tileShape(kind: Scheme["kind"], rows: number): TileShape {
  if (kind === "dot") return rows === 1 ? { rows: 1, columns: 8 } : { rows: 2, columns: 4 };
  return rows <= 2 ? { rows: 2, columns: 16 } : { rows: 4, columns: 8 };
}
