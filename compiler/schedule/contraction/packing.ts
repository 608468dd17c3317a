/**
 * Fills packed copies. Loops run in the order of the source's memory; where the source is contiguous along another
 * dimension than the copy, blocks of four by four are transposed in registers. Where a window leaves the tensor, loops are
 * cut into ranges in which every boundary condition is decided.
 */
import { readsOf, sizeOf } from "../../graph/traverse.ts";
import { invariant } from "../../invariant.ts";
import { add, constant, i32, lane, mul, quotient, shuffle, splat } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";
import type { IndexValue } from "../address.ts";
import { indexAt, indexLanes } from "../address.ts";
import { farElements, lineElements } from "../cache.ts";
import type { BuildContext } from "../group.ts";
import { Lowering } from "../lower.ts";
import type { Operands } from "../operands.ts";
import type { Layout, PackedDimension, PackedPanel } from "./panels.ts";
import { roundUp } from "./panels.ts";
import { breaksOf, spanOf } from "./support.ts";

/** How far the largest operand moves with a dimension. */
function sourceStride({ support }: Layout, d: number, context: BuildContext): number {
  let largest = -1;
  let stride = 0;
  for (const { tensor, coordinates } of readsOf(support.body)) {
    const elements = tensor.type.shape.reduce((product, extent) => product * extent, 1);
    if (elements <= largest) continue;
    largest = elements;
    stride = 0;
    const { strides } = context.layout(tensor);
    for (const [axis, { terms }] of coordinates.entries())
      for (const term of terms)
        if (term.kind !== "data" && term.position === d)
          stride += (term.kind === "affine" ? term.coefficient : 1) * strides[axis]!;
  }
  return Math.abs(stride);
}

/** Dimensions in the order of the loops, and which are taken by fours. */
interface Order {
  readonly loops: readonly PackedDimension[];
  /** The dimension along which the copy is contiguous, and the one along which the source is, if another. */
  readonly across: PackedDimension | undefined;
  readonly along: PackedDimension | undefined;
}

function orderOf(layout: Layout, context: BuildContext): Order {
  const { dimensions } = layout;
  const strides = new Map(dimensions.map((dimension) => [dimension, sourceStride(layout, dimension.d, context)]));
  const stride = (dimension: PackedDimension): number => strides.get(dimension) ?? 0;
  const last = dimensions.at(-1);
  const across = last !== undefined && last.extent >= 4 ? last : undefined;
  const contiguous = dimensions.find((dimension) => stride(dimension) === 1 && dimension.extent >= 4);
  const along = contiguous !== last && across !== undefined && stride(across) > 1 ? contiguous : undefined;
  const loops = [...dimensions].sort((a, b) => stride(b) - stride(a));
  return { loops, across, along };
}

/** How long packing takes, in units of one multiply-add of four lanes. */
export function packingCost({ layout }: PackedPanel, context: BuildContext): number {
  const { dimensions, support } = layout;
  const points = dimensions.reduce((product, { extent }) => product * extent, 1);
  const { across, along } = orderOf(layout, context);
  const isCopied = across !== undefined && sourceStride(layout, across.d, context) <= 1;
  // What does not fit in the second cache is written to memory and read again; in blocks, a part of a line at a time.
  const far = points > farElements ? (along ? 8 : 1) : 0;
  const reading = isCopied ? 0.35 : along ? 0.6 : 1.2;
  return points * (reading + 0.2 * (sizeOf(support.body) - 1) + far + fetchedAgain(layout, context));
}

/** What fetching a line from beyond the second cache takes. */
const farLineCost = 40;

/** For each point, what it takes that lines of large operands are fetched for a few elements, and again for the others. */
function fetchedAgain(layout: Layout, context: BuildContext): number {
  const large = readsOf(layout.support.body).filter(
    ({ tensor }) => tensor.type.shape.reduce((product, extent) => product * extent, 1) > farElements,
  );
  const strides = layout.dimensions.map(({ d, extent }) => ({ stride: sourceStride(layout, d, context), extent }));
  let run = 1;
  for (const { stride, extent } of strides.sort((a, b) => a.stride - b.stride))
    if (stride <= Math.max(run, lineElements)) run = Math.max(run, stride * extent);
  return large.length * farLineCost * Math.max(0, 1 / run - 1 / lineElements);
}

/** Writes the loops that fill a packed copy in a buffer; `values` holds the bound indices. */
export function pack(
  operands: Operands,
  panel: PackedPanel,
  buffer: string,
  values: ReadonlyMap<number, Expression>,
): void {
  new Packing(operands, panel.layout, buffer, values).write();
}

class Packing {
  readonly #operands: Operands;
  readonly #layout: Layout;
  readonly #values: ReadonlyMap<number, Expression>;
  readonly #buffer: string;
  readonly #order: Order;
  readonly #indices: (IndexValue | undefined)[];

  constructor(operands: Operands, layout: Layout, buffer: string, values: ReadonlyMap<number, Expression>) {
    this.#operands = operands;
    this.#layout = layout;
    this.#values = values;
    this.#buffer = buffer;
    this.#order = orderOf(layout, operands.context);
    this.#indices = layout.support.dimensions.map(() => undefined);
  }

  write(): void {
    this.#level(0, i32(0), new Set());
    this.#fill();
  }

  /** `fours`: the dimensions of which four neighbours are taken at once here. */
  #level(k: number, at: Expression, fours: ReadonlySet<PackedDimension>): void {
    const dimension = this.#order.loops[k];
    if (dimension === undefined) {
      this.#block(at, fours);
      return;
    }
    const byFour = dimension === this.#order.across || dimension === this.#order.along;
    const { base, range } = this.#bound(dimension);
    const breaks =
      dimension.bound.length > 0 || dimension.from > 0
        ? [0, dimension.extent]
        : breaksOf(this.#layout.support, dimension.d, dimension.extent);
    for (const [s, start] of breaks.slice(0, -1).entries()) {
      const end = breaks[s + 1]!;
      const bounds = { min: dimension.from + start, max: dimension.from + end - 1 + range };
      // Four neighbours must not lie in two tiles.
      const first = this.#isTiled(dimension) ? Math.min(end, roundUp(start, 4)) : start;
      const whole = byFour ? Math.floor((end - first) / 4) * 4 : 0;
      const single = (from: number, to: number): void =>
        this.#for(from, to, 1, (u) => {
          this.#indices[dimension.d] = indexAt(add(base, u), bounds.min, bounds.max);
          this.#level(k + 1, add(at, this.#step(dimension, u, from, to)), fours);
        });
      if (whole === 0) {
        single(start, end);
        continue;
      }
      single(start, first);
      this.#for(first, first + whole, 4, (u) => {
        this.#indices[dimension.d] = indexLanes(add(base, u), bounds.min, bounds.max);
        this.#level(k + 1, add(at, this.#step(dimension, u, first, first + whole)), new Set([...fours, dimension]));
      });
      single(first + whole, end);
    }
  }

  #for(from: number, to: number, step: number, body: (u: Expression) => void): void {
    const { kernel } = this.#operands;
    kernel.forLoop("u", from, to, step, body, { outer: kernel.atTopLevel });
  }

  #isTiled(dimension: PackedDimension): boolean {
    return this.#layout.tiles !== undefined && dimension === this.#layout.dimensions.at(-1);
  }

  /** Where index u of a dimension stands, for u in [from, to). */
  #step(dimension: PackedDimension, u: Expression, from: number, to: number): Expression {
    const { tiles } = this.#layout;
    if (tiles === undefined || !this.#isTiled(dimension)) return mul(u, dimension.stride);
    const { width, stride } = tiles;
    const tile = Math.floor(from / width);
    if (Math.floor((to - 1) / width) === tile) return add(u, tile * (stride - width));
    return add(u, mul(quotient(u, width), stride - width));
  }

  /** What the bound indices add to a dimension's index, and how far that reaches. */
  #bound({ bound, from }: PackedDimension): { readonly base: Expression; readonly range: number } {
    if (bound.length === 0) return { base: i32(from), range: 0 };
    const { lowest, extent } = spanOf(bound, this.#layout.extents);
    let base: Expression = i32(-lowest);
    for (const { position, coefficient } of bound) {
      const value = this.#values.get(position);
      invariant(value, `index ${position} is bound`);
      base = add(base, mul(value, coefficient));
    }
    return { base, range: extent - 1 };
  }

  #value(): Expression {
    return new Lowering(this.#operands, { indices: this.#indices }).lower(this.#layout.support.body);
  }

  #block(at: Expression, fours: ReadonlySet<PackedDimension>): void {
    const { kernel } = this.#operands;
    const { across, along } = this.#order;
    const store = (offset: number, value: Expression): void => kernel.store(this.#buffer, add(at, offset), value);
    const byAcross = across !== undefined && fours.has(across);
    if (along === undefined || !fours.has(along)) {
      store(0, splat(this.#value(), byAcross ? 4 : 1));
      return;
    }
    if (!byAcross) {
      const value = kernel.letIn("t", splat(this.#value()));
      for (let l = 0; l < 4; l++) store(l * along.stride, lane(value, l));
      return;
    }
    const quad = this.#indices[across.d];
    invariant(quad, "the block's first row is known");
    const rows = [0, 1, 2, 3].map((l) => {
      this.#indices[across.d] = indexAt(add(quad.base, l), quad.min, quad.max);
      return kernel.letIn("row", splat(this.#value()));
    });
    this.#indices[across.d] = quad;
    for (const [l, column] of transposed(rows, (value) => kernel.letIn("t", value)).entries())
      store(l * along.stride, column);
  }

  /** The lanes past the end hold zeros: whatever stood there could be slow (subnormal numbers) though nobody keeps it. */
  #fill(): void {
    const { dimensions, tiles, size } = this.#layout;
    const last = dimensions.at(-1);
    if (last === undefined) return;
    const width = tiles === undefined ? (dimensions.at(-2)?.stride ?? size - 4) : roundUp(last.extent, tiles.width);
    if (width === last.extent) return;
    const level = (k: number, at: Expression): void => {
      const dimension = dimensions[k];
      if (dimension === undefined || dimension === last)
        for (let u = last.extent; u < width; u++)
          this.#operands.kernel.store(this.#buffer, add(at, this.#step(last, i32(u), u, u + 1)), constant("f32", 0));
      else
        this.#operands.kernel.forLoop("u", 0, dimension.extent, 1, (u) =>
          level(k + 1, add(at, mul(u, dimension.stride))),
        );
    };
    level(0, i32(0));
  }
}

/** The transpose of four vectors of four. */
export function transposed(rows: readonly Expression[], name: (value: Expression) => Expression): Expression[] {
  const [a, b, c, d] = rows;
  invariant(a && b && c && d, "four rows");
  if (rows.every((row) => row === a || (row.kind === "constant" && a.kind === "constant" && row.value === a.value)))
    return [a, a, a, a];
  const [ab, cd] = [name(shuffle(a, b, [0, 4, 1, 5])), name(shuffle(c, d, [0, 4, 1, 5]))];
  const [ab2, cd2] = [name(shuffle(a, b, [2, 6, 3, 7])), name(shuffle(c, d, [2, 6, 3, 7]))];
  return [
    shuffle(ab, cd, [0, 1, 4, 5]),
    shuffle(ab, cd, [2, 3, 6, 7]),
    shuffle(ab2, cd2, [0, 1, 4, 5]),
    shuffle(ab2, cd2, [2, 3, 6, 7]),
  ];
}
