/** Launches that go through the same slices are one, and what only they know is one slice of scratch. */
import { describe, expect, test } from "vitest";
import { elementCount } from "../../compiler/graph/builder.ts";
import type { Graph } from "../../compiler/graph/graph.ts";
import { readGraph } from "../../compiler/graph/read.ts";
import { optimize } from "../../compiler/optimize/passes.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { fuseSlices } from "../../compiler/schedule/fuse-slices.ts";
import { hoist } from "../../compiler/schedule/hoist.ts";
import { schedule } from "../../compiler/schedule/schedule.ts";
import { expectClose } from "../support/compare.ts";
import { interpretOnCpu, runOnCpu } from "../support/run-cpu.ts";

interface Case {
  readonly text: string;
  /** Launches that are left. */
  readonly launches: number;
}

/** Images of one plane, a convolution without padding to `size` squared, and a window over what it gives. */
const pooled = (images: number, channels: number, size: number, window: string, more = ""): string => `
  input %x: f32[${images},3,${size + 2},${size + 2}] argument x
  input %w: f32[${channels},3,3,3] argument w
  input %b: f32[${channels}] argument b
  %y: f32[${images},${channels},${size},${size}] =
    sum[n<${images}, o<${channels}, i<${size}, j<${size} | c<3, p<3, q<3] %x[n, c, i + p, j + q] * %w[o, c, p, q]
  ${window}
  ${more}
  output %z result z`;

const maximum = `%v: f32[17,5,7,2,7,2] = view %y
   %z: f32[17,5,7,7] = max[n<17, o<5, i<7, j<7 | p<2, q<2] max(%v[n, o, i, p, j, q] + %b[o], 0)`;

const cases: Readonly<Record<string, Case>> = {
  "relu and the maximum of 2 x 2": { text: pooled(17, 5, 14, maximum), launches: 1 },
  "the mean of 3 x 3, overlapping, over an odd size": {
    text: pooled(
      19,
      4,
      15,
      "%z: f32[19,4,7,7] = sum[n<19, o<4, i<7, j<7 | p<3, q<3] (%y[n, o, 2*i + p, 2*j + q] + %b[o]) * 0.111",
    ),
    launches: 1,
  },
  "the maximum of 3 x 3 in steps of 2 with padding": {
    text: pooled(
      17,
      7,
      13,
      `%z: f32[17,7,7,7] = max[n<17, o<7, i<7, j<7 | p<3, q<3]
         max(%y[n, o, 2*i + p - 1, 2*j + q - 1 else -1000] + %b[o], 0)`,
    ),
    launches: 1,
  },
  "what somebody else reads is stored": { text: pooled(17, 5, 14, maximum, "output %y result y"), launches: 2 },
  "a window over images needs several of them": {
    text: pooled(
      18,
      5,
      14,
      "%z: f32[9,5,14,14] = max[n<9, o<5, i<14, j<14 | p<3] max(%y[2*n + p, o, i, j else -1000] + %b[o], 0)",
    ),
    launches: 2,
  },
};

const inputsOf = (graph: Graph): number[][] =>
  graph.inputs.map(({ tensor }, k) =>
    Array.from({ length: elementCount(tensor.type.shape) }, (_, e) => Math.fround(Math.sin(e * 0.7 + k) * 0.5)),
  );

describe.each(Object.entries(cases))("%s", (_, { text, launches }) => {
  const graph = optimize(readGraph(text));
  const inputs = inputsOf(graph);

  test(`is ${launches === 1 ? "one launch" : `${launches} launches`}`, () => {
    expect(fuseSlices(hoist(schedule(graph, "cpu"))).steps.length).toBe(launches);
  });
  test("agrees with the reference", () => {
    const want = evaluateOutputs(graph, inputs);
    for (const run of [runOnCpu, interpretOnCpu])
      expectClose(graph, run(graph, inputs), want, { relative: 1e-5, absolute: 1e-5 });
  });
});
