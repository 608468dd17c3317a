/**
 * How a contraction runs on the CPU: which factor fills the lanes, which factors are packed, in which order the sum runs.
 * The candidates are few; a model of their cost, in multiply-adds of four lanes, decides.
 */
import type { BuildContext } from "../group.ts";
import type { Contraction, Factor } from "./analysis.ts";
import { tileCost } from "./cost.ts";
import { packingCost } from "./packing.ts";
import type { DirectPanel, PackedPanel } from "./panels.ts";
import { directPanel, packedPanel } from "./panels.ts";
import type { IndexLoop, Scheme } from "./scheme.ts";
import { lastOf, once, tileShape } from "./scheme.ts";
import type { Support } from "./support.ts";
import { spanOf, supportOf } from "./support.ts";
import type { Surroundings } from "./surroundings.ts";
import { surroundingsOf } from "./surroundings.ts";

/** Of the rows, in the second cache beside a tile of columns. */
const cachedElements = 2 ** 16;
/** Blocks of rows, where there are several: threads share them. */
const leastBlocks = 8;
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
export function schemesOf(contraction: Contraction, extents: readonly number[], context: BuildContext): Scheme[] {
  const surroundings = surroundingsOf(contraction, extents, context);
  const { left, right, rows, columns } = contraction;
  const orientations: Sides[] = [
    { rows: left, columns: right, rowPositions: rows, columnPositions: columns },
    { rows: right, columns: left, rowPositions: columns, columnPositions: rows },
  ];
  const filled = orientations.filter(({ columnPositions }) => columnPositions.length > 0);
  return filled.flatMap((sides) => {
    const planner = new Planner(contraction, sides, surroundings, extents, context);
    const lanes = [false, true].flatMap((rows) => [false, true].map((columns) => planner.lanes({ rows, columns })));
    return [...lanes, planner.dot()].filter((scheme) => scheme !== undefined);
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

  #size(positions: Iterable<number>): number {
    let product = 1;
    for (const position of positions) product *= this.#extents[position]!;
    return product;
  }

  /** A long sum is cut where an index of it stands alone: packed copies stay in cache, and so do rounding errors. */
  #chooseOuterSum(): number | undefined {
    const { summed } = this.#contraction;
    const total = this.#size(summed);
    if (summed.length < 2 || total < 2048) return undefined;
    const alone = ({ dimensions }: Support, position: number): boolean =>
      dimensions.every(({ terms }) => terms.length === 1 || terms.every((term) => term.position !== position));
    return summed.find(
      (position) =>
        alone(this.#rowSupport, position) &&
        alone(this.#columnSupport, position) &&
        total / this.#extents[position]! >= 32,
    );
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
      const dimension = support.dimensions.find(({ terms }) => terms.some(({ position }) => position === first));
      const size = this.#size(factor.positions);
      if (dimension?.terms.length !== 1 || size <= largest) continue;
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

  /** A copy of the row factor: rows outermost, the sum innermost. */
  #packRows(sumOrder: readonly number[], outer: number | undefined): PackedPanel {
    const { rowPositions } = this.#sides;
    const order = orderDimensions(this.#rowSupport, [...rowPositions, ...sumOrder], rowPositions);
    return packedPanel(this.#rowSupport, order, this.#extents, this.#bound(outer), { pad: 1 });
  }

  /** A copy of the column factor with the columns innermost, in tiles where they are one index. */
  #packColumns(sumOrder: readonly number[], outer: number | undefined): PackedPanel {
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
    across.sort((a, b) => rank(a, columnPositions) - rank(b, columnPositions));
    const isBound = (d: number): boolean => support.dimensions[d]!.terms.every(({ position }) => bound.has(position));
    const last = across.at(-1);
    const single =
      last !== undefined &&
      across.every((d) => d === last || isBound(d)) &&
      support.dimensions[last]!.terms.length === 1;
    return packedPanel(support, [...sumOnly, ...across], this.#extents, bound, {
      pad: 4,
      ...(single && { tile: tileShape("lanes", this.#size(this.#sides.rowPositions)).columns }),
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
  lanes(packed: { readonly rows: boolean; readonly columns: boolean }): Scheme | undefined {
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
    const columnPanel = packed.columns ? this.#packColumns(sumOrder, outer) : this.#columnDirect!;
    const rowPanel = rowDirect ?? this.#packRows(sumOrder, outer);
    const scheme = this.#finish("lanes", rowPanel, columnPanel, sumOrder, outer);
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
    const scheme = this.#finish("dot", rowPanel, columnPanel, sumOrder, outer);
    const inner = scheme.sum.at(-1);
    return inner !== undefined && inner.extent % 4 === 0 ? scheme : undefined;
  }

  #finish(
    kind: Scheme["kind"],
    rowPanel: DirectPanel | PackedPanel,
    columnPanel: DirectPanel | PackedPanel,
    sumOrder: readonly number[],
    outer: number | undefined,
  ): Scheme {
    const { accesses, pinned } = this.#surroundings;
    const row = (position: number): number => rowPanel.stride(position);
    const column = (position: number): number => columnPanel.stride(position);
    const { batch } = this.#contraction;
    const apart = new Set(outer === undefined ? pinned : [...pinned, outer]);
    const collapse = (positions: readonly number[], strides: readonly ((position: number) => number)[]): IndexLoop[] =>
      collapsed(positions, strides, apart, this.#extents);
    let sum = collapse(sumOrder, [row, column]);
    if (kind === "lanes") sum = longestInnermost(sum);
    // Every index must be bound alone while packing reads it.
    const alone = (positions: readonly number[]): IndexLoop[] =>
      positions.map((position) => ({ positions: [position], extent: this.#extents[position]! }));
    const packs = rowPanel.kind === "packed" || columnPanel.kind === "packed";
    const { rowPositions } = this.#sides;
    const rows = rowPositions.length === 0 ? [once] : collapse(rowPositions, [row, ...accesses]);
    const columns = collapse(this.#sides.columnPositions, [column, ...accesses]);
    const shape = {
      kind,
      rowPanel,
      columnPanel,
      batch: packs ? alone(batch) : collapse(batch, [row, column, ...accesses]),
      rows,
      columns,
      // A single tile's width was chosen with the panel, by the number of all rows.
      tile: tileShape(kind, this.#size(rowPositions)),
      outerSum: this.#outerSum === undefined ? undefined : alone([this.#outerSum])[0],
      parts: this.#parts(),
      outer: [...rows, ...columns].find(({ positions }) => outer !== undefined && positions.includes(outer)),
      sum,
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

/** Whether packing expects an index to be fixed. */
export function isBoundTo(panel: PackedPanel, index: number): boolean {
  return panel.layout.dimensions.some(({ bound }) => bound.some(({ position }) => position === index));
}

function indexIn(positions: readonly number[], position: number): number {
  const at = positions.indexOf(position);
  return at < 0 ? positions.length : at;
}

/** Dimensions by the first of their indices in `positions`; those with an index in `first` stand before the others. */
function orderDimensions(support: Support, positions: readonly number[], first: readonly number[]): number[] {
  const rank = (d: number): number => {
    const { terms } = support.dimensions[d]!;
    const leading = terms.some(({ position }) => first.includes(position)) ? 0 : positions.length;
    return leading + Math.min(...terms.map(({ position }) => indexIn(positions, position)));
  };
  return support.dimensions.map((_, d) => d).sort((a, b) => rank(a) - rank(b));
}

function collapsed(
  positions: readonly number[],
  strides: readonly ((position: number) => number)[],
  apart: ReadonlySet<number>,
  extents: readonly number[],
): IndexLoop[] {
  const loops: IndexLoop[] = [];
  for (const position of positions) {
    const extent = extents[position]!;
    const last = loops.at(-1);
    const outer = last && lastOf(last);
    const together =
      outer !== undefined &&
      !apart.has(outer) &&
      !apart.has(position) &&
      strides.every((stride) => stride(outer) === stride(position) * extent);
    if (last && together)
      loops[loops.length - 1] = { positions: [...last.positions, position], extent: last.extent * extent };
    else loops.push({ positions: [position], extent });
  }
  return loops;
}

/** Loops cost something to enter: a short innermost one gives way to one twice as long. */
function longestInnermost(loops: readonly IndexLoop[]): IndexLoop[] {
  const innermost = loops.at(-1);
  if (innermost === undefined || innermost.extent >= 8) return [...loops];
  const longest = loops.reduce((a, b) => (b.extent > a.extent ? b : a));
  if (longest.extent < 2 * innermost.extent) return [...loops];
  return [...loops.filter((loop) => loop !== longest), longest];
}
