/** How much a graph computes: floating-point operations; a multiplication and an addition are two. */
import type { Graph, Node } from "./graph.ts";
import { domainOf, rootsOf, visitScalars } from "./traverse.ts";

/** Operations of one node: its body's arithmetic at every point of its domain, and one for each value combined. */
export function nodeFlops(node: Node): number {
  if (node.kind === "scan") return node.length * graphFlops(node.body);
  if (node.kind === "custom") return graphFlops(node.forward);
  const points = domainOf(node).reduce((product, { extent }) => product * extent, 1);
  let operations = 0;
  visitScalars(rootsOf(node), (scalar) => {
    if (scalar.kind === "apply" && scalar.type === "f32" && scalar.name !== "select") operations++;
  });
  const combines = node.kind === "scatter_add" || (node.kind === "generic" && node.combiner !== "map");
  return points * (operations + (combines ? 1 : 0));
}

export const graphFlops = (graph: Graph): number => graph.nodes.reduce((sum, node) => sum + nodeFlops(node), 0);
