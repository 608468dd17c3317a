import { add, apply, constant, i32, KernelBuilder, load, lt, min, mul, splat, sub } from "../../kernel/build.ts";
import type { Dispatch, Expression } from "../../kernel/ir.ts";
import { pointOf } from "../gpu/grid.ts";
import type { BuildContext } from "../group.ts";
import { Operands } from "../operands.ts";
import type { Placed } from "../program.ts";
import type { Window } from "./analysis.ts";
import { taps } from "./analysis.ts";
import { bindAll } from "./indices.ts";
import { Output } from "./output.ts";
import type { WinogradPlan } from "./plan.ts";
import { pairBlockAt, weightElements } from "./plan.ts";
import { bandAt, type Cut, scratchFor, Tiles } from "./tiles.ts";
import { transformWeights } from "./weights.ts";

export function winogradBy(plan: WinogradPlan, context: BuildContext): readonly Dispatch<Placed>[] {
  const { sliding } = plan;
  const { group, root } = sliding.contraction;
  const place = context.scratch(weightElements(plan));
  const weights = transformWeights(plan, place, context);
  const kernel = new KernelBuilder(context.name(root.node.results[0]!.name), "cpu");
  const operands = new Operands(kernel, context);
  new Products(operands, plan, operands.bind("transformed", "f32", place, "read")).write();
  const names = group.members.flatMap(({ node }) => node.results.filter((result) => group.stored.has(result)));
  return [weights, operands.dispatch({ label: names.map(({ name }) => name).join(", "), origin: root.node.origin })];
}

/** Tiles that are multiplied at a time, in registers. */
const rowsAtOnce = 4;

/** A piece of one image: rows of tiles from `tileRow` on, the first of which is tile `tile` of the data at hand. */
interface Band {
  readonly group: Expression;
  readonly image: Expression;
  readonly tileRow: Expression;
  readonly tileRows: Expression;
  readonly tile: Expression;
}
/** What is multiplied at once. */
interface Block {
  readonly group: Expression;
  readonly image: Expression;
  readonly images: number;
  readonly tileRow: Expression;
  readonly tileRows: Expression;
  readonly tiles: Expression;
}

function cutOf(plan: WinogradPlan): Cut {
  const { sliding, transform, column, tileRows, tileColumns, bandRows, bands, dataPoint } = plan;
  const beside = ({ dimension, extent }: Window) => ({ dimension, extent: extent + taps - 1 });
  return {
    support: sliding.data,
    extents: sliding.extents,
    rows: beside(sliding.rows),
    columns: beside(sliding.columns),
    channels: sliding.channels,
    column,
    step: transform.size,
    taken: transform.points,
    points: transform.points,
    line: transform.input,
    tileRows,
    tileColumns,
    bandRows,
    bands,
    point: dataPoint,
  };
}

class Products {
  readonly #operands: Operands;
  readonly #plan: WinogradPlan;
  readonly #weights: string;
  readonly #tiles: Tiles;
  readonly #data: string;
  readonly #products: string;
  readonly #output: Output;

  constructor(operands: Operands, plan: WinogradPlan, weights: string) {
    this.#operands = operands;
    this.#plan = plan;
    this.#weights = weights;
    const { points, dataPoint, productPoint, pairBlock } = plan;
    const { kernel } = operands;
    this.#data = scratchFor(kernel, "data", points * dataPoint, plan.together);
    this.#products = kernel.ownScratch("products", "f32", 2 * points * productPoint * pairBlock);
    this.#tiles = new Tiles(operands, cutOf(plan), this.#data, plan.together && plan.images * plan.bands === 1);
    this.#output = new Output(operands, plan);
  }

  write(): void {
    if (this.#plan.together) this.#together();
    else this.#blocks();
  }

  #blocks(): void {
    const { kernel } = this.#operands;
    const { groups, images, blockImages, bands, bandRows, tileColumns } = this.#plan;
    const parts = [groups, images / blockImages, bands];
    const block = (number: Expression): void => {
      const [group, part, band] = pointOf(kernel, number, parts) as [Expression, Expression, Expression];
      const { first, rows } = bandAt(kernel, this.#plan, band);
      const image = kernel.letIn("image", mul(part, blockImages));
      kernel.forLoop("n", 0, blockImages, 1, (n) =>
        this.#transform({
          group,
          image: add(image, n),
          tileRow: first,
          tileRows: rows,
          tile: mul(n, bandRows * tileColumns),
        }),
      );
      const tiles = kernel.letIn("tiles", mul(rows, blockImages * tileColumns));
      this.#fill(tiles);
      const here = { group, image, images: blockImages, tileRow: first, tileRows: rows, tiles };
      kernel.forLoop("pair", 0, this.#plan.pairs, this.#plan.pairBlock, (pair) => this.#multiply(here, pair));
    };
    kernel.forLoop(
      "block",
      0,
      parts.reduce((a, b) => a * b),
      1,
      block,
      { outer: true },
    );
  }

  #together(): void {
    const { kernel } = this.#operands;
    const { images, bands, tileRows, tileColumns, pairs, pairBlock } = this.#plan;
    const band = (number: Expression): void => {
      const [image, band] = pointOf(kernel, number, [images, bands]) as [Expression, Expression];
      const { first, rows } = bandAt(kernel, this.#plan, band);
      this.#transform({
        group: i32(0),
        image,
        tileRow: first,
        tileRows: rows,
        tile: mul(add(mul(image, tileRows), first), tileColumns),
      });
    };
    kernel.forLoop("band", 0, images * bands, 1, band, { outer: true });
    const tiles = i32(images * tileRows * tileColumns);
    this.#fill(tiles);
    const all = { group: i32(0), image: i32(0), images, tileRow: i32(0), tileRows: i32(tileRows), tiles };
    kernel.forLoop("pair", 0, pairs, pairBlock, (pair) => this.#multiply(all, pair), { outer: true });
  }

  #transform(band: Band): void {
    const { sliding } = this.#plan;
    const values = new Map<number, Expression>();
    for (const [positions, number] of [
      [sliding.groups, band.group],
      [sliding.images, band.image],
    ] as const)
      for (const [position, { base }] of bindAll(this.#operands.kernel, sliding.extents, positions, number))
        values.set(position, base);
    this.#tiles.write(values, band.tileRow, band.tileRows, band.tile);
  }

  /** Zeros behind the last tile, so that rows of tiles are whole for the products. */
  #fill(tiles: Expression): void {
    const { kernel } = this.#operands;
    const { points, dataPoint, column } = this.#plan;
    if (tiles.kind === "constant" && tiles.value % rowsAtOnce === 0) return;
    const end = apply("bit_and", "i32", add(tiles, rowsAtOnce - 1), i32(-rowsAtOnce));
    kernel.forLoop("k", 0, points, 1, (k) =>
      kernel.forLoop("z", mul(tiles, column), mul(end, column), 4, (z) =>
        kernel.store(this.#data, add(mul(k, dataPoint), z), constant("f32", 0, 4)),
      ),
    );
  }

  // ---- Products -------------------------------------------------------------------------------------------------------

  /** Everything with a block of result channels, the pairs of vectors from `first` on. */
  #multiply(block: Block, first: Expression): void {
    const { kernel } = this.#operands;
    const { points, productPoint, outputs, tileColumns, dataPoint, pairWeights } = this.#plan;
    const { count, weights } = pairBlockAt(kernel, this.#plan, block.group, first);
    kernel.forLoop("k", 0, points, 1, (k) =>
      kernel.forLoop("pair", 0, count, 1, (pair) =>
        this.#pair(
          kernel.letIn("data", mul(k, dataPoint)),
          kernel.letIn("weights", add(weights, mul(add(mul(k, count), pair), pairWeights))),
          kernel.letIn("products", add(mul(pair, 2 * points * productPoint), mul(k, productPoint))),
          block.tiles,
        ),
      ),
    );
    const vectors = Math.ceil(outputs / 4);
    const last = vectors % 2 === 0 ? mul(count, 2) : min(mul(count, 2), sub(i32(vectors), mul(first, 2)));
    kernel.forLoop("v", 0, kernel.letIn("last", last), 1, (v) => {
      const vector = kernel.letIn("vector", add(mul(first, 2), v));
      kernel.forLoop("n", 0, block.images, 1, (n) => {
        const write = (some: number) => (): void =>
          this.#output.write(
            {
              ...block,
              buffer: this.#products,
              start: add(mul(v, points * productPoint), mul(mul(n, block.tileRows), 4 * tileColumns)),
              image: add(block.image, n),
              output: mul(vector, 4),
            },
            some,
          );
        if (outputs % 4 === 0) write(4)();
        else kernel.ifThen(lt(vector, Math.floor(outputs / 4)), write(4), write(outputs % 4));
      });
    });
  }

  /** All tiles, four at a time in registers, times a pair of vectors of result channels, for one point. */
  #pair(data: Expression, weights: Expression, products: Expression, tiles: Expression): void {
    const { kernel } = this.#operands;
    const { channels, column, points, productPoint } = this.#plan;
    const rows = Array.from({ length: rowsAtOnce }, (_, r) => r);
    kernel.forLoop("t", 0, tiles, rowsAtOnce, (t) => {
      const sums = rows.map(() => [0, 1].map(() => kernel.declare("sum", constant("f32", 0, 4))));
      const from = kernel.letIn("from", add(data, mul(t, column)));
      kernel.forLoop("c", 0, channels, 1, (c) => {
        const right = [0, 1].map((v) =>
          kernel.letIn("b", load(this.#weights, "f32", add(weights, mul(c, 8), 4 * v), 4)),
        );
        for (const [r, row] of sums.entries()) {
          const left = kernel.letIn("a", splat(load(this.#data, "f32", add(from, c, r * column))));
          for (const [v, sum] of row.entries()) kernel.assign(sum, add(mul(left, right[v]!), sum));
        }
      });
      for (const [r, row] of sums.entries())
        for (const [v, sum] of row.entries())
          kernel.store(this.#products, add(products, mul(t, 4), v * points * productPoint + 4 * r), sum);
    });
  }
}
