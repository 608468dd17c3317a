/** Whether two graphs compute the same, by the reference interpreter. */
import type { Graph } from "../../compiler/graph/graph.ts";
import { printGraph } from "../../compiler/graph/print.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";

/** Throws with both texts unless every output agrees to `relative` of its greatest value. */
export function expectSameMeaning(
  before: Graph,
  after: Graph,
  inputs: readonly ArrayLike<number>[],
  relative = 1e-9,
): void {
  const wanted = evaluateOutputs(before, inputs);
  const got = evaluateOutputs(after, inputs);
  for (const [k, { path }] of before.outputs.entries()) {
    const expected = wanted[k]!;
    const actual = got[k]!;
    const scale =
      1 + expected.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
    for (const [element, value] of expected.entries()) {
      const other = actual[element] ?? Number.NaN;
      if (Object.is(value, other) || value === other || Math.abs(value - other) <= relative * scale) continue;
      throw new Error(
        `${path}[${element}] is ${other}, not ${value}\n--- before\n${printGraph(before)}\n--- after\n${printGraph(after)}`,
      );
    }
  }
}
