/** How far a program may go while it is compiled. */
export const limits = {
  /** Nested evaluations: expressions within expressions, calls within calls. */
  depth: 1200,
  /** Evaluations in one declaration. */
  steps: 2_000_000,
  /** Nodes of one graph. */
  nodes: 200_000,
};
