/**
 * What the entries of a program compute once (`hoist`), each thing once for all of them: the same kernels over the same
 * memory, as when one model is built for several batch sizes, are run once and leave one result. What the same entries need
 * is one preparation: it runs as a whole.
 */
import { invariant } from "../invariant.ts";
import type { Kernel } from "../kernel/ir.ts";
import { structureOf } from "../kernel/print.ts";
import type { MemoryKey } from "./liveness.ts";
import { bytesOf, dispatchesOf, keyOf, wordBytes } from "./liveness.ts";
import type { Placed, Schedule, Step } from "./program.ts";

/** Memory that once was written. */
export interface PreparedMemory {
  readonly bytes: number;
  /** Whether it outlives its preparation: a call reads it, or another preparation. */
  kept: boolean;
}
export interface Preparation {
  readonly steps: readonly Step[];
  /** The entry whose tensors the steps are over. */
  readonly owner: number;
  /** All entries that need it. */
  readonly users: readonly number[];
  /** Of persistent memory, what it depends on: `role path`. */
  readonly reads: ReadonlySet<string>;
}
export interface Preparations {
  /** Each after those whose results it reads. */
  readonly list: readonly Preparation[];
  /** Where each entry finds what was prepared for it. */
  readonly memory: readonly ReadonlyMap<MemoryKey, PreparedMemory>[];
}

/** Steps that belong together, because they write the same memory, with what stands between them. */
interface Production {
  readonly steps: readonly Step[];
  readonly owner: number;
  readonly users: Set<number>;
  /** In the order in which the steps mention them. */
  readonly memory: readonly PreparedMemory[];
  readonly uses: ReadonlySet<PreparedMemory>;
  readonly reads: ReadonlySet<string>;
}

export function sharePreparations(schedules: readonly (Schedule | null)[]): Preparations {
  const known = new Map<string, Production>();
  const productionOf = new Map<PreparedMemory, Production>();
  const names = new Names();
  const memory = schedules.map((schedule, entry): ReadonlyMap<MemoryKey, PreparedMemory> => {
    const own = new Map<MemoryKey, PreparedMemory>();
    if (!schedule) return own;
    // What was made before within the entry is read where it was made first: only that is written.
    const firsts = new Map<PreparedMemory, Placed>();
    for (const segment of segments(schedule.once)) {
      const steps = segment.map((step) => movedTo((place) => firsts.get(own.get(keyOf(place))!), step));
      const { text, written, used, reads } = names.describe(schedule, steps, own);
      let production = known.get(text);
      if (production === undefined) {
        const made = written.map(({ bytes }): PreparedMemory => ({ bytes, kept: false }));
        const uses = new Set(used);
        for (const other of used) for (const path of productionOf.get(other)!.reads) reads.add(path);
        production = { steps, owner: entry, users: new Set(), memory: made, uses, reads };
        known.set(text, production);
        for (const piece of made) productionOf.set(piece, production);
      }
      production.users.add(entry);
      for (const [k, { place }] of written.entries()) {
        const piece = production.memory[k]!;
        own.set(keyOf(place), piece);
        if (!firsts.has(piece)) firsts.set(piece, place);
      }
    }
    markKept(schedule, own);
    return own;
  });

  const groups = new Map<string, Production[]>();
  for (const production of known.values()) {
    const users = [...production.users].join();
    for (const used of production.uses) if ([...productionOf.get(used)!.users].join() !== users) used.kept = true;
    groups.set(users, [...(groups.get(users) ?? []), production]);
  }
  // Who needs a thing needs what it is made of: that has at least as many users.
  const list = [...groups.values()]
    .sort(([a], [b]) => b!.users.size - a!.users.size)
    .map(
      (group): Preparation => ({
        steps: group.flatMap(({ steps }) => steps),
        owner: group[0]!.owner,
        users: [...group[0]!.users],
        reads: new Set(group.flatMap(({ reads }) => [...reads])),
      }),
    );
  return { list, memory };
}

/** A step over the memory of other places, where there is one for a place. */
function movedTo(other: (place: Placed) => Placed | undefined, step: Step): Step {
  if (step.kind === "repeat") return { ...step, steps: step.steps.map((one) => movedTo(other, one)) };
  const buffers = step.dispatch.buffers.map((place): Placed => {
    const found = other(place);
    return found?.kind === "tensor" && place.kind === "tensor" ? { ...place, tensor: found.tensor } : (found ?? place);
  });
  return { ...step, dispatch: { ...step.dispatch, buffers } };
}

/** What the entry's calls, or the host, read of prepared memory. */
function markKept(schedule: Schedule, own: ReadonlyMap<MemoryKey, PreparedMemory>): void {
  const keep = (key: MemoryKey): void => {
    const memory = own.get(key);
    if (memory) memory.kept = true;
  };
  for (const { buffers } of dispatchesOf(schedule.steps)) for (const place of buffers) keep(keyOf(place));
  for (const { tensor } of schedule.graph.outputs) {
    const place = schedule.aliases.get(tensor);
    keep(place ? keyOf(place) : tensor);
  }
}

/** Cuts a list of steps wherever no memory is written on both sides. */
function segments(steps: readonly Step[]): Step[][] {
  const last = new Map<MemoryKey, number>();
  for (const [k, step] of steps.entries()) for (const key of writtenBy(step)) last.set(key, k);
  const cut: Step[][] = [];
  let end = -1;
  for (const [k, step] of steps.entries()) {
    if (k > end) cut.push([]);
    cut.at(-1)!.push(step);
    for (const key of writtenBy(step)) end = Math.max(end, last.get(key)!);
  }
  return cut;
}

/** The memory that a step writes to. */
export function writtenBy(step: Step): MemoryKey[] {
  return dispatchesOf([step]).flatMap(({ kernel, buffers }) =>
    buffers.flatMap((place, k) => (kernel.buffers[k]?.access === "read" ? [] : [keyOf(place)])),
  );
}

/** Texts that are equal for steps that do the same. */
class Names {
  readonly #kernels = new Map<Kernel, number>();
  readonly #structures = new Map<string, number>();
  readonly #memory = new Map<PreparedMemory, number>();

  describe(schedule: Schedule, steps: readonly Step[], own: ReadonlyMap<MemoryKey, PreparedMemory>) {
    const written: { readonly place: Placed; readonly bytes: number }[] = [];
    const used: PreparedMemory[] = [];
    const reads = new Set<string>();
    const slots = new Map<MemoryKey, string>(
      schedule.slots.map(({ tensor, role, path }) => [tensor, `${role} ${path}`]),
    );
    const ours = new Set(steps.flatMap(writtenBy));
    const nameOf = (place: Placed): string => {
      const key = keyOf(place);
      const bytes = place.kind === "tensor" ? bytesOf(place.tensor) : place.elements * wordBytes;
      const slot = slots.get(key);
      if (slot !== undefined) {
        reads.add(slot);
        return slot;
      }
      const values = place.kind === "tensor" ? schedule.constants.get(place.tensor) : undefined;
      if (values) return `constant ${bytes} ${values.join()}`;
      if (ours.has(key)) {
        let number = written.findIndex((other) => keyOf(other.place) === key);
        if (number < 0) number = written.push({ place, bytes }) - 1;
        return `own ${number} ${bytes}`;
      }
      const prepared = own.get(key);
      invariant(prepared !== undefined, "what is computed once reads what was computed before");
      used.push(prepared);
      return `prepared ${numberIn(this.#memory, prepared)}`;
    };
    const textOf = (list: readonly Step[]): string =>
      list
        .map((step) => {
          if (step.kind === "repeat") return `repeat ${step.length} {${textOf(step.steps)}}`;
          const { kernel, buffers, scalars, workgroups } = step.dispatch;
          const places = buffers.map((place) => {
            const { offset, advance = [] } = place.kind === "tensor" ? place : { offset: 0 };
            return `${nameOf(place)} +${offset} ${advance.join()}`;
          });
          return `${this.#kernel(kernel)}(${places.join("; ")} | ${scalars.join()} | ${workgroups?.join() ?? ""})`;
        })
        .join("\n");
    return { text: textOf(steps), written, used, reads };
  }

  #kernel(kernel: Kernel): number {
    const known = this.#kernels.get(kernel);
    if (known !== undefined) return known;
    const number = numberIn(this.#structures, structureOf(kernel));
    this.#kernels.set(kernel, number);
    return number;
  }
}

function numberIn<Key>(numbers: Map<Key, number>, key: Key): number {
  const known = numbers.get(key) ?? numbers.size;
  numbers.set(key, known);
  return known;
}
