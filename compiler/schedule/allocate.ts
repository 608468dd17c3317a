/**
 * Static memory allocation: intervals that overlap in time get disjoint places. Largest first, each in the gap that fits
 * it best (Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020, greedy by size).
 */
import type { Interval } from "./liveness.ts";

export interface Place {
  readonly chunk: number;
  readonly offset: number;
}
export interface Allocation {
  readonly places: readonly Place[];
  /** Bytes of each chunk. */
  readonly chunks: readonly number[];
}

const overlap = (a: Interval, b: Interval): boolean => a.first <= b.last && b.first <= a.last;

/** One place for every interval. No chunk grows beyond `chunkBytes`, unless one interval alone does. */
export function allocate(intervals: readonly Interval[], alignment: number, chunkBytes: number): Allocation {
  const order = intervals.map((_, k) => k).sort((a, b) => intervals[b]!.bytes - intervals[a]!.bytes || a - b);
  const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;
  const places: Place[] = [];
  const chunks: number[] = [];
  const placed: number[] = [];
  for (const k of order) {
    const { bytes } = intervals[k]!;
    const rivals = placed.filter((other) => overlap(intervals[k]!, intervals[other]!));
    let found: Place | undefined;
    for (let chunk = 0; found === undefined; chunk++) {
      const taken = rivals
        .filter((other) => places[other]!.chunk === chunk)
        .map((other) => ({ from: places[other]!.offset, to: aligned(places[other]!.offset + intervals[other]!.bytes) }))
        .sort((a, b) => a.from - b.from);
      const offset = bestGap(taken, bytes, chunks[chunk] ?? 0);
      if (offset + bytes <= chunkBytes || chunk >= chunks.length) found = { chunk, offset };
    }
    places[k] = found;
    placed.push(k);
    chunks[found.chunk] = Math.max(chunks[found.chunk] ?? 0, aligned(found.offset + bytes));
  }
  return { places, chunks };
}

/** The start of the smallest gap that holds `bytes`; the end of what is taken if none does. */
function bestGap(taken: readonly { from: number; to: number }[], bytes: number, size: number): number {
  let best: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  let end = 0;
  for (const { from, to } of taken) {
    const gap = from - end;
    if (gap >= bytes && gap < least) [best, least] = [end, gap];
    end = Math.max(end, to);
  }
  const last = size - end;
  if (last >= bytes && last < least) return end;
  return best ?? end;
}

/** No allocation can do with less: the most that is in use at one time. */
export function lowerBound(intervals: readonly Interval[], alignment: number): number {
  const changes = new Map<number, number>();
  for (const { first, last, bytes } of intervals) {
    const size = Math.ceil(bytes / alignment) * alignment;
    changes.set(first, (changes.get(first) ?? 0) + size);
    changes.set(last + 1, (changes.get(last + 1) ?? 0) - size);
  }
  let [now, most] = [0, 0];
  for (const [, change] of [...changes].sort(([a], [b]) => a - b)) {
    now += change;
    most = Math.max(most, now);
  }
  return most;
}
