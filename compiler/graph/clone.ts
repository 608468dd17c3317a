/** A graph's copy with tensors of its own: one body may stand in several scans, and every scan gives it other memory. */
import type { Graph, Node, Tensor } from "./graph.ts";
import { withOperands } from "./traverse.ts";

export function cloneGraph(graph: Graph, name: (hint: string) => string): Graph {
  const copies = new Map<Tensor, Tensor>();
  const copy = (tensor: Tensor): Tensor => {
    const made: Tensor = { name: name(tensor.name), type: tensor.type };
    copies.set(tensor, made);
    return made;
  };
  const current = (tensor: Tensor): Tensor => copies.get(tensor) ?? tensor;
  const inputs = graph.inputs.map((input) => ({ ...input, tensor: copy(input.tensor) }));
  const nodes = graph.nodes.map((node): Node => {
    const moved = withOperands(node, current);
    return { ...moved, results: node.results.map(copy) };
  });
  return { inputs, nodes, outputs: graph.outputs.map((output) => ({ ...output, tensor: current(output.tensor) })) };
}
