import type { Tensor } from "../graph/graph.ts";
import type { Dispatch } from "../kernel/ir.ts";
import type { Placed } from "./program.ts";

/** What a build decides about the kernels of one entry, beyond what cost models find. */
export interface ScheduleOptions {
  /** Whether 3x3 windows may be computed through Winograd's transforms: `winograd/transforms.ts` says how exactly. */
  readonly winograd: boolean;
  /** Decides where a builder knows several ways; undefined, here or from it, leaves that to the model of their cost. */
  readonly choose?: (choice: Choice) => Way | undefined;
}

/** Several ways of making the kernels of one group. */
export interface Choice {
  /** Equal for choices that differ in names alone. */
  readonly key: string;
  /** What the kernels compute: the names of their results. */
  readonly label: string;
  readonly ways: readonly Way[];
  /** The way that is cheapest by the model. */
  readonly usual: Way;
  /** The values of tensors that ways have come with, such as index tables. */
  readonly constants: ReadonlyMap<Tensor, readonly number[]>;
  /** Whether a tensor stays as it is between calls: what depends on such tensors alone is computed once. */
  fixed(tensor: Tensor): boolean;
}
export interface Way {
  readonly name: string;
  /** The kernels, on trial. */
  build(): readonly Dispatch<Placed>[];
}

export const plainOptions: ScheduleOptions = { winograd: false };
