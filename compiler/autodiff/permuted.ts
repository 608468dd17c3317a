/**
 * A gather at the positions of a sort. They are a permutation along the sorted axis, so the adjoint needs no additions: it
 * is a gather too, at the inverse permutation, and sorting the positions gives that one.
 */
import { hasData } from "../graph/affine.ts";
import { fixed, type GraphBuilder, at as index, read as readAt } from "../graph/builder.ts";
import type { Coordinate, ScalarRead, SortNode, Tensor } from "../graph/graph.ts";

export interface Permuted {
  /** What was read, in sorted order: a tensor that nothing computes, of the same shape. */
  readonly sorted: ScalarRead;
  /** The adjoint of what was read, from that of `sorted`'s tensor. */
  adjoint(ofSorted: Tensor): Tensor;
}

/** The read as a read of something sorted, if its one coordinate of data is a sort's position. */
export function permuted(builder: GraphBuilder, read: ScalarRead): Permuted | undefined {
  const { tensor, coordinates } = read;
  const { shape } = tensor.type;
  const axis = coordinates.findIndex(hasData);
  const [term, ...more] = coordinates[axis]?.terms ?? [];
  if (term?.kind !== "data" || more.length > 0 || term.coefficient !== 1 || coordinates[axis]?.offset !== 0)
    return undefined;
  const positions = term.read;
  const node = builder.definition(positions.tensor);
  if (node?.kind !== "sort" || positions.otherwise !== undefined || positions.coordinates.some(hasData))
    return undefined;
  const slot = positions.coordinates[node.axis];
  const places = slot && placesOf(read, axis, positions, node);
  if (!places) return undefined;
  return {
    sorted: {
      ...read,
      tensor: { name: `${tensor.name}.sorted`, type: tensor.type },
      coordinates: coordinates.with(axis, slot),
    },
    adjoint(ofSorted) {
      const inverse = builder.sort(`${positions.tensor.name}.inverse`, positions.tensor, node.axis);
      let position = 0;
      const here = shape.map((extent) => (extent === 1 ? fixed(0) : index(position++)));
      const from = readAt(
        inverse,
        places.map((place) => (place === undefined ? fixed(0) : here[place]!)),
      );
      const gathered = here.with(axis, { offset: 0, terms: [{ kind: "data", coefficient: 1, read: from }] });
      return builder.map(`d_${tensor.name}`, shape, readAt(ofSorted, gathered), "f32");
    },
  };
}

/**
 * For each axis of the positions the axis of what is read that runs with it (undefined: of extent 1); nothing if they do
 * not run together.
 */
function placesOf(
  { tensor, coordinates }: ScalarRead,
  axis: number,
  positions: ScalarRead,
  sort: SortNode,
): (number | undefined)[] | undefined {
  const extents = sort.source.type.shape;
  const { shape } = tensor.type;
  const places: (number | undefined)[] = [];
  for (const [k, extent] of extents.entries()) {
    if (k === sort.axis) places.push(axis);
    else if (extent === 1) places.push(undefined);
    else {
      const place = coordinates.findIndex(
        (coordinate, m) =>
          m !== axis && !places.includes(m) && shape[m] === extent && isSame(coordinate, positions.coordinates[k]!),
      );
      if (place < 0) return undefined;
      places.push(place);
    }
  }
  return shape[axis] === extents[sort.axis] ? places : undefined;
}

/** Of coordinates without data. */
function isSame(a: Coordinate, b: Coordinate): boolean {
  const key = ({ offset, terms }: Coordinate) => JSON.stringify([offset, terms]);
  return !hasData(a) && key(a) === key(b);
}
