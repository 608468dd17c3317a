import fc from "fast-check";
import { describe, it } from "vitest";
import { generator } from "../scalar/sampling.ts";
import { type RandomKind, randomGraph } from "../support/random-graph.ts";
import { checkGradients, sizeOf, withGradients } from "./support.ts";

const runs = process.env.DLX_DEEP ? 2000 : 40;

describe("the adjoint of random graphs equals central differences", () => {
  const kinds: readonly (readonly RandomKind[])[] = [
    ["generic"],
    ["generic", "view", "join"],
    ["generic", "scatter_add"],
    ["generic", "scan"],
    ["generic", "view", "join", "scatter_add", "scan", "random"],
  ];
  it.each(kinds.map((list) => [list.join(", "), list] as const))("of %s", (_, list) => {
    fc.assert(
      fc.property(randomGraph({ smooth: true, kinds: list, maximumNodes: 5 }), ({ graph, inputs }) => {
        const subject = withGradients(graph);
        const values = new Map(graph.inputs.map(({ tensor }, k) => [tensor, Float64Array.from(inputs[k]!)]));
        checkGradients(subject, values, generator(1));
      }),
      { numRuns: runs },
    );
  });
  it("of products", () => {
    fc.assert(
      fc.property(
        randomGraph({ smooth: true, kinds: ["generic"], combiners: ["map", "prod", "sum"], maximumNodes: 3 }),
        ({ graph, inputs }) => {
          const values = new Map(graph.inputs.map(({ tensor }, k) => [tensor, Float64Array.from(inputs[k]!)]));
          checkGradients(withGradients(graph), values, generator(1));
        },
      ),
      { numRuns: runs },
    );
  });
  it("twice", () => {
    fc.assert(
      fc.property(randomGraph({ smooth: true, maximumNodes: 3 }), ({ graph, inputs }) => {
        const first = withGradients(graph);
        const outputs = first.graph.outputs.filter(({ path }) => path.startsWith("gradient."));
        const second = withGradients({
          ...first.graph,
          outputs: outputs.map((o) => ({ ...o, path: `first.${o.path}` })),
        });
        const values = new Map(graph.inputs.map(({ tensor }, k) => [tensor, Float64Array.from(inputs[k]!)]));
        const random = generator(2);
        for (const { adjoint } of first.seeds)
          values.set(adjoint, Float64Array.from({ length: sizeOf(adjoint) }, random));
        checkGradients(second, values, random, 1e-5);
      }),
      { numRuns: runs },
    );
  });
});
