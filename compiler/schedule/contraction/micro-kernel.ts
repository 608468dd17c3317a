/**
 * One tile of a contraction: accumulators in registers, the loops of the sum around loads and multiply-adds, and the
 * epilogue applied while results leave the registers.
 */
import type { ScalarRead, Tensor } from "../../graph/graph.ts";
import { invariant } from "../../invariant.ts";
import {
  add,
  constant,
  i32,
  lane,
  load,
  max,
  min,
  mul,
  ne,
  select,
  shuffle,
  splat,
  sub,
  u32,
  vector,
} from "../../kernel/build.ts";
import type { Index } from "../../kernel/expressions.ts";
import type { Expression, Variable } from "../../kernel/ir.ts";
import type { IndexValue } from "../address.ts";
import { indexAt, indexLanes } from "../address.ts";
import { memberOf } from "../group.ts";
import { Lowering } from "../lower.ts";
import type { Operands } from "../operands.ts";
import type { Contraction } from "./analysis.ts";
import { extentsOf } from "./analysis.ts";
import type { DirectPanel, PackedPanel } from "./panels.ts";
import type { IndexLoop, Scheme } from "./scheme.ts";
import { lastOf, rowsAreColumns } from "./scheme.ts";
import { isPlain, strideOf } from "./surroundings.ts";

/** Where a tile stands: the first row and column of it, and how many there are. */
export interface TilePlace {
  readonly row: Expression;
  readonly rows: number;
  readonly column: Expression;
  readonly columns: number;
}
/** A loop that is under way, with its value. */
export interface Active {
  readonly loop: IndexLoop;
  readonly value: Expression;
}
/** Where sums rest while an outer sum runs: a dense array for each of its parts, one after another. */
export interface Resting {
  readonly buffer: string;
  readonly parts: number;
  /** Elements of a part. */
  readonly size: number;
  /** Elements that a place moves by with each loop. */
  readonly stride: (loop: IndexLoop) => number;
}

type Vectors = readonly (readonly Expression[])[];

export class MicroKernel {
  readonly #operands: Operands;
  readonly #contraction: Contraction;
  readonly #scheme: Scheme;
  readonly #extents: readonly number[];
  readonly #rowBuffer: string;
  readonly #columnBuffer: string;

  constructor(operands: Operands, scheme: Scheme, buffers: { readonly rows: string; readonly columns: string }) {
    this.#operands = operands;
    this.#contraction = scheme.contraction;
    this.#scheme = scheme;
    this.#extents = extentsOf(scheme.contraction);
    this.#rowBuffer = buffers.rows;
    this.#columnBuffer = buffers.columns;
  }

  get #rowLoop(): IndexLoop {
    return this.#scheme.rows.at(-1)!;
  }
  get #columnLoop(): IndexLoop {
    return this.#scheme.columns.at(-1)!;
  }

  // ---- Sums -----------------------------------------------------------------------------------------------------------

  /** The sums of a tile: for every row the vectors of its columns. The last one may have lanes that nobody needs. */
  sums(active: readonly Active[], place: TilePlace): Vectors {
    return this.#scheme.kind === "dot" ? this.#dot(active, place) : this.#lanes(active, place);
  }

  #lanes(active: readonly Active[], place: TilePlace): Vectors {
    const { kernel } = this.#operands;
    const vectors = Math.ceil(place.columns / 4);
    const accumulators = times(place.rows, () => times(vectors, () => kernel.declare("sum", constant("f32", 0, 4))));
    this.#sumLoops(active, [], 1, (inner) => {
      const here = [...active, ...inner];
      const left = (row: number) =>
        kernel.letIn("a", splat(load(this.#rowBuffer, "f32", this.#rowAddress(here, place, row))));
      const right = (row: number, v: number) =>
        load(this.#columnBuffer, "f32", add(this.#columnAddress(here, place, row), 4 * v), 4);
      if (rowsAreColumns(this.#scheme)) {
        const one = left(0);
        for (const [r, row] of accumulators.entries())
          for (const [v, sum] of row.entries()) kernel.assign(sum, add(mul(one, right(r, v)), sum));
        return;
      }
      const columns = times(vectors, (v) => kernel.letIn("b", right(0, v)));
      for (const [r, row] of accumulators.entries()) {
        const one = left(r);
        for (const [v, sum] of row.entries()) kernel.assign(sum, add(mul(one, columns[v]!), sum));
      }
    });
    return accumulators;
  }

  #dot(active: readonly Active[], place: TilePlace): Vectors {
    const { kernel } = this.#operands;
    const accumulators = times(place.rows, () =>
      times(place.columns, () => kernel.declare("sum", constant("f32", 0, 4))),
    );
    this.#sumLoops(active, [], 4, (inner) => {
      const here = [...active, ...inner];
      const column = this.#scheme.columnPanel.stride(lastOf(this.#columnLoop));
      const right = times(place.columns, (c) => {
        const value = load(this.#columnBuffer, "f32", add(this.#columnAddress(here, place, 0), c * column), 4);
        // Used once, it needs no register for longer.
        return place.rows === 1 ? value : kernel.letIn("b", value);
      });
      for (const [r, row] of accumulators.entries()) {
        const left = kernel.letIn("a", load(this.#rowBuffer, "f32", this.#rowAddress(here, place, r), 4));
        for (const [c, sum] of row.entries()) kernel.assign(sum, add(mul(left, right[c]!), sum));
      }
    });
    return accumulators.map((row) =>
      times(Math.ceil(row.length / 4), (v) => this.#addLanes(row.slice(4 * v, 4 * v + 4))),
    );
  }

  /** The sums of the lanes of up to four vectors, as one vector. */
  #addLanes(sums: readonly Variable[]): Expression {
    const { kernel } = this.#operands;
    const [a, b, c, d] = [0, 1, 2, 3].map((k): Expression => sums[k] ?? constant("f32", 0, 4));
    const pairs = (x: Expression, y: Expression): Expression =>
      kernel.letIn("t", add(shuffle(x, y, [0, 1, 4, 5]), shuffle(x, y, [2, 3, 6, 7])));
    const [left, right] = [pairs(a!, b!), pairs(c!, d!)];
    return kernel.letIn("t", add(shuffle(left, right, [0, 2, 4, 6]), shuffle(left, right, [1, 3, 5, 7])));
  }

  #sumLoops(
    active: readonly Active[],
    inner: readonly Active[],
    step: number,
    body: (inner: readonly Active[]) => void,
  ): void {
    const loop = this.#scheme.sum[inner.length];
    if (loop === undefined) {
      body(inner);
      return;
    }
    const isInnermost = inner.length === this.#scheme.sum.length - 1;
    const { from, to } = this.#range(loop, active);
    this.#operands.kernel.forLoop("k", from, to, isInnermost ? step : 1, (value) =>
      this.#sumLoops(active, [...inner, { loop, value }], step, body),
    );
  }

  /** The steps of a loop of the sum that meet more than padding. */
  #range(loop: IndexLoop, active: readonly Active[]): { readonly from: Index; readonly to: Index } {
    const clip = this.#scheme.clips.find(({ position }) => position === lastOf(loop));
    if (clip === undefined) return { from: 0, to: loop.extent };
    const base = clip.others.reduce<Expression>((sum, { position, coefficient }) => {
      const around = active.find((other) => lastOf(other.loop) === position);
      invariant(around, `index ${position} is bound`);
      return add(sum, mul(around.value, coefficient));
    }, i32(0));
    const [first, end] =
      clip.sign > 0 ? [sub(clip.from, base), sub(clip.to, base)] : [add(base, 1 - clip.to), add(base, 1 - clip.from)];
    const { kernel } = this.#operands;
    return {
      from: kernel.letIn("from", max(first, 0)),
      to: kernel.letIn("to", min(end, loop.extent)),
    };
  }

  #rowAddress(active: readonly Active[], place: TilePlace, row: number): Expression {
    const panel = this.#scheme.rowPanel;
    return add(panelAddress(panel, active), mul(add(place.row, row), panel.stride(lastOf(this.#rowLoop))));
  }
  #columnAddress(active: readonly Active[], place: TilePlace, row: number): Expression {
    const panel = this.#scheme.columnPanel;
    const tiles = panel.kind === "packed" ? panel.layout.tiles : undefined;
    const across =
      tiles === undefined ? mul(place.column, panel.stride(lastOf(this.#columnLoop))) : tileStart(place.column, tiles);
    const down = mul(add(place.row, row), panel.stride(lastOf(this.#rowLoop)));
    return add(panelAddress(panel, active), across, down);
  }

  // ---- Results --------------------------------------------------------------------------------------------------------

  #restingAddress(
    resting: Resting,
    part: Expression,
    active: readonly Active[],
    place: TilePlace,
    row: number,
  ): Expression {
    const outer = active.reduce<Expression>(
      (at, { loop, value }) => add(at, mul(value, resting.stride(loop))),
      mul(part, resting.size),
    );
    return add(outer, mul(add(place.row, row), resting.stride(this.#rowLoop)), place.column);
  }
  /** Adds a tile's sums to those of a part that rest in memory. */
  rest(resting: Resting, part: Expression, active: readonly Active[], place: TilePlace, sums: Vectors): void {
    for (const [r, row] of sums.entries())
      for (const [v, sum] of row.entries()) {
        const at = add(this.#restingAddress(resting, part, active, place, r), 4 * v);
        this.#operands.kernel.store(resting.buffer, at, add(load(resting.buffer, "f32", at, 4), sum));
      }
  }
  /** The sums of all parts, added in their order. */
  rested(resting: Resting, active: readonly Active[], place: TilePlace): Vectors {
    return times(place.rows, (r) =>
      times(Math.ceil(place.columns / 4), (v) =>
        times(resting.parts, (part): Expression => {
          const at = this.#restingAddress(resting, i32(part), active, place, r);
          return load(resting.buffer, "f32", add(at, 4 * v), 4);
        }).reduce((sum, next) => add(sum, next)),
      ),
    );
  }

  /** Applies the epilogue and stores what is stored. */
  finish(active: readonly Active[], place: TilePlace, sums: Vectors): void {
    const { kernel } = this.#operands;
    for (const [r, row] of sums.entries())
      for (const [v, sum] of row.entries()) {
        const rowHere: Active = { loop: this.#rowLoop, value: add(place.row, r) };
        const column = add(place.column, 4 * v);
        const left = place.columns - 4 * v;
        if (left >= 4) this.#finishAt([...active, rowHere], column, 4, sum);
        else {
          const named = kernel.letIn("t", sum);
          for (let l = 0; l < left; l++) this.#finishAt([...active, rowHere], add(column, l), 1, lane(named, l));
        }
      }
  }

  #finishAt(active: readonly Active[], column: Expression, lanes: 1 | 4, sum: Expression): void {
    const { group, root, epilogue } = this.#contraction;
    const here = [...active, { loop: this.#columnLoop, value: column }];
    const indices: (IndexValue | undefined)[] = this.#extents.map(() => undefined);
    for (const { loop, value } of here) {
      const [position, ...others] = loop.positions;
      if (position === undefined || others.length > 0) continue;
      const isColumn = loop === this.#columnLoop && lanes === 4;
      indices[position] = (isColumn ? indexLanes : indexAt)(value, 0, loop.extent - 1);
    }
    const answer = (read: ScalarRead): Expression | undefined => this.#plainRead(read, here, lanes);
    const lowering = new Lowering(this.#operands, { indices, answer });
    const { kernel } = this.#operands;
    lowering.define(root.node.results[0]!, kernel.letIn("t", sum));
    if (group.stored.has(root.node.results[0]!)) this.#store(root.node.results[0]!, root.at, here, lanes, sum);
    // Stored last: a result may lie where another member's operand was.
    const stores: (() => void)[] = [];
    for (const member of epilogue) {
      const value = kernel.letIn("t", lowering.lower(member.body));
      const [result] = member.node.results;
      invariant(result, "a map has a result");
      lowering.define(result, value);
      if (group.stored.has(result)) stores.push(() => this.#store(result, member.at, here, lanes, value));
    }
    for (const store of stores) store();
  }

  /** A read at an affine place, found through the loops: several indices may run together in one. */
  #plainRead(read: ScalarRead, here: readonly Active[], lanes: 1 | 4): Expression | undefined {
    const { group } = this.#contraction;
    const { context } = this.#operands;
    if (memberOf(group, read.tensor) !== undefined || !isPlain(read, this.#extents)) return undefined;
    const uniform = context.uniform(read.tensor);
    if (uniform !== undefined) return constant(read.type, uniform);
    const { buffer, type, strides } = this.#operands.read(read.tensor);
    const { at, step } = this.#address(read.coordinates, strides, here);
    let value: Expression;
    if (lanes === 1 || step === 0) value = load(buffer, type, at);
    else if (step === 1) value = load(buffer, type, at, 4);
    else value = vector(times(4, (l) => load(buffer, type, add(at, l * step))));
    return read.type === "bool" ? ne(value, splat(u32(0), value.lanes)) : value;
  }

  #store(
    tensor: Tensor,
    coordinates: ScalarRead["coordinates"],
    here: readonly Active[],
    lanes: 1 | 4,
    value: Expression,
  ): void {
    const { kernel } = this.#operands;
    const { buffer, strides } = this.#operands.write(tensor);
    const { at, step } = this.#address(coordinates, strides, here);
    const stored = splat(value.type === "bool" ? select(value, u32(1), u32(0)) : value, lanes);
    if (lanes === 1 || step === 1) {
      kernel.store(buffer, at, stored);
      return;
    }
    const named = kernel.letIn("t", stored);
    for (let l = 0; l < 4; l++) kernel.store(buffer, add(at, l * step), lane(named, l));
  }

  /** The place that coordinates name, and how far it moves with the column. */
  #address(
    coordinates: ScalarRead["coordinates"],
    strides: readonly number[],
    here: readonly Active[],
  ): { readonly at: Expression; readonly step: number } {
    const move = (loop: IndexLoop): number => strideOf(coordinates, strides, lastOf(loop));
    const offset = coordinates.reduce((sum, coordinate, axis) => sum + coordinate.offset * strides[axis]!, 0);
    const at = here.reduce<Expression>((sum, { loop, value }) => add(sum, mul(value, move(loop))), i32(offset));
    return { at, step: move(this.#columnLoop) };
  }
}

function times<T>(count: number, make: (k: number) => T): T[] {
  return Array.from({ length: count }, (_, k) => make(k));
}

function panelAddress(panel: DirectPanel | PackedPanel, active: readonly Active[]): Expression {
  return active.reduce<Expression>(
    (at, { loop, value }) => add(at, mul(value, panel.stride(lastOf(loop)))),
    i32(panel.offset),
  );
}

/** A tile's columns begin at a multiple of the width: `column / width * stride`, without a division. */
function tileStart(column: Expression, { width, stride }: { width: number; stride: number }): Expression {
  if (column.kind === "constant") return i32((column.value / width) * stride);
  const [tile, factor] = column.kind === "apply" && column.name === "mul" ? column.arguments : [];
  invariant(tile && factor?.kind === "constant" && factor.value === width, "tiles are counted by their width");
  return mul(tile, stride);
}
