/**
 * Contractions on a GPU: a workgroup computes a tile of the result. It fills two panels of the operands in workgroup
 * memory, a few steps of the summation at a time, and each thread multiplies its own rows and columns out of them into
 * registers. Convolutions are not unfolded in memory: the panels are filled through the operands' indexing maps (implicit
 * im2col). Long summations over small results (weight gradients) are cut in a fixed number of pieces, whose partial
 * results a second kernel adds.
 */
import type { Axis, Scalar } from "../../graph/graph.ts";
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
  select,
  splat,
  vector,
} from "../../kernel/build.ts";
import type { Dispatch, Expression } from "../../kernel/ir.ts";
import { type IndexValue, indexAt, indexLanes } from "../address.ts";
import { divide, gridOf, localThread, pointOf, product } from "../gpu/grid.ts";
import type { BuildContext } from "../group.ts";
import { Lowering } from "../lower.ts";
import { Operands } from "../operands.ts";
import type { Placed } from "../program.ts";
import { defineMaps, labelOf, originOf, storeRows } from "../row/gpu.ts";
import type { Contraction } from "./analysis.ts";
import { columnsContiguous, smallestStride } from "./contiguous.ts";
import { Panel } from "./panel.ts";
import { chooseTile, type Tile, tileColumns, tileRows, tileThreads } from "./tile.ts";

const zeros = constant("f32", 0, 4);

/** One axis of the tile: the indices that it runs over together, row-major. */
interface Side {
  readonly positions: readonly number[];
  readonly axes: readonly Axis[];
  readonly extent: number;
  /** Four neighbours differ in the last index alone. */
  readonly vectors: boolean;
}

export function contractionGpu(contraction: Contraction, context: BuildContext): readonly Dispatch<Placed>[] {
  return new ContractionGpu(contraction, context).dispatches();
}

class ContractionGpu {
  readonly #contraction: Contraction;
  readonly #context: BuildContext;
  readonly #axes: readonly Axis[];
  readonly #sides: { readonly batch: Side; readonly m: Side; readonly n: Side; readonly k: Side };
  readonly #tile: Tile;
  /** Steps of the summation in a piece, a multiple of the panels' depth. */
  readonly #pieceSteps: number;
  readonly #pieces: number;

  constructor(contraction: Contraction, context: BuildContext) {
    this.#contraction = columnsContiguous(contraction, context);
    this.#context = context;
    const { group, batch, rows, columns, summed } = this.#contraction;
    this.#axes = [...group.parallel, ...group.reduction];
    const side = (positions: readonly number[]): Side => {
      const axes = positions.map((position) => this.#axes[position]!);
      return { positions, axes, extent: product(axes), vectors: (axes.at(-1)?.extent ?? 1) % 4 === 0 };
    };
    this.#sides = { batch: side(batch), m: side(rows), n: side(columns), k: side(summed) };
    const sides = this.#sides;
    this.#tile = chooseTile({
      batch: sides.batch.extent,
      m: sides.m.extent,
      n: sides.n.extent,
      k: sides.k.extent,
    });
    const { depth, pieces } = this.#tile;
    this.#pieceSteps = Math.ceil(sides.k.extent / pieces / depth) * depth;
    this.#pieces = Math.ceil(sides.k.extent / this.#pieceSteps);
  }

  dispatches(): readonly Dispatch<Placed>[] {
    if (this.#pieces === 1) return [this.#multiply(undefined)];
    const { batch, m, n } = this.#sides;
    const partials = this.#context.scratch(this.#pieces * batch.extent * m.extent * n.extent);
    return [this.#multiply(partials), this.#addPieces(partials)];
  }

  #indices(side: Side, number: Expression, kernel: KernelBuilder): [number, IndexValue][] {
    const extents = side.axes.map(({ extent }) => extent);
    return pointOf(kernel, number, extents).map((value, k) => [side.positions[k]!, indexAt(value, 0, extents[k]! - 1)]);
  }
  /** Four neighbours from `number`, a multiple of four: one set of indices with lanes, or four. */
  #fourIndices(side: Side, number: Expression, kernel: KernelBuilder): Map<number, IndexValue>[] {
    if (side.vectors) {
      const indices = new Map(this.#indices(side, number, kernel));
      const last = side.positions.at(-1)!;
      const extent = side.axes.at(-1)!.extent;
      return [indices.set(last, indexLanes(indices.get(last)!.base, 0, extent - 1))];
    }
    return [0, 1, 2, 3].map(
      (l) => new Map(this.#indices(side, kernel.letIn("clamped", min(add(number, l), side.extent - 1)), kernel)),
    );
  }
  /** Of numbers of four neighbours that may lie beyond the last: repeats the last ones. */
  #fourInRange(side: Side, number: Expression, tileExtent: number, kernel: KernelBuilder): Expression {
    if (!side.vectors || side.extent % tileExtent === 0) return number;
    return kernel.letIn("clamped", min(number, side.extent - 4));
  }

  #multiply(partials: Placed | undefined): Dispatch<Placed> {
    const { group } = this.#contraction;
    const left = this.#contraction.left.body;
    const right = this.#contraction.right.body;
    const { batch, m, n, k } = this.#sides;
    const tile = this.#tile;
    const [rows, columns, threads] = [tileRows(tile), tileColumns(tile), tileThreads(tile)];
    const label = labelOf(group);
    const kernel = new KernelBuilder(this.#context.name(label), "gpu", [threads, 1, 1]);
    const operands = new Operands(kernel, this.#context);
    const rowTiles = Math.ceil(m.extent / rows);
    const columnTiles = Math.ceil(n.extent / columns);
    const count = batch.extent * this.#pieces * rowTiles * columnTiles;
    const grid = gridOf(kernel, count);
    // A number beyond the last repeats the last tile's work, so that all arrive at every barrier.
    const number = grid.folded ? kernel.letIn("tile", min(grid.number, count - 1)) : grid.number;
    const [batchNumber, piece, rowTile, columnTile] = pointOf(kernel, number, [
      batch.extent,
      this.#pieces,
      rowTiles,
      columnTiles,
    ]);
    const firstRow = kernel.letIn("first_row", mul(rowTile!, rows));
    const firstColumn = kernel.letIn("first_column", mul(columnTile!, columns));
    const unknown: (IndexValue | undefined)[] = this.#axes.map(() => undefined);
    for (const [position, value] of this.#indices(batch, batchNumber!, kernel)) unknown[position] = value;
    const outer = new Lowering(operands, { indices: unknown });

    const leftPanel = new Panel(kernel, "left", rows, tile.depth);
    const rightPanel = new Panel(kernel, "right", columns, tile.depth);
    const [rowThread, columnThread] = divide(kernel, localThread, tile.columnThreads);
    const ownRow = kernel.letIn("own_row", mul(rowThread, tile.threadRows));
    const ownColumn = kernel.letIn("own_column", mul(columnThread, 4));
    const sums = Array.from({ length: tile.threadRows * tile.threadVectors }, () => kernel.declare("sum", zeros));

    const fillLeft = this.#filler(kernel, outer, leftPanel, left, m, firstRow, threads);
    const fillRight = this.#filler(kernel, outer, rightPanel, right, n, firstColumn, threads);
    const from = kernel.letIn("from", mul(piece!, this.#pieceSteps));
    const next = add(from, this.#pieceSteps);
    const to = kernel.letIn("to", k.extent % this.#pieceSteps === 0 ? next : min(next, k.extent));
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
        const inside = m.extent % rows === 0 ? undefined : lt(row, m.extent);
        if (partials)
          this.#storeFour(kernel, column, n.extent % columns === 0, inside, (lanes, l) => {
            const buffer = operands.bind("partials", "f32", partials, "write");
            kernel.store(buffer, add(cell(row, column), l), lanes === 4 ? sum : lane(sum, l));
          });
        else this.#epilogue(kernel, outer, row, column, sum, inside, n.extent % columns === 0);
      }
    return operands.dispatch({ label, origin: originOf(group), workgroups: grid.workgroups });
  }

  /**
   * Prepares to fill a panel: returns what fills it for one step of the summation. Neighbouring threads take neighbours of
   * the index that is contiguous in memory.
   */
  #filler(
    kernel: KernelBuilder,
    outer: Lowering,
    panel: Panel,
    factor: Scalar,
    side: Side,
    first: Expression,
    threads: number,
  ): (step: Expression) => void {
    const { k } = this.#sides;
    const quarters = panel.width / 4;
    const depth = this.#tile.depth;
    const total = quarters * depth;
    const depthFastest =
      smallestStride(factor, k.positions, this.#context) < smallestStride(factor, side.positions, this.#context);
    const inner = depthFastest ? depth : quarters;
    const offsets = Array.from({ length: Math.ceil(total / threads) }, (_, s) => s * threads);
    // Where the threads are a multiple of the inner extent, all slots of a thread differ in the outer number alone.
    const aligned = threads % inner === 0;
    const [outerOwn, innerOwn] = divide(kernel, localThread, inner);
    const numbersOf = (offset: number): [Expression, Expression] =>
      aligned ? [add(outerOwn, offset / inner), innerOwn] : divide(kernel, add(localThread, offset), inner);
    const place = (quarter: Expression) => {
      const across = kernel.letIn("across", mul(quarter, 4));
      const inRange = this.#fourInRange(side, kernel.letIn("place", add(first, across)), panel.width, kernel);
      return { across, indices: this.#fourIndices(side, inRange, kernel) };
    };
    const fill = (step: Expression, slot: Expression, along: Expression, at: ReturnType<typeof place>): void => {
      const store = (): void => {
        const asked = kernel.letIn("k", add(step, along));
        const ragged = k.extent % depth !== 0;
        const summed = this.#indices(k, ragged ? kernel.letIn("k", min(asked, k.extent - 1)) : asked, kernel);
        const values = at.indices.map((map) => outer.child(new Map([...map, ...summed])).lower(factor));
        const four = values.length === 1 ? splat(values[0]!) : vector(values.map((value) => lane(value, 0)));
        // Both operands become 0 beyond the end: 0 times what lies there need not be 0.
        panel.store(along, at.across, ragged ? select(splat(lt(asked, k.extent)), four, zeros) : four);
      };
      if (total % threads === 0) store();
      else kernel.ifThen(lt(slot, total), store);
    };
    if (aligned && !depthFastest) {
      const at = place(innerOwn);
      return (step) =>
        kernel.forLoop("s", 0, offsets.length, 1, (s) => {
          const along = kernel.letIn("along", add(outerOwn, mul(s, threads / inner)));
          fill(step, add(localThread, mul(s, threads)), along, at);
        });
    }
    const slots = offsets.map((offset) => {
      const [high, low] = numbersOf(offset);
      const [quarter, along] = depthFastest ? [high, low] : [low, high];
      return { slot: add(localThread, offset), along, at: place(quarter) };
    });
    return (step) => {
      for (const { slot, along, at } of slots) fill(step, slot, along, at);
    };
  }

  /** Stores four neighbouring columns: at once where the result allows it, else those that exist. */
  #storeFour(
    kernel: KernelBuilder,
    column: Expression,
    exact: boolean,
    inside: Expression | undefined,
    store: (lanes: 1 | 4, l: number) => void,
  ): void {
    const { n } = this.#sides;
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
    const { m, n } = this.#sides;
    const finish = (at: Map<number, IndexValue>, value: Expression): void => {
      const lowering = outer.child(new Map([...this.#indices(m, row, kernel), ...at]));
      lowering.define(root.node.results[0]!, value);
      defineMaps(lowering, epilogue);
      storeRows(kernel, lowering, group, group.members, undefined);
    };
    const one = (l: number) => new Map(this.#indices(n, kernel.letIn("place", add(column, l)), kernel));
    this.#storeFour(kernel, column, exact, inside, (lanes, l) => {
      const value = kernel.letIn("value", lanes === 4 ? sum : lane(sum, l));
      if (lanes === 1) finish(one(l), value);
      else if (n.vectors) for (const at of this.#fourIndices(n, column, kernel)) finish(at, value);
      else for (let each = 0; each < 4; each++) finish(one(each), kernel.letIn("value", lane(value, each)));
    });
  }

  /** A thread for four neighbouring columns of a row: adds the pieces, then the epilogue. */
  #addPieces(partials: Placed): Dispatch<Placed> {
    const { group } = this.#contraction;
    const { batch, m, n } = this.#sides;
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
      const indices: (IndexValue | undefined)[] = this.#axes.map(() => undefined);
      for (const [position, value] of this.#indices(batch, batchNumber!, kernel)) indices[position] = value;
      const outer = new Lowering(operands, { indices });
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
