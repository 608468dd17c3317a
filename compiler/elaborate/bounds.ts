/**
 * Bounds of integer inputs, read off the graph: an input that addresses an axis of extent E without an `else` has to stay
 * in [0, E - 1], shifted by what is added to it.
 */
import { rangeOf } from "../graph/affine.ts";
import type { Coordinate, Graph, Node, Scalar, ScalarRead, Tensor } from "../graph/graph.ts";

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

export function inputBounds(graph: Graph): ReadonlyMap<Tensor, Bounds> {
  const found = new Map<Tensor, Bounds>();
  const inputs = new Map<Tensor, Tensor>();
  for (const { tensor } of graph.inputs)
    if (tensor.type.dtype !== "f32" && tensor.type.dtype !== "f16") inputs.set(tensor, tensor);
  visitGraph(graph, inputs, (tensor, bounds) => {
    const before = found.get(tensor);
    found.set(tensor, {
      min: Math.max(bounds.min, before?.min ?? -Infinity),
      max: Math.min(bounds.max, before?.max ?? Infinity),
    });
  });
  return found;
}

type Note = (input: Tensor, bounds: Bounds) => void;

/** `sources`: which input's elements a tensor holds. Grows along views. */
function visitGraph(graph: Graph, sources: Map<Tensor, Tensor>, note: Note): void {
  for (const node of graph.nodes) {
    if (node.kind === "view") {
      const source = sources.get(node.source);
      const [result] = node.results;
      if (source && result) sources.set(result, source);
    } else if (node.kind === "scan") visitScan(node, sources, note);
    else visitNode(node, sources, note);
  }
}
function visitScan(node: Extract<Node, { kind: "scan" }>, sources: ReadonlyMap<Tensor, Tensor>, note: Note): void {
  const inner = new Map<Tensor, Tensor>();
  const outer = [...node.carries.map(() => undefined), ...node.slices, ...node.captured];
  outer.forEach((tensor, k) => {
    const source = tensor && sources.get(tensor);
    const input = node.body.inputs[k]?.tensor;
    if (source && input) inner.set(input, source);
  });
  visitGraph(node.body, inner, note);
}

function visitNode(node: Node, sources: ReadonlyMap<Tensor, Tensor>, note: Note): void {
  if (node.kind !== "generic" && node.kind !== "scatter_add") return;
  const extents =
    node.kind === "generic"
      ? [...node.parallel, ...node.reduction].map(({ extent }) => extent)
      : node.domain.map(({ extent }) => extent);
  const seen = new Set<Scalar>();
  const visit = (scalar: Scalar): void => {
    if (seen.has(scalar)) return;
    seen.add(scalar);
    if (scalar.kind === "apply") for (const one of scalar.arguments) visit(one);
    if (scalar.kind === "read") visitRead(scalar);
  };
  const visitRead = (read: ScalarRead): void => {
    for (const [axis, coordinate] of read.coordinates.entries())
      visitCoordinate(coordinate, read.tensor.type.shape[axis] ?? 0, read.otherwise !== undefined);
  };
  const visitCoordinate = (coordinate: Coordinate, extent: number, guarded: boolean): void => {
    const data = coordinate.terms.filter((term) => term.kind === "data");
    for (const term of data) visitRead(term.read);
    const [only, ...more] = data;
    const source = only && sources.get(only.read.tensor);
    if (!only || !source || more.length > 0 || guarded || Math.abs(only.coefficient) !== 1) return;
    const rest = rangeOf(
      { offset: coordinate.offset, terms: coordinate.terms.filter((term) => term !== only) },
      extents,
    );
    if (!rest) return;
    const [min, max] = [0 - rest.min, extent - 1 - rest.max];
    note(source, only.coefficient === 1 ? { min, max } : { min: 0 - max, max: 0 - min });
  };
  visit(node.body);
  if (node.kind === "scatter_add" && node.outside === "clamp")
    for (const [axis, one] of node.coordinates.entries())
      visitCoordinate(one, node.results[0]?.type.shape[axis] ?? 0, false);
}
