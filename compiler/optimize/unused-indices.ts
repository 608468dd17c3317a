/** A node over an index that its body does not use: computed without it, then broadcast by a read. */
import { at, type GraphBuilder, read } from "../graph/builder.ts";
import type { GenericNode, Graph } from "../graph/graph.ts";
import { everywhere, rebuild } from "../graph/rewrite.ts";
import { indicesOf, renumber } from "../graph/traverse.ts";
import { workOf } from "./inline.ts";
import type { Pass } from "./pass.ts";

/** Reductions for which repeating every value changes nothing. */
const idempotent: readonly GenericNode["combiner"][] = ["max", "min", "any", "all"];

function withoutRepeats(node: GenericNode): GenericNode {
  if (!idempotent.includes(node.combiner)) return node;
  const used = indicesOf(node.body);
  const first = node.parallel.length;
  const reduction = node.reduction.filter((_, k) => used.has(first + k));
  if (reduction.length === node.reduction.length) return node;
  const to: number[] = [...node.parallel.keys()];
  let next = first;
  for (const k of node.reduction.keys()) if (used.has(first + k)) to[first + k] = next++;
  return {
    ...node,
    combiner: reduction.length === 0 ? "map" : node.combiner,
    reduction,
    body: renumber(node.body, to),
  };
}

function broadcast(node: GenericNode, builder: GraphBuilder): GenericNode | undefined {
  const used = indicesOf(node.body);
  const first = node.parallel.length;
  const kept = [...node.parallel.keys()].filter((position) => used.has(position));
  const [result, second] = node.results;
  if (kept.length === first || second || !result) return undefined;
  if (node.combiner === "map" && workOf(node.body) === 0) return undefined;
  const to: number[] = [];
  for (const [k, position] of kept.entries()) to[position] = k;
  for (const k of node.reduction.keys()) to[first + k] = kept.length + k;
  const [small] = builder.generic({
    hint: `${result.name}.once`,
    combiner: node.combiner,
    parallel: kept.map((position) => node.parallel[position]!),
    reduction: node.reduction,
    body: renumber(node.body, to),
  });
  return {
    ...node,
    combiner: "map",
    reduction: [],
    body: read(
      small!,
      kept.map((position) => at(position)),
    ),
  };
}

export const unusedIndices: Pass = {
  name: "unused indices",
  description: "what does not depend on an index is computed once, without it",
  run: everywhere((graph: Graph) =>
    rebuild(graph, (node, { builder }) => {
      if (node.kind !== "generic") return node;
      const trimmed = withoutRepeats(node);
      return broadcast(trimmed, builder) ?? trimmed;
    }),
  ),
};
