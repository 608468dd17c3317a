/** What is known while an indexing map is being inverted: variables, their values, the boxes of the tensor. */
import { substitute } from "../graph/affine.ts";
import type { Coordinate, Stride } from "../graph/graph.ts";
import { indexSubstituter } from "../graph/traverse.ts";

/** More pieces than this are not worth their dispatches. */
export const MOST_PIECES = 16;

/** The map has no inverse of this form: the adjoint is a `scatter_add` over the forward domain. */
export class NotInvertible extends Error {}

export interface Variable {
  readonly name: string;
  readonly extent: number;
}

export interface Target extends Stride {
  /** The variable that counts along the box; undefined if `count` is 1. */
  readonly variable: number | undefined;
  /**
   * Polyphase: the box has `count * step` consecutive positions from `start`, which may lie outside the tensor; this
   * variable counts within each step.
   */
  readonly phase?: number;
}

/**
 * One box. Variables are numbered: the indices of the forward domain first, then what was introduced. `values` holds, for
 * every variable that is no longer free, its coordinate in the free ones.
 */
export interface Solution {
  readonly variables: readonly Variable[];
  readonly values: ReadonlyMap<number, Coordinate>;
  /** One an axis of the tensor. */
  readonly targets: readonly Target[];
  /** Axes where the target's own position must equal a coordinate (a repeated index, a gathered position). */
  readonly equalities: readonly { readonly axis: number; readonly coordinate: Coordinate; readonly clamp: boolean }[];
  /** Forward indices whose value may leave their extent: those points do not exist. */
  readonly unproved: readonly number[];
}

export interface State extends Omit<Solution, "targets"> {
  readonly targets: readonly (Target | undefined)[];
}

/** Free, and not the position in a box that is being computed. */
export function isOpen(state: State, position: number): boolean {
  return !state.targets.some((target) => target?.variable === position || target?.phase === position);
}

/** A coordinate in the variables that are still free. */
export function current(solution: Pick<Solution, "variables" | "values">, coordinate: Coordinate): Coordinate {
  const extents = solution.variables.map((variable) => variable.extent);
  const by = (position: number) => solution.values.get(position) ?? variable(position);
  const inner = indexSubstituter({ by, value: () => undefined, extents });
  const result = substitute(coordinate, by, extents, (term) => {
    const replaced = inner.scalar(term.read);
    return replaced?.kind === "read" ? { ...term, read: replaced } : undefined;
  });
  if (!result) throw new NotInvertible();
  return result;
}

export function variable(position: number, coefficient = 1, offset = 0): Coordinate {
  return { offset, terms: [{ kind: "affine", coefficient, position }] };
}

/** Gives a variable its value, everywhere. */
export function bind(state: State, position: number, value: Coordinate): State {
  const bound: State = { ...state, values: new Map([[position, value]]) };
  const values = new Map([...state.values].map(([known, coordinate]) => [known, current(bound, coordinate)] as const));
  values.set(position, value);
  return { ...state, values };
}

/** A new variable; one of extent 1 is just 0. */
export function introduce(
  state: State,
  name: string,
  extent: number,
): { state: State; value: Coordinate; id: number | undefined } {
  if (extent === 1) return { state, value: { offset: 0, terms: [] }, id: undefined };
  const id = state.variables.length;
  return { state: { ...state, variables: [...state.variables, { name, extent }] }, value: variable(id), id };
}

export function withTarget(state: State, axis: number, target: Target): State {
  return { ...state, targets: state.targets.with(axis, target) };
}
