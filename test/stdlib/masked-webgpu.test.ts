/** Rows that see nothing, on WebGPU. */
import { test } from "vitest";
import { optimizeEntry } from "../../compiler/pipeline.ts";
import { describeWebGPU } from "../support/dawn.ts";
import { expectMasked, maskedEntry, maskedInputs, maskedRows } from "../support/masked-rows.ts";
import { runOnGPU } from "../support/run-webgpu.ts";

describeWebGPU("masked rows on WebGPU", (context) => {
  test.each(maskedRows.map((one) => [one.name, one] as const))("%s", async (_, one) => {
    const entry = maskedEntry(one);
    const got = await runOnGPU(context().gpu, optimizeEntry(entry, true), maskedInputs(entry.graph));
    expectMasked(one, entry, got, 1e-4);
  });
});
