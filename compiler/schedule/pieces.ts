/** Groups that schedule makes of its own: fills and copies, for joins, carries and persistent tensors. */
import { at, axesOf, constantScalar, elementCount, fixed, readHere } from "../graph/builder.ts";
import type { Coordinate, GenericNode, JoinNode, Origin, Scalar, Tensor } from "../graph/graph.ts";
import { scalarType } from "../types/dtype.ts";
import type { FusionGroup } from "./group.ts";

/** A map over the points of `shape` whose values lie at `places` of `result`, which may be larger. */
function mapInto(
  result: Tensor,
  shape: readonly number[],
  body: Scalar,
  places: readonly Coordinate[],
  origin: Origin | undefined,
): FusionGroup {
  const parallel = axesOf(shape);
  const node: GenericNode = {
    kind: "generic",
    combiner: "map",
    results: [result],
    parallel,
    reduction: [],
    body,
    origin,
  };
  const position: Coordinate = fixed(0);
  return { parallel, reduction: [], members: [{ node, body, at: places, position }], stored: new Set([result]) };
}

function everywhere(shape: readonly number[]): Coordinate[] {
  let position = 0;
  return shape.map((extent) => (extent === 1 ? fixed(0) : at(position++)));
}

export function fillGroup(result: Tensor, value: number, origin?: Origin): FusionGroup {
  const { dtype, shape } = result.type;
  return mapInto(result, shape, constantScalar(scalarType(dtype), value), everywhere(shape), origin);
}

/** Writes an i32 expression of no indices to a tensor of rank 0. */
export function assignGroup(result: Tensor, body: Scalar): FusionGroup {
  return mapInto(result, result.type.shape, body, everywhere(result.type.shape), undefined);
}

/** `to` becomes `from`, element by element in memory order. */
export function copyGroup(from: Tensor, to: Tensor, origin?: Origin): FusionGroup {
  const count = elementCount(from.type.shape);
  const flat = (tensor: Tensor): boolean => tensor.type.shape.length === 1 || count === 1;
  if (String(from.type.shape) === String(to.type.shape) || (flat(from) && flat(to)))
    return mapInto(to, from.type.shape, readHere(from), everywhere(to.type.shape), origin);
  throw new RangeError(`%${from.name} and %${to.name} differ in shape`);
}

/** Puts one piece of a join into its box. */
export function pieceGroup(join: JoinNode, piece: JoinNode["pieces"][number]): FusionGroup {
  let position = 0;
  const places = piece.at.map(({ start, step, count }) => (count === 1 ? fixed(start) : at(position++, step, start)));
  const shape = piece.tensor.type.shape;
  return mapInto(join.results[0]!, shape, readHere(piece.tensor), places, join.origin);
}

/** Whether the pieces leave something to be filled. */
export function needsFill(join: JoinNode): boolean {
  const placed = join.pieces.reduce((sum, { tensor }) => sum + elementCount(tensor.type.shape), 0);
  return placed < elementCount(join.results[0]!.type.shape);
}
