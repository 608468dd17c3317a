/** A graph's nodes copied into a builder, its inputs bound to tensors there. */
import type { GraphBuilder } from "../graph/builder.ts";
import type { Graph, Node, Tensor } from "../graph/graph.ts";
import { withOperands } from "../graph/traverse.ts";
import { invariant } from "../invariant.ts";

export interface Inlined {
  readonly outputs: readonly Tensor[];
  readonly nodes: readonly Node[];
  /** The copy of any tensor of the graph. */
  copyOf(tensor: Tensor): Tensor;
}

/** Copies of tensors in `stopped` are added to it: they are constants for every later derivative too. */
export function inline(builder: GraphBuilder, graph: Graph, inputs: readonly Tensor[], stopped: Set<Tensor>): Inlined {
  const copies = new Map<Tensor, Tensor>();
  invariant(graph.inputs.length === inputs.length, `${inputs.length} values for ${graph.inputs.length} inputs`);
  for (const [k, { tensor }] of graph.inputs.entries()) copies.set(tensor, inputs[k]!);
  const copyOf = (tensor: Tensor): Tensor => copies.get(tensor) ?? tensor;
  const nodes: Node[] = [];
  const origin = builder.origin;
  for (const node of graph.nodes) {
    const moved = withOperands(node, copyOf);
    const results = node.results.map((result) => {
      const copy = builder.tensor(result.name, result.type.dtype, result.type.shape);
      copies.set(result, copy);
      if (stopped.has(result)) stopped.add(copy);
      return copy;
    });
    builder.origin = node.origin;
    const copy: Node = { ...moved, results };
    nodes.push(builder.add(copy));
  }
  builder.origin = origin;
  return { outputs: graph.outputs.map(({ tensor }) => copyOf(tensor)), nodes, copyOf };
}
