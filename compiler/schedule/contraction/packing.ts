/**
 * Where a micro-kernel finds a factor: in the tensor itself, or in a packed copy. Either way an element lies at an offset
 * that is affine in the indices, so the micro-kernel knows no boundary conditions and no expressions.
 */
import { isAffine, provedInRange } from "../../graph/affine.ts";
import type { Tensor } from "../../graph/graph.ts";
import { sizeOf } from "../../graph/traverse.ts";
import { invariant } from "../../invariant.ts";
import { add, constant, i32, mul } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";
import type { IndexValue } from "../address.ts";
import { indexAt, indexLanes } from "../address.ts";
import type { BuildContext } from "../group.ts";
import { Lowering } from "../lower.ts";
import type { Operands } from "../operands.ts";
import { storageType } from "../operands.ts";
import type { Placed } from "../program.ts";
import type { Factor } from "./analysis.ts";
import type { Support, SupportTerm } from "./support.ts";
import { breaksOf, spanOf } from "./support.ts";

export interface Panel {
  /** Elements that an element's place moves by when an index grows by one. */
  stride(position: number): number;
  readonly offset: number;
}
export interface DirectPanel extends Panel {
  readonly kind: "direct";
  readonly tensor: Tensor;
}
export interface PackedPanel extends Panel {
  readonly kind: "packed";
  readonly layout: Layout;
}

/** The factor's own memory, if it is one plain read of floats. */
export function directPanel(
  factor: Factor,
  extents: readonly number[],
  context: BuildContext,
): DirectPanel | undefined {
  const { body } = factor;
  if (body.kind !== "read" || storageType(body.tensor) !== "f32") return undefined;
  if (context.uniform(body.tensor) !== undefined) return undefined;
  const { shape } = body.tensor.type;
  const strides = new Map<number, number>();
  let offset = 0;
  for (const [axis, coordinate] of body.coordinates.entries()) {
    if (!isAffine(coordinate) || !provedInRange(coordinate, extents, shape[axis]!)) return undefined;
    const step = context.layout(body.tensor).strides[axis]!;
    offset += coordinate.offset * step;
    for (const { position, coefficient } of coordinate.terms)
      strides.set(position, (strides.get(position) ?? 0) + coefficient * step);
  }
  return { kind: "direct", tensor: body.tensor, offset, stride: (position) => strides.get(position) ?? 0 };
}

// ---- Packed copies --------------------------------------------------------------------------------------------------------

/** One dimension of a packed copy, for what is not bound by the loops around the packing. */
interface PackedDimension {
  readonly d: number;
  readonly own: readonly SupportTerm[];
  readonly bound: readonly SupportTerm[];
  readonly lowest: number;
  readonly extent: number;
  readonly stride: number;
}
export interface Layout {
  readonly support: Support;
  /** Outermost first. */
  readonly dimensions: readonly PackedDimension[];
  /** Set where the innermost dimension is cut into tiles of `width`, each `stride` after the last. */
  readonly tiles: { readonly width: number; readonly stride: number } | undefined;
  /** Elements. */
  readonly size: number;
  readonly extents: readonly number[];
}

const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step;

/**
 * A copy with its dimensions in the given order, outermost first; `bound` indices are fixed while it is made. The innermost
 * dimension is filled up with zeros to a multiple of `pad`. `tile`: cut it into tiles of that width, outermost.
 */
export function packedPanel(
  support: Support,
  order: readonly number[],
  extents: readonly number[],
  bound: ReadonlySet<number>,
  options: { readonly pad: number; readonly tile?: number },
): PackedPanel {
  const parts = order.map((d) => {
    const { terms } = support.dimensions[d]!;
    const own = terms.filter(({ position }) => !bound.has(position));
    return { d, own, bound: terms.filter(({ position }) => bound.has(position)), ...spanOf(own, extents) };
  });
  const innermost = parts.at(-1);
  const width = roundUp(innermost?.extent ?? 1, options.tile ?? options.pad);
  let size = options.tile ?? width;
  const strides = parts.map(() => 1);
  for (let k = parts.length - 2; k >= 0; k--) {
    strides[k] = size;
    size *= parts[k]!.extent;
  }
  const tiles = options.tile === undefined ? undefined : { width: options.tile, stride: size };
  if (options.tile !== undefined) size *= width / options.tile;
  const dimensions = parts.map((part, k): PackedDimension => ({ ...part, stride: strides[k]! }));
  const strideOf = new Map<number, number>();
  let offset = 0;
  for (const { own, lowest, stride } of dimensions) {
    offset -= lowest * stride;
    for (const { position, coefficient } of own) strideOf.set(position, coefficient * stride);
  }
  return {
    kind: "packed",
    offset,
    stride: (position) => strideOf.get(position) ?? 0,
    // The last vector may reach past the end: what it holds there is never kept.
    layout: { support, dimensions, tiles, size: size + 4, extents },
  };
}

/** How long packing takes, in units of one multiply-add of four lanes. */
export function packingCost(panel: PackedPanel, context: BuildContext): number {
  const { support, dimensions } = panel.layout;
  const points = dimensions.reduce((product, { extent }) => product * extent, 1);
  const innermost = dimensions.at(-1);
  const direct = innermost !== undefined && isContiguous(support, innermost.d, context) && innermost.extent >= 4;
  return points * ((direct ? 0.35 : 1) + 0.2 * (sizeOf(support.body) - 1));
}
/** Whether every read moves by one element, or not at all, along a dimension. */
function isContiguous(support: Support, d: number, context: BuildContext): boolean {
  let contiguous = true;
  const visit = (body: Support["body"]): void => {
    if (body.kind === "apply") for (const argument of body.arguments) visit(argument);
    if (body.kind !== "read") return;
    const { strides } = context.layout(body.tensor);
    let step = 0;
    for (const [axis, { terms }] of body.coordinates.entries())
      for (const term of terms) {
        if (term.kind !== "affine") contiguous = false;
        else if (term.position === d) step += term.coefficient * strides[axis]!;
      }
    if (step > 1 || step < 0) contiguous = false;
  };
  visit(support.body);
  return contiguous;
}

/** Writes the loops that fill a packed copy; `values` holds the bound indices. */
export function pack(
  operands: Operands,
  panel: PackedPanel,
  place: Placed,
  values: ReadonlyMap<number, Expression>,
): void {
  const { kernel } = operands;
  const { layout } = panel;
  const buffer = operands.bind("packed", "f32", place, "write");
  const indices: (IndexValue | undefined)[] = layout.support.dimensions.map(() => undefined);

  const level = (k: number, at: Expression): void => {
    const dimension = layout.dimensions[k];
    if (dimension === undefined) {
      kernel.store(buffer, at, new Lowering(operands, { indices }).lower(layout.support.body));
      return;
    }
    const { base, from, to } = boundBase(dimension, layout.extents, values);
    const isInnermost = k === layout.dimensions.length - 1;
    const segments =
      dimension.bound.length > 0 ? [0, dimension.extent] : breaksOf(layout.support, dimension.d, dimension.extent);
    for (let s = 0; s + 1 < segments.length; s++) {
      const [start, end] = [segments[s]!, segments[s + 1]!];
      const range = { min: start + from, max: end - 1 + to };
      const scalars = (first: number): void =>
        kernel.forLoop("u", first, end, 1, (u) => {
          indices[dimension.d] = indexAt(add(base, u), range.min, range.max);
          level(k + 1, add(at, isInnermost ? placeOf(layout, u, first, end) : mul(u, dimension.stride)));
        });
      const vectors = isInnermost ? Math.floor((end - start) / 4) * 4 : 0;
      const aligned = layout.tiles === undefined || start % 4 === 0;
      if (vectors === 0 || !aligned) {
        scalars(start);
        continue;
      }
      kernel.forLoop("u", start, start + vectors, 4, (u) => {
        indices[dimension.d] = indexLanes(add(base, u), range.min, range.max);
        const value = new Lowering(operands, { indices }).lower(layout.support.body);
        const four = value.lanes === 4 ? value : ({ kind: "splat", type: "f32", lanes: 4, value } as const);
        kernel.store(buffer, add(at, placeOf(layout, u, start, end)), four);
      });
      scalars(start + vectors);
    }
    if (isInnermost) fill(operands, buffer, layout, dimension.extent, at);
  };
  level(0, i32(0));
}

/** The lanes past the end hold zeros: whatever stood there could be slow (subnormal numbers) though nobody keeps it. */
function fill(operands: Operands, buffer: string, layout: Layout, extent: number, at: Expression): void {
  const step = layout.tiles?.width ?? 4;
  for (let u = extent; u < roundUp(extent, step) && u < rowWidth(layout); u++)
    operands.kernel.store(buffer, add(at, placeOf(layout, i32(u), u, u + 1)), constant("f32", 0));
}
function rowWidth(layout: Layout): number {
  if (layout.tiles !== undefined) return Number.POSITIVE_INFINITY;
  return layout.dimensions.at(-2)?.stride ?? layout.size - 4;
}

/** Where element u of the innermost dimension stands in its row, for u in [first, end). */
function placeOf(layout: Layout, u: Expression, first: number, end: number): Expression {
  const { tiles } = layout;
  if (tiles === undefined) return u;
  const { width, stride } = tiles;
  const tile = Math.floor(first / width);
  if (Math.floor((end - 1) / width) === tile) return add(u, tile * (stride - width));
  const at: Expression = { kind: "apply", name: "raw_div", type: "i32", lanes: 1, arguments: [u, i32(width)] };
  return add(u, mul(at, stride - width));
}

/** What the bound indices add to a dimension's index, and the range of it. */
function boundBase(
  { bound }: PackedDimension,
  extents: readonly number[],
  values: ReadonlyMap<number, Expression>,
): { readonly base: Expression; readonly from: number; readonly to: number } {
  if (bound.length === 0) return { base: i32(0), from: 0, to: 0 };
  const { lowest, extent } = spanOf(bound, extents);
  let base: Expression = i32(-lowest);
  for (const { position, coefficient } of bound) {
    const value = values.get(position);
    invariant(value, `index ${position} is bound`);
    base = add(base, mul(value, coefficient));
  }
  return { base, from: 0, to: extent - 1 };
}
