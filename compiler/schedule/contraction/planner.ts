/**
 * How a contraction runs on the CPU: which factor fills the lanes, which factors are packed, in which order the sum runs.
 * The candidates are few; a model of their cost, in multiply-adds of four lanes, decides.
 */
import type { BuildContext } from "../group.ts";
import type { Contraction, Factor } from "./analysis.ts";
import { extentsOf } from "./analysis.ts";
import { keptBy, tileCost } from "./cost.ts";
import { collapsed, indexIn, isBoundTo, longestInnermost, orderDimensions, rowOrders } from "./orders.ts";
import { packingCost } from "./packing.ts";
import type { DirectPanel, PackedPanel } from "./panels.ts";
import { directPanel, packedPanel } from "./panels.ts";
import type { Clip, IndexLoop, Scheme, TileShape } from "./scheme.ts";
import { lastOf, nameOfScheme, once, tileShapes } from "./scheme.ts";
import type { IndexRange, Support } from "./support.ts";
import { rangeOf, spanOf, supportOf } from "./support.ts";
import type { Surroundings } from "./surroundings.ts";
import { surroundingsOf } from "./surroundings.ts";
import { variantsOf } from "./variants.ts";

/** Of the rows, in the second cache beside a tile of columns. */
const cachedElements = 2 ** 16;
/** Blocks of rows, where there are several: threads share them. */
const leastBlocks = 8;
/** Loops with bounds of their own are slower: they pay where they leave out more than a few steps. */
const mostKept = 0.85;
/** What the sums of all parts of an outer sum may take together. */
const restingElements = 2 ** 20;
/** Products summed in a part for each result: adding the parts up is little beside them. */
const leastWork = 128;

interface Sides {
  readonly rows: Factor;
  readonly columns: Factor;
  readonly rowPositions: readonly number[];
  readonly columnPositions: readonly number[];
}

/** Every way that is considered; the one with the columns packed is always there. */
export function schemesOf(contraction: Contraction, context: BuildContext): Scheme[] {
  const schemes = variantsOf(contraction).flatMap((variant) => schemesOfOne(variant, context));
  // An order of the indices may come about in two ways.
  const named = new Map(schemes.toReversed().map((scheme) => [nameOfScheme(scheme), scheme]));
  return [...named.values()].reverse();
}

function schemesOfOne(contraction: Contraction, context: BuildContext): Scheme[] {
  const extents = extentsOf(contraction);
  const surroundings = surroundingsOf(contraction, extents, context);
  const { left, right, rows, columns } = contraction;
  const orientations: Sides[] = [
    { rows: left, columns: right, rowPositions: rows, columnPositions: columns },
    { rows: right, columns: left, rowPositions: columns, columnPositions: rows },
  ];
  const filled = orientations.filter(({ columnPositions }) => columnPositions.length > 0);
  return filled.flatMap((sides) => {
    const planners = rowOrders(sides.rowPositions, extents).map(
      (rowPositions) => new Planner(contraction, { ...sides, rowPositions }, surroundings, extents, context),
    );
    const lanes = planners.flatMap((planner) =>
      tileShapes("lanes", planner.rowCount).flatMap((shape) =>
        [false, true].flatMap((rows) => [false, true].map((columns) => planner.lanes({ rows, columns }, shape))),
      ),
    );
    return [...lanes, planners[0]?.dot()].filter((scheme) => scheme !== undefined);
  });
}

class Planner {
  readonly #contraction: Contraction;
  readonly #sides: Sides;
  readonly #surroundings: Surroundings;
  readonly #extents: readonly number[];
  readonly #context: BuildContext;
  readonly #rowSupport: Support;
  readonly #columnSupport: Support;
  readonly #rowDirect: DirectPanel | undefined;
  readonly #columnDirect: DirectPanel | undefined;
  readonly #outerSum: number | undefined;
  readonly #sum: readonly number[];

  constructor(
    contraction: Contraction,
    sides: Sides,
    surroundings: Surroundings,
    extents: readonly number[],
    context: BuildContext,
  ) {
    this.#contraction = contraction;
    this.#sides = sides;
    this.#surroundings = surroundings;
    this.#extents = extents;
    this.#context = context;
    this.#rowSupport = supportOf(sides.rows, extents);
    this.#columnSupport = supportOf(sides.columns, extents);
    this.#rowDirect = directPanel(sides.rows, extents, context);
    this.#columnDirect = directPanel(sides.columns, extents, context);
    this.#outerSum = this.#chooseOuterSum();
    this.#sum = contraction.summed.filter((position) => position !== this.#outerSum);
  }

  get rowCount(): number {
    return this.#size(this.#sides.rowPositions);
  }
  #size(positions: Iterable<number>): number {
    let product = 1;
    for (const position of positions) product *= this.#extents[position]!;
    return product;
  }

  /** A long sum is cut where an index of it stands alone: packed copies stay in cache, and so do rounding errors. */
  #chooseOuterSum(): number | undefined {
    const { summed } = this.#contraction;
    const total = this.#size(summed);
    if (summed.length < 2 || total < 1024) return undefined;
    return summed.find(
      (position) =>
        this.#isApart(this.#rowSupport, position) &&
        this.#isApart(this.#columnSupport, position) &&
        total / this.#extents[position]! >= 32,
    );
  }

  /** Whether different values of an index meet different points of a factor, as they do unless it is a window's. */
  #isApart({ dimensions }: Support, position: number): boolean {
    return dimensions.every(({ terms }) => {
      const own = terms.find((term) => term.position === position);
      const others = terms.filter((term) => term !== own);
      return own === undefined || Math.abs(own.coefficient) >= spanOf(others, this.#extents).extent;
    });
  }

  #bound(outer: number | undefined): Set<number> {
    const loops = [...this.#contraction.batch, this.#outerSum, outer];
    return new Set(loops.filter((position) => position !== undefined));
  }

  /** The first index of a packed factor with several of its own runs outermost, so that the copy is small. */
  #chooseOuter(rowsPacked: boolean, columnsPacked: boolean): number | undefined {
    const { rowPositions, columnPositions } = this.#sides;
    const candidates = [
      { packed: rowsPacked, positions: rowPositions, support: this.#rowSupport, factor: this.#sides.rows },
      { packed: columnsPacked, positions: columnPositions, support: this.#columnSupport, factor: this.#sides.columns },
    ];
    let best: number | undefined;
    let largest = 0;
    for (const { packed, positions, support, factor } of candidates) {
      const [first, ...rest] = positions;
      if (!packed || first === undefined || rest.length === 0) continue;
      const size = this.#size(factor.positions);
      if (!this.#isApart(support, first) || size <= largest) continue;
      best = first;
      largest = size;
    }
    return best;
  }

  #window(support: Support, position: number, others: readonly number[]): boolean {
    return support.dimensions.some(
      ({ terms }) =>
        terms.some((term) => term.position === position) && terms.some((term) => others.includes(term.position)),
    );
  }

  /**
   * The dimensions of a packed factor along which padding need not be copied: an index of the sum and others that are
   * known where its loop begins.
   */
  #clips(support: Support, outer: number | undefined, clips: Clip[]): Map<number, IndexRange> {
    const { rowPositions, columnPositions } = this.#sides;
    const bound = this.#bound(outer);
    const known = new Set([...rowPositions.slice(0, -1), ...columnPositions.slice(0, -1)]);
    const within = new Map<number, IndexRange>();
    for (const [d, { terms }] of support.dimensions.entries()) {
      const summed = terms.filter(({ position }) => this.#sum.includes(position));
      const others = terms.filter((term) => !summed.includes(term));
      const [step] = summed;
      if (step === undefined || summed.length > 1 || Math.abs(step.coefficient) !== 1) continue;
      if (others.length === 0 || others.some(({ position }) => bound.has(position) || !known.has(position))) continue;
      if (clips.some(({ position }) => position === step.position)) continue;
      const { lowest, extent } = spanOf(terms, this.#extents);
      const range = rangeOf(support.body, d, extent);
      if (range.to - range.from === extent || range.to <= range.from) continue;
      const [from, to] = [range.from + lowest, range.to + lowest];
      const clip: Clip = { position: step.position, sign: step.coefficient, others, from, to };
      if (keptBy(clip, this.#extents) > mostKept) continue;
      within.set(d, range);
      clips.push(clip);
    }
    return within;
  }

  /** A copy of the row factor: rows outermost, the sum innermost. */
  #packRows(sumOrder: readonly number[], outer: number | undefined, clips: Clip[]): PackedPanel {
    const { rowPositions } = this.#sides;
    const order = orderDimensions(this.#rowSupport, [...rowPositions, ...sumOrder], rowPositions);
    const within = this.#clips(this.#rowSupport, outer, clips);
    return packedPanel(this.#rowSupport, order, this.#extents, this.#bound(outer), { pad: 1, within });
  }

  /** A copy of the column factor with the columns innermost, in tiles where they are one index. */
  #packColumns(sumOrder: readonly number[], outer: number | undefined, shape: TileShape, clips: Clip[]): PackedPanel {
    const { columnPositions } = this.#sides;
    const support = this.#columnsByOne();
    const bound = this.#bound(outer);
    const sumOnly = support.dimensions.flatMap(({ terms }, d) =>
      terms.some(({ position }) => columnPositions.includes(position)) ? [] : [d],
    );
    const rank = (d: number, positions: readonly number[]): number =>
      Math.min(...support.dimensions[d]!.terms.map(({ position }) => indexIn(positions, position)));
    sumOnly.sort((a, b) => rank(a, sumOrder) - rank(b, sumOrder));
    const across = support.dimensions.map((_, d) => d).filter((d) => !sumOnly.includes(d));
    // The last column fills the lanes, also where it runs along one dimension with an earlier one.
    const isLast = (d: number): boolean =>
      support.dimensions[d]!.terms.some(({ position }) => position === columnPositions.at(-1));
    across.sort((a, b) => Number(isLast(a)) - Number(isLast(b)) || rank(a, columnPositions) - rank(b, columnPositions));
    const isBound = (d: number): boolean => support.dimensions[d]!.terms.every(({ position }) => bound.has(position));
    const last = across.at(-1);
    const single =
      last !== undefined &&
      across.every((d) => d === last || isBound(d)) &&
      support.dimensions[last]!.terms.filter(({ position }) => !bound.has(position)).length === 1;
    const isWindow = (d: number): boolean => {
      const { terms } = support.dimensions[d]!;
      return terms.some(({ position }) => this.#sum.includes(position));
    };
    // Where no window runs along the lanes, what a point of it needs lies together.
    const [windows, plain] = [across.slice(0, -1).filter(isWindow), across.filter((d) => d === last || !isWindow(d))];
    const order = last !== undefined && !isWindow(last) ? [...windows, ...sumOnly, ...plain] : [...sumOnly, ...across];
    return packedPanel(support, order, this.#extents, bound, {
      pad: 4,
      within: this.#clips(support, outer, clips),
      ...(single && { tile: shape.columns }),
    });
  }

  /** The support with the last column moving by single elements: the pixels of a window of stride 2 are taken apart. */
  #columnsByOne(): Support {
    const innermost = this.#sides.columnPositions.at(-1);
    const moves = this.#columnSupport.dimensions.flatMap(({ terms }) =>
      terms.flatMap(({ position, coefficient }) => (position === innermost ? [coefficient] : [])),
    );
    return moves.every((coefficient) => coefficient === 1)
      ? this.#columnSupport
      : supportOf(this.#sides.columns, this.#extents, innermost);
  }

  /** `packed`: what is packed although it may be that it could be read where it is. */
  lanes(packed: { readonly rows: boolean; readonly columns: boolean }, shape: TileShape): Scheme | undefined {
    const { columnPositions, rowPositions } = this.#sides;
    const innermost = columnPositions.at(-1);
    const canRead =
      this.#columnDirect !== undefined && innermost !== undefined && this.#columnDirect.stride(innermost) === 1;
    if (!packed.columns && !canRead) return undefined;
    if (!packed.rows && this.#rowDirect === undefined) return undefined;
    const rowDirect = packed.rows ? undefined : this.#rowDirect;
    const inWindow = (position: number): number => Number(!this.#window(this.#rowSupport, position, rowPositions));
    const sumOrder = [...this.#sum].sort((a, b) =>
      rowDirect ? Math.abs(rowDirect.stride(b)) - Math.abs(rowDirect.stride(a)) : inWindow(a) - inWindow(b),
    );
    const outer = this.#chooseOuter(packed.rows, packed.columns);
    const clips: Clip[] = [];
    const columnPanel = packed.columns ? this.#packColumns(sumOrder, outer, shape, clips) : this.#columnDirect!;
    const rowPanel = rowDirect ?? this.#packRows(sumOrder, outer, clips);
    const scheme = this.#finish("lanes", shape, rowPanel, columnPanel, sumOrder, outer, clips);
    const columns = scheme.columns.at(-1)!;
    // Vectors of columns that are read in place must not reach beyond them.
    return packed.columns || columns.extent % 4 === 0 ? scheme : undefined;
  }

  dot(): Scheme | undefined {
    const innermost = this.#sum.at(-1);
    if (innermost === undefined) return undefined;
    const sumOrder = this.#sum;
    const outer = this.#chooseOuter(this.#rowDirect === undefined, this.#columnDirect === undefined);
    const bound = this.#bound(outer);
    const panel = (support: Support, direct: DirectPanel | undefined) => {
      if (direct !== undefined) return direct.stride(innermost) === 1 ? direct : undefined;
      const order = orderDimensions(
        support,
        [...this.#sides.rowPositions, ...this.#sides.columnPositions, ...sumOrder],
        [],
      );
      const at = order.findIndex((d) => support.dimensions[d]!.terms.some(({ position }) => position === innermost));
      if (at < 0) return undefined;
      const moved = [...order.filter((_, k) => k !== at), order[at]!];
      const made = packedPanel(support, moved, this.#extents, bound, { pad: 1 });
      return made.stride(innermost) === 1 ? made : undefined;
    };
    const rowPanel = panel(this.#rowSupport, this.#rowDirect);
    const columnPanel = panel(this.#columnSupport, this.#columnDirect);
    if (rowPanel === undefined || columnPanel === undefined) return undefined;
    const scheme = this.#finish("dot", tileShapes("dot", this.rowCount)[0]!, rowPanel, columnPanel, sumOrder, outer);
    const inner = scheme.sum.at(-1);
    return inner !== undefined && inner.extent % 4 === 0 ? scheme : undefined;
  }

  #finish(
    kind: Scheme["kind"],
    tile: TileShape,
    rowPanel: DirectPanel | PackedPanel,
    columnPanel: DirectPanel | PackedPanel,
    sumOrder: readonly number[],
    outer: number | undefined,
    clips: readonly Clip[] = [],
  ): Scheme {
    const { accesses, pinned } = this.#surroundings;
    const row = (position: number): number => rowPanel.stride(position);
    const column = (position: number): number => columnPanel.stride(position);
    const { batch } = this.#contraction;
    const clipped = clips.flatMap(({ position, others }) => [position, ...others.map((term) => term.position)]);
    const apart = new Set([...pinned, ...clipped, ...(outer === undefined ? [] : [outer])]);
    const collapse = (positions: readonly number[], strides: readonly ((position: number) => number)[]): IndexLoop[] =>
      collapsed(positions, strides, apart, this.#extents);
    let sum = collapse(sumOrder, [row, column]);
    if (kind === "lanes") sum = longestInnermost(sum);
    // Every index must be bound alone while packing reads it.
    const alone = (positions: readonly number[]): IndexLoop[] =>
      positions.map((position) => ({ positions: [position], extent: this.#extents[position]! }));
    const packs = rowPanel.kind === "packed" || columnPanel.kind === "packed";
    const { rowPositions } = this.#sides;
    const allColumns = collapse(this.#sides.columnPositions, [column, ...accesses]);
    const around = allColumns.at(-2);
    const stands =
      kind === "lanes" && around !== undefined && !around.positions.some((p) => p === outer || clipped.includes(p));
    const [rows, columns] =
      rowPositions.length > 0
        ? [collapse(rowPositions, [row, ...accesses]), allColumns]
        : stands
          ? [[around], allColumns.filter((loop) => loop !== around)]
          : [[once], allColumns];
    const shape = {
      contraction: this.#contraction,
      kind,
      rowPanel,
      columnPanel,
      batch: packs ? alone(batch) : collapse(batch, [row, column, ...accesses]),
      rows,
      columns,
      tile,
      outerSum: this.#outerSum === undefined ? undefined : alone([this.#outerSum])[0],
      parts: this.#parts(),
      outer: [...rows, ...columns].find(({ positions }) => outer !== undefined && positions.includes(outer)),
      sum,
      clips,
    };
    const whole = { ...shape, rowBlock: this.#rowBlock(shape) };
    return { ...whole, cost: this.#cost(whole) };
  }

  /** Parts that the outer sum is cut in: more take memory, and time to add up. */
  #parts(): number {
    const { batch } = this.#contraction;
    if (this.#outerSum === undefined || batch.length > 0) return 1;
    const results = this.#size([...this.#sides.rowPositions, ...this.#sides.columnPositions]);
    const extent = this.#extents[this.#outerSum]!;
    const work = this.#size(this.#contraction.summed);
    const fits = (parts: number): boolean =>
      extent % parts === 0 && parts * results <= restingElements && parts * leastWork <= work;
    return [8, 7, 6, 5, 4, 3, 2].find(fits) ?? 1;
  }

  /** The rows go around once for each tile of columns: so many at a time that they are found in the second cache. */
  #rowBlock({ rows, outer, tile }: Pick<Scheme, "rows" | "outer" | "tile">): number {
    const bound = this.#bound(outer && lastOf(outer));
    const elements = this.#rowSupport.dimensions.reduce((size, { terms }) => {
      const own = terms.filter(({ position }) => !bound.has(position));
      return size * spanOf(own, this.#extents).extent;
    }, 1);
    const [loop, ...inner] = rows.filter((candidate) => candidate !== outer);
    if (loop === undefined) return 1;
    const iterations = inner.length > 0 ? loop.extent : Math.ceil(loop.extent / tile.rows);
    if (elements <= cachedElements) return iterations;
    const block = Math.floor((iterations * cachedElements) / elements);
    return Math.max(1, Math.min(block, Math.ceil(iterations / leastBlocks)));
  }

  #cost(scheme: Omit<Scheme, "cost">): number {
    const repeats = this.#size(this.#contraction.batch) * (scheme.outerSum?.extent ?? 1);
    const tiles = tileCost(scheme, this.#surroundings);
    let packing = 0;
    for (const panel of [scheme.columnPanel, scheme.rowPanel])
      if (panel.kind === "packed") {
        const inside = scheme.outer !== undefined && isBoundTo(panel, lastOf(scheme.outer));
        packing += packingCost(panel, this.#context) * (inside ? scheme.outer.extent : 1);
      }
    return repeats * (tiles + packing);
  }
}
