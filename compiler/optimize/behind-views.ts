import type { Coordinate, Node, ScalarRead, Tensor } from "../graph/graph.ts";
import { throughView } from "../graph/reshape.ts";

export type DefinitionOf = (tensor: Tensor) => Node | undefined;

/** What a read reads once views are looked through, as far as that needs no division. */
export function behindViews(
  read: ScalarRead,
  extents: readonly number[],
  definition: DefinitionOf,
): { readonly tensor: Tensor; readonly coordinates: readonly Coordinate[] } {
  let { tensor } = read;
  let coordinates: readonly Coordinate[] = read.coordinates;
  for (;;) {
    const view = definition(tensor);
    if (view?.kind !== "view") return { tensor, coordinates };
    const behind = throughView(coordinates, tensor.type.shape, view.source.type.shape, extents);
    if (!behind) return { tensor, coordinates };
    coordinates = behind;
    tensor = view.source;
  }
}
