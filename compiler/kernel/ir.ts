/**
 * The loop IR: one language for WebAssembly and WGSL kernels. Builders (`schedule/`) write it, `codegen/` prints it and
 * never learns what an operation was called. A construct that a target lacks is an error of `verify.ts`.
 *
 * Vectors are explicit: an expression has 1 or 4 lanes (a `v128`, a `vec4`). Unrolling is done by builders.
 */

import type { Origin } from "../graph/graph.ts";
import type { ScalarType } from "../types/dtype.ts";

export type Lanes = 1 | 4;
export interface ValueType {
  readonly type: ScalarType;
  readonly lanes: Lanes;
}

// ---- Expressions (each carries its type) --------------------------------------------------------------------------------

export type Expression = Constant | Variable | Load | Apply | Splat | Vector | Lane | Shuffle | Builtin;

export interface Constant extends ValueType {
  readonly kind: "constant";
  /** The same value in every lane. */
  readonly value: number;
}
/** A loop variable, a `let`, a mutable local, or a scalar parameter of the kernel. */
export interface Variable extends ValueType {
  readonly kind: "variable";
  readonly name: string;
}
/** `lanes` consecutive elements from element `index` on (no alignment is promised). */
export interface Load extends ValueType {
  readonly kind: "load";
  readonly buffer: string;
  readonly index: Expression;
}
/** A row of the scalar table, lane by lane; all arguments have the same lanes. */
export interface Apply extends ValueType {
  readonly kind: "apply";
  readonly name: string;
  readonly arguments: readonly Expression[];
}
/** One scalar in all lanes. */
export interface Splat extends ValueType {
  readonly kind: "splat";
  readonly value: Expression;
}
/** A vector of four scalars. */
export interface Vector extends ValueType {
  readonly kind: "vector";
  readonly elements: readonly Expression[];
}
/** One lane of a vector. */
export interface Lane extends ValueType {
  readonly kind: "lane";
  readonly value: Expression;
  readonly lane: number;
}
/** Four lanes picked from two vectors: 0-3 from `first`, 4-7 from `second`. */
export interface Shuffle extends ValueType {
  readonly kind: "shuffle";
  readonly first: Expression;
  readonly second: Expression;
  readonly pick: readonly [number, number, number, number];
}
/** GPU only: this invocation's place, as i32. */
export interface Builtin extends ValueType {
  readonly kind: "builtin";
  readonly name: "workgroup" | "local" | "global";
  readonly dimension: 0 | 1 | 2;
}

// ---- Statements -----------------------------------------------------------------------------------------------------------

export type Statement = Let | Declare | Assign | Store | For | If | Barrier;

/** An immutable name, in scope to the end of the enclosing block. */
export interface Let {
  readonly kind: "let";
  readonly name: string;
  readonly value: Expression;
}
/** A mutable local (an accumulator). */
export interface Declare {
  readonly kind: "declare";
  readonly name: string;
  readonly value: Expression;
}
export interface Assign {
  readonly kind: "assign";
  readonly name: string;
  readonly value: Expression;
}
/** Writes `value.lanes` consecutive elements. */
export interface Store {
  readonly kind: "store";
  readonly buffer: string;
  readonly index: Expression;
  readonly value: Expression;
}
/**
 * `for (name = from; name < to; name += step)`, an i32 loop. `outer` marks loops whose iterations write disjoint elements
 * and read nothing that another writes. Where one is a statement of a CPU kernel's body itself, its iterations are split
 * between threads, any iteration to any thread; between the statements of a body threads wait for each other, and what
 * is no `outer` loop, one thread does. Elsewhere, and on the GPU, it is an ordinary loop.
 */
export interface For {
  readonly kind: "for";
  readonly name: string;
  readonly from: Expression;
  readonly to: Expression;
  /** At least 1. */
  readonly step: number;
  readonly outer: boolean;
  readonly body: readonly Statement[];
}
export interface If {
  readonly kind: "if";
  readonly condition: Expression;
  readonly then: readonly Statement[];
  readonly otherwise: readonly Statement[];
}
/** GPU only: all invocations of the workgroup arrive; workgroup memory is visible afterwards. */
export interface Barrier {
  readonly kind: "barrier";
}

// ---- Kernels ----------------------------------------------------------------------------------------------------------------

/** A buffer that comes with the dispatch. Elements take four bytes (bool is stored as u32 0 or 1). */
export interface BufferParameter {
  readonly name: string;
  readonly type: ScalarType;
  readonly access: "read" | "write" | "read_write";
}
/** Memory of the kernel's own: `scratch` (CPU: part of the arena, one per dispatch), `workgroup` and `register` (GPU). */
export interface LocalBuffer {
  readonly name: string;
  readonly type: ScalarType;
  readonly space: "scratch" | "workgroup" | "register";
  /** In elements; a constant. */
  readonly size: number;
  /**
   * CPU scratch that every thread has for itself, as a loop marked `outer` needs it: what an iteration leaves in it is
   * found by no other. Scratch without it is one memory for all threads.
   */
  readonly perThread?: boolean;
}

export interface Kernel {
  readonly name: string;
  readonly target: "cpu" | "gpu";
  readonly buffers: readonly BufferParameter[];
  /** i32 scalars that come with the dispatch: extents, strides and offsets in which two dispatches differ. */
  readonly scalars: readonly string[];
  readonly locals: readonly LocalBuffer[];
  readonly body: readonly Statement[];
  /** GPU only. */
  readonly workgroupSize: readonly [number, number, number] | undefined;
}

/** One launch of a kernel. */
export interface Dispatch<Buffer> {
  readonly kernel: Kernel;
  /** One for every `kernel.buffers`. */
  readonly buffers: readonly Buffer[];
  readonly scalars: readonly number[];
  /** GPU only: workgroups a dimension. */
  readonly workgroups: readonly [number, number, number] | undefined;
  readonly origin: Origin | undefined;
  /** What it computes, for profiles and comments: the names of its results. */
  readonly label: string;
  /** What a dump calls the kernel and its buffers, where they are named after another launch of the same kernel. */
  readonly names?: ReadonlyMap<string, string>;
}
