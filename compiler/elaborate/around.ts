/**
 * What works on whole tensors (scans, custom gradients, concatenation), inside index notation: every tensor that goes in
 * gets the indices around as leading axes, what comes out is read at them. So all their points are computed at once.
 */
import type { Machine } from "./context.ts";
import { type Handle, type Index, indexElement, indicesOf } from "./element.ts";
import { handleOf, partly, storeOver } from "./tensors.ts";
import type { Place, TensorValue } from "./values.ts";

/** The indices are needed after all: a body reads something from around that depends on them. */
class NeedsIndices extends Error {}

export class Around {
  readonly #machine: Machine;
  /** All of the indices around, or none. */
  readonly #indices: readonly Index[];

  constructor(machine: Machine, indices: readonly Index[]) {
    this.#machine = machine;
    this.#indices = indices;
  }

  /** How many axes stand in front of a tensor's own. */
  get axes(): number {
    return this.#indices.length;
  }

  /** A tensor over the indices around. With `leading` its first axis stands in front of them. */
  handleOf(value: TensorValue, hint: string, place: Place, leading = false): Handle {
    const machine = this.#machine;
    if (value.handle && this.axes === 0) return value.handle;
    const own = ownIndices(machine, value);
    const element = value.at(own.map(indexElement));
    if (this.axes === 0) {
      const isAlone = [...indicesOf(element)].every((index) => own.includes(index));
      if (!isAlone && machine.dynamic.open.length > 0) throw new NeedsIndices();
      return handleOf(value, machine, hint, place);
    }
    const [front, rest] = leading ? [own.slice(0, 1), own.slice(1)] : [[], own];
    const { handle, free } = storeOver(machine, hint, [...front, ...this.#indices, ...rest], element, value.dtype);
    return free.length === 0 ? handle : machine.raise("E0514", place, { what: hint });
  }

  /** The tensor at the indices around. With `leading` their axes stand behind the first. */
  valueOf(handle: Handle, leading = false): TensorValue {
    const value = partly(handle, leading ? [] : this.#indices);
    if (!leading || this.axes === 0) return value;
    const here = this.#indices.map(indexElement);
    return {
      kind: "tensor",
      dtype: handle.dtype,
      shape: handle.shape.toSpliced(1, this.axes),
      at: (coordinates, otherwise) => value.at(coordinates.toSpliced(1, 0, ...here), otherwise),
      readable: true,
    };
  }
}

/**
 * Builds over the indices around if one of these tensors depends on them; else over none, unless what is built asks for
 * them while it is: then it is forgotten and built again.
 */
export function around<T>(machine: Machine, given: readonly TensorValue[], build: (around: Around) => T): T {
  const { open, owner, seed } = machine.dynamic;
  const needed = open.length > 0 && given.some((value) => dependsOnIndices(machine, value));
  if (needed) return build(new Around(machine, open));
  const counters = new Map(owner?.counters);
  const taken = new Set(owner?.taken);
  const draws = seed?.draws;
  try {
    return build(new Around(machine, []));
  } catch (error) {
    if (!(error instanceof NeedsIndices)) throw error;
    restore(owner?.counters, counters);
    owner?.taken.clear();
    for (const name of taken) owner?.taken.add(name);
    if (seed && draws !== undefined) seed.draws = draws;
    return build(new Around(machine, open));
  }
}

function restore<K, V>(target: Map<K, V> | undefined, before: ReadonlyMap<K, V>): void {
  target?.clear();
  for (const [key, value] of before) target?.set(key, value);
}

function ownIndices(machine: Machine, value: TensorValue): Index[] {
  return value.shape.map((extent, axis) => machine.index(`i${axis}`, extent));
}
function dependsOnIndices(machine: Machine, value: TensorValue): boolean {
  if (value.handle) return false;
  const own = ownIndices(machine, value);
  return [...indicesOf(value.at(own.map(indexElement)))].some((index) => !own.includes(index));
}
