/** Rows that see nothing, in the reference and on WebAssembly. */
import { test } from "vitest";
import { optimizeEntry } from "../../compiler/pipeline.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { expectMasked, maskedEntry, maskedInputs, maskedRows } from "../support/masked-rows.ts";
import { runOnCpu } from "../support/run-cpu.ts";

test.each(maskedRows.map((one) => [one.name, one] as const))("%s", async (_, one) => {
  const entry = maskedEntry(one);
  const inputs = maskedInputs(entry.graph);
  const optimized = optimizeEntry(entry, true);
  expectMasked(one, entry, evaluateOutputs(entry.graph, inputs), 1e-12);
  expectMasked(one, entry, evaluateOutputs(optimized, inputs), 1e-9);
  expectMasked(one, entry, await runOnCpu(optimized, inputs), 1e-5);
});
