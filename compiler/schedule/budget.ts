/** What no device can hold, or the user does not allow: which entry it is, and what takes the memory there. */
import type { ProgramEntry } from "../elaborate/program.ts";
import type { Origin, Tensor } from "../graph/graph.ts";
import type { Target } from "./group.ts";
import { keptIn, livenessOf } from "./liveness.ts";
import type { PlannedTarget } from "./plan.ts";
import type { Schedule } from "./program.ts";

/** A tensor that is in memory when an entry uses most; undefined stands for scratch memory. */
export interface Resident {
  readonly tensor: Tensor | undefined;
  readonly bytes: number;
  readonly origin: Origin | undefined;
}

export interface MemoryProblem {
  /** Whether a limit of the device is exceeded, or the one that was asked for. */
  readonly reason: "asked" | "device";
  readonly target: Target;
  /** The entry that takes most. */
  readonly entry: ProgramEntry;
  /** The least that was found. */
  readonly bytes: number;
  /** Of these: weights, states and constants. */
  readonly persistent: number;
  readonly limit: number;
  readonly largest: readonly Resident[];
}

export class MemoryError extends Error {
  override readonly name = "MemoryError";
  readonly problem: MemoryProblem;
  constructor(problem: MemoryProblem) {
    super(`${problem.entry.name} takes ${problem.bytes} bytes; the limit is ${problem.limit}`);
    this.problem = problem;
  }
}

const mostResidents = 4;

/** The largest of what is in memory when most is. */
export function describePeak(schedule: Schedule): Resident[] {
  const intervals = livenessOf(schedule, keptIn(schedule));
  const changes = new Map<number, number>();
  for (const { first, last, bytes } of intervals) {
    changes.set(first, (changes.get(first) ?? 0) + bytes);
    changes.set(last + 1, (changes.get(last + 1) ?? 0) - bytes);
  }
  let [now, most, peak] = [0, 0, 0];
  for (const [at, change] of [...changes].sort(([a], [b]) => a - b)) {
    now += change;
    if (now > most) [most, peak] = [now, at];
  }
  const origins = new Map(
    schedule.graph.nodes.flatMap(({ results, origin }) => results.map((t) => [t, origin] as const)),
  );
  return intervals
    .filter(({ first, last }) => first <= peak && last >= peak)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, mostResidents)
    .map(({ key, bytes }) => {
      const tensor = typeof key === "string" ? undefined : key;
      return { tensor, bytes, origin: tensor && origins.get(tensor) };
    });
}

/** WebAssembly's addresses have 32 bits; WebGPU's implementations bind less than 2 GiB of a buffer. */
export const limits: Readonly<Record<Target, number>> = { cpu: 2 ** 32, gpu: 2 ** 31 - 4 };

/** Throws a `MemoryError` if the program is too large for every device of its target. */
export function checkLimits(
  entries: readonly ProgramEntry[],
  schedules: readonly (Schedule | null)[],
  target: Target,
  { plan, entries: planned }: PlannedTarget,
): void {
  const limit = limits[target];
  const sum = (chunks: readonly number[]): number => chunks.reduce((total, bytes) => total + bytes, 0);
  const whole = sum(plan.persistent) + sum(plan.arena) + (plan.perThread ?? 0);
  const bytes = target === "cpu" ? whole : Math.max(0, ...plan.persistent, ...plan.arena);
  if (bytes <= limit) return;
  const arenaOf = (k: number): number => planned[k]?.arenaBytes ?? -1;
  const [largest = 0] = entries.map((_, k) => k).sort((a, b) => arenaOf(b) - arenaOf(a));
  const schedule = schedules[largest];
  throw new MemoryError({
    reason: "device",
    target,
    entry: entries[largest]!,
    bytes,
    persistent: sum(plan.persistent),
    limit,
    largest: schedule ? describePeak(schedule) : [],
  });
}
