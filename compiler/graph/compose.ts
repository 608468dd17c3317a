/** A read of a map as the map's own body: composition of index maps, out-of-range values included. */

import type { ScalarType } from "../types/dtype.ts";
import { hasData, normalize, provedInRange } from "./affine.ts";
import type { Axis, Coordinate, GenericNode, Scalar, ScalarRead, Term } from "./graph.ts";
import { coordinateValue, valueCoordinate } from "./scalars.ts";
import { indexSubstituter, readsOf, rewriteScalar, visitScalars } from "./traverse.ts";

/** How a body without free reads is evaluated to a constant; the optimizer's simplifier, or nothing. */
export type Fold = (scalar: Scalar) => Scalar;

/** The axes of a tensor that carry an index, in order. */
function indexedAxes(shape: readonly number[]): number[] {
  return [...shape.keys()].filter((axis) => shape[axis] !== 1);
}

/**
 * The value of `read`, a read of `node`'s result at `coordinates` (the read's own, or those behind views), over the domain
 * `extents`. Undefined where it cannot be written so: an `else` value that the body does not give by itself, a clamp that
 * would fall elsewhere, a table of a sum.
 */
export function composed(
  node: GenericNode,
  read: ScalarRead,
  coordinates: readonly Coordinate[],
  extents: readonly number[],
  fold: Fold,
): Scalar | undefined {
  const { shape } = node.results[0]!.type;
  for (const [axis, extent] of shape.entries())
    if (extent === 1 && !provedInRange(coordinates[axis]!, extents, 1)) return undefined;
  const at = indexedAxes(shape).map((axis) => coordinates[axis]!);
  const loose = node.parallel.flatMap(({ extent }, k) => (provedInRange(at[k]!, extents, extent) ? [] : [k]));
  let body = node.body;
  if (loose.length > 0) {
    const prepared =
      read.otherwise === undefined
        ? clampsAlike(body, loose, node.parallel)
        : leavesAlike(body, loose, node.parallel, read.otherwise, fold);
    if (!prepared) return undefined;
    body = prepared;
  }
  const substituter = indexSubstituter({
    by: (position) => at[position]!,
    value: (position) => coordinateValue(at[position]!),
    extents,
  });
  return substituter.scalar(body);
}

/** Without `else`, a coordinate from data clamps: the body must use the index only where it would clamp to the same place. */
function clampsAlike(body: Scalar, loose: readonly number[], axes: readonly Axis[]): Scalar | undefined {
  let alike = true;
  visitScalars([body], (scalar) => {
    if (scalar.kind === "index" && loose.includes(scalar.position)) alike = false;
    if (scalar.kind !== "read") return;
    for (const [axis, { offset, terms }] of scalar.coordinates.entries())
      for (const term of terms) {
        if (term.kind === "data" || !loose.includes(term.position)) continue;
        const plain = term.kind === "affine" && term.coefficient === 1 && offset === 0 && terms.length === 1;
        const extent = scalar.tensor.type.shape[axis];
        if (!plain || extent !== axes[term.position]!.extent || scalar.otherwise !== undefined) alike = false;
      }
  });
  return alike ? body : undefined;
}

/**
 * With `else v`: where the outer read leaves the map's domain, every read of the body must leave its tensor, and the body of
 * the reads' own `else` values must be v.
 */
function leavesAlike(
  body: Scalar,
  loose: readonly number[],
  axes: readonly Axis[],
  value: number,
  fold: Fold,
): Scalar | undefined {
  const reads = readsOf(body);
  let usesIndex = false;
  visitScalars([body], (scalar) => {
    if (scalar.kind === "index") usesIndex = true;
  });
  const ready =
    !usesIndex &&
    reads.every((read) => !read.coordinates.some(hasData) && loose.every((k) => leaves(read, k, axes[k]!)));
  if (!ready) return undefined;
  for (const inside of new Set([value, 0, 1])) {
    if (!reads.every(({ type }) => fits(inside, type))) continue;
    const otherwise = (read: ScalarRead): number => read.otherwise ?? inside;
    const outside = fold(
      rewriteScalar(body, (scalar) =>
        scalar.kind === "read" ? { kind: "constant", type: scalar.type, value: otherwise(scalar) } : scalar,
      ),
    );
    if (outside.kind === "constant" && outside.value === value)
      return rewriteScalar(body, (scalar) =>
        scalar.kind === "read" ? { ...scalar, otherwise: otherwise(scalar) } : scalar,
      );
  }
  return undefined;
}

function fits(value: number, type: ScalarType): boolean {
  if (type === "f32") return true;
  if (type === "bool") return value === 0 || value === 1;
  return type === "i32" ? value === (value | 0) : value === value >>> 0;
}

/** Whether the read leaves its tensor wherever the index leaves its extent. */
function leaves(read: ScalarRead, position: number, { extent }: Axis): boolean {
  return read.coordinates.some(({ offset, terms }, axis) => {
    const [term, ...more] = terms;
    if (more.length > 0 || term?.kind !== "affine" || term.position !== position) return false;
    const size = read.tensor.type.shape[axis]!;
    const before = offset - term.coefficient;
    const behind = offset + term.coefficient * extent;
    return term.coefficient > 0 ? before < 0 && behind >= size : before >= size && behind < 0;
  });
}

/**
 * A coordinate with one of its data terms written as what the integer map computes. Undefined where the value is no
 * coordinate.
 */
export function withoutData(
  coordinate: Coordinate,
  replaced: (read: ScalarRead) => Scalar | undefined,
): Coordinate | undefined {
  let { offset } = coordinate;
  const terms: Term[] = [];
  for (const term of coordinate.terms) {
    const value = term.kind === "data" ? replaced(term.read) : undefined;
    if (term.kind !== "data" || value === undefined) {
      terms.push(term);
      continue;
    }
    const inner = valueCoordinate(value);
    if (!inner) return undefined;
    offset += term.coefficient * inner.offset;
    for (const part of inner.terms)
      terms.push(
        part.kind === "table"
          ? { ...part, table: part.table.map((entry) => entry * term.coefficient) }
          : { ...part, coefficient: part.coefficient * term.coefficient },
      );
  }
  return normalize(offset, terms);
}
