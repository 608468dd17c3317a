/** How a pass rewrites a graph: one walk in dependency order, new nodes in front of the node being visited. */
import { invariant } from "../invariant.ts";
import { GraphBuilder } from "./builder.ts";
import type { Graph, Node, Tensor } from "./graph.ts";
import { withOperands } from "./traverse.ts";

export interface Rewriting {
  /** Nodes added here stand before the node being visited; fresh names avoid all of the graph's. */
  readonly builder: GraphBuilder;
  /** Later nodes and the outputs use `to` where they used `from`. */
  replace(from: Tensor, to: Tensor): void;
  /** The node that computes a tensor of the new graph; undefined for inputs. */
  definition(tensor: Tensor): Node | undefined;
}

/**
 * Walks the nodes in order, their operands already replaced. `visit` returns the node to keep (the same one, or another with
 * the same results), or undefined to drop it (its results then were replaced, or nothing uses them).
 */
export function rebuild(graph: Graph, visit: (node: Node, rewriting: Rewriting) => Node | undefined): Graph {
  const builder = new GraphBuilder();
  reserveNames(graph, builder);
  const replaced = new Map<Tensor, Tensor>();
  /** What a tensor replaces. */
  const replaces = new Map<Tensor, Tensor[]>();
  const current = (tensor: Tensor): Tensor => replaced.get(tensor) ?? tensor;
  const rewriting: Rewriting = {
    builder,
    replace(from, to) {
      invariant(from !== to, `%${from.name} cannot replace itself`);
      const target = current(to);
      const moved = [...(replaces.get(from) ?? []), from];
      for (const older of moved) replaced.set(older, target);
      replaces.delete(from);
      replaces.set(target, [...(replaces.get(target) ?? []), ...moved]);
    },
    definition: (tensor) => builder.definition(tensor),
  };
  for (const node of graph.nodes) {
    builder.origin = node.origin;
    const kept = visit(replaced.size === 0 ? node : withOperands(node, current), rewriting);
    if (kept) builder.add(kept);
  }
  const outputs = graph.outputs.map((output) => ({ ...output, tensor: current(output.tensor) }));
  const changed =
    builder.nodes.length !== graph.nodes.length ||
    builder.nodes.some((node, k) => node !== graph.nodes[k]) ||
    outputs.some(({ tensor }, k) => tensor !== graph.outputs[k]!.tensor);
  return changed ? { inputs: graph.inputs, nodes: builder.nodes, outputs } : graph;
}

/** Makes a builder's fresh names differ from every name of a graph. */
export function reserveNames(graph: Graph, builder: GraphBuilder): void {
  for (const { tensor } of graph.inputs) builder.fresh(tensor.name);
  for (const node of graph.nodes) for (const tensor of node.results) builder.fresh(tensor.name);
}

/** Runs a rewrite on the graphs inside scans and customs, innermost first, then on the graph itself. */
export function everywhere(run: (graph: Graph) => Graph): (graph: Graph) => Graph {
  const all = (graph: Graph): Graph => {
    let changed = false;
    const nodes = graph.nodes.map((node): Node => {
      if (node.kind === "scan") {
        const body = all(node.body);
        if (body === node.body) return node;
        changed = true;
        return { ...node, body };
      }
      if (node.kind === "custom") {
        const forward = all(node.forward);
        const backward = all(node.backward);
        if (forward === node.forward && backward === node.backward) return node;
        changed = true;
        return { ...node, forward, backward };
      }
      return node;
    });
    return run(changed ? { ...graph, nodes } : graph);
  };
  return all;
}
