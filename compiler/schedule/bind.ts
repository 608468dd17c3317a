/** Indices of a domain where a loop stands: what lowering is told before it writes a body. */
import { i32 } from "../kernel/build.ts";
import type { Expression } from "../kernel/ir.ts";
import type { IndexValue } from "./address.ts";
import type { Accesses, Lanes, Loop } from "./loops.ts";

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The values of a loop's indices where the loop stands at `base`; the last index moves with the lanes. */
export function bind(
  accesses: Accesses,
  loop: Loop,
  base: Expression,
  lanes: IndexValue["lanes"] = undefined,
  range: Range = { from: 0, to: loop.extent },
): Map<number, IndexValue> {
  const extents = accesses.extents;
  const indices = new Map<number, IndexValue>();
  const last = loop.positions.at(-1)!;
  // Run together, the last index goes beyond its extent and the others stay at 0: offsets agree, and all are in range.
  for (const position of loop.positions)
    indices.set(position, { base: i32(0), lanes: undefined, min: 0, max: extents[position]! - 1 });
  const own = { base, lanes };
  if (loop.positions.length > 1) indices.set(last, { ...own, min: 0, max: extents[last]! - 1 });
  else if (base.kind === "constant" && lanes === undefined)
    indices.set(last, { ...own, min: base.value, max: base.value });
  else if (base.kind === "constant" && lanes !== undefined)
    indices.set(last, { ...own, min: base.value + Math.min(...lanes), max: base.value + Math.max(...lanes) });
  else indices.set(last, { ...own, min: range.from, max: range.to - 1 });
  return indices;
}

/** Four lanes at `base` of the loop that fills them, and how far a step goes. */
export function bindLanes(
  accesses: Accesses,
  lanes: Lanes,
  base: Expression,
  range: Range = { from: 0, to: lanes.loop.extent },
): Map<number, IndexValue> {
  if (lanes.pair === undefined) return bind(accesses, lanes.loop, base, [0, 1, 2, 3], range);
  return new Map([
    ...bind(accesses, lanes.loop, base, [0, 0, 1, 1], range),
    ...bind(accesses, lanes.pair, i32(0), [0, 1, 0, 1]),
  ]);
}
export const stepOf = (lanes: Lanes): number => (lanes.pair === undefined ? 4 : 2);
