/** The graph's rewrites, in order, each with its reason. */
import type { Graph } from "../graph/graph.ts";
import { commonSubexpressions } from "./common.ts";
import { deadCode } from "./dead.ts";
import { inlineCustom } from "./inline-custom.ts";
import type { Pass } from "./pass.ts";
import { simplify } from "./simplify.ts";

export type { Pass } from "./pass.ts";

export const optimizationPasses: readonly Pass[] = [
  // Gradients have been taken: what stood between a value and its own gradient may go.
  inlineCustom,
  simplify,
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
