/**
 * Where a micro-kernel finds a factor: in the tensor itself, or in a packed copy. Either way an element lies at an offset
 * that is affine in the indices, so the micro-kernel knows no boundary conditions and no expressions.
 */
import { isAffine, provedInRange } from "../../graph/affine.ts";
import type { Tensor } from "../../graph/graph.ts";
import type { BuildContext } from "../group.ts";
import { storageType } from "../operands.ts";
import type { Factor } from "./analysis.ts";
import type { IndexRange, Support, SupportTerm } from "./support.ts";
import { spanOf } from "./support.ts";

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
export interface PackedDimension {
  readonly d: number;
  readonly own: readonly SupportTerm[];
  readonly bound: readonly SupportTerm[];
  readonly lowest: number;
  readonly extent: number;
  readonly stride: number;
  /** The first index of the dimension that is copied. */
  readonly from: number;
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

export const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step;

/**
 * A copy with its dimensions in the given order, outermost first; `bound` indices are fixed while it is made. The innermost
 * dimension is filled up with zeros to a multiple of `pad`. `tile`: cut it into tiles of that width, outermost.
 */
export function packedPanel(
  support: Support,
  order: readonly number[],
  extents: readonly number[],
  bound: ReadonlySet<number>,
  options: { readonly pad: number; readonly tile?: number; readonly within?: ReadonlyMap<number, IndexRange> },
): PackedPanel {
  const parts = order.map((d) => {
    const { terms } = support.dimensions[d]!;
    const own = terms.filter(({ position }) => !bound.has(position));
    const { lowest, extent } = spanOf(own, extents);
    const { from, to } = options.within?.get(d) ?? { from: 0, to: extent };
    return { d, own, bound: terms.filter(({ position }) => bound.has(position)), lowest, extent: to - from, from };
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
  for (const { own, lowest, from, stride } of dimensions) {
    offset -= (lowest + from) * stride;
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
