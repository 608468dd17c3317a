/** Overlapping tiles of a factor, transformed: a padded copy of a band of rows first, then tile by tile. */
import type { Index, KernelBuilder } from "../../kernel/build.ts";
import { add, constant, i32, load, lt, mul, sub } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";
import { pack } from "../contraction/packing.ts";
import type { PackedDimension, PackedPanel } from "../contraction/panels.ts";
import type { Support } from "../contraction/support.ts";
import { pieceAt } from "../cut.ts";
import type { Operands } from "../operands.ts";
import type { Line } from "./transforms.ts";
import { bothWays } from "./transforms.ts";

export interface Cut {
  readonly support: Support;
  readonly extents: readonly number[];
  /** The dimensions that tiles lie in, and how many points each has. */
  readonly rows: { readonly dimension: number; readonly extent: number };
  readonly columns: { readonly dimension: number; readonly extent: number };
  /** The index that fills the lanes, and the elements from one pixel to the next: its extent, filled up. */
  readonly channels: number;
  readonly column: number;
  /** From one tile to the next, and how many points a tile has a side: before and after the transform. */
  readonly step: number;
  readonly taken: number;
  readonly points: number;
  readonly line: Line;
  readonly tileRows: number;
  readonly tileColumns: number;
  /** Rows of tiles that are transformed together, at most, and how many such bands there are. */
  readonly bandRows: number;
  readonly bands: number;
  /** Elements from one point's transformed data to the next point's. */
  readonly point: number;
}

/** The rows of tiles of a band. */
export function bandAt(
  kernel: KernelBuilder,
  { bandRows, bands, tileRows }: Pick<Cut, "bandRows" | "bands" | "tileRows">,
  band: Expression,
): { readonly first: Expression; readonly rows: Expression } {
  const { from, to } = pieceAt(kernel, band, bands, tileRows);
  return { first: from, rows: bands * bandRows === tileRows ? i32(bandRows) : kernel.letIn("rows", sub(to, from)) };
}

/** Memory for one piece of work: all threads' where there is but one piece, which they share, else each thread's own. */
export function scratchFor(kernel: KernelBuilder, hint: string, size: number, alone: boolean): string {
  return alone ? kernel.local(hint, "f32", "scratch", size) : kernel.ownScratch(hint, "f32", size);
}

export class Tiles {
  readonly #operands: Operands;
  readonly #cut: Cut;
  readonly #padded: string;
  readonly #transformed: string;
  /** From one row of the padded copy to the next. */
  readonly #row: number;

  /** `alone`: there is one piece of work only. */
  constructor(operands: Operands, cut: Cut, transformed: string, alone: boolean) {
    this.#operands = operands;
    this.#cut = cut;
    this.#row = ((cut.tileColumns - 1) * cut.step + cut.taken) * cut.column;
    this.#padded = scratchFor(operands.kernel, "padded", this.#reach(cut.bandRows) * this.#row, alone);
    this.#transformed = transformed;
  }

  #reach(tileRows: number): number {
    return (tileRows - 1) * this.#cut.step + this.#cut.taken;
  }

  /**
   * The band of tiles from row `first` on, which begin with tile `tile` of what is transformed; `values` holds the other
   * indices.
   */
  write(values: ReadonlyMap<number, Expression>, first: Expression, tileRows: Expression, tile: Expression): void {
    const { kernel } = this.#operands;
    const { bandRows, bands, step, rows } = this.#cut;
    // Of a band that has a row fewer as much is copied. Where the last tiles reach beyond the data there are zeros.
    const whole = this.#reach(bandRows);
    const start = this.#cut.tileRows - bandRows;
    const left = rows.extent - start * step;
    const copy = (number: Expression, there: number, reach: number) => (): void =>
      this.#copy(new Map([...values, [this.#cut.extents.length, number]]), there, reach);
    const last = copy(i32(start), left, whole);
    if (bands === 1) last();
    else if (left === whole) copy(first, whole, whole)();
    else kernel.ifThen(lt(first, start), copy(first, whole, whole), last);
    this.#transform(tileRows, tile);
  }

  /** A copy with the channels next to each other, zeros around the data included. */
  #copy(values: ReadonlyMap<number, Expression>, rows: number, reach: number): void {
    const { kernel } = this.#operands;
    const { columns, column } = this.#cut;
    const row = this.#row;
    pack(this.#operands, this.#panel(rows), this.#padded, values);
    const zeros = (from: Index, to: Index): void =>
      kernel.forLoop("z", from, to, 4, (at) => kernel.store(this.#padded, at, constant("f32", 0, 4)), {
        outer: kernel.atTopLevel,
      });
    const width = columns.extent * column;
    const behind = (r: Expression): void => zeros(add(mul(r, row), width), add(mul(r, row), row));
    if (width < row) kernel.forLoop("r", 0, rows, 1, behind, { outer: kernel.atTopLevel });
    zeros(rows * row, reach * row);
  }

  #panel(there: number): PackedPanel {
    const { support, extents, rows, columns, channels, column, tileRows, bands, step } = this.#cut;
    const row = this.#row;
    const order = support.dimensions.map(({ terms }, d): PackedDimension => {
      if (d === rows.dimension) {
        const bound = bands === 1 ? [] : [{ position: extents.length, coefficient: step }];
        return { d, own: [], bound, lowest: 0, extent: there, stride: row, from: 0 };
      }
      if (d === columns.dimension)
        return { d, own: [], bound: [], lowest: 0, extent: columns.extent, stride: column, from: 0 };
      const own = terms.filter(({ position }) => position === channels);
      const bound = terms.filter(({ position }) => position !== channels);
      return { d, own, bound, lowest: 0, extent: own.length === 0 ? 1 : extents[channels]!, stride: 1, from: 0 };
    });
    // Channels innermost, then the columns of pixels.
    const rank = ({ d, own }: PackedDimension): number =>
      own.length > 0 ? 3 : d === columns.dimension ? 2 : d === rows.dimension ? 1 : 0;
    const dimensions = order.sort((a, b) => rank(a) - rank(b));
    return {
      kind: "packed",
      offset: 0,
      stride: () => 0,
      layout: { support, dimensions, tiles: undefined, size: there * row, extents: [...extents, tileRows] },
    };
  }

  #transform(tileRows: Expression, tile: Expression): void {
    const { kernel } = this.#operands;
    const { tileColumns, step, taken, points, line, column, point } = this.#cut;
    const row = this.#row;
    const side = Array.from({ length: taken }, (_, k) => k);
    const ofRow = (y: Expression): void =>
      kernel.forLoop("x", 0, tileColumns, 1, (x) => {
        const from = kernel.letIn("from", add(mul(y, step * row), mul(x, step * column)));
        const to = kernel.letIn("to", mul(add(tile, add(mul(y, tileColumns), x)), column));
        kernel.forLoop("c", 0, column, 4, (c) => {
          const pixel = (i: number, j: number): Expression =>
            kernel.letIn("d", load(this.#padded, "f32", add(from, c, i * row + j * column), 4));
          const transformed = bothWays(
            kernel,
            line,
            side.map((i) => side.map((j) => pixel(i, j))),
          );
          for (const [i, values] of transformed.entries())
            for (const [j, value] of values.entries())
              kernel.store(this.#transformed, add(to, c, (i * points + j) * point), value);
        });
      });
    kernel.forLoop("y", 0, tileRows, 1, ofRow, { outer: kernel.atTopLevel });
  }
}
