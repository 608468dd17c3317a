/**
 * Gives everything an address. Persistent memory holds constants, then slots, in the program's order, then what is prepared
 * for calls; the arena is shared by all entries and preparations, which never run at once, and in it memory is used again as
 * soon as it is free.
 */
import type { Location, TargetPlan } from "../../runtime/plan.ts";
import { unusedBytes, wasmSections } from "../../runtime/plan.ts";
import type { Program } from "../elaborate/program.ts";
import type { Tensor } from "../graph/graph.ts";
import { invariant } from "../invariant.ts";
import type { Dispatch, Kernel } from "../kernel/ir.ts";
import { allocate, lowerBound } from "./allocate.ts";
import type { Target } from "./group.ts";
import type { MemoryKey } from "./liveness.ts";
import { bytesOf, dispatchesOf, keyOf, livenessOf, wordBytes } from "./liveness.ts";
import { Persistent } from "./persistent.ts";
import type { PreparedMemory } from "./preparations.ts";
import { sharePreparations, writtenBy } from "./preparations.ts";
import { isPersistent } from "./prepare.ts";
import type { Placed, Schedule, Step } from "./program.ts";

export interface PlanLimits {
  /** Bytes between the starts of memories. */
  readonly alignment: number;
  /** The most bytes that one buffer may have. */
  readonly chunkBytes: number;
}

/** 16 bytes for vectors; WebGPU's bindings start at multiples of 256 and have by default at most 128 MiB. */
export function planLimits(target: Target): PlanLimits {
  return target === "cpu"
    ? { alignment: 16, chunkBytes: Number.POSITIVE_INFINITY }
    : { alignment: 256, chunkBytes: 128 * 2 ** 20 };
}

/** A launch whose buffers have addresses; those of a repeat move by `advance[k]` bytes with the k-th repeat outside. */
export interface PlacedLaunch {
  readonly kind: "launch";
  readonly dispatch: Dispatch<Location>;
  /** One for every buffer. */
  readonly advance: readonly (readonly number[])[];
  /** The kernel's own scratch memory. */
  readonly locals: readonly ScratchLocation[];
}
/** `perThread`: the offset counts from the beginning of what the thread has for itself. */
export type ScratchLocation = Location & { readonly perThread?: boolean };
export interface PlacedRepeat {
  readonly kind: "repeat";
  readonly length: number;
  readonly steps: readonly PlacedStep[];
}
export type PlacedStep = PlacedLaunch | PlacedRepeat;

/** Steps that run as one, with their memory in the arena. */
export interface PlannedSteps {
  readonly steps: readonly PlacedStep[];
  readonly arenaBytes: number;
  /** What they need at least: the most that is in use at one time. */
  readonly lowerBound: number;
}
export interface PlannedEntry extends PlannedSteps {
  readonly name: string;
}
export interface PlannedTarget {
  /** Dispatches, its entries' and its preparations', are left to the code generator. */
  readonly plan: TargetPlan;
  /** One for each of the program's entries; null where there is no schedule. */
  readonly entries: readonly (PlannedEntry | null)[];
  /** One for each of the plan's preparations. */
  readonly prepare: readonly PlannedSteps[];
}

export function planTarget(
  program: Program,
  schedules: readonly (Schedule | null)[],
  target: Target,
  options: Partial<PlanLimits> = {},
): PlannedTarget {
  const { alignment, chunkBytes } = { ...planLimits(target), ...options };
  const persistent = new Persistent(alignment, chunkBytes);
  if (target === "cpu") persistent.reserve(unusedBytes);
  for (const schedule of schedules)
    if (schedule) for (const tensor of usedConstants(schedule)) persistent.constant(schedule, tensor);
  const slots = program.persistent.map((slot) => persistent.reserve(bytesOfShape(slot.shape)));
  const positions = new Map(program.persistent.map(({ role, path }, k) => [`${role} ${path}`, k]));
  const preparations = sharePreparations(schedules);
  const prepared = preparations.memory.map((memory) => [...memory].filter(([, { kept }]) => kept));
  const kept = new Map<PreparedMemory, Location>();
  for (const [, memory] of prepared.flat()) if (!kept.has(memory)) kept.set(memory, persistent.reserve(memory.bytes));

  /** Where an entry finds what is not in the arena. */
  const persistentOf = (schedule: Schedule, entry: number): Map<MemoryKey, Location> => {
    const locations = new Map<MemoryKey, Location>();
    for (const { tensor, role, path } of schedule.slots) {
      const slot = positions.get(`${role} ${path}`);
      invariant(slot !== undefined, `an entry uses ${role} ${path}, which the program does not list`);
      locations.set(tensor, slots[slot]!);
    }
    for (const tensor of usedConstants(schedule)) locations.set(tensor, persistent.constant(schedule, tensor));
    for (const [key, memory] of prepared[entry]!) locations.set(key, kept.get(memory)!);
    return locations;
  };
  const arenas: number[] = [];
  /** Gives everything else that steps use a place in the arena, added to `locations`. */
  const placed = (schedule: Schedule, locations: Map<MemoryKey, Location>): PlannedSteps => {
    const intervals = livenessOf(schedule, new Set(locations.keys()));
    const { places, chunks } = allocate(intervals, alignment, chunkBytes);
    for (const [chunk, bytes] of chunks.entries()) arenas[chunk] = Math.max(arenas[chunk] ?? 0, bytes);
    for (const [i, { key, bytes }] of intervals.entries()) locations.set(key, { space: "arena", ...places[i]!, bytes });
    return {
      steps: new Placer(locations).steps(schedule.steps),
      arenaBytes: chunks.reduce((sum, bytes) => sum + bytes, 0),
      lowerBound: lowerBound(intervals, alignment),
    };
  };

  const entries: (PlannedEntry | null)[] = [];
  const entryPlans: TargetPlan["entries"][number][] = [];
  for (const [k, entry] of program.entries.entries()) {
    const schedule = schedules[k];
    if (!schedule) {
      entries.push(null);
      entryPlans.push(null);
      continue;
    }
    const locations = persistentOf(schedule, k);
    entries.push({ name: entry.name, ...placed(schedule, locations) });
    const locate = (tensor: Tensor): Location => {
      const place = schedule.aliases.get(tensor) ?? { kind: "tensor", tensor, offset: 0 };
      const memory = locations.get(keyOf(place));
      invariant(memory !== undefined && place.kind === "tensor", `%${tensor.name} has no memory`);
      return { ...memory, offset: memory.offset + place.offset * wordBytes, bytes: bytesOf(tensor) };
    };
    const arguments_ = new Map(schedule.graph.inputs.map((input) => [input.path, input]));
    const written = new Set(schedule.steps.flatMap(writtenBy));
    entryPlans.push({
      inputs: entry.inputs.map(({ name }) => {
        const input = arguments_.get(name);
        invariant(input !== undefined, `entry ${entry.name} has no input ${name}`);
        return locate(input.tensor);
      }),
      outputs: schedule.graph.outputs.filter(({ role }) => !isPersistent(role)).map(({ tensor }) => locate(tensor)),
      prepare: [...preparations.list.keys()].filter((number) => preparations.list[number]!.users.includes(k)),
      writes: schedule.slots.flatMap(({ tensor, role, path }) =>
        written.has(tensor) ? [positions.get(`${role} ${path}`)!] : [],
      ),
      dispatches: [],
    });
  }
  const prepare = preparations.list.map(({ steps, owner }) => {
    const schedule = schedules[owner]!;
    return placed({ ...schedule, graph: { inputs: [], nodes: [], outputs: [] }, steps }, persistentOf(schedule, owner));
  });
  const perThread = Math.max(
    0,
    ...[...entries, ...prepare].map((planned) => (planned ? perThreadBytes(planned.steps) : 0)),
  );
  const plan: TargetPlan = {
    persistent: persistent.chunks,
    arena: arenas,
    ...(perThread > 0 && { perThread }),
    constants: persistent.constants,
    slots,
    prepare: preparations.list.map(({ reads }) => ({
      reads: [...reads].map((path) => positions.get(path)!),
      dispatches: [],
    })),
    entries: entryPlans,
  };
  return { plan, entries, prepare };
}

/** Two threads' memory shares no line of a cache. */
const ownAlignment = 128;

/** The most that one kernel asks of a thread. */
function perThreadBytes(steps: readonly PlacedStep[]): number {
  const needs = steps.map((step) => {
    if (step.kind === "repeat") return perThreadBytes(step.steps);
    const ends = step.locals.flatMap(({ perThread, offset, bytes }) => (perThread ? [offset + bytes] : []));
    return Math.ceil(Math.max(0, ...ends) / ownAlignment) * ownAlignment;
  });
  return Math.max(0, ...needs);
}

const bytesOfShape = (shape: readonly number[]): number =>
  shape.reduce((product, extent) => product * extent, wordBytes);

/** Constants that some kernel binds or the host reads; the others went into the code. */
function usedConstants(schedule: Schedule): Tensor[] {
  const used = new Set<Tensor>();
  for (const { buffers } of dispatchesOf([...schedule.once, ...schedule.steps]))
    for (const place of buffers) if (place.kind === "tensor") used.add(place.tensor);
  for (const { tensor } of schedule.graph.outputs) {
    const place = schedule.aliases.get(tensor);
    used.add(place?.kind === "tensor" ? place.tensor : tensor);
  }
  return [...schedule.constants.keys()].filter((tensor) => used.has(tensor));
}

class Placer {
  readonly #locations: ReadonlyMap<MemoryKey, Location>;
  #position = 0;

  constructor(locations: ReadonlyMap<MemoryKey, Location>) {
    this.#locations = locations;
  }

  steps(steps: readonly Step[]): PlacedStep[] {
    return steps.map((step): PlacedStep => {
      if (step.kind === "repeat") return { kind: "repeat", length: step.length, steps: this.steps(step.steps) };
      const { dispatch } = step;
      const position = this.#position++;
      return {
        kind: "launch",
        dispatch: { ...dispatch, buffers: dispatch.buffers.map((place) => this.#place(place)) },
        advance: dispatch.buffers.map((place) =>
          place.kind === "tensor" ? (place.advance ?? []).map((elements) => elements * wordBytes) : [],
        ),
        locals: this.#localsOf(dispatch.kernel, position),
      };
    });
  }

  #localsOf(kernel: Kernel, position: number): ScratchLocation[] {
    let own = 0;
    return kernel.locals.flatMap((local, k): ScratchLocation[] => {
      if (local.space !== "scratch") return [];
      if (local.perThread) {
        const bytes = local.size * wordBytes;
        const offset = own;
        own += Math.ceil(bytes / ownAlignment) * ownAlignment;
        return [{ space: "arena", chunk: 0, offset, bytes, perThread: true }];
      }
      const location = this.#locations.get(`local ${position} ${k}`);
      invariant(location !== undefined, `scratch memory ${local.name} of ${kernel.name} has a place`);
      return [location];
    });
  }

  /** From the place to the end of its memory. */
  #place(place: Placed): Location {
    const memory = this.#locations.get(keyOf(place));
    invariant(memory !== undefined, `a buffer of a dispatch has a place`);
    if (place.kind === "scratch") return memory;
    const skipped = place.offset * wordBytes;
    return { ...memory, offset: memory.offset + skipped, bytes: memory.bytes - skipped };
  }
}

/**
 * A number, or one that moves by `advance[k]` with every iteration of the k-th enclosing repeat, outermost first, and by
 * `perThread` with the number of the thread.
 */
export type CallArgument =
  | number
  | { readonly base: number; readonly advance?: readonly number[]; readonly perThread?: number };
export type CallStep =
  | { readonly kind: "call"; readonly kernel: Kernel; readonly args: readonly CallArgument[] }
  | { readonly kind: "repeat"; readonly length: number; readonly steps: readonly CallStep[] };

/** The calls of an entry for WebAssembly, where one memory holds persistent memory, the arena and what threads own. */
export function callsOf(steps: readonly PlacedStep[], plan: TargetPlan): CallStep[] {
  const { arena, own } = wasmSections(plan);
  const address = ({ space, offset }: Location): number => (space === "arena" ? arena + offset : offset);
  return steps.map((step): CallStep => {
    if (step.kind === "repeat") return { kind: "repeat", length: step.length, steps: callsOf(step.steps, plan) };
    const { kernel, buffers, scalars } = step.dispatch;
    const pointers = buffers.map((at, k): CallArgument => {
      const advance = step.advance[k] ?? [];
      return advance.some((bytes) => bytes !== 0) ? { base: address(at), advance } : address(at);
    });
    const locals = step.locals.map(
      (at): CallArgument => (at.perThread ? { base: own + at.offset, perThread: plan.perThread ?? 0 } : address(at)),
    );
    return { kind: "call", kernel, args: [...pointers, ...scalars, ...locals] };
  });
}

/** The launches of an entry one after another, repeats written out: what a GPU's queue takes. */
export function launchesOf(steps: readonly PlacedStep[], iterations: readonly number[] = []): Dispatch<Location>[] {
  return steps.flatMap((step) => {
    if (step.kind === "repeat")
      return Array.from({ length: step.length }, (_, k) => launchesOf(step.steps, [...iterations, k])).flat();
    const buffers = step.dispatch.buffers.map((at, k) => {
      const moved = (step.advance[k] ?? []).reduce((sum, bytes, depth) => sum + bytes * (iterations[depth] ?? 0), 0);
      return moved === 0 ? at : { ...at, offset: at.offset + moved, bytes: at.bytes - moved };
    });
    return [{ ...step.dispatch, buffers }];
  });
}
