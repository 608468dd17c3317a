/**
 * What the evaluator needs of tensors. Two domains stand behind this: shapes (nothing is built, sizes may be symbols) and
 * graph (nodes in normal form, every size a number).
 */
import type { Combiner, Origin } from "../graph/graph.ts";
import type { Dim } from "../types/dims.ts";
import type { DType } from "../types/dtype.ts";
import type { Shape } from "../types/shape.ts";
import type { Element, Handle, Index } from "./element.ts";

/** A tensor of one call was used where another graph is built. */
export class ForeignTensor extends Error {}

export interface Computation {
  /** What people will call the result. */
  readonly hint: string;
  readonly combiner: Combiner;
  /** One index an axis of the result, those of extent 1 included. */
  readonly parallel: readonly Index[];
  readonly reduction: readonly Index[];
  readonly element: Element;
  readonly dtype: DType;
}

export interface TensorDomain {
  /** Whether sizes may be symbols. */
  readonly symbolic: boolean;
  /** How much was built. */
  readonly nodeCount: number;
  /** Attached to what is built from here on. */
  origin: Origin | undefined;
  /** One handle, two for the pair combiners. */
  compute(computation: Computation): readonly Handle[];
  /** Row-major; a value may be unknown where sizes may be symbols. */
  constant(dtype: DType, shape: Shape, values: readonly (number | undefined)[]): Handle;
  reshape(handle: Handle, shape: Shape): Handle;
  /** Pieces of one dtype side by side along an axis, each from its start on. */
  concat(pieces: readonly Handle[], axis: number, starts: readonly Dim[], shape: Shape): Handle;
  /** The same elements under a new identity: gradients are taken with respect to that use. */
  alias(handle: Handle, hint?: string): Handle;
  /** The same elements, constant for every derivative; `own` if nothing else uses the handle. */
  stop(handle: Handle, own?: boolean): Handle;
  /** The positions of the elements in sorted order along an axis, i32 of the same shape. */
  sort(handle: Handle, axis: number): Handle;
  /** Uniform u32 words of a stream; `step` where there is one. */
  random(shape: Shape, stream: number, seed: Handle, step: Handle | undefined): Handle;
  /**
   * The adjoint of each source, given those of the results (1 where none is given); undefined where no result depends on
   * a source.
   */
  differentiate(
    results: readonly { readonly result: Handle; readonly adjoint: Handle | undefined }[],
    sources: readonly Handle[],
  ): readonly (Handle | undefined)[];
  /** The final carries, then what is stacked, with a leading axis. */
  scan(spec: {
    readonly hint: string;
    readonly length: Dim;
    readonly carries: readonly Handle[];
    /** Sliced along their leading axis. */
    readonly slices: readonly Handle[];
    /** `inputs`: carries, slices, iteration number (i32[]). */
    readonly body: (inputs: readonly Handle[]) => readonly Handle[];
  }): readonly Handle[];
  custom(spec: {
    readonly hint: string;
    readonly operands: readonly Handle[];
    readonly forward: (operands: readonly Handle[]) => readonly Handle[];
    /** Operands, results, adjoints of the results; gives the operands' adjoints. */
    readonly backward: (inputs: readonly Handle[]) => readonly Handle[];
  }): readonly Handle[];
  /** The same elements, one batch's part of a sum over all batches. */
  total(handle: Handle): Handle;
  /** Whether a result is computed from totals, and an input of one batch that it depends on beside them. */
  closingOf(result: Handle): { readonly ofTotals: boolean; readonly reads: string | undefined };
  /** Why a result that depends on a source has no derivative in it, in words; undefined where there is nothing to say. */
  whyNoGradient(result: Handle, source: Handle): { readonly path: string; readonly by: string } | undefined;
  dependsOn(result: Handle, source: Handle): boolean;
  /** Whether a handle can be used here: it belongs to this graph or to one around it. */
  reaches(handle: Handle): boolean;
}
