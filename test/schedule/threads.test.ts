/** Random graphs have the same bits on every number of threads. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { randomGraph } from "../support/random-graph.ts";
import { runOnThreads } from "../support/run-threads.ts";

test("random graphs on one thread and on three", async () => {
  await fc.assert(
    fc.asyncProperty(randomGraph({ maximumNodes: 12 }), async ({ graph, inputs }) => {
      const [one, three] = await runOnThreads(graph, inputs, [1, 3]);
      expect(three).toEqual(one);
    }),
    { numRuns: process.env.DLX_DEEP ? 1000 : 30 },
  );
});
