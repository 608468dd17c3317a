/** Which indices of a contraction move through memory by single elements. */
import type { Coordinate, Scalar } from "../../graph/graph.ts";
import { readsOf } from "../../graph/traverse.ts";
import type { BuildContext } from "../group.ts";
import { stride } from "../loops.ts";
import type { Contraction } from "./analysis.ts";

function smallest(
  coordinates: readonly Coordinate[],
  strides: readonly number[],
  positions: readonly number[],
): number {
  const access = { coordinates, strides };
  const moves = positions.map((position) => Math.abs(stride(access, position) ?? 0)).filter((move) => move > 0);
  return Math.min(Number.POSITIVE_INFINITY, ...moves);
}

/** The least number of elements that the largest operand of a body moves by when one of the indices grows. */
export function smallestStride(body: Scalar, positions: readonly number[], context: BuildContext): number {
  const sizes = readsOf(body).map((read) => ({
    read,
    elements: read.tensor.type.shape.reduce((total, extent) => total * extent, 1),
  }));
  const [largest] = sizes.sort((a, b) => b.elements - a.elements);
  if (!largest) return Number.POSITIVE_INFINITY;
  const { tensor, coordinates } = largest.read;
  return smallest(coordinates, context.layout(tensor).strides, positions);
}

/** The contraction with rows and columns named so that the result is contiguous along the columns. */
export function columnsContiguous(contraction: Contraction, context: BuildContext): Contraction {
  const { group, rows, columns, left, right } = contraction;
  const member = group.members.find(({ node }) => group.stored.has(node.results[0]!));
  if (!member) return contraction;
  const { strides } = context.layout(member.node.results[0]!);
  if (smallest(member.at, strides, columns) <= smallest(member.at, strides, rows)) return contraction;
  return { ...contraction, rows: columns, columns: rows, left: right, right: left };
}
