/** Random words, Bernoulli masks and orders on WebGPU: those of the reference, bit for bit. */
import { expect, test } from "vitest";
import { optimizeEntry } from "../../compiler/pipeline.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { describeWebGPU } from "../support/dawn.ts";
import { drawing, exactDraws } from "../support/random-draws.ts";
import { runOnGPU } from "../support/run-webgpu.ts";

describeWebGPU("random draws on WebGPU", (context) => {
  const { entry, inputs } = drawing(exactDraws);
  test("a later step", async () => {
    const given = inputs([7, 1], 3);
    const wanted = evaluateOutputs(entry.graph, given);
    const got = await runOnGPU(context().gpu, optimizeEntry(entry, true), given);
    for (const [k, { path }] of entry.graph.outputs.entries())
      expect(Array.from(got[k] ?? []), path).toEqual(Array.from(wanted[k] ?? []));
  });
});
