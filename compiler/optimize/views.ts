/** Views that change nothing, views of views, reads that need no view, and reads that want one (IR: no mixed radix). */
import { plainIndex } from "../graph/affine.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import type { Coordinate, Graph, Node, Scalar, ScalarRead, Tensor } from "../graph/graph.ts";
import { radixOf, split, throughView } from "../graph/reshape.ts";
import { everywhere, rebuild } from "../graph/rewrite.ts";
import { domainOf, rewriteCoordinates, scalarRewriter } from "../graph/traverse.ts";
import type { Pass } from "./pass.ts";

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** Rewrites every read of a node's body and place. */
export function mapReads(node: Node, change: (read: ScalarRead) => Scalar): Node {
  if (node.kind !== "generic" && node.kind !== "scatter_add") return node;
  const rewrite = scalarRewriter((scalar) => (scalar.kind === "read" ? change(scalar) : scalar));
  const body = rewrite(node.body);
  if (node.kind === "generic") return body === node.body ? node : { ...node, body };
  const coordinates = rewriteCoordinates(node.coordinates, rewrite);
  const same = body === node.body && coordinates.every((coordinate, k) => coordinate === node.coordinates[k]);
  return same ? node : { ...node, body, coordinates };
}

const simple = (coordinate: Coordinate): boolean =>
  coordinate.terms.length === 0 || plainIndex(coordinate) !== undefined;

export const views: Pass = {
  name: "views",
  description: "identity views and views of views go; reads use the source where no index has to be split",
  run: everywhere((graph: Graph) =>
    rebuild(graph, (node, { definition, replace }) => {
      if (node.kind === "view") {
        const [result] = node.results;
        let { source } = node;
        for (let inner = definition(source); inner?.kind === "view"; inner = definition(source)) source = inner.source;
        if (sameShape(source.type.shape, result!.type.shape)) {
          replace(result!, source);
          return undefined;
        }
        return source === node.source ? node : { ...node, source };
      }
      const extents = domainOf(node).map((axis) => axis.extent);
      return mapReads(node, (read) => {
        const view = definition(read.tensor);
        if (view?.kind !== "view") return read;
        const { source } = view;
        const coordinates = throughView(read.coordinates, read.tensor.type.shape, source.type.shape, extents);
        if (!coordinates?.every((coordinate) => simple(coordinate) || read.coordinates.includes(coordinate)))
          return read;
        return { ...read, tensor: source, coordinates };
      });
    }),
  ),
};

/** A read whose coordinates are mixed radix becomes a read of a view with those axes split. */
export function splitRead(read: ScalarRead, extents: readonly number[], viewOf: ViewOf): ScalarRead {
  let { shape } = read.tensor.type;
  let { coordinates } = read;
  for (;;) {
    const axis = coordinates.findIndex((coordinate, k) => radixOf(coordinate, shape[k]!, extents) !== undefined);
    if (axis < 0) break;
    const coordinate = coordinates[axis]!;
    const extent = shape[axis]!;
    const radix = radixOf(coordinate, extent, extents)!;
    const parts = split(coordinate, radix, extents)!;
    shape = shape.toSpliced(axis, 1, extent / radix, radix);
    coordinates = coordinates.toSpliced(axis, 1, parts.quotient, parts.rest);
  }
  return coordinates === read.coordinates ? read : { ...read, tensor: viewOf(read.tensor, shape), coordinates };
}

export type ViewOf = (tensor: Tensor, shape: readonly number[]) => Tensor;

/** Makes each view once; a view of a view is one view of the source. */
export function viewMaker(builder: GraphBuilder): ViewOf {
  const made = new Map<Tensor, Map<string, Tensor>>();
  return (tensor, shape) => {
    const definition = builder.definition(tensor);
    const source = definition?.kind === "view" ? definition.source : tensor;
    if (sameShape(source.type.shape, shape)) return source;
    const known = made.get(source) ?? new Map<string, Tensor>();
    made.set(source, known);
    const key = shape.join();
    const view = known.get(key) ?? builder.view(source, shape);
    known.set(key, view);
    return view;
  };
}

export const splitViews: Pass = {
  name: "split views",
  description:
    "a read at K*g + c becomes a read of a view with that axis split: no strides in contractions and windows",
  run: everywhere((graph: Graph) => {
    let viewOf: ViewOf | undefined;
    return rebuild(graph, (node, { builder }) => {
      viewOf ??= viewMaker(builder);
      const make = viewOf;
      const extents = domainOf(node).map((axis) => axis.extent);
      return mapReads(node, (read) => splitRead(read, extents, make));
    });
  }),
};
