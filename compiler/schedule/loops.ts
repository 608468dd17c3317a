/**
 * The loops of a group on the CPU: neighbouring indices that move through every memory alike become one loop, and one
 * loop (or the last of one and all of a loop of two) fills the four lanes.
 */
import { isAffine, provedInRange } from "../graph/affine.ts";
import type { Coordinate, ScalarRead, Tensor } from "../graph/graph.ts";
import { indicesOf, indicesOfCoordinate, readsOf, visitScalars } from "../graph/traverse.ts";
import { takesPosition } from "./accumulate.ts";
import type { BuildContext, FusionGroup } from "./group.ts";
import { memberOf } from "./group.ts";

export interface Loop {
  /** The indices that it runs over together, outermost first. */
  readonly positions: readonly number[];
  readonly extent: number;
  readonly parallel: boolean;
}

/** A place in memory that the group's points touch. */
interface Access {
  readonly coordinates: readonly Coordinate[];
  readonly strides: readonly number[];
  readonly shape: readonly number[];
  /** The read that it answers; undefined for a store. */
  readonly read: ScalarRead | undefined;
  /** Whether the coordinates may leave the tensor. */
  readonly guarded: boolean;
}

export interface Accesses {
  readonly list: readonly Access[];
  readonly extents: readonly number[];
  /** Indices whose own value is used, so that they cannot be run over together with others. */
  readonly pinned: ReadonlySet<number>;
}

export function accessesOf(group: FusionGroup, context: BuildContext): Accesses {
  const extents = [...group.parallel, ...group.reduction].map(({ extent }) => extent);
  const list: Access[] = [];
  const pinned = new Set<number>();
  const add = (tensor: Tensor, coordinates: readonly Coordinate[], read?: ScalarRead, guarded = false): void => {
    const { strides } = context.layout(tensor);
    list.push({ coordinates, strides, shape: tensor.type.shape, read, guarded });
  };
  for (const member of group.members) {
    for (const result of member.node.results) if (group.stored.has(result)) add(result, member.at);
    visitScalars([member.body], (scalar) => {
      if (scalar.kind === "index") pinned.add(scalar.position);
    });
  }
  for (const read of externalReads(group)) {
    const guarded = read.coordinates.some(
      (coordinate, axis) => !provedInRange(coordinate, extents, read.tensor.type.shape[axis]!),
    );
    if (context.uniform(read.tensor) === undefined || guarded) add(read.tensor, read.coordinates, read, guarded);
    for (const coordinate of read.coordinates)
      for (const term of coordinate.terms) if (term.kind === "table") pinned.add(term.position);
    if (guarded)
      for (const [axis, coordinate] of read.coordinates.entries())
        if (!provedInRange(coordinate, extents, read.tensor.type.shape[axis]!))
          for (const term of coordinate.terms) if (term.kind !== "data") pinned.add(term.position);
  }
  return { list, extents, pinned };
}

/** Reads that memory answers. */
function externalReads(group: FusionGroup): ScalarRead[] {
  return readsOf(...group.members.map(({ body }) => body)).filter((read) => memberOf(group, read.tensor) === undefined);
}

/** Elements that an access moves when an index grows by one; undefined if it does not move evenly. */
export function stride(access: Pick<Access, "coordinates" | "strides">, position: number): number | undefined {
  let total = 0;
  for (const [axis, coordinate] of access.coordinates.entries())
    for (const term of coordinate.terms) {
      if (term.kind === "data") {
        if (indicesOf(term.read).has(position)) return undefined;
      } else if (term.position === position) {
        if (term.kind === "table") return undefined;
        total += term.coefficient * access.strides[axis]!;
      }
    }
  return total;
}

/** Neighbours with the same stride everywhere, taken together: parallel ones first, then reductions, in order. */
export function collapse(group: FusionGroup, accesses: Accesses): Loop[] {
  const { extents, pinned, list } = accesses;
  const positions = group.members.flatMap(({ node, position }) => (takesPosition(node.combiner) ? [position] : []));
  const together = (outer: number, inner: number): boolean => {
    if (pinned.has(outer) || pinned.has(inner)) return false;
    const ratio = extents[inner]!;
    const evenly = (a: number | undefined, b: number | undefined): boolean =>
      a !== undefined && b !== undefined && a === b * ratio;
    const coefficient = (coordinate: Coordinate, position: number): number =>
      coordinate.terms.reduce(
        (sum, term) => (term.kind === "affine" && term.position === position ? sum + term.coefficient : sum),
        0,
      );
    return (
      list.every((access) => evenly(stride(access, outer), stride(access, inner))) &&
      positions.every((position) => evenly(coefficient(position, outer), coefficient(position, inner)))
    );
  };
  const loops: Loop[] = [];
  for (const [position, extent] of extents.entries()) {
    const parallel = position < group.parallel.length;
    const last = loops.at(-1);
    if (last && last.parallel === parallel && together(last.positions.at(-1)!, position))
      loops[loops.length - 1] = { ...last, positions: [...last.positions, position], extent: last.extent * extent };
    else loops.push({ positions: [position], extent, parallel });
  }
  return loops;
}

/** Which values of a loop fill the lanes: four of `loop`, or two of `loop` times both of `pair`. */
export interface Lanes {
  readonly loop: Loop;
  readonly pair: Loop | undefined;
}

/** The cheapest way to fill the lanes; undefined if no loop is long enough. */
export function chooseLanes(loops: readonly Loop[], accesses: Accesses, reductionsMayFill: boolean): Lanes | undefined {
  const times = timesTouched(loops, accesses);
  let best: Lanes | undefined;
  let lowest = Number.POSITIVE_INFINITY;
  const consider = (lanes: Lanes, cost: number): void => {
    if (cost >= lowest) return;
    best = lanes;
    lowest = cost;
  };
  for (const [k, loop] of loops.entries()) {
    if (!loop.parallel && !reductionsMayFill) continue;
    if (loop.extent >= 4)
      consider({ loop, pair: undefined }, cost(accesses, times, loop, undefined) * waste(loop.extent, 4));
    const next = loops[k + 1];
    if (next?.extent === 2 && next.parallel === loop.parallel && !accesses.pinned.has(loop.positions.at(-1)!))
      consider({ loop, pair: next }, cost(accesses, times, loop, next) * waste(loop.extent, 2));
  }
  return best;
}

/** Iterations that the last, partly filled step adds. */
function waste(extent: number, step: number): number {
  return (Math.ceil(extent / step) * step) / extent;
}

/** How often each access is made, for every point of the whole domain: what no reduction moves, once a row. */
function timesTouched(loops: readonly Loop[], { list }: Accesses): number[] {
  const reductions = loops.filter(({ parallel }) => !parallel);
  const moving = new Set(reductions.flatMap(({ positions }) => positions));
  const rows = 1 / reductions.reduce((product, { extent }) => product * extent, 1);
  const moves = (coordinate: Coordinate): boolean => [...indicesOfCoordinate(coordinate)].some((p) => moving.has(p));
  return list.map(({ coordinates }) => (coordinates.some(moves) ? 1 : rows));
}

function cost({ list }: Accesses, times: readonly number[], loop: Loop, pair: Loop | undefined): number {
  let total = 1;
  for (const [k, access] of list.entries()) {
    const outer = stride(access, loop.positions.at(-1)!);
    const inner = pair === undefined ? undefined : stride(access, pair.positions.at(-1)!);
    const unknown = outer === undefined || (pair && inner === undefined);
    const once = unknown ? 5 : access.read === undefined ? storeCost(outer, inner) : loadCost(outer, inner);
    total += once * times[k]!;
  }
  return total;
}
function loadCost(outer: number, inner: number | undefined): number {
  if (inner === undefined) return outer === 0 ? 0.25 : outer === 1 ? 1 : Math.abs(outer) <= 2 ? 2 : 4.5;
  if (outer === 2 * inner) return loadCost(inner, undefined);
  return inner === 0 ? 2 : 4.5;
}
function storeCost(outer: number, inner: number | undefined): number {
  if (inner === undefined) return outer === 0 ? 0.5 : outer === 1 ? 1 : 6;
  if (outer === 2 * inner) return storeCost(inner, undefined);
  return 6;
}

/** The values of an index for which no guarded coordinate leaves its tensor, whatever the other indices are. */
export function interior(accesses: Accesses, position: number): { from: number; to: number; guarded: boolean } {
  const { extents, list } = accesses;
  let [from, to, guarded] = [0, extents[position]!, false];
  for (const access of list)
    for (const [axis, coordinate] of access.coordinates.entries()) {
      if (!access.guarded || provedInRange(coordinate, extents, access.shape[axis]!)) continue;
      if (!indicesOfCoordinate(coordinate).has(position)) continue;
      guarded = true;
      const own = coordinate.terms.find((term) => term.kind === "affine" && term.position === position);
      if (!isAffine(coordinate) || own?.kind !== "affine") return { from: 0, to: 0, guarded };
      let [low, high] = [coordinate.offset, coordinate.offset];
      for (const term of coordinate.terms)
        if (term !== own) {
          low += Math.min(0, term.coefficient * (extents[term.position]! - 1));
          high += Math.max(0, term.coefficient * (extents[term.position]! - 1));
        }
      // 0 <= low + c * i and high + c * i <= extent - 1, solved for i.
      const c = own.coefficient;
      const room = access.shape[axis]! - 1 - high;
      if (c > 0) {
        from = Math.max(from, Math.ceil(-low / c));
        to = Math.min(to, Math.floor(room / c) + 1);
      } else {
        from = Math.max(from, Math.ceil(room / c));
        to = Math.min(to, Math.floor(-low / c) + 1);
      }
    }
  return { from, to: Math.max(from, to), guarded };
}

/** Whether loops, outermost first, meet the values of an affine position in increasing order. */
export function meetsInOrder({ terms }: Coordinate, loops: readonly Loop[]): boolean {
  let before = 0;
  for (const loop of loops.toReversed()) {
    const last = loop.positions.at(-1)!;
    const term = terms.find((t) => t.kind === "affine" && t.position === last);
    if (term?.kind !== "affine" || term.coefficient <= before) return false;
    before += term.coefficient * (loop.extent - 1);
  }
  return true;
}
