/**
 * Between the passes and the targets. The elaborator makes a `Program` of graphs; `schedule` turns each graph into a list
 * of dispatches over tensors; `plan` gives every tensor an address.
 */
import type { Graph, Tensor } from "../graph/graph.ts";
import type { Dispatch } from "../kernel/ir.ts";

/** The dispatches of one entry in execution order, over tensors that are not yet placed. */
export interface Schedule {
  readonly graph: Graph;
  readonly dispatches: readonly Dispatch<Placed>[];
  /** Tensors that share another's memory (views; pieces that their producer writes straight into a join; in-place results). */
  readonly aliases: ReadonlyMap<Tensor, Placed>;
}

/** A tensor, or scratch memory of one dispatch. `offset` counts elements into it. */
export type Placed =
  | { readonly kind: "tensor"; readonly tensor: Tensor; readonly offset: number }
  | { readonly kind: "scratch"; readonly id: number; readonly elements: number };
