/**
 * Gradients of 3x3 windows' weights. The sum runs over all places of all images: tiles of the adjoint, 4x4, are windows that
 * slide over the data to nine places, F(3x3, 4x4). The sum over tiles happens between the transforms, as a matrix product a
 * point, in a number of parts that is fixed here, so that threads do not change the result.
 */
import { add, constant, i32, KernelBuilder, lane, load, mul, splat } from "../../kernel/build.ts";
import type { Dispatch, Expression } from "../../kernel/ir.ts";
import { indexAt, indexLanes } from "../address.ts";
import type { Contraction, Factor } from "../contraction/analysis.ts";
import { extentsOf } from "../contraction/analysis.ts";
import { roundUp } from "../contraction/panels.ts";
import type { Support } from "../contraction/support.ts";
import { supportOf } from "../contraction/support.ts";
import { pieceAt, piecesOf } from "../cut.ts";
import { pointOf } from "../gpu/grid.ts";
import type { BuildContext } from "../group.ts";
import { Lowering } from "../lower.ts";
import { Operands } from "../operands.ts";
import type { Placed } from "../program.ts";
import { taps } from "./analysis.ts";
import { bindAll } from "./indices.ts";
import { finish } from "./output.ts";
import { apart } from "./plan.ts";
import type { Cut } from "./tiles.ts";
import { bandAt, scratchFor, Tiles } from "./tiles.ts";
import { adjointWindow, bothWays, ninePlaces, transforms } from "./transforms.ts";

/** Tiles of the adjoint, and what a tile has of points once it is transformed. */
const step = 4;
const side = transforms[4].points;
const points = side * side;

interface Side {
  readonly support: Support;
  /** The dimensions down and across, and the index of the lanes. */
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
}
export interface WeightGradient {
  readonly contraction: Contraction;
  readonly extents: readonly number[];
  readonly data: Side;
  readonly adjoint: Side;
  /** Indices of the result that the window moves with. */
  readonly taps: readonly [number, number];
  readonly height: number;
  readonly width: number;
  /** Summed indices that are no place in an image. */
  readonly images: readonly number[];
}

export function analyseWeightGradient(contraction: Contraction): WeightGradient | undefined {
  const { left, right, rows, columns, batch } = contraction;
  if (batch.length > 0) return undefined;
  if (rows.length === 3 && columns.length === 1) return analyse(contraction, left, rows, right, columns[0]!);
  if (columns.length === 3 && rows.length === 1) return analyse(contraction, right, columns, left, rows[0]!);
  return undefined;
}

function analyse(
  contraction: Contraction,
  data: Factor,
  own: readonly number[],
  adjoint: Factor,
  output: number,
): WeightGradient | undefined {
  const extents = extentsOf(contraction);
  const [over, under] = [supportOf(data, extents), supportOf(adjoint, extents)];
  const alone = (support: Support, position: number): number =>
    support.dimensions.findIndex(({ terms }) => terms.length === 1 && terms[0]!.position === position);
  const windows = over.dimensions.flatMap(({ terms }, dimension) => {
    const tap = terms.find(({ position }) => own.includes(position));
    const place = terms.find(({ position }) => contraction.summed.includes(position));
    if (terms.length !== 2 || tap === undefined || place === undefined) return [];
    if (tap.coefficient !== 1 || place.coefficient !== 1 || extents[tap.position] !== taps) return [];
    return [{ dimension, tap: tap.position, place: place.position, beneath: alone(under, place.position) }];
  });
  const [first, second, ...more] = windows;
  if (first === undefined || second === undefined || more.length > 0) return undefined;
  const input = own.find((position) => position !== first.tap && position !== second.tap);
  if (input === undefined || alone(over, input) < 0 || alone(under, output) < 0) return undefined;
  if (first.beneath < 0 || second.beneath < 0) return undefined;
  return {
    contraction,
    extents,
    data: { support: over, rows: first.dimension, columns: second.dimension, channels: input },
    adjoint: { support: under, rows: first.beneath, columns: second.beneath, channels: output },
    taps: [first.tap, second.tap],
    height: extents[first.place]!,
    width: extents[second.place]!,
    images: contraction.summed.filter((position) => position !== first.place && position !== second.place),
  };
}

// ---- Sizes ----------------------------------------------------------------------------------------------------------------

/** Elements of transformed tiles that stay in the second cache, and tiles at a time at most. */
const cachedElements = 3 * 2 ** 16;
const mostTiles = 128;
/** Partial sums: as many threads have work. */
const mostParts = 4;

interface Plan {
  readonly gradient: WeightGradient;
  readonly images: number;
  readonly tileRows: number;
  readonly tileColumns: number;
  readonly bandRows: number;
  readonly bands: number;
  readonly blockImages: number;
  readonly blocks: number;
  readonly parts: number;
  /** Channels of data and adjoint, filled up. */
  readonly inputs: number;
  readonly outputs: number;
  readonly dataPoint: number;
  readonly adjointPoint: number;
  readonly sumPoint: number;
}

export function planGradient(gradient: WeightGradient): Plan {
  const { extents, height, width, data, adjoint } = gradient;
  const images = gradient.images.reduce((product, position) => product * extents[position]!, 1);
  const [tileRows, tileColumns] = [Math.ceil(height / step), Math.ceil(width / step)];
  const inputs = roundUp(extents[data.channels]!, 8);
  const outputs = roundUp(extents[adjoint.channels]!, 4);
  const most = Math.max(8, Math.min(mostTiles, Math.floor(cachedElements / (points * (inputs + outputs)))));
  const bandCount = Math.ceil(tileRows / Math.max(1, Math.min(tileRows, Math.floor(most / tileColumns))));
  const bands = piecesOf(tileRows, bandCount, images);
  const bandRows = Math.ceil(tileRows / bands);
  let blockImages = bands > 1 ? 1 : Math.max(1, Math.min(images, Math.floor(most / (tileRows * tileColumns))));
  while (images % blockImages !== 0) blockImages--;
  const blocks = (images / blockImages) * bands;
  const tiles = blockImages * bandRows * tileColumns;
  return {
    gradient,
    images,
    tileRows,
    tileColumns,
    bandRows,
    bands,
    blockImages,
    blocks,
    parts: Math.min(mostParts, blocks),
    inputs,
    outputs,
    dataPoint: apart(tiles * inputs),
    adjointPoint: apart(tiles * outputs),
    sumPoint: apart(inputs * outputs),
  };
}

/** In multiply-adds of four lanes. */
export function costOfGradient({ images, tileRows, tileColumns, inputs, outputs, blocks, parts }: Plan): number {
  const tiles = images * tileRows * tileColumns;
  const transforming = tiles * (inputs + outputs) * 1.2;
  const sums = (inputs * outputs) / 4;
  return points * (1.1 * tiles * sums + transforming + 3 * blocks * sums + (parts + 8) * sums);
}

// ---- Kernel ---------------------------------------------------------------------------------------------------------------

export function gradientBy(plan: Plan, context: BuildContext): readonly Dispatch<Placed>[] {
  const { group, root } = plan.gradient.contraction;
  const kernel = new KernelBuilder(context.name(root.node.results[0]!.name), "cpu");
  const operands = new Operands(kernel, context);
  new Gradient(operands, plan).write();
  const names = group.members.flatMap(({ node }) => node.results.filter((result) => group.stored.has(result)));
  return [operands.dispatch({ label: names.map(({ name }) => name).join(", "), origin: root.node.origin })];
}

class Gradient {
  readonly #operands: Operands;
  readonly #plan: Plan;
  readonly #data: string;
  readonly #adjoint: string;
  readonly #sums: string;
  readonly #tiles: readonly Tiles[];

  constructor(operands: Operands, plan: Plan) {
    this.#operands = operands;
    this.#plan = plan;
    const { gradient, inputs, outputs, dataPoint, adjointPoint, parts, sumPoint } = plan;
    const { kernel } = operands;
    const alone = plan.blocks === 1;
    this.#data = scratchFor(kernel, "data", points * dataPoint, alone);
    this.#adjoint = scratchFor(kernel, "adjoint", points * adjointPoint, alone);
    this.#sums = kernel.local("sums", "f32", "scratch", parts * points * sumPoint);
    const { height, width, data, adjoint, extents } = gradient;
    const cut = (of: Side, more: number, own: Pick<Cut, "column" | "taken" | "line" | "point">): Cut => ({
      support: of.support,
      extents,
      rows: { dimension: of.rows, extent: height + more },
      columns: { dimension: of.columns, extent: width + more },
      channels: of.channels,
      step,
      points: side,
      tileRows: plan.tileRows,
      tileColumns: plan.tileColumns,
      bandRows: plan.bandRows,
      bands: plan.bands,
      ...own,
    });
    const over = { column: inputs, taken: side, line: transforms[4].input, point: dataPoint };
    const under = { column: outputs, taken: step, line: adjointWindow, point: adjointPoint };
    this.#tiles = [
      new Tiles(operands, cut(data, taps - 1, over), this.#data, alone),
      new Tiles(operands, cut(adjoint, 0, under), this.#adjoint, alone),
    ];
  }

  write(): void {
    const { kernel } = this.#operands;
    const { parts, blocks, sumPoint, gradient } = this.#plan;
    const part = (number: Expression): void => {
      const sums = kernel.letIn("sums", mul(number, points * sumPoint));
      kernel.forLoop("z", 0, points * sumPoint, 4, (z) =>
        kernel.store(this.#sums, add(sums, z), constant("f32", 0, 4)),
      );
      const { from, to } = pieceAt(kernel, number, parts, blocks);
      kernel.forLoop("block", from, to, 1, (block) => this.#block(block, sums));
    };
    kernel.forLoop("part", 0, parts, 1, part, { outer: true });
    const outputs = gradient.extents[gradient.adjoint.channels]!;
    kernel.forLoop("o", 0, outputs, 1, (o) => this.#results(o), { outer: true });
  }

  #block(number: Expression, sums: Expression): void {
    const { kernel } = this.#operands;
    const { images, blockImages, bands, bandRows, tileColumns, gradient } = this.#plan;
    const [part, band] = pointOf(kernel, number, [images / blockImages, bands]) as [Expression, Expression];
    const { first, rows } = bandAt(kernel, this.#plan, band);
    kernel.forLoop("n", 0, blockImages, 1, (n) => {
      const image = kernel.letIn("image", add(mul(part, blockImages), n));
      const bound = bindAll(kernel, gradient.extents, gradient.images, image);
      const values = new Map([...bound].map(([position, { base }]) => [position, base]));
      for (const tiles of this.#tiles) tiles.write(values, first, rows, mul(n, bandRows * tileColumns));
    });
    this.#multiply(kernel.letIn("tiles", mul(rows, blockImages * tileColumns)), sums);
  }

  /** Adds the products of a block's tiles, point by point: four channels of the adjoint by eight of the data in registers. */
  #multiply(tiles: Expression, start: Expression): void {
    const { kernel } = this.#operands;
    const { inputs, outputs, dataPoint, adjointPoint, sumPoint } = this.#plan;
    const point = (k: Expression): void =>
      kernel.forLoop("o", 0, outputs, 4, (o) =>
        kernel.forLoop("c", 0, inputs, 8, (c) => {
          const rows = [0, 1, 2, 3];
          const at = kernel.letIn("at", add(start, add(mul(k, sumPoint), add(mul(o, inputs), c))));
          const place = (r: number, v: number): Expression => add(at, r * inputs + 4 * v);
          const sums = rows.map((r) =>
            [0, 1].map((v) => kernel.declare("sum", load(this.#sums, "f32", place(r, v), 4))),
          );
          const left = kernel.letIn("left", add(mul(k, adjointPoint), o));
          const right = kernel.letIn("right", add(mul(k, dataPoint), c));
          kernel.forLoop("t", 0, tiles, 1, (t) => {
            const across = [0, 1].map((v) =>
              kernel.letIn("b", load(this.#data, "f32", add(right, mul(t, inputs), 4 * v), 4)),
            );
            for (const [r, row] of sums.entries()) {
              const a = kernel.letIn("a", splat(load(this.#adjoint, "f32", add(left, mul(t, outputs), r))));
              for (const [v, sum] of row.entries()) kernel.assign(sum, add(mul(a, across[v]!), sum));
            }
          });
          for (const [r, row] of sums.entries())
            for (const [v, sum] of row.entries()) kernel.store(this.#sums, place(r, v), sum);
        }),
      );
    kernel.forLoop("k", 0, points, 1, point, { outer: kernel.atTopLevel });
  }

  /** The nine results of one channel of the adjoint with every channel of the data. */
  #results(o: Expression): void {
    const { kernel } = this.#operands;
    const { gradient, inputs } = this.#plan;
    const channels = gradient.extents[gradient.data.channels]!;
    const four = (c: Expression, count: number): void => {
      const places = this.#places(add(mul(o, inputs), c));
      for (const [i, row] of places.entries())
        for (const [j, sum] of row.entries()) {
          if (count === 4) this.#finish(o, c, 4, [i, j], sum);
          else for (let l = 0; l < count; l++) this.#finish(o, add(c, l), 1, [i, j], kernel.letIn("t", lane(sum, l)));
        }
    };
    const whole = channels - (channels % 4);
    kernel.forLoop("c", 0, whole, 4, (c) => four(c, 4));
    if (whole < channels) four(i32(whole), channels - whole);
  }

  /** The parts' sums, added up and transformed. */
  #places(at: Expression): readonly (readonly Expression[])[] {
    const { kernel } = this.#operands;
    const { parts, sumPoint } = this.#plan;
    const line = Array.from({ length: side }, (_, k) => k);
    const sum = (point: number): Expression =>
      Array.from({ length: parts }, (_, part) =>
        load(this.#sums, "f32", add(at, (part * points + point) * sumPoint), 4),
      ).reduce((a, b) => kernel.letIn("m", add(a, b)));
    return bothWays(
      kernel,
      ninePlaces,
      line.map((i) => line.map((j) => kernel.letIn("m", sum(i * side + j)))),
    );
  }

  #finish(o: Expression, c: Expression, lanes: 1 | 4, places: readonly number[], sum: Expression): void {
    const { extents, data, adjoint, taps: moved, contraction } = this.#plan.gradient;
    const last = (position: number): number => extents[position]! - 1;
    const indices = extents.map((_, position) => {
      if (position === adjoint.channels) return indexAt(o, 0, last(position));
      if (position === data.channels) return (lanes === 4 ? indexLanes : indexAt)(c, 0, last(position));
      const window = moved.indexOf(position);
      return window < 0 ? undefined : indexAt(i32(places[window]!), 0, last(position));
    });
    finish(new Lowering(this.#operands, { indices }), this.#operands.kernel, contraction, sum);
  }
}
