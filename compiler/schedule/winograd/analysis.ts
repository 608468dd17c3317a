/**
 * Recognises contractions that slide a 3x3 window in steps of one: one factor, the data, is read where a parallel and a
 * summed index of extent 3 run together, twice; the other, the weights, has the summed ones alone. Forward and
 * backward-data of a convolution are both of this form, whatever the order of axes and the padding.
 */

import type { Contraction, Factor } from "../contraction/analysis.ts";
import type { Support } from "../contraction/support.ts";
import { supportOf } from "../contraction/support.ts";
import { strideOf } from "../contraction/surroundings.ts";
import type { BuildContext } from "../group.ts";

/** The data's dimension in which a window moves: index `place` of the result plus tap, or minus tap. */
export interface Window {
  readonly dimension: number;
  readonly place: number;
  readonly tap: number;
  /** The window is read backwards. */
  readonly flipped: boolean;
  /** Of `place`. */
  readonly extent: number;
}

export interface Sliding {
  readonly contraction: Contraction;
  readonly extents: readonly number[];
  readonly data: Support;
  readonly weights: Factor;
  readonly rows: Window;
  /** The one whose results are nearer in memory. */
  readonly columns: Window;
  /** Indices of data and result; of both factors and the result; of weights and result; the one summed beside the window. */
  readonly images: readonly number[];
  readonly groups: readonly number[];
  readonly outputs: readonly number[];
  readonly channels: number;
}

export const taps = 3;

export function analyseSliding(contraction: Contraction, context: BuildContext): Sliding | undefined {
  const { group, summed } = contraction;
  const extents = [...group.parallel, ...group.reduction].map(({ extent }) => extent);
  if (summed.length !== 3 || summed.filter((position) => extents[position] === taps).length < 2) return undefined;
  const { left, right, rows, columns } = contraction;
  return (
    slide(contraction, extents, context, { data: left, weights: right, own: rows, outputs: columns }) ??
    slide(contraction, extents, context, { data: right, weights: left, own: columns, outputs: rows })
  );
}

interface Roles {
  readonly data: Factor;
  readonly weights: Factor;
  /** Parallel indices of the data alone, and of the weights alone. */
  readonly own: readonly number[];
  readonly outputs: readonly number[];
}

function slide(
  contraction: Contraction,
  extents: readonly number[],
  context: BuildContext,
  { data, weights, own, outputs }: Roles,
): Sliding | undefined {
  const support = supportOf(data, extents);
  const windows = support.dimensions.flatMap(({ terms }, dimension): Window[] => {
    const place = terms.find(({ position }) => own.includes(position));
    const tap = terms.find(({ position }) => contraction.summed.includes(position));
    if (terms.length !== 2 || place?.coefficient !== 1 || tap === undefined) return [];
    if (Math.abs(tap.coefficient) !== 1 || extents[tap.position] !== taps) return [];
    return [
      {
        dimension,
        place: place.position,
        tap: tap.position,
        flipped: tap.coefficient < 0,
        extent: extents[place.position]!,
      },
    ];
  });
  const [first, second, ...more] = windows;
  if (first === undefined || second === undefined || more.length > 0) return undefined;
  const channels = contraction.summed.find((position) => position !== first.tap && position !== second.tap);
  const apart = support.dimensions.find(({ terms }) => terms.some(({ position }) => position === channels));
  if (channels === undefined || apart === undefined) return undefined;
  if (apart.terms.find(({ position }) => position === channels)?.coefficient !== 1) return undefined;
  const stored = contraction.group.members.find(({ node }) => contraction.group.stored.has(node.results[0]!));
  if (stored === undefined) return undefined;
  const { strides } = context.layout(stored.node.results[0]!);
  const far = (window: Window): number => Math.abs(strideOf(stored.at, strides, window.place));
  const [columns, rows] = far(first) < far(second) ? [first, second] : [second, first];
  return {
    contraction,
    extents,
    data: support,
    weights,
    rows,
    columns,
    images: own.filter((position) => position !== first.place && position !== second.place),
    groups: contraction.batch,
    outputs,
    channels,
  };
}
