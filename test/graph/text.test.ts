import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printGraph } from "../../compiler/graph/print.ts";
import { readGraph } from "../../compiler/graph/read.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { randomGraph } from "../support/random-graph.ts";

describe("the graph's text", () => {
  test("printed = read back, and means the same", () => {
    fc.assert(
      fc.property(randomGraph(), ({ graph, inputs }) => {
        verify(graph, "random");
        const text = printGraph(graph);
        const back = verify(readGraph(text), "read");
        expect(printGraph(back)).toBe(printGraph(readGraph(printGraph(back))));
        expect(evaluateOutputs(back, inputs)).toEqual(evaluateOutputs(graph, inputs));
      }),
      { numRuns: 200 },
    );
  });
});
