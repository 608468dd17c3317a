/**
 * Contractions on the CPU, after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): packed
 * panels, a register tile, and loops around it in the order that keeps the panels in cache. Convolutions are the same with
 * other addresses: their panels are padded copies, read through the window.
 */
import { add, constant, gt, i32, KernelBuilder, min, mul } from "../../kernel/build.ts";
import type { Dispatch, Expression } from "../../kernel/ir.ts";
import { chooseScheme } from "../choice.ts";
import type { BuildContext } from "../group.ts";
import { Operands } from "../operands.ts";
import type { Placed } from "../program.ts";
import type { Contraction } from "./analysis.ts";
import type { Active, Resting, TilePlace } from "./micro-kernel.ts";
import { MicroKernel } from "./micro-kernel.ts";
import { pack } from "./packing.ts";
import type { DirectPanel, PackedPanel } from "./panels.ts";
import { isBoundTo, schemesOf } from "./planner.ts";
import type { IndexLoop, Scheme } from "./scheme.ts";
import { lastOf, nameOfScheme } from "./scheme.ts";

export function contractionOnCpu(contraction: Contraction, context: BuildContext): readonly Dispatch<Placed>[] {
  const scheme = chooseScheme(contraction.group, context, {
    schemes: schemesOf(contraction, extentsOf(contraction), context),
    nameOf: nameOfScheme,
    build: (candidate, trial) => contractionBy(candidate, contraction, trial),
  });
  return contractionBy(scheme, contraction, context);
}

export function contractionBy(
  scheme: Scheme,
  contraction: Contraction,
  context: BuildContext,
): readonly Dispatch<Placed>[] {
  const { group, root } = contraction;
  const hint = root.node.results[0]!.name;
  const kernel = new KernelBuilder(context.name(hint), "cpu");
  const operands = new Operands(kernel, context);
  new Nest(operands, contraction, scheme, extentsOf(contraction)).write();
  const names = group.members.flatMap(({ node }) => node.results.filter((result) => group.stored.has(result)));
  return [operands.dispatch({ label: names.map(({ name }) => name).join(", "), origin: root.node.origin })];
}

export function extentsOf({ group }: Contraction): number[] {
  return [...group.parallel, ...group.reduction].map(({ extent }) => extent);
}

class Nest {
  readonly #operands: Operands;
  readonly #scheme: Scheme;
  readonly #tiles: MicroKernel;
  readonly #rowPlace: Placed | undefined;
  readonly #columnPlace: Placed | undefined;
  readonly #resting: Resting | undefined;
  readonly #restingSize: number;

  constructor(operands: Operands, contraction: Contraction, scheme: Scheme, extents: readonly number[]) {
    this.#operands = operands;
    this.#scheme = scheme;
    const { context } = operands;
    const place = (panel: DirectPanel | PackedPanel): Placed | undefined =>
      panel.kind === "packed" ? context.scratch(panel.layout.size) : undefined;
    this.#rowPlace = place(scheme.rowPanel);
    this.#columnPlace = place(scheme.columnPanel);
    const buffer = (panel: DirectPanel | PackedPanel, at: Placed | undefined): string => {
      if (panel.kind === "direct") return operands.read(panel.tensor).buffer;
      return at === undefined ? "" : operands.bind("packed", "f32", at, "read");
    };
    const rows = buffer(scheme.rowPanel, this.#rowPlace);
    const columns = buffer(scheme.columnPanel, this.#columnPlace);
    this.#tiles = new MicroKernel(operands, contraction, scheme, extents, { rows, columns });

    const loops = [...scheme.rows, ...scheme.columns];
    const strides = new Map<IndexLoop, number>();
    let size = 1;
    for (const loop of loops.toReversed()) {
      strides.set(loop, size);
      size *= loop === scheme.columns.at(-1) ? Math.ceil(loop.extent / 4) * 4 : loop.extent;
    }
    this.#restingSize = size;
    if (scheme.outerSum !== undefined)
      this.#resting = {
        buffer: operands.bind("sums", "f32", context.scratch(size), "read_write"),
        stride: (loop) => strides.get(loop) ?? 0,
      };
  }

  write(): void {
    this.#loops(this.#scheme.batch, [], (active) => this.#batch(active));
  }

  /** Nested loops; the outermost of all may be shared between threads. */
  #loops(loops: readonly IndexLoop[], active: readonly Active[], body: (active: readonly Active[]) => void): void {
    const [loop, ...inner] = loops;
    if (loop === undefined) {
      body(active);
      return;
    }
    this.#operands.kernel.forLoop("i", 0, loop.extent, 1, (value) =>
      this.#loops(inner, [...active, { loop, value }], body),
    );
  }

  #batch(active: readonly Active[]): void {
    const { outerSum } = this.#scheme;
    const resting = this.#resting;
    if (outerSum === undefined || resting === undefined) {
      this.#panels(active, (at, place) => this.#tiles.finish(at, place, this.#tiles.sums(at, place)));
      return;
    }
    const { kernel } = this.#operands;
    kernel.forLoop("z", 0, this.#restingSize, 4, (at) => kernel.store(resting.buffer, at, constant("f32", 0, 4)));
    this.#loops([outerSum], active, (inner) =>
      this.#panels(inner, (at, place) => this.#tiles.rest(resting, at, place, this.#tiles.sums(at, place))),
    );
    this.#everyTile(active, (at, place) => this.#tiles.finish(at, place, this.#tiles.rested(resting, at, place)));
  }

  /** Packs, and goes over all tiles. */
  #panels(active: readonly Active[], body: (active: readonly Active[], place: TilePlace) => void): void {
    const { rowPanel, columnPanel, outer } = this.#scheme;
    const sides = [
      { panel: columnPanel, place: this.#columnPlace },
      { panel: rowPanel, place: this.#rowPlace },
    ];
    const packNow = (inside: boolean, at: readonly Active[]): void => {
      for (const { panel, place } of sides)
        if (panel.kind === "packed" && place && (outer !== undefined && isBoundTo(panel, lastOf(outer))) === inside)
          pack(this.#operands, panel, this.#operands.bind("packed", "f32", place, "write"), valuesOf(at));
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
    const rowTiles = (at: readonly Active[], range: Range | undefined, column: Expression, count: number): void =>
      this.#cut(rows.at(-1)!, shape.rows, range, (row, rowCount) =>
        body(at, { row, rows: rowCount, column, columns: count }),
      );
    const iterations = outerRow?.extent ?? Math.ceil(rows.at(-1)!.extent / shape.rows);
    this.#blocks(iterations, rowBlock, (block) =>
      this.#loops(left(columns), active, (at) =>
        this.#cut(columns.at(-1)!, shape.columns, undefined, (column, count) => {
          if (outerRow === undefined) rowTiles(at, block, column, count);
          else
            this.#operands.kernel.forLoop("i", block.from, block.to, 1, (value) =>
              this.#loops(innerRows, [...at, { loop: outerRow, value }], (inner) =>
                rowTiles(inner, undefined, column, count),
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
    this.#operands.kernel.forLoop("block", 0, iterations, block, (from) =>
      body({ from, to: iterations % block === 0 ? add(from, block) : min(add(from, block), iterations) }),
    );
  }

  /** Whole tiles in a loop, then the rest; of a range of tiles only, if one is given. */
  #cut(
    loop: IndexLoop,
    size: number,
    range: Range | undefined,
    body: (first: Expression, count: number) => void,
  ): void {
    const { kernel } = this.#operands;
    const whole = Math.floor(loop.extent / size);
    const rest = loop.extent - whole * size;
    const from = range?.from ?? i32(0);
    const to = range === undefined || rest === 0 ? (range?.to ?? i32(whole)) : min(range.to, whole);
    kernel.forLoop("tile", from, to, 1, (t) => body(mul(t, size), size));
    if (rest === 0) return;
    if (range === undefined) body(i32(whole * size), rest);
    else kernel.ifThen(gt(range.to, whole), () => body(i32(whole * size), rest));
  }
}

interface Range {
  readonly from: Expression;
  readonly to: Expression;
}

function valuesOf(active: readonly Active[]): Map<number, Expression> {
  return new Map(active.flatMap(({ loop, value }) => (loop.positions.length === 1 ? [[lastOf(loop), value]] : [])));
}
