/** What cannot change between the calls of a graph, until somebody else writes a parameter or a state. */
import type { Graph, GraphInput, GraphOutput, Tensor } from "./graph.ts";
import { operandsOf, sourceIn } from "./traverse.ts";

/**
 * Constants, persistent inputs that the graph does not write, what is computed from those alone, and `given` inputs (of a
 * scan's body: what it captures from fixed tensors).
 */
export function fixedTensors(graph: Graph, given: Iterable<Tensor> = []): ReadonlySet<Tensor> {
  const source = sourceIn(graph);
  const slotOf = ({ role, path }: GraphInput | GraphOutput): string => `${role} ${path}`;
  const next = new Map(graph.outputs.map((output) => [slotOf(output), source(output.tensor)]));
  const fixed = new Set(given);
  for (const input of graph.inputs) {
    const { tensor, role } = input;
    if (role === "argument" || role === "knob") continue;
    if ((next.get(slotOf(input)) ?? tensor) === tensor) fixed.add(tensor);
  }
  for (const node of graph.nodes)
    if (operandsOf(node).every((tensor) => fixed.has(tensor))) for (const result of node.results) fixed.add(result);
  return fixed;
}

/**
 * What is computed once takes memory for good. A result of `bytes` may if it is not much more than what it was made of, which
 * leaves room for Winograd's F(4x4, 3x3) (4 times) and for padding of odd extents (2 times), or if it is small.
 */
export function mayBeKept(bytes: number, sources: number): boolean {
  return bytes <= Math.max(smallResult, largestShare * sources);
}
const smallResult = 65536;
const largestShare = 8;
