/**
 * Fusion groups: sets of nodes that become one kernel. The members' bodies are written over the group's own domain, so
 * that a builder never meets a member's index names or a view between two members.
 */
import type { Axis, Coordinate, GenericNode, Scalar, Tensor } from "../graph/graph.ts";
import { indicesOfCoordinate, readsOf as readsOfBody, visitScalars } from "../graph/traverse.ts";
import type { Dispatch } from "../kernel/ir.ts";
import type { ScalarType } from "../types/dtype.ts";
import type { ScheduleOptions } from "./options.ts";
import type { Placed } from "./program.ts";

export type Target = "cpu" | "gpu";

export interface Member {
  readonly node: GenericNode;
  /**
   * The node's body over the group's indices. A read of a member's result stands for the value at the same point, whatever
   * its coordinates say: grouping has proved that they are that point.
   */
  readonly body: Scalar;
  /** Where the results lie: one coordinate an axis of the result's type, affine in the group's indices, in range. */
  readonly at: readonly Coordinate[];
  /** For reductions: the row-major position in the node's own reduction domain, over the group's indices. */
  readonly position: Coordinate;
}

export interface FusionGroup {
  /** An index of the group is a position in `[...parallel, ...reduction]`. */
  readonly parallel: readonly Axis[];
  readonly reduction: readonly Axis[];
  /**
   * In dependency order. A reduction's `at` uses parallel indices only, and it reduces over all of `reduction`. A map runs
   * over `parallel`, or (in a row group) over `[...parallel, ...reduction]`. A contraction's root is its only reduction;
   * maps that do not depend on it may stand before it.
   */
  readonly members: readonly Member[];
  /** The members' results that are read outside of the group: these are stored, the others live in registers. */
  readonly stored: ReadonlySet<Tensor>;
}

/** Where a tensor lies while a kernel runs. */
export interface Layout {
  /** Element 0. */
  readonly place: Placed;
  /** In elements, one an axis of the tensor's type. Not row-major where a join's piece is written straight into place. */
  readonly strides: readonly number[];
}

/** What a builder may ask for while it writes kernels. */
export interface BuildContext {
  readonly target: Target;
  readonly options: ScheduleOptions;
  layout(tensor: Tensor): Layout;
  /** The value of a tensor whose elements are all one constant. */
  uniform(tensor: Tensor): number | undefined;
  /** Whether a tensor is the same at every call of the entry until weights change: dispatches of such alone run once. */
  fixed(tensor: Tensor): boolean;
  /** Memory shared by the dispatches of one group. */
  scratch(elements: number): Placed;
  /** A tensor of constants of the kernel's own, such as an index table. */
  constant(type: ScalarType, values: readonly number[]): Tensor;
  /** A kernel name that is unique in the program. */
  name(hint: string): string;
}

/**
 * One way of making kernels of a group. `analyse` is shared by the targets and says whether the group has this form at
 * all; tiles and lanes are each target's own.
 */
export interface Builder<Analysis> {
  readonly name: string;
  analyse(group: FusionGroup): Analysis | undefined;
  cpu(analysis: Analysis, context: BuildContext): readonly Dispatch<Placed>[];
  gpu(analysis: Analysis, context: BuildContext): readonly Dispatch<Placed>[];
}

/** The index positions that coordinates use. */
export function positionsOf(coordinates: readonly Coordinate[]): Set<number> {
  return new Set(coordinates.flatMap((coordinate) => [...indicesOfCoordinate(coordinate)]));
}

/** Whether a member's results depend on the reduction indices: a map over the whole domain of a row group. */
export function isFull(group: FusionGroup, member: Member): boolean {
  return [...positionsOf(member.at)].some((position) => position >= group.parallel.length);
}

/** The member that computes a tensor, if the group has it. */
export function memberOf(group: FusionGroup, tensor: Tensor): Member | undefined {
  return group.members.find((member) => member.node.results.includes(tensor));
}

/** The distinct tensors that a body reads. */
export function readsOf(body: Scalar): Tensor[] {
  return [...new Set(readsOfBody(body).map(({ tensor }) => tensor))];
}

/** Visits every distinct subtree of a body once, reads inside of coordinates included. */
export function visitScalar(body: Scalar, visit: (scalar: Scalar) => void): void {
  visitScalars([body], visit);
}
