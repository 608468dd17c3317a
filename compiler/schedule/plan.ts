/**
 * Gives everything an address. Persistent memory holds constants, then slots, in the program's order; the arena is shared
 * by all entries, which never run at once, and in it memory is used again as soon as it is free.
 */
import type { Location, TargetPlan } from "../../runtime/plan.ts";
import { unusedBytes, wasmSections } from "../../runtime/plan.ts";
import type { Program } from "../elaborate/program.ts";
import type { Tensor } from "../graph/graph.ts";
import { invariant } from "../invariant.ts";
import type { Dispatch, Kernel } from "../kernel/ir.ts";
import type { ScalarType } from "../types/dtype.ts";
import { scalarType } from "../types/dtype.ts";
import { allocate, lowerBound } from "./allocate.ts";
import type { Target } from "./group.ts";
import type { MemoryKey } from "./liveness.ts";
import { bytesOf, dispatchesOf, keyOf, livenessOf, wordBytes } from "./liveness.ts";
import type { Placed, Schedule, Step } from "./program.ts";

export interface PlanOptions {
  /** Bytes between the starts of memories: 16 for vectors, 256 for WebGPU's bindings. */
  readonly alignment?: number;
  /** The most bytes that one buffer may have. */
  readonly chunkBytes?: number;
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

export interface PlannedEntry {
  readonly name: string;
  readonly steps: readonly PlacedStep[];
  readonly arenaBytes: number;
  /** What this entry needs at least: the most that is in use at one time. */
  readonly lowerBound: number;
}
export interface PlannedTarget {
  /** Its entries' dispatches are left to the code generator. */
  readonly plan: TargetPlan;
  /** One for each of the program's entries; null where there is no schedule. */
  readonly entries: readonly (PlannedEntry | null)[];
}

export function planTarget(
  program: Program,
  schedules: readonly (Schedule | null)[],
  target: Target,
  options: PlanOptions = {},
): PlannedTarget {
  const alignment = options.alignment ?? (target === "cpu" ? 16 : 256);
  const chunkBytes = options.chunkBytes ?? Number.POSITIVE_INFINITY;
  const persistent = new Persistent(alignment, chunkBytes);
  if (target === "cpu") persistent.reserve(unusedBytes);
  for (const schedule of schedules)
    if (schedule) for (const tensor of usedConstants(schedule)) persistent.constant(schedule, tensor);
  const slots = program.persistent.map((slot) => persistent.reserve(bytesOfShape(slot.shape)));

  const arenas: number[] = [];
  const entries: (PlannedEntry | null)[] = [];
  const entryPlans: TargetPlan["entries"][number][] = [];
  for (const [k, entry] of program.entries.entries()) {
    const schedule = schedules[k];
    if (!schedule) {
      entries.push(null);
      entryPlans.push(null);
      continue;
    }
    const intervals = livenessOf(schedule);
    const { places, chunks } = allocate(intervals, alignment, chunkBytes);
    for (const [chunk, bytes] of chunks.entries()) arenas[chunk] = Math.max(arenas[chunk] ?? 0, bytes);
    const locations = new Map<MemoryKey, Location>();
    for (const [i, { key, bytes }] of intervals.entries()) locations.set(key, { space: "arena", ...places[i]!, bytes });
    for (const { tensor, role, path } of schedule.slots) {
      const slot = program.persistent.findIndex((candidate) => candidate.role === role && candidate.path === path);
      invariant(slot >= 0, `entry ${entry.name} uses ${role} ${path}, which the program does not list`);
      locations.set(tensor, slots[slot]!);
    }
    for (const tensor of usedConstants(schedule)) locations.set(tensor, persistent.constant(schedule, tensor));
    const locate = (tensor: Tensor): Location => {
      const place = schedule.aliases.get(tensor) ?? { kind: "tensor", tensor, offset: 0 };
      const memory = locations.get(keyOf(place));
      invariant(memory !== undefined && place.kind === "tensor", `%${tensor.name} has no memory`);
      return { ...memory, offset: memory.offset + place.offset * wordBytes, bytes: bytesOf(tensor) };
    };
    const arguments_ = new Map(schedule.graph.inputs.map((input) => [input.path, input]));
    entryPlans.push({
      inputs: entry.inputs.map(({ name }) => {
        const input = arguments_.get(name);
        invariant(input !== undefined, `entry ${entry.name} has no input ${name}`);
        return locate(input.tensor);
      }),
      outputs: schedule.graph.outputs
        .filter(({ role }) => role === "result" || role === "loss" || role === "metric")
        .map(({ tensor }) => locate(tensor)),
      dispatches: [],
    });
    entries.push({
      name: entry.name,
      steps: new Placer(locations).steps(schedule.steps),
      arenaBytes: chunks.reduce((sum, bytes) => sum + bytes, 0),
      lowerBound: lowerBound(intervals, alignment),
    });
  }
  const perThread = Math.max(0, ...entries.map((entry) => (entry ? perThreadBytes(entry.steps) : 0)));
  const plan: TargetPlan = {
    persistent: persistent.chunks,
    arena: arenas,
    ...(perThread > 0 && { perThread }),
    constants: persistent.constants,
    slots,
    entries: entryPlans,
  };
  return { plan, entries };
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
  for (const { buffers } of dispatchesOf(schedule.steps))
    for (const place of buffers) if (place.kind === "tensor") used.add(place.tensor);
  for (const { tensor } of schedule.graph.outputs) {
    const place = schedule.aliases.get(tensor);
    used.add(place?.kind === "tensor" ? place.tensor : tensor);
  }
  return [...schedule.constants.keys()].filter((tensor) => used.has(tensor));
}

/** Persistent memory as it is handed out, piece after piece; equal constants once. */
class Persistent {
  readonly chunks: number[] = [];
  readonly constants: { readonly at: Location; readonly data: string }[] = [];
  readonly #alignment: number;
  readonly #chunkBytes: number;
  readonly #known = new Map<string, Location>();

  constructor(alignment: number, chunkBytes: number) {
    this.#alignment = alignment;
    this.#chunkBytes = chunkBytes;
  }

  reserve(bytes: number): Location {
    const last = this.chunks.length - 1;
    const end = this.chunks[last];
    const fits = end !== undefined && end + bytes <= this.#chunkBytes;
    const chunk = fits ? last : last + 1;
    const offset = fits ? end : 0;
    this.chunks[chunk] = Math.ceil((offset + bytes) / this.#alignment) * this.#alignment;
    return { space: "persistent", chunk, offset, bytes };
  }

  constant(schedule: Schedule, tensor: Tensor): Location {
    const values = schedule.constants.get(tensor);
    invariant(values !== undefined, `%${tensor.name} is a constant`);
    const elements = bytesOf(tensor) / wordBytes;
    const data = encodeBase64(new Uint8Array(wordsOf(scalarType(tensor.type.dtype), values, elements)));
    const known = this.#known.get(data);
    if (known !== undefined) return known;
    const at = this.reserve(elements * wordBytes);
    this.#known.set(data, at);
    this.constants.push({ at, data });
    return at;
  }
}

function wordsOf(type: ScalarType, values: readonly number[], elements: number): ArrayBuffer {
  const words = new DataView(new ArrayBuffer(elements * wordBytes));
  for (let k = 0; k < elements; k++) {
    const value = values[values.length === 1 ? 0 : k] ?? 0;
    if (type === "f32") words.setFloat32(k * wordBytes, value, true);
    else if (type === "i32") words.setInt32(k * wordBytes, value, true);
    else words.setUint32(k * wordBytes, value, true);
  }
  return words.buffer;
}

function encodeBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let from = 0; from < bytes.length; from += 0x8000)
    parts.push(String.fromCharCode(...bytes.subarray(from, from + 0x8000)));
  return btoa(parts.join(""));
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
