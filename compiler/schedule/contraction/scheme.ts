/** The ways in which a contraction can run on the CPU, as data. */
import type { Contraction } from "./analysis.ts";
import type { DirectPanel, PackedPanel } from "./panels.ts";
import type { SupportTerm } from "./support.ts";

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
  /** The contraction, perhaps with indices cut in two: positions of indices are its own. */
  readonly contraction: Contraction;
  readonly kind: "lanes" | "dot";
  readonly rowPanel: DirectPanel | PackedPanel;
  readonly columnPanel: DirectPanel | PackedPanel;
  readonly batch: readonly IndexLoop[];
  /**
   * The last of the rows and of the columns is cut into tiles. Where the factor of the rows has no index of its own, an
   * index of the columns may stand for them: a tile then has more sums than one, which do not wait for each other.
   */
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
  readonly clips: readonly Clip[];
  readonly tile: TileShape;
  readonly cost: number;
}

/** Whether the rows of a tile are columns of another index: they share the operand of the rows, each has columns of its own. */
export function rowsAreColumns({ rows, columnPanel }: Pick<Scheme, "rows" | "columnPanel">): boolean {
  return columnPanel.stride(lastOf(rows.at(-1)!)) !== 0;
}

/** Steps of the sum that meet padding alone are left out: those where `position + base` is not in `[from, to)`. */
export interface Clip {
  readonly position: number;
  /** Of that index in the window: 1 or -1. */
  readonly sign: number;
  /** What the indices around add. */
  readonly others: readonly SupportTerm[];
  readonly from: number;
  readonly to: number;
}

/** Unlike the names of the other schemes of a contraction. */
export function nameOfScheme(scheme: Scheme): string {
  const loops = (list: readonly IndexLoop[]): string => list.map(({ positions }) => positions.join("+")).join(" ");
  const [rows, columns] = [`rows ${loops(scheme.rows)}`, `columns ${loops(scheme.columns)}`];
  const size = `${scheme.tile.rows}x${scheme.tile.columns}`;
  const axes = [...scheme.contraction.group.parallel, ...scheme.contraction.group.reduction];
  const blocks = axes.map(({ extent }) => extent).join("x");
  return `${scheme.kind} ${size} of ${blocks}, ${rows} ${scheme.rowPanel.kind}, ${columns} ${scheme.columnPanel.kind}`;
}

export interface TileShape {
  readonly rows: number;
  readonly columns: number;
}
/**
 * As many accumulators as registers hold beside their operands: eight vectors, sixteen registers. More would be spilled by
 * engines that load all operands of a step before the first product. A single row is as fast as its columns come from
 * memory: eight of them side by side, a quarter faster than four.
 */
export function tileShapes(kind: Scheme["kind"], rows: number): readonly TileShape[] {
  if (kind === "dot") return [rows === 1 ? { rows: 1, columns: 8 } : { rows: 2, columns: 4 }];
  return [
    { rows: 4, columns: 8 },
    { rows: 2, columns: 16 },
  ];
}

/** Rows in tiles of at most `size`, as equal as can be: `count` tiles of which the first `larger` have one row more. */
export interface RowTiles {
  readonly count: number;
  readonly larger: number;
  /** Rows of the others; `rows + 1` of the larger. */
  readonly rows: number;
}
export function rowTiles(extent: number, size: number): RowTiles {
  const count = Math.ceil(extent / size);
  const rows = Math.ceil(extent / count) - 1;
  return { count, larger: extent - rows * count, rows };
}
