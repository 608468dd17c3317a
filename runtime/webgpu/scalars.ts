import type { DispatchPlan } from "../plan.ts";

/** The bits of +infinity: WGSL cannot write it as a constant, so kernels find it in the first word of their uniform. */
const infinity = 0x7f800000;

/**
 * The scalars of all launches in one uniform buffer, each distinct list once. A list is [infinity, scalars ..], padded
 * to whole vectors as WGSL lays out uniform arrays.
 */
export function packScalars(dispatches: readonly DispatchPlan[], alignment: number) {
  const offsets = new Map<string, number>();
  const lists: (readonly number[])[] = [];
  const bytesOf = ({ scalars }: DispatchPlan) => Math.ceil((scalars.length + 1) / 4) * 16;
  let end = 16;
  for (const dispatch of dispatches) {
    const key = dispatch.scalars.join();
    if (offsets.has(key)) continue;
    const offset = lists.length === 0 ? 0 : Math.ceil(end / alignment) * alignment;
    offsets.set(key, offset);
    lists.push(dispatch.scalars);
    end = offset + bytesOf(dispatch);
  }
  const words = new Int32Array(end / 4);
  for (const scalars of lists) words.set([infinity, ...scalars], (offsets.get(scalars.join()) ?? 0) / 4);
  return { words, bytesOf, offsetOf: (dispatch: DispatchPlan) => offsets.get(dispatch.scalars.join()) ?? 0 };
}
