/** What each rewrite does and does not do, in the graph's text. */
import { describe, expect, test } from "vitest";
import { printGraph } from "../../compiler/graph/print.ts";
import { readGraph } from "../../compiler/graph/read.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { optimizationPasses } from "../../compiler/optimize/passes.ts";
import { algebra } from "./rewrites/algebra.ts";
import { clamps } from "./rewrites/clamps.ts";
import { reads } from "./rewrites/reads.ts";
import { sums } from "./rewrites/sums.ts";

const passNamed = new Map(optimizationPasses.map((pass) => [pass.name, pass]));

describe.each([algebra, reads, sums, clamps].flatMap((group) => Object.entries(group)))("%s", (passes, cases) => {
  test.each(Object.entries(cases))("%s", (_name, { before, after }) => {
    let graph = verify(readGraph(before), "the test");
    for (const name of passes.split(", ")) {
      const pass = passNamed.get(name);
      if (!pass) throw new Error(`no pass is called ${name}`);
      graph = verify(pass.run(graph), name);
    }
    expect(printGraph(graph)).toBe(printGraph(verify(readGraph(after), "the expected text")));
  });
});
