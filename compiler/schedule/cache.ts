/** What models of cost know of the caches, in elements of four bytes. */

/** Of a line. */
export const lineElements = 16;
/** Beyond so many the second cache does not keep. */
export const farElements = 2 ** 17;

/** The first cache: lines that one operand may fill, sets and ways (32 KiB). */
const first = { lines: 384, sets: 64, ways: 8 } as const;

export function staysNear(lines: number): boolean {
  return lines <= first.lines;
}

/** Whether so many places, `stride` elements apart, are more than their sets of the first cache hold. */
export function areInConflict(stride: number, places: number): boolean {
  if (stride < lineElements || stride % lineElements !== 0) return false;
  return places > (first.sets / gcd(first.sets, stride / lineElements)) * first.ways;
}
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
