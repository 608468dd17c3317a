/** Nodes that compute the same become one; so do equal subtrees of a body, and a maximum with its positions' own value. */
import type { Graph, Node, Tensor } from "../graph/graph.ts";
import { Keys } from "../graph/keys.ts";
import { everywhere, rebuild } from "../graph/rewrite.ts";
import { sizeOf } from "../graph/traverse.ts";
import type { Pass } from "./pass.ts";

/** The node as its weaker twin would be: `max` for `max_first`. */
function weaker(node: Node): Node | undefined {
  if (node.kind !== "generic") return undefined;
  if (node.combiner === "max_first") return { ...node, combiner: "max", results: [node.results[0]!] };
  if (node.combiner === "min_first") return { ...node, combiner: "min", results: [node.results[0]!] };
  return undefined;
}

function shareBody(node: Node, keys: Keys): Node {
  if (node.kind !== "generic" && node.kind !== "scatter_add") return node;
  const body = keys.interned(node.body);
  return body !== node.body && sizeOf(body) < sizeOf(node.body) ? { ...node, body } : node;
}

/**
 * A `max` can only become an earlier node's result, and a `max_first` often stands behind it (the adjoint asks for the
 * position): the first of the two then becomes a `max_first`.
 */
function strengthened(graph: Graph): Graph {
  const keys = new Keys();
  const strong = new Map<string, Node>();
  for (const node of graph.nodes) {
    const twin = weaker(node);
    if (twin) strong.set(keys.node(twin), node);
  }
  if (strong.size === 0) return graph;
  return rebuild(graph, (node, { builder }) => {
    if (node.kind !== "generic" || (node.combiner !== "max" && node.combiner !== "min")) return node;
    if (!strong.has(keys.node(node))) return node;
    const result = node.results[0]!;
    const position = builder.tensor(`${result.name}.at`, "i32", result.type.shape);
    const combiner = node.combiner === "max" ? "max_first" : "min_first";
    return { ...node, combiner, results: [result, position] };
  });
}

export const commonSubexpressions: Pass = {
  name: "common subexpressions",
  description: "nodes and subtrees of bodies that compute the same are computed once",
  run: everywhere((graph: Graph) => {
    const keys = new Keys();
    const seen = new Map<string, readonly Tensor[]>();
    return rebuild(strengthened(graph), (node, { replace }) => {
      const key = keys.node(node);
      const known = seen.get(key);
      if (known) {
        for (const [k, result] of node.results.entries()) replace(result, known[k]!);
        return undefined;
      }
      seen.set(key, node.results);
      return shareBody(node, keys);
    });
  }),
};
