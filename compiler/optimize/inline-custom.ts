/** Values with gradients of their own are their forward graphs once every gradient has been taken. */
import type { GraphBuilder } from "../graph/builder.ts";
import type { Graph, Node, Tensor } from "../graph/graph.ts";
import { rebuild } from "../graph/rewrite.ts";
import { withOperands } from "../graph/traverse.ts";
import type { Pass } from "./pass.ts";

/** The nodes of `inner` over other inputs, under fresh names; gives what each inner tensor became. */
export function inlineGraph(
  inner: Graph,
  operands: readonly Tensor[],
  builder: GraphBuilder,
): (tensor: Tensor) => Tensor {
  const renamed = new Map<Tensor, Tensor>();
  const current = (tensor: Tensor): Tensor => renamed.get(tensor) ?? tensor;
  for (const [k, { tensor }] of inner.inputs.entries()) renamed.set(tensor, operands[k]!);
  for (const node of inner.nodes) {
    const copy = withOperands(node, current);
    const results = node.results.map((result) => {
      const fresh = builder.tensor(result.name, result.type.dtype, result.type.shape);
      renamed.set(result, fresh);
      return fresh;
    });
    builder.add({ ...copy, results });
  }
  return current;
}

export const inlineCustom: Pass = {
  name: "inline custom",
  description: "a value with a gradient of its own becomes its forward graph",
  run: inlined,
};

function inlined(graph: Graph): Graph {
  return rebuild(graph, (node, { builder, replace }): Node | undefined => {
    if (node.kind === "scan") {
      const body = inlined(node.body);
      return body === node.body ? node : { ...node, body };
    }
    if (node.kind !== "custom") return node;
    const forward = inlined(node.forward);
    const current = inlineGraph(forward, node.operands, builder);
    for (const [k, { tensor }] of forward.outputs.entries()) replace(node.results[k]!, current(tensor));
    return undefined;
  });
}
