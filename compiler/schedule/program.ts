/**
 * Between the passes and the targets. The elaborator makes a `Program` of graphs; `schedule` turns each graph into a list
 * of steps over tensors; `plan` gives every tensor an address.
 */
import type { Graph, PersistentRole, Tensor } from "../graph/graph.ts";
import type { Dispatch } from "../kernel/ir.ts";

/** The steps of one entry in execution order, over tensors that are not yet placed. */
export interface Schedule {
  readonly graph: Graph;
  readonly steps: readonly Step[];
  /** What runs before, once, and again after what it reads was written (`hoist`). */
  readonly once: readonly Step[];
  /** Tensors that share another's memory (views; pieces that their producer writes straight into a join; in-place results). */
  readonly aliases: ReadonlyMap<Tensor, Placed>;
  /** Results that take the memory of an operand which their kernel reads for the last time, and that operand. */
  readonly reused: ReadonlyMap<Tensor, Tensor>;
  /** The values of tensors that are written once at load. A single value fills the whole tensor. */
  readonly constants: ReadonlyMap<Tensor, readonly number[]>;
  /** The tensors that are persistent memory. */
  readonly slots: readonly Slot[];
  /** The launches with which the results of the graph's nodes are computed; those of nodes inside of scans are left out. */
  readonly launches: ReadonlyMap<Tensor, readonly Dispatch<Placed>[]>;
}
/** A persistent tensor: the graph's input, or one that stands for the memory that the entry initializes. */
export interface Slot {
  readonly tensor: Tensor;
  readonly role: PersistentRole;
  readonly path: string;
}

export type Step = Launch | Repeat;
export interface Launch {
  readonly kind: "launch";
  readonly dispatch: Dispatch<Placed>;
}
/** The iterations of a scan, one after another. */
export interface Repeat {
  readonly kind: "repeat";
  readonly length: number;
  readonly steps: readonly Step[];
}

/** A tensor, or scratch memory of one group's dispatches. `offset` counts elements into it. */
export type Placed =
  | {
      readonly kind: "tensor";
      readonly tensor: Tensor;
      readonly offset: number;
      /** Elements that the place moves by an iteration of each enclosing `Repeat`, outermost first. */
      readonly advance?: readonly number[];
    }
  | { readonly kind: "scratch"; readonly id: number; readonly elements: number };
