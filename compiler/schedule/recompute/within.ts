/** Plans a program within a number of bytes: entries that are too large compute values again instead of keeping them. */
import type { TargetPlan } from "../../../runtime/plan.ts";
import type { Program, ProgramEntry } from "../../elaborate/program.ts";
import type { Graph } from "../../graph/graph.ts";
import { allocate } from "../allocate.ts";
import { checkLimits, describePeak, MemoryError } from "../budget.ts";
import type { Target } from "../group.ts";
import { keptIn, livenessOf } from "../liveness.ts";
import { type PlannedTarget, planLimits, planTarget } from "../plan.ts";
import type { Schedule } from "../program.ts";
import { fitInto, type Repeated } from "./fit.ts";

/** What an entry computes again, what that frees and what it costs. */
export interface Recomputation {
  readonly entry: string;
  readonly target: Target;
  /** Bytes of the entry's arena before and after. */
  readonly before: number;
  readonly after: number;
  readonly repeated: readonly Repeated[];
  /** Floating-point operations of the entry without what it computes again. */
  readonly flops: number;
}

const sum = (bytes: readonly number[]): number => bytes.reduce((total, count) => total + count, 0);
/** All the memory that a target takes, with one thread. */
export function totalBytes({ persistent, arena, perThread = 0 }: TargetPlan): number {
  return sum(persistent) + sum(arena) + perThread;
}

/** Other kernels may need other constants, which takes memory from the arena. */
const mostRounds = 3;

/** Throws a `MemoryError` where the program does not come down to `limit` bytes. */
export function planWithin(
  program: Program,
  schedules: readonly (Schedule | null)[],
  target: Target,
  limit: number,
  scheduled: (entry: ProgramEntry, graph: Graph) => Schedule,
): PlannedTarget & { readonly recomputed: readonly Recomputation[] } {
  const { alignment, chunkBytes } = planLimits(target);
  const arenaOf = (schedule: Schedule): number =>
    sum(allocate(livenessOf(schedule, keptIn(schedule)), alignment, chunkBytes).chunks);
  const before = planTarget(program, schedules, target);
  let planned = before;
  const chosen = [...schedules];
  const recomputed = new Map<string, Recomputation>();
  let room = limit - totalBytes(planned.plan) + sum(planned.plan.arena);
  for (let round = 0; totalBytes(planned.plan) > limit; round++) {
    const current = planned;
    const arenaAt = (k: number): number => current.entries[k]?.arenaBytes ?? 0;
    // The largest first: where that fails, it says what the whole program needs.
    const bySize = program.entries.map((entry, k) => ({ entry, k })).sort((x, y) => arenaAt(y.k) - arenaAt(x.k));
    const tooLarge = bySize.filter(({ k }) => arenaAt(k) > room);
    const [first] = bySize;
    /** No more than this was found. */
    const refuse = (entry: ProgramEntry, arenaBytes: number, schedule: Schedule): never => {
      const persistent = totalBytes(current.plan) - sum(current.plan.arena);
      const largest = describePeak(schedule);
      const bytes = arenaBytes + persistent;
      throw new MemoryError({ reason: "asked", target, entry, bytes, persistent, limit, largest });
    };
    if (tooLarge.length === 0 || round === mostRounds) refuse(first!.entry, arenaAt(first!.k), chosen[first!.k]!);
    for (const { entry, k } of tooLarge) {
      const found = fitInto(entry.graph, target, room, {
        alignment,
        scheduled: (graph) => scheduled(entry, graph),
        arenaOf,
      });
      if (found.arenaBytes > room) refuse(entry, found.arenaBytes, found.schedule);
      chosen[k] = found.schedule;
      const { repeated, flops, arenaBytes: after } = found;
      const arenaBefore = before.entries[k]?.arenaBytes ?? 0;
      recomputed.set(entry.name, { entry: entry.name, target, before: arenaBefore, after, repeated, flops });
    }
    planned = planTarget(program, chosen, target);
    room -= Math.max(0, totalBytes(planned.plan) - limit);
  }
  checkLimits(program.entries, chosen, target, planned);
  return { ...planned, recomputed: [...recomputed.values()] };
}
