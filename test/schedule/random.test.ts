/** Random graphs: WebAssembly computes what the reference computes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Graph } from "../../compiler/graph/graph.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { expectClose, sensitivity } from "../support/compare.ts";
import type { RandomKind } from "../support/random-graph.ts";
import { randomGraph } from "../support/random-graph.ts";
import { compileForCpu, interpretOnCpu } from "../support/run-cpu.ts";

const runs = process.env.DLX_DEEP ? 3000 : 40;

function agrees(graph: Graph, inputs: readonly (readonly number[])[]): void {
  const want = evaluateOutputs(graph, inputs);
  const got = compileForCpu(graph).run(inputs);
  try {
    expectClose(graph, got, want, { relative: 2e-5, absolute: 1e-6 });
  } catch {
    const slack = sensitivity(graph, inputs, (values) => evaluateOutputs(graph, values));
    expectClose(graph, got, want, { relative: 2e-5, absolute: 1e-6, slack });
  }
}

const kinds: Readonly<Record<string, readonly RandomKind[] | undefined>> = {
  "of all kinds": undefined,
  "of maps and reductions": ["generic"],
  "of maps, reductions and views": ["generic", "generic", "generic", "view"],
  "of joins": ["generic", "join"],
  "of scans": ["generic", "scan"],
};

for (const [name, only] of Object.entries(kinds))
  test(`random graphs ${name}`, () => {
    const graphs = randomGraph({ maximumNodes: 7, ...(only && { kinds: only }) });
    fc.assert(
      fc.property(graphs, ({ graph, inputs }) => agrees(graph, inputs)),
      { numRuns: runs },
    );
  });

test("no kernel of a random graph leaves its buffers", () => {
  fc.assert(
    fc.property(randomGraph({ maximumNodes: 6 }), ({ graph, inputs }) => {
      expect(() => interpretOnCpu(graph, inputs)).not.toThrow();
    }),
    { numRuns: runs / 2 },
  );
});
