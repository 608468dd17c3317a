/** The tensors that outlive calls, by path, over all entries of a program; and the streams of random draws. */

import { scalarType } from "../types/dtype.ts";
import { printType, sameShape } from "../types/shape.ts";
import type { Entry, Machine } from "./context.ts";
import { runValue } from "./convert.ts";
import { ForeignTensor } from "./domain.ts";
import type { Handle } from "./element.ts";
import { slotOfOwner } from "./layers.ts";
import { listTensor } from "./listed.ts";
import { asTensor, convertElement, elementwise, filled, force, handleOf, uniformValue } from "./tensors.ts";
import { describe, type Place, type Slot, type TensorValue, type Value } from "./values.ts";

type Spec = Parameters<Machine["declare"]>[0];

export interface Initial {
  readonly slot: Slot;
  readonly handle: Handle;
}

/** Where initial values are computed: a graph of its own, so that they never depend on a call's inputs. */
export interface InitialEntries {
  /** For parameters and states of layers, from the seed alone. */
  readonly layers: Entry;
  /** For a train block's own states, given the parameters. */
  block(name: string): Entry;
}

export class Slots {
  readonly all = new Map<string, Slot>();
  readonly initials: Initial[] = [];
  entries: InitialEntries | undefined;
  /** Draws so far at each path and entry, to number them. */
  #draws = new WeakMap<Entry, Map<string, number>>();

  declare(machine: Machine, spec: Spec): Slot {
    const owner = machine.dynamic.owner;
    if (!owner)
      return machine.raise("E0206", spec.place, {
        what: spec.role === "parameter" ? "param" : "state",
        where: "a layer, an optimizer or a train block",
      });
    const { kind } = owner.instance.declaration;
    const block = kind === "train" || kind === "optimizer" ? owner.instance.path.split(".")[0] : undefined;
    const ownState = block !== undefined && spec.role === "state";
    const { slot, made } = slotOfOwner(machine, owner, spec, (path) =>
      this.make(path, ownState ? { ...spec, role: "optimizer" } : spec, ownState ? block : undefined),
    );
    if (made) this.initialise(machine, slot, spec, ownState ? this.entries?.block(block) : this.entries?.layers);
    return slot;
  }

  make(path: string, spec: Spec, block: string | undefined): Slot {
    const slot: Slot = {
      path,
      role: spec.role,
      block,
      dtype: spec.dtype,
      shape: spec.shape,
      declared: spec.place,
      fill: undefined,
    };
    this.all.set(path, slot);
    return slot;
  }

  /** Evaluates the initial value in `entry`'s graph (in the current one where nothing is built). */
  initialise(machine: Machine, slot: Slot, spec: Spec, entry: Entry | undefined): void {
    const { owner } = machine.dynamic;
    const run = () => machine.within({ owner }, () => this.#initial(machine, slot, spec));
    try {
      if (entry) machine.inEntry(entry, run);
      else run();
    } catch (error) {
      if (error instanceof ForeignTensor) machine.raise("E0224", spec.place, { path: slot.path });
      throw error;
    }
  }

  #initial(machine: Machine, slot: Slot, spec: Spec): void {
    const { place } = spec;
    const value = initialTensor(machine, spec.initial(), slot, place);
    slot.fill = uniformValue(value);
    if (slot.fill !== undefined) return;
    const ready = force(value, machine, slot.path);
    const handle = handleOf(ready, machine, slot.path, place);
    if (!machine.domain.reaches(handle)) machine.raise("E0224", place, { path: slot.path });
    if (!machine.domain.symbolic) this.initials.push({ slot, handle });
  }

  /** Path and ordinal of the draw, hashed to 32 bits (FNV-1a). */
  stream(machine: Machine, place: Place): number {
    const counts = this.#draws.get(machine.entry) ?? new Map<string, number>();
    this.#draws.set(machine.entry, counts);
    const { owner } = machine.dynamic;
    const path = owner
      ? [owner.instance.path, ...owner.prefix].join(".")
      : (machine.frames[0]?.what ?? place.source.file);
    const ordinal = counts.get(path) ?? 0;
    counts.set(path, ordinal + 1);
    return hash(`${path}#${ordinal}`);
  }
}

/** A tensor, a number for every element, a list of numbers, or a function of the shape. */
export function initialTensor(
  machine: Machine,
  value: Value,
  slot: Pick<Slot, "path" | "dtype" | "shape">,
  place: Place,
): TensorValue {
  const callable = value.kind === "fn" || value.kind === "closure" || value.kind === "builtin";
  const made = callable ? machine.invoke(value, [runValue(slot.shape)], place) : value;
  const tensor = made.kind === "list" ? listTensor(machine, made, slot.dtype) : asTensor(made);
  if (!tensor)
    return machine.raise("E0205", place, {
      name: `the initial value of ${slot.path}`,
      expected: "a tensor, a number, a list of numbers or a function of the shape",
      got: describe(made),
    });
  if (tensor.shape.length === 0) {
    const number = uniformValue(tensor);
    if (number !== undefined) return filled(slot.dtype, slot.shape, number);
    if (slot.shape.length > 0) return spread(machine, tensor, slot, place);
  }
  if (sameShape(tensor.shape, slot.shape) === "no")
    return machine.raise("E0313", place, {
      name: slot.path,
      expected: printType(slot.dtype, slot.shape),
      got: printType(tensor.dtype, tensor.shape),
    });
  if (tensor.dtype === slot.dtype) return tensor;
  const type = scalarType(slot.dtype);
  return elementwise(machine, [tensor], slot.dtype, ([one]) => convertElement(one ?? tensor.at([]), type), "=", place);
}
function spread(machine: Machine, scalar: TensorValue, slot: Pick<Slot, "dtype" | "shape">, place: Place): TensorValue {
  const zeros = filled(slot.dtype, slot.shape, 0);
  const type = scalarType(slot.dtype);
  return elementwise(
    machine,
    [scalar, zeros],
    slot.dtype,
    ([one]) => convertElement(one ?? scalar.at([]), type),
    "=",
    place,
  );
}

export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}
