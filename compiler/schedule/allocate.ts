/**
 * Static memory allocation: intervals that overlap in time get disjoint places. Each is put in the gap that fits it best,
 * in several orders, of which the best allocation counts (Pisarchyk and Lee, "Efficient memory management for deep neural
 * net inference", 2020, greedy by size and by breadth; Sekiyama et al., "Profile-guided memory optimization for deep neural
 * networks", 2018, by lifetime). While it needs more than is in use at one time, what lies on top goes first instead.
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

type Comparison = (a: Interval, b: Interval) => number;
const lifetime = ({ first, last }: Interval): number => last - first + 1;
const orders: readonly Comparison[] = [
  (a, b) => b.bytes - a.bytes,
  (a, b) => b.bytes * lifetime(b) - a.bytes * lifetime(a),
  (a, b) => lifetime(b) - lifetime(a) || b.bytes - a.bytes,
  (a, b) => a.first - b.first || b.bytes - a.bytes,
];
/** Comparisons of two intervals that the search for a better order may cost. */
const effort = 3e7;
const mostRounds = 60;
/** A tenth of that effort goes into orders that differ from the best one in one place. */
const mostTries = 2000;

/** One place for every interval. No chunk grows beyond `chunkBytes`, unless one interval alone does. */
export function allocate(intervals: readonly Interval[], alignment: number, chunkBytes: number): Allocation {
  const bound = lowerBound(intervals, alignment);
  const size = ({ chunks }: Allocation): number => chunks.reduce((sum, bytes) => sum + bytes, 0);
  let best: Allocation | undefined;
  let bestOrder: number[] = [];
  const attempt = (order: number[]): Allocation => {
    const found = placedIn(order, intervals, alignment, chunkBytes);
    if (best === undefined || size(found) < size(best)) [best, bestOrder] = [found, order];
    return found;
  };
  const positions = intervals.map((_, k) => k);
  for (const compare of orders) {
    attempt(positions.toSorted((a, b) => compare(intervals[a]!, intervals[b]!) || a - b));
    if (size(best!) <= bound) break;
  }
  let order = bestOrder;
  let last = best!;
  const rounds = Math.min(mostRounds, Math.floor(effort / (1 + intervals.length ** 2)));
  for (let round = 0; round < rounds && size(best!) > bound; round++) {
    const { places, chunks } = last;
    const onTop = (k: number): boolean => {
      const { chunk, offset } = places[k]!;
      return offset + aligned(intervals[k]!.bytes, alignment) === chunks[chunk];
    };
    order = [...order.filter(onTop), ...order.filter((k) => !onTop(k))];
    last = attempt(order);
  }
  // Then whatever is placed earlier or later, as long as nothing gets worse.
  const draw = numbers();
  const tries = Math.min(mostTries, Math.floor(effort / 10 / (1 + intervals.length ** 2)));
  for (let k = 0; k < tries && size(best!) > bound; k++) {
    const moved = [...bestOrder];
    const [one] = moved.splice(draw(moved.length), 1);
    moved.splice(draw(moved.length + 1), 0, one!);
    const found = attempt(moved);
    if (size(found) === size(best!)) [best, bestOrder] = [found, moved];
  }
  return best!;
}

/** Numbers below a limit, the same ones every time (a linear congruential generator of 32 bits, Knuth's multiplier). */
function numbers(): (limit: number) => number {
  let state = 1;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const aligned = (bytes: number, alignment: number): number => Math.ceil(bytes / alignment) * alignment;

interface Taken {
  readonly from: number;
  readonly to: number;
  readonly interval: Interval;
}

function placedIn(
  order: readonly number[],
  intervals: readonly Interval[],
  alignment: number,
  chunkBytes: number,
): Allocation {
  const places: Place[] = [];
  const chunks: number[] = [];
  /** What lies in each chunk, lowest first. */
  const taken: Taken[][] = [];
  for (const k of order) {
    const interval = intervals[k]!;
    for (let chunk = 0; places[k] === undefined; chunk++) {
      const rivals = taken[chunk] ?? [];
      const offset = bestGap(rivals, interval, chunks[chunk] ?? 0);
      if (offset + interval.bytes > chunkBytes && chunk < chunks.length) continue;
      places[k] = { chunk, offset };
      const to = offset + aligned(interval.bytes, alignment);
      const above = rivals.findIndex(({ from }) => from > offset);
      rivals.splice(above < 0 ? rivals.length : above, 0, { from: offset, to, interval });
      taken[chunk] = rivals;
      chunks[chunk] = Math.max(chunks[chunk] ?? 0, to);
    }
  }
  return { places, chunks };
}

/** The start of the smallest gap between what is in use meanwhile; the end of it all if none holds the interval. */
function bestGap(taken: readonly Taken[], { bytes, first, last }: Interval, size: number): number {
  let best: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  let end = 0;
  for (const { from, to, interval } of taken) {
    if (interval.last < first || interval.first > last) continue;
    const gap = from - end;
    if (gap >= bytes && gap < least) [best, least] = [end, gap];
    if (to > end) end = to;
  }
  const above = size - end;
  if (above >= bytes && above < least) return end;
  return best ?? end;
}

/** No allocation can do with less: the most that is in use at one time. */
export function lowerBound(intervals: readonly Interval[], alignment: number): number {
  const changes = new Map<number, number>();
  for (const { first, last, bytes } of intervals) {
    const size = aligned(bytes, alignment);
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
