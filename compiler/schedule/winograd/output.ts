/** From products to results: the output transform, then the epilogue on four neighbours of a row at a time. */
import type { KernelBuilder } from "../../kernel/build.ts";
import { add, i32, lane, load, lt, mul } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";
import type { IndexValue } from "../address.ts";
import { indexAt, indexLanes } from "../address.ts";
import type { Contraction } from "../contraction/analysis.ts";
import { transposed } from "../contraction/packing.ts";
import { Lowering } from "../lower.ts";
import type { Operands } from "../operands.ts";
import { bindAll } from "./indices.ts";
import type { WinogradPlan } from "./plan.ts";
import { unitWidth } from "./plan.ts";
import { bothWays } from "./transforms.ts";

/** Tiles of one image whose products with one vector of result channels are there. */
export interface Products {
  readonly buffer: string;
  /** Where the first tile's start. */
  readonly start: Expression;
  readonly group: Expression;
  readonly image: Expression;
  /** The first result channel. */
  readonly output: Expression;
  /** The first row of tiles, and how many there are. */
  readonly tileRow: Expression;
  readonly tileRows: Expression;
}

export class Output {
  readonly #operands: Operands;
  readonly #plan: WinogradPlan;

  constructor(operands: Operands, plan: WinogradPlan) {
    this.#operands = operands;
    this.#plan = plan;
  }

  /** `count`: how many of the four result channels there are. */
  write(products: Products, count: number): void {
    const { kernel } = this.#operands;
    const { sliding, tileColumns, unitTiles, transform } = this.#plan;
    const { extent } = sliding.columns;
    const whole = Math.floor(extent / unitWidth);
    const channels = Array.from({ length: count }, (_, l) => this.#channel(products, add(products.output, l)));
    kernel.forLoop("tileRow", 0, products.tileRows, 1, (tileRow) => {
      const row = kernel.letIn("row", mul(add(products.tileRow, tileRow), transform.size));
      const at = kernel.letIn("at", add(products.start, mul(tileRow, 4 * tileColumns)));
      const unit = (number: Expression, columns: number): void =>
        this.#unit(
          products.buffer,
          add(at, mul(number, 4 * unitTiles)),
          channels,
          row,
          mul(number, unitWidth),
          columns,
        );
      kernel.forLoop("unit", 0, whole, 1, (number) => unit(number, unitWidth));
      if (whole * unitWidth < extent) unit(i32(whole), extent - whole * unitWidth);
    });
  }

  /** One result channel, with what the epilogue knows of it before any row. */
  #channel({ group, image }: Products, output: Expression): Lowering {
    const { kernel } = this.#operands;
    const { sliding } = this.#plan;
    const { extents, contraction } = sliding;
    const known = new Map([
      ...bindAll(kernel, extents, sliding.groups, group),
      ...bindAll(kernel, extents, sliding.images, image),
      ...bindAll(kernel, extents, sliding.outputs, output),
    ]);
    const channel = new Lowering(this.#operands, { indices: extents.map((_, position) => known.get(position)) });
    const later = new Set(contraction.group.members.flatMap(({ node }) => node.results));
    for (const { body } of contraction.epilogue) channel.hoist(body, later);
    return channel;
  }

  #unit(
    buffer: string,
    at: Expression,
    channels: readonly Lowering[],
    row: Expression,
    column: Expression,
    columns: number,
  ): void {
    const { kernel } = this.#operands;
    const { transform, productPoint, sliding } = this.#plan;
    const { points, size } = transform;
    const line = Array.from({ length: points }, (_, k) => k);
    const tiles = Array.from({ length: Math.ceil(columns / size) }, (_, tile) => {
      const product = (i: number, j: number): Expression =>
        kernel.letIn("m", load(buffer, "f32", add(at, (i * points + j) * productPoint + 4 * tile), 4));
      return bothWays(
        kernel,
        transform.output,
        line.map((i) => line.map((j) => product(i, j))),
      );
    });
    // Every tile has rows of the result up to here.
    const certain = sliding.rows.extent % size || size;
    for (let i = 0; i < size; i++) {
      const pixels = tiles.flatMap((tile) => tile[i]!).slice(0, columns);
      const write = (): void => this.#row(pixels, channels, add(row, i), column);
      if (i < certain) write();
      else kernel.ifThen(lt(add(row, i), sliding.rows.extent), write);
    }
  }

  /** Pixels of a row, the channels of each in its lanes. */
  #row(pixels: readonly Expression[], channels: readonly Lowering[], row: Expression, column: Expression): void {
    const { kernel } = this.#operands;
    const { rows, columns, contraction } = this.#plan.sliding;
    const rowIndex = indexAt(row, 0, rows.extent - 1);
    const here = (channel: Lowering, at: IndexValue): Lowering =>
      channel.child(
        new Map([
          [rows.place, rowIndex],
          [columns.place, at],
        ]),
      );
    if (pixels.length === unitWidth) {
      const whole = indexLanes(column, 0, columns.extent - 1);
      const values = transposed(pixels, (value) => kernel.letIn("t", value));
      for (const [l, channel] of channels.entries()) finish(here(channel, whole), kernel, contraction, values[l]!);
      return;
    }
    for (const [l, channel] of channels.entries())
      for (const [j, pixel] of pixels.entries()) {
        const single = indexAt(add(column, j), 0, columns.extent - 1);
        finish(here(channel, single), kernel, contraction, kernel.letIn("t", lane(pixel, l)));
      }
  }
}

/** The epilogue at one place, or at four in lanes, once the sum is known there. */
export function finish(
  lowering: Lowering,
  kernel: KernelBuilder,
  { group, root, epilogue }: Contraction,
  sum: Expression,
): void {
  const result = root.node.results[0]!;
  lowering.define(result, sum);
  // Stored last: a result may lie where another member's operand was.
  const stores: (() => void)[] = [];
  if (group.stored.has(result)) stores.push(() => lowering.store(result, root.at, sum));
  for (const { node, body, at } of epilogue) {
    const value = kernel.letIn("t", lowering.lower(body));
    const [made] = node.results;
    lowering.define(made!, value);
    if (group.stored.has(made!)) stores.push(() => lowering.store(made!, at, value));
  }
  for (const store of stores) store();
}
