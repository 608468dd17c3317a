/** The graph's rewrites, in order, each with its reason. */
import type { Graph } from "../graph/graph.ts";
import { commonSubexpressions } from "./common.ts";
import { deadCode } from "./dead.ts";
import { inlineMaps } from "./inline.ts";
import { inlineCustom } from "./inline-custom.ts";
import type { Pass } from "./pass.ts";
import { simplify } from "./simplify.ts";
import { sumsOfProducts } from "./sums.ts";
import { splitViews, views } from "./views.ts";

export type { Pass } from "./pass.ts";

export const optimizationPasses: readonly Pass[] = [
  // Gradients have been taken: what stood between a value and its own gradient may go.
  inlineCustom,
  views,
  simplify,
  commonSubexpressions,
  deadCode,
  inlineMaps,
  // Composition leaves coordinates like 2*i + p behind.
  splitViews,
  views,
  simplify,
  sumsOfProducts,
  commonSubexpressions,
  deadCode,
];

export function optimize(graph: Graph, after: (graph: Graph, pass: Pass) => void = () => {}): Graph {
  return optimizationPasses.reduce((current, pass) => {
    const next = pass.run(current);
    after(next, pass);
    return next;
  }, graph);
}
