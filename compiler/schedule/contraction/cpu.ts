/**
 * Contractions on the CPU, after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): packed
 * panels, a register tile, and loops around it in the order that keeps the panels in cache. Convolutions are the same with
 * other addresses: their panels are padded copies, read through the window.
 */
import { readsOf } from "../../graph/traverse.ts";
import { add, constant, i32, KernelBuilder, max, min, mul } from "../../kernel/build.ts";
import type { Index } from "../../kernel/expressions.ts";
import type { Dispatch, Expression } from "../../kernel/ir.ts";
import { chooseScheme } from "../choice.ts";
import { pieceAt, piecesOf } from "../cut.ts";
import type { BuildContext } from "../group.ts";
import { Operands } from "../operands.ts";
import type { Placed } from "../program.ts";
import type { Contraction } from "./analysis.ts";
import type { Active, Resting, TilePlace } from "./micro-kernel.ts";
import { MicroKernel } from "./micro-kernel.ts";
import { isBoundTo } from "./orders.ts";
import { pack } from "./packing.ts";
import type { DirectPanel, PackedPanel } from "./panels.ts";
import { schemesOf } from "./planner.ts";
import type { IndexLoop, RowTiles, Scheme } from "./scheme.ts";
import { lastOf, nameOfScheme, rowTiles } from "./scheme.ts";

export function contractionOnCpu(contraction: Contraction, context: BuildContext): readonly Dispatch<Placed>[] {
  const scheme = chooseScheme(contraction.group, context, {
    schemes: schemesOf(contraction, context),
    nameOf: nameOfScheme,
    build: contractionBy,
  });
  return contractionBy(scheme, context);
}

export function contractionBy(scheme: Scheme, context: BuildContext): readonly Dispatch<Placed>[] {
  const { contraction } = scheme;
  const { group, root } = contraction;
  const ready: ReadyCopies = new Map();
  const packing = copiedOnce(scheme, context).map((panel) => {
    const place = context.scratch(panel.layout.size);
    ready.set(panel, place);
    return packingAlone(panel, place, contraction, context);
  });
  const hint = root.node.results[0]!.name;
  const kernel = new KernelBuilder(context.name(hint), "cpu");
  const operands = new Operands(kernel, context);
  new Nest(operands, scheme, ready).write();
  const names = group.members.flatMap(({ node }) => node.results.filter((result) => group.stored.has(result)));
  const label = names.map(({ name }) => name).join(", ");
  return [...packing, operands.dispatch({ label, origin: root.node.origin })];
}

/** Copies that a kernel finds made, and where. */
type ReadyCopies = Map<PackedPanel, Placed>;

/** The packed factors that are the same at every call: a dispatch of its own makes the copy, which runs only once. */
function copiedOnce(scheme: Scheme, context: BuildContext): PackedPanel[] {
  if (scheme.batch.length > 0 || scheme.outerSum !== undefined) return [];
  return [scheme.columnPanel, scheme.rowPanel]
    .filter((panel) => panel.kind === "packed")
    .filter(
      ({ layout }) =>
        layout.dimensions.every(({ bound }) => bound.length === 0) &&
        readsOf(layout.support.body).every(({ tensor }) => context.fixed(tensor)),
    );
}

function packingAlone(
  panel: PackedPanel,
  place: Placed,
  { root }: Contraction,
  context: BuildContext,
): Dispatch<Placed> {
  const names = [...new Set(readsOf(panel.layout.support.body).map(({ tensor }) => tensor.name))];
  const operands = new Operands(new KernelBuilder(context.name(`${names[0] ?? ""} packed`), "cpu"), context);
  pack(operands, panel, operands.bind("packed", "f32", place, "write"), new Map());
  return operands.dispatch({ label: `${names.join(", ")} packed`, origin: root.node.origin });
}

interface Side {
  readonly panel: DirectPanel | PackedPanel;
  /** The tensor, or the packed copy. */
  readonly buffer: string;
  /** Set where the copy has been made before the kernel runs. */
  readonly isReady: boolean;
}

class Nest {
  readonly #operands: Operands;
  readonly #scheme: Scheme;
  readonly #tiles: MicroKernel;
  readonly #sides: readonly Side[];
  readonly #resting: Resting | undefined;

  constructor(operands: Operands, scheme: Scheme, ready: ReadyCopies) {
    this.#operands = operands;
    this.#scheme = scheme;
    const side = (panel: DirectPanel | PackedPanel): Side => {
      if (panel.kind === "direct") return { panel, buffer: operands.read(panel.tensor).buffer, isReady: true };
      const place = ready.get(panel);
      if (place !== undefined) return { panel, buffer: operands.bind("packed", "f32", place, "read"), isReady: true };
      return { panel, buffer: this.#scratch("packed", panel.layout.size, this.#isInside(panel)), isReady: false };
    };
    const [columns, rows] = [side(scheme.columnPanel), side(scheme.rowPanel)];
    this.#sides = [columns, rows];
    this.#tiles = new MicroKernel(operands, scheme, { rows: rows.buffer, columns: columns.buffer });
    if (scheme.outerSum !== undefined) this.#resting = this.#restingFor(scheme);
  }

  /** Memory that loops which threads share write and read in the same iteration is each thread's own. */
  #scratch(hint: string, size: number, inOuterLoop: boolean): string {
    const { kernel, context } = this.#operands;
    const { batch, parts } = this.#scheme;
    if (inOuterLoop || batch.length > 0 || parts > 1) return kernel.ownScratch(hint, "f32", size);
    return this.#operands.bind(hint, "f32", context.scratch(size), "read_write");
  }
  /** Whether a copy is made inside of the loop over the first row or column. */
  #isInside(panel: PackedPanel): boolean {
    const { outer } = this.#scheme;
    return outer !== undefined && isBoundTo(panel, lastOf(outer));
  }

  #restingFor({ rows, columns, parts, batch }: Scheme): Resting {
    const strides = new Map<IndexLoop, number>();
    let size = 1;
    for (const loop of [...rows, ...columns].toReversed()) {
      strides.set(loop, size);
      size *= loop === columns.at(-1) ? Math.ceil(loop.extent / 4) * 4 : loop.extent;
    }
    const { kernel, context } = this.#operands;
    const buffer =
      batch.length > 0
        ? kernel.ownScratch("sums", "f32", size)
        : this.#operands.bind("sums", "f32", context.scratch(parts * size), "read_write");
    return { buffer, parts, size, stride: (loop) => strides.get(loop) ?? 0 };
  }

  write(): void {
    this.#loops(this.#scheme.batch, [], (active) => this.#batch(active));
  }

  /** A loop with independent iterations: shared between threads if none is around it. */
  #for(hint: string, from: Index, to: Index, step: number, body: (value: Expression) => void): void {
    const { kernel } = this.#operands;
    kernel.forLoop(hint, from, to, step, body, { outer: kernel.atTopLevel });
  }
  #loops(loops: readonly IndexLoop[], active: readonly Active[], body: (active: readonly Active[]) => void): void {
    const [loop, ...inner] = loops;
    if (loop === undefined) {
      body(active);
      return;
    }
    this.#for("i", 0, loop.extent, 1, (value) => this.#loops(inner, [...active, { loop, value }], body));
  }

  #batch(active: readonly Active[]): void {
    const { outerSum } = this.#scheme;
    const resting = this.#resting;
    if (outerSum === undefined || resting === undefined) {
      this.#panels(active, (at, place) => this.#tiles.finish(at, place, this.#tiles.sums(at, place)));
      return;
    }
    const { kernel } = this.#operands;
    const length = outerSum.extent / resting.parts;
    this.#for("part", 0, resting.parts, 1, (part) => {
      const zero = (at: Expression): void =>
        kernel.store(resting.buffer, add(mul(part, resting.size), at), constant("f32", 0, 4));
      kernel.forLoop("z", 0, resting.size, 4, zero);
      kernel.forLoop("i", mul(part, length), add(mul(part, length), length), 1, (value) =>
        this.#panels([...active, { loop: outerSum, value }], (at, place) =>
          this.#tiles.rest(resting, part, at, place, this.#tiles.sums(at, place)),
        ),
      );
    });
    this.#everyTile(active, (at, place) => this.#tiles.finish(at, place, this.#tiles.rested(resting, at, place)));
  }

  /** Packs, and goes over all tiles. */
  #panels(active: readonly Active[], body: (active: readonly Active[], place: TilePlace) => void): void {
    const { outer } = this.#scheme;
    const packNow = (inside: boolean, at: readonly Active[]): void => {
      for (const { panel, buffer, isReady } of this.#sides)
        if (panel.kind === "packed" && !isReady && this.#isInside(panel) === inside)
          pack(this.#operands, panel, buffer, valuesOf(at));
    };
    packNow(false, active);
    if (outer === undefined) {
      this.#everyTile(active, body);
      return;
    }
    this.#loops([outer], active, (inner) => {
      packNow(true, inner);
      this.#everyTile(inner, body);
    });
  }

  #everyTile(active: readonly Active[], body: (active: readonly Active[], place: TilePlace) => void): void {
    const { rows, columns, rowBlock, tile: shape } = this.#scheme;
    const done = new Set(active.map(({ loop }) => loop));
    const left = (loops: readonly IndexLoop[]): IndexLoop[] => loops.slice(0, -1).filter((loop) => !done.has(loop));
    const [outerRow, ...innerRows] = left(rows);
    const cut = rowTiles(rows.at(-1)!.extent, shape.rows);
    const whole: Range = { from: i32(0), to: i32(cut.count) };
    const everyRow = (at: readonly Active[], range: Range, column: Expression, count: number): void =>
      this.#cutRows(cut, range, (row, rowCount) => body(at, { row, rows: rowCount, column, columns: count }));
    const iterations = outerRow?.extent ?? cut.count;
    this.#blocks(iterations, rowBlock, (block) =>
      this.#loops(left(columns), active, (at) =>
        this.#cutColumns(columns.at(-1)!, shape.columns, (column, count) => {
          if (outerRow === undefined) everyRow(at, block, column, count);
          else
            this.#for("i", block.from, block.to, 1, (value) =>
              this.#loops(innerRows, [...at, { loop: outerRow, value }], (inner) =>
                everyRow(inner, whole, column, count),
              ),
            );
        }),
      ),
    );
  }

  #blocks(iterations: number, block: number, body: (range: Range) => void): void {
    if (block >= iterations) {
      body({ from: i32(0), to: i32(iterations) });
      return;
    }
    const pieces = piecesOf(iterations, Math.ceil(iterations / block));
    this.#for("block", 0, pieces, 1, (number) => body(pieceAt(this.#operands.kernel, number, pieces, iterations)));
  }

  /** Whole tiles in a loop, then the rest. */
  #cutColumns(loop: IndexLoop, size: number, body: (first: Expression, count: number) => void): void {
    const whole = Math.floor(loop.extent / size);
    const rest = loop.extent - whole * size;
    this.#for("tile", 0, whole, 1, (t) => body(mul(t, size), size));
    if (rest > 0) body(i32(whole * size), rest);
  }

  /** The tiles of a range: the larger ones, then the others. */
  #cutRows(
    { larger, rows, count }: RowTiles,
    { from, to }: Range,
    body: (first: Expression, count: number) => void,
  ): void {
    if (larger === count) {
      this.#for("tile", from, to, 1, (t) => body(mul(t, rows + 1), rows + 1));
      return;
    }
    this.#for("tile", from, min(to, larger), 1, (t) => body(mul(t, rows + 1), rows + 1));
    this.#for("tile", max(from, larger), to, 1, (t) => body(add(mul(t, rows), larger), rows));
  }
}

interface Range {
  readonly from: Expression;
  readonly to: Expression;
}

function valuesOf(active: readonly Active[]): Map<number, Expression> {
  return new Map(active.flatMap(({ loop, value }) => (loop.positions.length === 1 ? [[lastOf(loop), value]] : [])));
}
