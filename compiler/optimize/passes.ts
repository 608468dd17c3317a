/** The graph's rewrites, in order, each with its reason. */
import type { Graph } from "../graph/graph.ts";
import { askClamped, askExtrema } from "./clamps.ts";
import { commonSubexpressions } from "./common.ts";
import { deadCode } from "./dead.ts";
import { pairFactors } from "./factors.ts";
import { foldScales } from "./fold-scales.ts";
import { inlineMaps } from "./inline.ts";
import { inlineCustom } from "./inline-custom.ts";
import { hoistInvariants } from "./invariants.ts";
import { joins } from "./joins.ts";
import { looseLoops } from "./loops.ts";
import { moments } from "./moments.ts";
import type { Pass } from "./pass.ts";
import { simplify } from "./simplify.ts";
import { splitIndices } from "./split-indices.ts";
import { sumsOfProducts } from "./sums.ts";
import { unusedIndices } from "./unused-indices.ts";
import { splitViews, views } from "./views.ts";

export type { Pass } from "./pass.ts";

export const optimizationPasses: readonly Pass[] = [
  // Gradients have been taken: what stood between a value and its own gradient may go.
  inlineCustom,
  // Reads first: the algebra below sees through fewer nodes, and more of them are equal.
  views,
  joins,
  simplify,
  commonSubexpressions,
  // While a clamp and what it clamps are nodes of their own.
  askClamped,
  deadCode,
  // While the sums of a loop's body still are nodes of their own.
  looseLoops,
  // One body where there were many: factors, centred values and one-hot masks come to stand under their sums.
  splitIndices,
  inlineMaps,
  simplify,
  unusedIndices,
  sumsOfProducts,
  // Sums that became equal are one; maps between them may vanish, which brings new bodies together.
  simplify,
  commonSubexpressions,
  deadCode,
  // A body without its costly channel factors is cheap enough for every reader to compute it anew.
  hoistInvariants,
  inlineMaps,
  sumsOfProducts,
  pairFactors,
  simplify,
  // After the sums: they would take the scale out again.
  foldScales,
  hoistInvariants,
  // Composition leaves coordinates like 2*i + p behind.
  splitViews,
  views,
  simplify,
  // Where the extremum's indices and those of its gradient have come to agree.
  askExtrema,
  commonSubexpressions,
  deadCode,
  // Last: sums by themselves are what the algebra above knows.
  moments,
];

export function optimize(graph: Graph, after: (graph: Graph, pass: Pass) => void = () => {}): Graph {
  return optimizationPasses.reduce((current, pass) => {
    const next = pass.run(current);
    after(next, pass);
    return next;
  }, graph);
}
