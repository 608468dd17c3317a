/** What the rules of differentiation work on. */
import type { GraphBuilder } from "../graph/builder.ts";
import type { Node, Tensor } from "../graph/graph.ts";
import { type Contribution, everywhere } from "./contributions.ts";

export interface Seed {
  readonly tensor: Tensor;
  /** Of the same shape, f32. */
  readonly adjoint: Tensor;
}

export interface Contributions {
  /** What a tensor received, before it is added up. */
  of(tensor: Tensor): readonly Contribution[];
  total(tensor: Tensor): Tensor | undefined;
}

/** What a rule works on. */
export interface Sweep {
  readonly builder: GraphBuilder;
  /** A float that depends on what is differentiated by. */
  isActive(tensor: Tensor): boolean;
  /** No derivative is taken through these. Grows by the copies that rules make of them. */
  readonly stopped: Set<Tensor>;
  /** The sum of what has been contributed; undefined for none, that is 0. Its dtype is f32. */
  adjointOf(tensor: Tensor): Tensor | undefined;
  contribute(tensor: Tensor, contribution: Contribution): void;
  /** Nodes made for the rule itself are differentiated like any other. */
  through(nodes: readonly Node[]): void;
  /** A sweep over another graph, with the same tensors stopped. */
  inside(builder: GraphBuilder, outputs: readonly Seed[], wrt: readonly Tensor[]): Contributions;
}

/** Adds a tensor of the operand's whole shape. */
export function contributeWhole(sweep: Sweep, operand: Tensor, tensor: Tensor): void {
  sweep.contribute(operand, { tensor, at: everywhere(operand.type.shape) });
}
