/**
 * What an entry would compute alike at every call leaves it: scaled and packed weights, tables, norms of parameters. It runs
 * once, before the first call, and again only after somebody wrote what it was made of.
 *
 * A step may leave if all that it reads is fixed (constants, persistent memory that the entry does not write, results of
 * steps that leave) and all that is written to its results' memory leaves with it. A repeat leaves as a whole, or single
 * launches in it do: those that write memory of their own, which no iteration moves.
 *
 * What leaves takes persistent memory instead of the arena's, which is used again and again: each result as much as
 * `mayBeKept` allows, all of an entry's results together `largestTotal` times the bytes of constants and slots that the entry
 * reads, and `smallTotal` more. What is larger, such as a broadcast, is computed at every call, the largest first.
 */
import { mayBeKept } from "../graph/fixed.ts";
import type { Tensor } from "../graph/graph.ts";
import type { MemoryKey } from "./liveness.ts";
import { bytesOf, keyOf, wordBytes } from "./liveness.ts";
import type { Launch, Placed, Repeat, Schedule, Step } from "./program.ts";

const largestTotal = 6;
const smallTotal = 2 ** 20;

/** What leaves as one. */
interface Unit {
  readonly step: Step;
  /** The repeat around a launch that may leave alone. */
  readonly inside: Repeat | undefined;
  readonly reads: ReadonlySet<MemoryKey>;
  readonly writes: ReadonlySet<MemoryKey>;
  readonly moves: boolean;
}

export function hoist(schedule: Schedule): Schedule {
  const whole = new Hoisting(
    schedule,
    schedule.steps.map((step) => unitOf(step, undefined)),
  );
  const leaving = whole.leaving(new Set());
  const units = schedule.steps.flatMap((step, k): Unit[] => {
    const unit = whole.units[k]!;
    return step.kind === "repeat" && !leaving.has(unit) ? launchesIn(step) : [unit];
  });
  const parts = new Hoisting(schedule, units);
  const once = parts.worthwhile();
  const gone = new Set([...once].map(({ step }) => step));
  return {
    ...schedule,
    steps: remaining(schedule.steps, gone),
    once: units.flatMap((unit) => (once.has(unit) ? [unmoved(unit.step)] : [])),
  };
}

function unitOf(step: Step, inside: Repeat | undefined): Unit {
  const reads = new Set<MemoryKey>();
  const writes = new Set<MemoryKey>();
  let moves = false;
  for (const { dispatch } of step.kind === "launch" ? [step] : launches(step)) {
    for (const [k, place] of dispatch.buffers.entries()) {
      const { access } = dispatch.kernel.buffers[k]!;
      if (access !== "write") reads.add(keyOf(place));
      if (access !== "read") writes.add(keyOf(place));
      if (inside && place.kind === "tensor" && place.advance?.some((elements) => elements !== 0)) moves = true;
    }
  }
  return { step, inside, reads, writes, moves };
}
function launches({ steps }: Repeat): Launch[] {
  return steps.flatMap((step) => (step.kind === "launch" ? [step] : launches(step)));
}
function launchesIn(repeat: Repeat): Unit[] {
  return repeat.steps.flatMap((step) => (step.kind === "launch" ? [unitOf(step, repeat)] : launchesIn(step)));
}

function remaining(steps: readonly Step[], gone: ReadonlySet<Step>): Step[] {
  return steps.flatMap((step): Step[] => {
    if (gone.has(step)) return [];
    if (step.kind === "launch") return [step];
    const inner = remaining(step.steps, gone);
    return inner.length === 0 ? [] : [{ ...step, steps: inner }];
  });
}
/** A launch that left its repeat: nothing moves it any more. */
function unmoved(step: Step): Step {
  if (step.kind === "repeat") return step;
  const buffers = step.dispatch.buffers.map((place): Placed => {
    if (place.kind === "scratch" || !place.advance?.every((elements) => elements === 0)) return place;
    const { advance: _, ...fixed } = place;
    return fixed;
  });
  return { ...step, dispatch: { ...step.dispatch, buffers } };
}

class Hoisting {
  readonly units: readonly Unit[];
  readonly #constants: ReadonlySet<MemoryKey>;
  readonly #position = new Map<Unit, number>();
  readonly #readers = new Map<MemoryKey, Unit[]>();
  readonly #writers = new Map<MemoryKey, Unit[]>();
  readonly #slots: ReadonlySet<MemoryKey>;
  readonly #arguments: ReadonlySet<MemoryKey>;
  /** Memory that the host reads. */
  readonly #results: ReadonlySet<MemoryKey>;
  readonly #bytes = new Map<MemoryKey, number>();

  constructor(schedule: Schedule, units: readonly Unit[]) {
    this.#constants = new Set(schedule.constants.keys());
    this.units = units;
    for (const [position, unit] of units.entries()) {
      this.#position.set(unit, position);
      for (const key of unit.reads) listed(this.#readers, key).push(unit);
      for (const key of unit.writes) listed(this.#writers, key).push(unit);
      for (const { dispatch } of unit.step.kind === "launch" ? [unit.step] : launches(unit.step))
        for (const place of dispatch.buffers) this.#bytes.set(keyOf(place), bytesAt(place));
    }
    const memoryOf = (tensor: Tensor): MemoryKey => {
      const place = schedule.aliases.get(tensor);
      return place ? keyOf(place) : tensor;
    };
    this.#slots = new Set(schedule.slots.map(({ tensor }) => tensor));
    const { inputs, outputs } = schedule.graph;
    this.#arguments = new Set(
      inputs.flatMap(({ tensor, role }) => (role === "argument" || role === "knob" ? [tensor] : [])),
    );
    this.#results = new Set(outputs.map(({ tensor }) => memoryOf(tensor)));
  }

  /** The units that may leave, but for the refused ones. */
  leaving(refused: ReadonlySet<Unit>): Set<Unit> {
    const leaving = new Set(this.units.filter((unit) => !unit.moves && !refused.has(unit)));
    for (let before = -1; before !== leaving.size; ) {
      before = leaving.size;
      for (const unit of leaving) if (!this.#mayLeave(unit, leaving)) leaving.delete(unit);
    }
    return leaving;
  }

  #mayLeave(unit: Unit, leaving: ReadonlySet<Unit>): boolean {
    const isBefore = (first: Unit, second: Unit): boolean => this.#position.get(first)! < this.#position.get(second)!;
    const findsSame = [...unit.reads].every((key) => {
      const writers = this.#writers.get(key) ?? [];
      if (this.#constants.has(key)) return true;
      if (this.#arguments.has(key)) return false;
      if (this.#slots.has(key)) return writers.length === 0;
      return writers.every((writer) => writer === unit || (leaving.has(writer) && isBefore(writer, unit)));
    });
    if (!findsSame) return false;
    return [...unit.writes].every((key) => {
      if (this.#slots.has(key) || this.#arguments.has(key)) return false;
      const writers = this.#writers.get(key) ?? [];
      if (writers.some((writer) => !leaving.has(writer) || writer.inside !== unit.inside)) return false;
      return (this.#readers.get(key) ?? []).every((reader) => leaving.has(reader) || isBefore(unit, reader));
    });
  }

  /** The units that leave, without those whose results take too much memory. */
  worthwhile(): Set<Unit> {
    const refused = new Set<Unit>();
    const most = largestTotal * this.#read() + smallTotal;
    for (;;) {
      const leaving = this.leaving(refused);
      const kept = [...this.#kept(leaving)].map((key) => ({ key, bytes: this.#bytes.get(key) ?? 0 }));
      let over = kept.filter(({ key, bytes }) => !mayBeKept(bytes, this.#sources(key)));
      const total = kept.reduce((sum, { bytes }) => sum + bytes, 0);
      if (over.length === 0 && total > most) over = [kept.reduce((a, b) => (b.bytes > a.bytes ? b : a))];
      if (over.length === 0) return leaving;
      for (const { key } of over) for (const unit of this.#writers.get(key) ?? []) refused.add(unit);
    }
  }

  /** What units that leave write, and others, or the host, read. */
  #kept(leaving: ReadonlySet<Unit>): Set<MemoryKey> {
    const written = new Set([...leaving].flatMap(({ writes }) => [...writes]));
    const isKept = (key: MemoryKey): boolean =>
      this.#results.has(key) || (this.#readers.get(key) ?? []).some((reader) => !leaving.has(reader));
    return new Set([...written].filter(isKept));
  }

  /** Bytes of the constants and slots that memory is made of. */
  #sources(memory: MemoryKey): number {
    const seen = new Set<MemoryKey>([memory]);
    let bytes = 0;
    for (const key of seen) {
      if (this.#isGiven(key)) bytes += this.#bytes.get(key) ?? 0;
      for (const writer of this.#writers.get(key) ?? []) for (const read of writer.reads) seen.add(read);
    }
    return bytes;
  }
  #isGiven(key: MemoryKey): boolean {
    return this.#slots.has(key) || this.#constants.has(key);
  }
  /** Bytes of the constants and slots that the entry reads. */
  #read(): number {
    return [...this.#readers.keys()].reduce((sum, key) => sum + (this.#isGiven(key) ? this.#bytes.get(key)! : 0), 0);
  }
}

const bytesAt = (place: Placed): number =>
  place.kind === "tensor" ? bytesOf(place.tensor) : place.elements * wordBytes;

function listed<Key, Item>(lists: Map<Key, Item[]>, key: Key): Item[] {
  const known = lists.get(key);
  if (known) return known;
  const made: Item[] = [];
  lists.set(key, made);
  return made;
}
