/**
 * The graph: pure, static, in the normal form of docs/architecture.md ("The graph"). Everything here is plain immutable
 * data; `builder.ts` makes it, `verify.ts` checks it, `print.ts` and `read.ts` are its text.
 */
import type { DType, ScalarType } from "../types/dtype.ts";

export interface TensorType {
  readonly dtype: DType;
  /** Every extent, axes of extent 1 included. */
  readonly shape: readonly number[];
}

/** One value. Identity is the object; `name` is unique within its graph. */
export interface Tensor {
  readonly name: string;
  readonly type: TensorType;
}

/** The place in the user's program that a node comes from, for dumps, profiles and error messages. */
export interface Origin {
  readonly file: string;
  /** Counts from 1. */
  readonly line: number;
  /** The enclosing instance, e.g. `LeNet.conv2d_1`. */
  readonly path?: string;
}

/** One index of an iteration domain. Its identity is its position in `[...parallel, ...reduction]`; `name` is for people. */
export interface Axis {
  readonly name: string;
  /** At least 2: axes of extent 1 carry no index. */
  readonly extent: number;
}

// ---- Scalar bodies ----------------------------------------------------------------------------------------------------

/**
 * A scalar expression over a node's domain. Subtrees may be shared by reference (a DAG): passes memoize on identity.
 */
export type Scalar = ScalarConstant | ScalarIndex | ScalarRead | ScalarApply;

export interface ScalarConstant {
  readonly kind: "constant";
  readonly type: ScalarType;
  readonly value: number;
}
/** The value of a domain index, as i32. */
export interface ScalarIndex {
  readonly kind: "index";
  readonly type: "i32";
  /** Position in `[...parallel, ...reduction]`. */
  readonly position: number;
}
export interface ScalarRead {
  readonly kind: "read";
  readonly type: ScalarType;
  readonly tensor: Tensor;
  /** One coordinate an axis of the tensor, axes of extent 1 included (there: a constant 0, or out of range). */
  readonly coordinates: readonly Coordinate[];
  /** The value where a coordinate is out of range; without it the read is proved in range (data coordinates clamp). */
  readonly otherwise: number | undefined;
}
/** A row of the scalar table, applied. `type` is the row's result type at these argument types. */
export interface ScalarApply {
  readonly kind: "apply";
  readonly type: ScalarType;
  readonly name: string;
  readonly arguments: readonly Scalar[];
}

/** `offset + sum of terms`: affine in the indices, plus index tables, plus reads of integer tensors. */
export interface Coordinate {
  readonly offset: number;
  readonly terms: readonly Term[];
}
export type Term = AffineTerm | TableTerm | DataTerm;
/** `coefficient * index`; at most one such term an index and coordinate, coefficient not 0. */
export interface AffineTerm {
  readonly kind: "affine";
  readonly coefficient: number;
  readonly position: number;
}
/** `table[index]`: a non-affine function of one index (reflect, clamp, resize). */
export interface TableTerm {
  readonly kind: "table";
  readonly table: readonly number[];
  readonly position: number;
}
/** `coefficient * read`, the read being of an integer tensor. */
export interface DataTerm {
  readonly kind: "data";
  readonly coefficient: number;
  readonly read: ScalarRead;
}

// ---- Nodes --------------------------------------------------------------------------------------------------------------

export type Combiner = "map" | "sum" | "prod" | "max" | "min" | "any" | "all" | "max_first" | "min_first" | "moments";

interface NodeBase {
  readonly results: readonly Tensor[];
  readonly origin: Origin | undefined;
  /** Of a node that computes again what another did: not before this tensor is there, so that memory is free meanwhile. */
  readonly after?: Tensor;
}

/**
 * `%y = combiner[parallel | reduction] body`. The result's shape without its 1s is the extents of `parallel`, in order
 * (row-major). `max_first`/`min_first` have two results: value, and i32 position (row-major over `reduction`, first wins).
 * `moments` has two: mean, and centred sum of squares. `map` has no reduction axes; the others have at least one.
 */
export interface GenericNode extends NodeBase {
  readonly kind: "generic";
  readonly combiner: Combiner;
  readonly parallel: readonly Axis[];
  readonly reduction: readonly Axis[];
  readonly body: Scalar;
}
/** A row-major reshape. Same dtype, same number of elements. */
export interface ViewNode extends NodeBase {
  readonly kind: "view";
  readonly source: Tensor;
}
/** Places disjoint strided boxes and fills the rest. */
export interface JoinNode extends NodeBase {
  readonly kind: "join";
  readonly pieces: readonly { readonly tensor: Tensor; readonly at: readonly Stride[] }[];
  readonly fill: number;
}
/** Positions `start, start + step, ..` of one axis, `count` of them; a piece's extent on that axis is `count`. */
export interface Stride {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}
/**
 * Starts from `fill` 0 and adds `body` at `coordinates` for every point of `domain`. A coordinate out of range is dropped
 * ("drop": the forward read had an `else`) or clamped ("clamp").
 */
export interface ScatterAddNode extends NodeBase {
  readonly kind: "scatter_add";
  readonly domain: readonly Axis[];
  readonly coordinates: readonly Coordinate[];
  readonly outside: "drop" | "clamp";
  readonly body: Scalar;
}
/**
 * A loop of fixed length. `body`'s inputs are, in order: carries, one slice of each of `slices` (leading axis removed),
 * `captured`, and the iteration number (i32[]); its outputs: the next carries, then what is stacked. Results: the final
 * carries, then the stacked outputs with a leading axis of `length`. `reverse` runs from the last slice to the first and
 * stacks at the same places.
 */
export interface ScanNode extends NodeBase {
  readonly kind: "scan";
  readonly length: number;
  readonly reverse: boolean;
  readonly carries: readonly Tensor[];
  readonly slices: readonly Tensor[];
  readonly captured: readonly Tensor[];
  readonly body: Graph;
}
/**
 * u32 words, a pure function of seed (u32[2]), stream, step (i32[]), scan iteration (i32[]) and element: runtime/rng.ts.
 */
export interface RandomNode extends NodeBase {
  readonly kind: "random";
  readonly seed: Tensor;
  readonly stream: number;
  readonly step: Tensor | undefined;
  readonly iteration: Tensor | undefined;
}
/**
 * For each place along `axis` of an i32 tensor of the source's shape: the position of the element that stands there when
 * the source is sorted along the axis. Smallest first; equal elements (0 and -0 too) keep their order; NaN stands last.
 */
export interface SortNode extends NodeBase {
  readonly kind: "sort";
  readonly source: Tensor;
  readonly axis: number;
}
/**
 * A value with a gradient of its own. `forward`'s inputs are `operands`; `backward`'s are operands, then results, then the
 * results' adjoints, and its outputs the operands' adjoints. Inlined after differentiation.
 */
export interface CustomNode extends NodeBase {
  readonly kind: "custom";
  readonly operands: readonly Tensor[];
  readonly forward: Graph;
  readonly backward: Graph;
}
/** Row-major values; a single value fills the whole tensor. */
export interface ConstantNode extends NodeBase {
  readonly kind: "constant";
  readonly values: readonly number[];
}

export type Node =
  | GenericNode
  | ViewNode
  | JoinNode
  | ScatterAddNode
  | ScanNode
  | RandomNode
  | SortNode
  | CustomNode
  | ConstantNode;
export type NodeKind = Node["kind"];

/**
 * What a graph's inputs and outputs are to the host. An input and an output with the same persistent role and path are one
 * memory: the output is its next value. `argument`s and `knob`s come with each call.
 */
export type InputRole = "argument" | "knob" | PersistentRole;
export type PersistentRole = "parameter" | "state" | "optimizer" | "step" | "seed";
export type OutputRole = "result" | "loss" | "metric" | "total" | PersistentRole;

export interface GraphInput {
  readonly tensor: Tensor;
  readonly role: InputRole;
  readonly path: string;
}
export interface GraphOutput {
  readonly tensor: Tensor;
  readonly role: OutputRole;
  /** For results: `output`, or the field's name; unique with the role. */
  readonly path: string;
}
export interface Graph {
  readonly inputs: readonly GraphInput[];
  /** In dependency order. */
  readonly nodes: readonly Node[];
  readonly outputs: readonly GraphOutput[];
  /** What was differentiated while the graph was built; kept by no pass, used to check gradients. */
  readonly derivatives?: readonly Derivative[];
}

/** One use of differentiation: `gradients[i]` is the adjoint of `wrt[i]` given the `outputs`' adjoints. */
export interface Derivative {
  readonly outputs: readonly { readonly tensor: Tensor; readonly adjoint: Tensor }[];
  readonly wrt: readonly Tensor[];
  readonly gradients: readonly (Tensor | undefined)[];
  /** Values through which no derivative is taken (`stop_gradient`, a state's new value): constants for this derivative. */
  readonly stopped: ReadonlySet<Tensor>;
  readonly origin: Origin | undefined;
}
