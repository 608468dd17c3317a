/** When each memory of an entry is in use: from its first write to its last read, in steps of the dispatch order. */
import type { Tensor } from "../graph/graph.ts";
import type { Dispatch } from "../kernel/ir.ts";
import type { Placed, Schedule, Step } from "./program.ts";

/** What is placed: a tensor's memory, scratch shared by dispatches, or one dispatch's own scratch (by its position). */
export type MemoryKey = Tensor | `scratch ${number}` | `local ${number} ${number}`;

export interface Interval {
  readonly key: MemoryKey;
  readonly bytes: number;
  /** Inclusive. */
  first: number;
  last: number;
}

interface Use {
  readonly at: number;
  readonly writes: boolean;
}

export const wordBytes = 4;

export function keyOf(place: Placed): MemoryKey {
  return place.kind === "tensor" ? place.tensor : `scratch ${place.id}`;
}

export function bytesOf(tensor: Tensor): number {
  return tensor.type.shape.reduce((product, extent) => product * extent, wordBytes);
}

/** The dispatches in order, one number each; a repeated one once. */
export function dispatchesOf(steps: readonly Step[]): Dispatch<Placed>[] {
  return steps.flatMap((step) => (step.kind === "launch" ? [step.dispatch] : dispatchesOf(step.steps)));
}

/** The memory that an entry finds filled, because it is computed once and kept. */
export function keptIn({ once }: Schedule): Set<MemoryKey> {
  const written = dispatchesOf(once).flatMap(({ kernel, buffers }) =>
    buffers.filter((_, k) => kernel.buffers[k]?.access !== "read").map(keyOf),
  );
  return new Set(written);
}

/**
 * Intervals of all memory that is not persistent: slots, constants, and what is `prepared`. Arguments live from the start,
 * results to the end.
 */
export function livenessOf(schedule: Schedule, prepared: Iterable<MemoryKey> = []): Interval[] {
  const slots = schedule.slots.map(({ tensor }) => tensor);
  const persistent = new Set<MemoryKey>([...slots, ...schedule.constants.keys(), ...prepared]);
  const intervals = new Map<MemoryKey, Interval>();
  const uses = new Map<MemoryKey, Use[]>();
  const end = dispatchesOf(schedule.steps).length;
  const touch = (key: MemoryKey, bytes: number, at: number, writes: boolean): void => {
    if (persistent.has(key)) return;
    const interval = intervals.get(key);
    if (interval === undefined) intervals.set(key, { key, bytes, first: at, last: at });
    else {
      interval.first = Math.min(interval.first, at);
      interval.last = Math.max(interval.last, at);
    }
    const list = uses.get(key);
    if (list === undefined) uses.set(key, [{ at, writes }]);
    else list.push({ at, writes });
  };
  const memoryOf = (tensor: Tensor): Tensor => {
    const place = schedule.aliases.get(tensor);
    return place?.kind === "tensor" ? place.tensor : tensor;
  };
  const extend: (() => void)[] = [];
  let position = 0;
  const walk = (steps: readonly Step[]): void => {
    for (const step of steps) {
      if (step.kind === "repeat") {
        const from = position;
        walk(step.steps);
        const to = position - 1;
        extend.push(() => stretch(from, to));
        continue;
      }
      const { kernel, buffers } = step.dispatch;
      for (const [k, place] of buffers.entries()) {
        const bytes = place.kind === "tensor" ? bytesOf(place.tensor) : place.elements * wordBytes;
        touch(keyOf(place), bytes, position, kernel.buffers[k]?.access === "write");
      }
      for (const [k, local] of kernel.locals.entries())
        if (local.space === "scratch" && !local.perThread)
          touch(`local ${position} ${k}`, local.size * wordBytes, position, true);
      position++;
    }
  };
  /** What an iteration finds from outside, or from the one before, lives through all of them. */
  const stretch = (from: number, to: number): void => {
    for (const [key, interval] of intervals) {
      const list = uses.get(key) ?? [];
      const inside = list.filter(({ at }) => at >= from && at <= to);
      const [first] = inside;
      if (first === undefined) continue;
      if (inside.length === list.length && first.writes) continue;
      interval.first = Math.min(interval.first, from);
      interval.last = Math.max(interval.last, to);
    }
  };
  walk(schedule.steps);
  for (const { tensor, role } of schedule.graph.inputs)
    if (role === "argument" || role === "knob") touch(tensor, bytesOf(tensor), -1, true);
  for (const { tensor } of schedule.graph.outputs) {
    const memory = memoryOf(tensor);
    touch(memory, bytesOf(memory), end, false);
  }
  // Last: a result that a repeat fills piece by piece is used outside of it too.
  for (const run of extend) run();
  return [...intervals.values()];
}
