import fc from "fast-check";
import { describe, test } from "vitest";
import { verify } from "../../compiler/graph/verify.ts";
import { optimizationPasses } from "../../compiler/optimize/passes.ts";
import { randomGraph } from "../support/random-graph.ts";
import { expectSameMeaning } from "../support/same-meaning.ts";

const numRuns = process.env.DLX_DEEP ? 5000 : 150;

describe("rewrites keep the meaning and the normal form", () => {
  const passes = [...new Map(optimizationPasses.map((pass) => [pass.name, pass])).values()];
  test.each(passes)("$name", (pass) => {
    fc.assert(
      fc.property(randomGraph({ parameters: true }), ({ graph, inputs }) => {
        const after = verify(pass.run(graph), pass.name);
        expectSameMeaning(graph, after, inputs);
      }),
      { numRuns },
    );
  });

  test("all of them, in order", () => {
    fc.assert(
      fc.property(randomGraph({ maximumNodes: 10, parameters: true }), ({ graph, inputs }) => {
        let current = graph;
        for (const pass of optimizationPasses) current = verify(pass.run(current), pass.name);
        expectSameMeaning(graph, current, inputs);
      }),
      { numRuns: numRuns * 2 },
    );
  });
});
