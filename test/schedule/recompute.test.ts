/** Values that are computed again instead of kept: the same results in less memory. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Graph } from "../../compiler/graph/graph.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { optimizeEntry } from "../../compiler/pipeline.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { allocate } from "../../compiler/schedule/allocate.ts";
import { hoist } from "../../compiler/schedule/hoist.ts";
import { keptIn, livenessOf } from "../../compiler/schedule/liveness.ts";
import { planLimits } from "../../compiler/schedule/plan.ts";
import type { Schedule } from "../../compiler/schedule/program.ts";
import { computedAgain } from "../../compiler/schedule/recompute/again.ts";
import { fitInto } from "../../compiler/schedule/recompute/fit.ts";
import { Lives } from "../../compiler/schedule/recompute/lives.ts";
import { prepared, schedule } from "../../compiler/schedule/schedule.ts";
import { elaborateText } from "../elaborate/support.ts";
import { expectClose, sensitivity } from "../support/compare.ts";
import { expectNothingLost } from "../support/nothing-lost.ts";
import { randomGraph } from "../support/random-graph.ts";
import { runOnCpu } from "../support/run-cpu.ts";
import { expectSameMeaning } from "../support/same-meaning.ts";

const targets = ["cpu", "gpu"] as const;

describe.each(targets)("everything that can be is computed again (%s)", (target) => {
  test("no value changes, and no live memory is overwritten", () => {
    fc.assert(
      fc.property(randomGraph({ maximumNodes: 12, parameters: true }), ({ graph, inputs }) => {
        const before = prepared(graph, target);
        const lives = new Lives(before, schedule(before, target), 16);
        const again = computedAgain(before, lives, new Set(lives.stops.filter(({ repeatable }) => repeatable)));
        expectSameMeaning(graph, verify(again, "recompute"), inputs, 1e-12);
        expectNothingLost(again, target);
      }),
      { numRuns: process.env.DLX_DEEP ? 3000 : 60 },
    );
  });
});

const classifier = (layers: string, input: string): string => `import nn
import loss
import optim
model Net(x: f32[N, ${input}]) -> f32[N, 5] = ${layers}
train net(batch: int = 6)(x: f32[batch, ${input}], label: i32[batch]) {
  minimize loss = cross_entropy(Net(x), label) over Net.params using momentum(lr: 0.1)
}`;
const block = "conv2d(8, kernel: 3, padding: 1, bias: false) |> batch_norm |> relu";

/** Networks, and the part of the memory of a step that is enough with recomputation. */
const networks: Readonly<Record<string, { readonly text: string; readonly share: number }>> = {
  "a deep perceptron": {
    text: classifier(`x ${"|> dense(32) |> tanh ".repeat(12)} |> dense(5)`, "32"),
    share: 0.75,
  },
  "batch normalization": {
    text: classifier(`x ${`|> ${block} `.repeat(5)} |> global_avg_pool |> dense(5)`, "3, 8, 8"),
    share: 0.6,
  },
  "attention and dropout": {
    text: classifier(
      `x ${"|> attention(2) |> dropout(0.3) |> layer_norm |> gelu ".repeat(3)} |> flatten |> dense(5)`,
      "8, 12",
    ),
    share: 0.8,
  },
};

function stepOf(text: string): Graph {
  const { program, diagnostics } = elaborateText(text);
  expect(diagnostics).toEqual([]);
  return optimizeEntry(program!.entries.find(({ kind }) => kind === "step")!, true);
}

describe.each(Object.entries(networks))("%s", (_, { text, share }) => {
  const graph = stepOf(text);
  const inputs = graph.inputs.map(({ tensor: { type }, role }, k) => {
    const count = type.shape.reduce((product, extent) => product * extent, 1);
    const isWhole = type.dtype !== "f32";
    const positive = role === "state" ? 1 : 0;
    return Array.from({ length: count }, (_, i) => (isWhole ? (i + k) % 5 : positive + Math.sin(7 * i + k) / 2));
  });
  test.each(targets)("fits into less memory (%s)", (target) => {
    const { alignment, chunkBytes } = planLimits(target);
    const arenaOf = (planned: Schedule) =>
      allocate(livenessOf(planned, keptIn(planned)), alignment, chunkBytes).chunks.reduce(
        (sum, bytes) => sum + bytes,
        0,
      );
    const whole = arenaOf(schedule(graph, target));
    const limit = Math.floor(share * whole);
    const found = fitInto(graph, target, limit, {
      alignment,
      arenaOf,
      scheduled: (changed) => hoist(schedule(changed, target)),
    });
    expect(found.arenaBytes).toBeLessThanOrEqual(limit);
    expect(found.repeated.length).toBeGreaterThan(0);
    expectSameMeaning(graph, verify(found.graph, "recompute"), inputs, 1e-12);
    expectNothingLost(found.graph, target);
    if (target === "gpu") return;
    const want = evaluateOutputs(graph, inputs);
    const slack = sensitivity(graph, inputs, (values) => evaluateOutputs(graph, values));
    expectClose(graph, runOnCpu(found.graph, inputs), want, { relative: 2e-5, absolute: 1e-6, slack });
  });
  test("what fits is left as it is", () => {
    const { alignment } = planLimits("cpu");
    const found = fitInto(graph, "cpu", 1e9, {
      alignment,
      arenaOf: () => 1e9,
      scheduled: (changed) => schedule(changed, "cpu"),
    });
    expect(found.repeated).toEqual([]);
  });
});
