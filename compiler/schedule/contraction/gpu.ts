/**
 * Contractions on a GPU: a workgroup computes a tile of the result. It fills two panels of the operands in workgroup
 * memory, a few steps of the summation at a time, and each thread multiplies its own rows and columns out of them into
 * registers. Convolutions are not unfolded in memory: the panels are filled through the operands' indexing maps (implicit
 * im2col). Long summations over small results (weight gradients) are cut in a fixed number of pieces, whose partial
 * results a second kernel adds.
 */
import type { Scalar } from "../../graph/graph.ts";
import {
  add,
  and,
  apply,
  constant,
  KernelBuilder,
  lane,
  load,
  lt,
  min,
  mul,
  splat,
  vector,
} from "../../kernel/build.ts";
import type { Dispatch, Expression } from "../../kernel/ir.ts";
import type { Indices } from "../gpu/domain.ts";
import { divide, gridOf, localThread, pointOf } from "../gpu/grid.ts";
import { defineMaps, labelOf, originOf, storeRows } from "../gpu/members.ts";
import type { BuildContext } from "../group.ts";
import { accessesOf } from "../loops.ts";
import { Lowering } from "../lower.ts";
import { Operands } from "../operands.ts";
import type { Placed } from "../program.ts";
import type { Contraction } from "./analysis.ts";
import { columnsContiguous, smallestStride } from "./contiguous.ts";
import { epilogueAccesses, factorAccesses, Side } from "./side.ts";
import { chooseTile, type Tile, tileColumns, tileRows, tileThreads } from "./tile.ts";
import { filler, Panel } from "./workgroup-panel.ts";

const zeros = constant("f32", 0, 4);

export function contractionGpu(contraction: Contraction, context: BuildContext): readonly Dispatch<Placed>[] {
  return new ContractionGpu(contraction, context).dispatches();
}

class ContractionGpu {
  readonly #contraction: Contraction;
  readonly #context: BuildContext;
  readonly #axes: number;
  readonly #batch: Side;
  /** Rows, columns and steps of the summation where the operands are read, and where the result is finished. */
  readonly #left: { readonly across: Side; readonly summed: Side };
  readonly #right: { readonly across: Side; readonly summed: Side };
  readonly #rows: Side;
  readonly #columns: Side;
  readonly #tile: Tile;
  /** Steps of the summation in a piece, a multiple of the panels' depth. */
  readonly #pieceSteps: number;
  readonly #pieces: number;

  constructor(original: Contraction, context: BuildContext) {
    const contraction = columnsContiguous(original, context);
    const { group, batch, rows, columns, summed, left, right } = contraction;
    this.#contraction = contraction;
    this.#context = context;
    this.#axes = group.parallel.length + group.reduction.length;
    // Each index for itself: both operands and the epilogue share them.
    this.#batch = new Side(batch, { ...accessesOf(group, context), pinned: new Set(batch) });
    const [ofLeft, ofRight] = [left, right].map(({ body }) => factorAccesses(contraction, body, context));
    this.#left = { across: new Side(rows, ofLeft!), summed: new Side(summed, ofLeft!) };
    this.#right = { across: new Side(columns, ofRight!), summed: new Side(summed, ofRight!) };
    const after = epilogueAccesses(contraction, context);
    this.#rows = new Side(rows, after);
    this.#columns = new Side(columns, after);
    const k = this.#left.summed.extent;
    this.#tile = chooseTile({ batch: this.#batch.extent, m: this.#rows.extent, n: this.#columns.extent, k });
    const { depth, pieces } = this.#tile;
    this.#pieceSteps = Math.ceil(k / pieces / depth) * depth;
    this.#pieces = Math.ceil(k / this.#pieceSteps);
  }

  #lowering(operands: Operands, batch: Indices): Lowering {
    return new Lowering(operands, {
      indices: Array.from({ length: this.#axes }, (_, position) => batch.get(position)),
    });
  }

  dispatches(): readonly Dispatch<Placed>[] {
    if (this.#pieces === 1) return [this.#multiply(undefined)];
    const partials = this.#context.scratch(
      this.#pieces * this.#batch.extent * this.#rows.extent * this.#columns.extent,
    );
    return [this.#multiply(partials), this.#addPieces(partials)];
  }

  #multiply(partials: Placed | undefined): Dispatch<Placed> {
    const { group } = this.#contraction;
    const left = this.#contraction.left.body;
    const right = this.#contraction.right.body;
    const [batch, m, n] = [this.#batch, this.#rows, this.#columns];
    const k = this.#left.summed.extent;
    const tile = this.#tile;
    const [rows, columns, threads] = [tileRows(tile), tileColumns(tile), tileThreads(tile)];
    const label = labelOf(group);
    const kernel = new KernelBuilder(this.#context.name(label), "gpu", [threads, 1, 1]);
    const operands = new Operands(kernel, this.#context);
    const rowTiles = Math.ceil(m.extent / rows);
    const columnTiles = Math.ceil(n.extent / columns);
    const count = batch.extent * this.#pieces * rowTiles * columnTiles;
    const grid = gridOf(kernel, count);
    // A number beyond the last repeats the last tile's work, so that all arrive at every barrier, and stores nothing: its
    // epilogue may read what the tile's own has been written over.
    const number = grid.folded ? kernel.letIn("tile", min(grid.number, count - 1)) : grid.number;
    const valid = grid.folded ? kernel.letIn("valid", lt(grid.number, count)) : undefined;
    const [batchNumber, piece, rowTile, columnTile] = pointOf(kernel, number, [
      batch.extent,
      this.#pieces,
      rowTiles,
      columnTiles,
    ]);
    const firstRow = kernel.letIn("first_row", mul(rowTile!, rows));
    const firstColumn = kernel.letIn("first_column", mul(columnTile!, columns));
    const outer = this.#lowering(operands, batch.at(kernel, batchNumber!));

    const leftPanel = new Panel(kernel, "left", rows, tile.depth);
    const rightPanel = new Panel(kernel, "right", columns, tile.depth);
    const [rowThread, columnThread] = divide(kernel, localThread, tile.columnThreads);
    const ownRow = kernel.letIn("own_row", mul(rowThread, tile.threadRows));
    const ownColumn = kernel.letIn("own_column", mul(columnThread, 4));
    const sums = Array.from({ length: tile.threadRows * tile.threadVectors }, () => kernel.declare("sum", zeros));

    const fillLeft = filler(
      kernel,
      outer,
      leftPanel,
      {
        factor: left,
        ...this.#left,
        first: firstRow,
        depthFastest: this.#summedFastest(left, this.#contraction.rows),
      },
      threads,
    );
    const fillRight = filler(
      kernel,
      outer,
      rightPanel,
      {
        factor: right,
        ...this.#right,
        first: firstColumn,
        depthFastest: this.#summedFastest(right, this.#contraction.columns),
      },
      threads,
    );
    const from = kernel.letIn("from", mul(piece!, this.#pieceSteps));
    const next = add(from, this.#pieceSteps);
    const to = kernel.letIn("to", k % this.#pieceSteps === 0 ? next : min(next, k));
    kernel.forLoop("step", from, to, tile.depth, (step) => {
      fillLeft(step);
      fillRight(step);
      kernel.barrier();
      kernel.forLoop("depth", 0, tile.depth, 1, (depth) => {
        const a = leftPanel.rows(depth, ownRow, tile.threadRows);
        const b = Array.from({ length: tile.threadVectors }, (_, v) =>
          rightPanel.vector(depth, add(ownColumn, v * 4 * tile.columnThreads)),
        );
        sums.forEach((sum, s) => {
          const factor = splat(a[Math.floor(s / tile.threadVectors)]!);
          kernel.assign(sum, apply("multiply_add", "f32", factor, b[s % tile.threadVectors]!, sum));
        });
      });
      kernel.barrier();
    });

    const cell = (row: Expression, column: Expression): Expression =>
      add(mul(add(mul(add(mul(piece!, batch.extent), batchNumber!), m.extent), row), n.extent), column);
    for (let r = 0; r < tile.threadRows; r++)
      for (let v = 0; v < tile.threadVectors; v++) {
        const row = kernel.letIn("row", add(firstRow, ownRow, r));
        const column = kernel.letIn("column", add(firstColumn, ownColumn, v * 4 * tile.columnThreads));
        const sum = sums[r * tile.threadVectors + v]!;
        const within = m.extent % rows === 0 ? undefined : lt(row, m.extent);
        const inside = valid && within ? and(valid, within) : (valid ?? within);
        if (partials)
          this.#storeFour(kernel, column, n.extent % columns === 0, inside, (lanes, l) => {
            const buffer = operands.bind("partials", "f32", partials, "write");
            kernel.store(buffer, add(cell(row, column), l), lanes === 4 ? sum : lane(sum, l));
          });
        else this.#epilogue(kernel, outer, row, column, sum, inside, n.extent % columns === 0);
      }
    return operands.dispatch({ label, origin: originOf(group), workgroups: grid.workgroups });
  }

  /** Whether an operand moves through memory by fewer elements with the summation than with its own indices. */
  #summedFastest(factor: Scalar, positions: readonly number[]): boolean {
    const { summed } = this.#contraction;
    return smallestStride(factor, summed, this.#context) < smallestStride(factor, positions, this.#context);
  }

  /** Stores four neighbouring columns: at once where the result allows it, else those that exist. */
  #storeFour(
    kernel: KernelBuilder,
    column: Expression,
    exact: boolean,
    inside: Expression | undefined,
    store: (lanes: 1 | 4, l: number) => void,
  ): void {
    const n = this.#columns;
    const guarded = (condition: Expression | undefined, body: () => void): void => {
      if (condition === undefined) body();
      else kernel.ifThen(condition, body);
    };
    if (n.extent % 4 === 0) {
      const within = exact ? undefined : lt(column, n.extent);
      guarded(inside && within ? and(inside, within) : (inside ?? within), () => store(4, 0));
      return;
    }
    for (let l = 0; l < 4; l++) {
      const within = exact ? undefined : lt(add(column, l), n.extent);
      guarded(inside && within ? and(inside, within) : (inside ?? within), () => store(1, l));
    }
  }

  /** What follows the sum at four neighbouring columns, and the stores. */
  #epilogue(
    kernel: KernelBuilder,
    outer: Lowering,
    row: Expression,
    column: Expression,
    sum: Expression,
    inside: Expression | undefined,
    exact: boolean,
  ): void {
    const { group, root, epilogue } = this.#contraction;
    const n = this.#columns;
    const finish = (at: Indices, value: Expression): void => {
      const lowering = outer.child(new Map([...this.#rows.at(kernel, row), ...at]));
      lowering.define(root.node.results[0]!, value);
      defineMaps(lowering, epilogue);
      storeRows(kernel, lowering, group, group.members, undefined);
    };
    const one = (l: number) => n.at(kernel, kernel.letIn("place", add(column, l)));
    this.#storeFour(kernel, column, exact, inside, (lanes, l) => {
      const value = kernel.letIn("value", lanes === 4 ? sum : lane(sum, l));
      if (lanes === 1) finish(one(l), value);
      else if (n.vectors) for (const at of n.fourAt(kernel, column, true)) finish(at, value);
      else for (let each = 0; each < 4; each++) finish(one(each), kernel.letIn("value", lane(value, each)));
    });
  }

  /** A thread for four neighbouring columns of a row: adds the pieces, then the epilogue. */
  #addPieces(partials: Placed): Dispatch<Placed> {
    const { group } = this.#contraction;
    const [batch, m, n] = [this.#batch, this.#rows, this.#columns];
    const label = labelOf(group);
    const threads = 64;
    const kernel = new KernelBuilder(this.#context.name(`${label} sum`), "gpu", [threads, 1, 1]);
    const operands = new Operands(kernel, this.#context);
    const quarters = Math.ceil(n.extent / 4);
    const count = batch.extent * m.extent * quarters;
    const grid = gridOf(kernel, Math.ceil(count / threads));
    const number = kernel.letIn("number", add(mul(grid.number, threads), localThread));
    kernel.ifThen(lt(number, count), () => {
      const [batchNumber, row, quarter] = pointOf(kernel, number, [batch.extent, m.extent, quarters]);
      const column = kernel.letIn("column", mul(quarter!, 4));
      const outer = this.#lowering(operands, batch.at(kernel, batchNumber!));
      const buffer = operands.bind("partials", "f32", partials, "read");
      const size = batch.extent * m.extent * n.extent;
      const start = kernel.letIn("start", add(mul(add(mul(batchNumber!, m.extent), row!), n.extent), column));
      const total = kernel.declare("sum", zeros);
      const whole = n.extent % 4 === 0;
      kernel.forLoop("piece", 0, this.#pieces, 1, (piece) => {
        const at = kernel.letIn("at", add(start, mul(piece, size)));
        const last = size * this.#pieces - 1;
        const four = whole
          ? load(buffer, "f32", at, 4)
          : vector([0, 1, 2, 3].map((l) => load(buffer, "f32", min(add(at, l), last))));
        kernel.assign(total, add(total, four));
      });
      this.#epilogue(kernel, outer, row!, column, total, undefined, whole);
    });
    return operands.dispatch({ label, origin: originOf(group), workgroups: grid.workgroups });
  }
}
