/** The memory around a contraction: where its results go, and what its epilogue reads. */
import { isAffine, provedInRange } from "../../graph/affine.ts";
import type { Coordinate, ScalarRead } from "../../graph/graph.ts";
import { readsOf, visitScalars } from "../../graph/traverse.ts";
import type { BuildContext } from "../group.ts";
import { memberOf } from "../group.ts";
import type { Contraction } from "./analysis.ts";

/** What the epilogue touches, besides the factors. */
export interface Surroundings {
  /** Elements that each access moves by when an index grows by one. */
  readonly accesses: readonly ((position: number) => number)[];
  /** Indices whose own value is needed. */
  readonly pinned: ReadonlySet<number>;
}

/** A read whose place is affine and surely in range. */
export function isPlain(read: ScalarRead, extents: readonly number[]): boolean {
  return read.coordinates.every(
    (coordinate, axis) => isAffine(coordinate) && provedInRange(coordinate, extents, read.tensor.type.shape[axis]!),
  );
}

export function strideOf(coordinates: readonly Coordinate[], strides: readonly number[], position: number): number {
  let total = 0;
  for (const [axis, { terms }] of coordinates.entries())
    for (const term of terms)
      if (term.kind === "affine" && term.position === position) total += term.coefficient * strides[axis]!;
  return total;
}

export function surroundingsOf(
  contraction: Contraction,
  extents: readonly number[],
  context: BuildContext,
): Surroundings {
  const accesses: ((position: number) => number)[] = [];
  const pinned = new Set<number>();
  const { group } = contraction;
  for (const member of group.members)
    for (const result of member.node.results)
      if (group.stored.has(result)) {
        const { strides } = context.layout(result);
        accesses.push((position) => strideOf(member.at, strides, position));
      }
  const bodies = contraction.epilogue.map(({ body }) => body);
  visitScalars(bodies, (scalar) => {
    if (scalar.kind === "index") pinned.add(scalar.position);
  });
  for (const read of readsOf(...bodies)) {
    if (memberOf(group, read.tensor) !== undefined) continue;
    if (isPlain(read, extents)) {
      const { strides } = context.layout(read.tensor);
      accesses.push((position) => strideOf(read.coordinates, strides, position));
    } else
      for (const { terms } of read.coordinates)
        for (const term of terms) if (term.kind !== "data") pinned.add(term.position);
  }
  return { accesses, pinned };
}
