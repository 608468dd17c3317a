/** The forms in which a contraction is tried: as it is, with indices cut into blocks, with another index in the lanes. */
import type { Contraction } from "./analysis.ts";
import { extentsOf } from "./analysis.ts";
import { splitIndex } from "./split.ts";
import { supportOf } from "./support.ts";

export function variantsOf(contraction: Contraction): Contraction[] {
  const others = [blocked(contraction), lanesAcross(contraction, "columns"), lanesAcross(contraction, "rows")];
  return [contraction, ...others.filter((variant) => variant !== undefined)];
}

/** Steps of the sum for which a tile's panels stay in the first cache, and rows that stay in the second with them. */
const sumBlock = 256;
const rowBlock = 256;

const divisor = (extent: number, most: number, least: number): number | undefined => {
  for (let size = Math.min(most, extent); size >= least; size--) if (extent % size === 0 && size % 4 === 0) return size;
  return undefined;
};

/** A large product of matrices, in blocks of rows and of the sum (Goto and van de Geijn). */
function blocked(contraction: Contraction): Contraction | undefined {
  const { batch, rows, columns, summed } = contraction;
  const [row, sum] = [rows[0], summed[0]];
  if (batch.length > 0 || row === undefined || sum === undefined) return undefined;
  if (rows.length > 1 || columns.length !== 1 || summed.length > 1) return undefined;
  const extents = extentsOf(contraction);
  if (extents[sum]! < 2 * sumBlock || extents[columns[0]!]! < 64) return undefined;
  const steps = divisor(extents[sum]!, sumBlock, sumBlock / 2);
  const block = divisor(extents[row]!, Math.min(rowBlock, extents[row]! / 4), 64);
  if (steps === undefined || block === undefined) return undefined;
  const inSteps = splitIndex(contraction, sum, steps);
  return inSteps && splitIndex(inSteps, row, block);
}

/** Vectors across images, say: where a window leaves few or odd numbers of neighbours in its own directions. */
function lanesAcross(contraction: Contraction, side: "rows" | "columns"): Contraction | undefined {
  const positions = contraction[side];
  const extents = extentsOf(contraction);
  const [first, ...others] = positions;
  const last = others.at(-1);
  if (first === undefined || last === undefined || contraction.batch.length > 0) return undefined;
  const { dimensions } = supportOf(side === "rows" ? contraction.left : contraction.right, extents);
  const isInWindow = (position: number): boolean =>
    dimensions.some(({ terms }) => terms.length > 1 && terms.some((term) => term.position === position));
  if (isInWindow(first) || !isInWindow(last) || extents[last]! % 8 === 0) return undefined;
  const size = [16, 8].find((width) => extents[first]! % width === 0);
  if (size === undefined) return undefined;
  const split = size === extents[first] ? contraction : splitIndex(contraction, first, size);
  if (split === undefined) return undefined;
  const lane = split === contraction ? first : first + 1;
  return { ...split, [side]: [...split[side].filter((position) => position !== lane), lane] };
}
