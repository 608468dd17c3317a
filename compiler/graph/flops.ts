/**
 * How much a graph computes: floating-point operations; a multiplication and an addition are two. Every scalar function of
 * floats is one, `exp` and a division too, although they take longer; a comparison of a maximum or of a sort is one as well.
 * What only chooses, moves or addresses values is none, nor is arithmetic on integers, random words among it.
 */
import { elementCount } from "./builder.ts";
import type { Graph, Node } from "./graph.ts";
import { domainOf, rootsOf, visitScalars } from "./traverse.ts";

/**
 * Operations of one node: its body's arithmetic at every point of its domain, and one for each value combined. A sort of n
 * numbers is n log2 n comparisons.
 */
export function nodeFlops(node: Node): number {
  if (node.kind === "scan") return node.length * graphFlops(node.body);
  if (node.kind === "custom") return graphFlops(node.forward);
  if (node.kind === "sort") {
    const { shape } = node.source.type;
    return Math.ceil(elementCount(shape) * Math.log2(shape[node.axis] ?? 1));
  }
  const points = domainOf(node).reduce((product, { extent }) => product * extent, 1);
  let operations = 0;
  visitScalars(rootsOf(node), (scalar) => {
    if (scalar.kind === "apply" && scalar.type === "f32" && scalar.name !== "select") operations++;
  });
  const combines = node.kind === "scatter_add" || (node.kind === "generic" && node.combiner !== "map");
  return points * (operations + (combines ? 1 : 0));
}

export const graphFlops = (graph: Graph): number => graph.nodes.reduce((sum, node) => sum + nodeFlops(node), 0);
