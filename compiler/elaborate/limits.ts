/** How far a program may go while it is compiled. */
export const limits = {
  /** Nested evaluations: expressions within expressions, calls within calls. */
  depth: 600,
  /** Evaluations in one declaration. */
  steps: 2_000_000,
  /** Iterations of one `repeat`, which is written out. */
  repeat: 10_000,
  /** Nodes of one graph before differentiation. */
  nodes: 50_000,
};
