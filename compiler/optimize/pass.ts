import type { Graph } from "../graph/graph.ts";

/** One rewrite: graph to graph, meaning unchanged. */
export interface Pass {
  readonly name: string;
  /** One line for `dlx ir` and the docs. */
  readonly description: string;
  run(graph: Graph): Graph;
}
