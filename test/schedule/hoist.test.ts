/** What leaves an entry because it is the same at every call, and what has to stay. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readGraph } from "../../compiler/graph/read.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { hoist } from "../../compiler/schedule/hoist.ts";
import { dispatchesOf } from "../../compiler/schedule/liveness.ts";
import { planTarget } from "../../compiler/schedule/plan.ts";
import { schedule } from "../../compiler/schedule/schedule.ts";
import { expectClose, sensitivity } from "../support/compare.ts";
import { randomGraph } from "../support/random-graph.ts";
import { compileForCpu, programOf } from "../support/run-cpu.ts";

interface Case {
  readonly text: string;
  readonly once: readonly string[];
  readonly calls: readonly string[];
}
const cases: Readonly<Record<string, Case>> = {
  "a row of work on parameters": {
    text: `input %x: f32[8] argument x
      input %w: f32[8,30] parameter w
      %norm: f32[8] = sum[i<8 | j<30] %w[i, j] * %w[i, j]
      %top: f32[] = max[| i<8] %norm[i]
      %total: f32[] = sum[| i<8] %x[i] * %top
      output %total result y`,
    once: ["norm", "top"],
    calls: ["total"],
  },
  "a result that depends on no argument": {
    text: `input %w: f32[8,30] parameter w
      %norm: f32[8] = sum[i<8 | j<30] %w[i, j] * %w[i, j]
      output %norm result y`,
    once: ["norm"],
    calls: [],
  },
  "what is made of a parameter that the entry writes": {
    text: `input %x: f32[8] argument x
      input %w: f32[8] parameter w
      %norm: f32[] = sum[| i<8] %w[i] * %w[i]
      %next: f32[8] = map[i<8] %w[i] - %x[i] * %norm
      output %next parameter w`,
    once: [],
    calls: ["next"],
  },
  "a value that a slot takes": {
    text: `input %w: f32[8,5] parameter w
      %mean: f32[8] = sum[i<8 | j<5] %w[i, j]
      output %mean state mean`,
    once: [],
    calls: ["mean"],
  },
  "a join of which one piece comes with the call": {
    text: `input %x: f32[6,4] argument x
      input %w: f32[6,4] parameter w
      %a: f32[6] = sum[i<6 | j<4] %w[i, j]
      %b: f32[6] = sum[i<6 | j<4] %x[i, j]
      %y: f32[12] = join { %a at [0:6], %b at [6:12] } fill 0
      output %y result y`,
    once: [],
    calls: ["a", "b"],
  },
  "a broadcast to much more than it was made of": {
    text: `input %x: f32[300,200] argument x
      input %w: f32[200] parameter w
      %much: f32[300,200] = max[i<300, j<200 | k<5] %w[j] * sin(to_f32(i + k))
      %y: f32[300] = max[i<300 | j<200] %much[i, j] * %x[i, j]
      output %y result y`,
    once: [],
    calls: ["much", "y"],
  },
  "work on what a scan captures, not on its carries": {
    text: `input %xs: f32[5,3] argument xs
      input %h0: f32[3] parameter h0
      input %w: f32[3,3] parameter w
      %h, %sums: f32[3], f32[5] = scan 5 carries(%h0) slices(%xs) captured(%w) {
        input %c: f32[3] argument c
        input %x: f32[3] argument x
        input %u: f32[3,3] argument u
        input %t: i32[] argument t
        %norm: f32[3] = max[i<3 | j<3] %u[i, j]
        %next: f32[3] = map[i<3] %c[i] * %norm[i]
        %s: f32[] = sum[| i<3] %next[i] * %x[i]
        output %next result next
        output %s result s
      }
      output %sums result y`,
    once: ["norm"],
    calls: ["h", "next, s"],
  },
};

describe("of an entry", () => {
  for (const [name, { text, once, calls }] of Object.entries(cases))
    test(name, () => {
      const graph = readGraph(text);
      const scheduled = hoist(schedule(graph, "cpu"));
      const labels = (steps: typeof scheduled.steps): string[] => dispatchesOf(steps).map(({ label }) => label);
      expect({ once: labels(scheduled.once), calls: labels(scheduled.steps) }).toEqual({ once, calls });
    });
});

test("random graphs with parameters compute what the reference computes", () => {
  let hoisted = 0;
  fc.assert(
    fc.property(randomGraph({ maximumNodes: 8, parameters: true }), ({ graph, inputs }) => {
      const program = compileForCpu(graph);
      hoisted += program.planned.prepare.length;
      const want = evaluateOutputs(graph, inputs);
      const got = program.run(inputs);
      try {
        expectClose(graph, got, want, { relative: 2e-5, absolute: 1e-6 });
      } catch {
        const slack = sensitivity(graph, inputs, (values) => evaluateOutputs(graph, values));
        expectClose(graph, got, want, { relative: 2e-5, absolute: 1e-6, slack });
      }
    }),
    { numRuns: process.env.DLX_DEEP ? 2000 : 40 },
  );
  expect(hoisted).toBeGreaterThan(0);
});

test("what an entry makes twice is made once, and everyone reads it there", () => {
  const graph = readGraph(`input %x: f32[8] argument x
    input %w: f32[7] parameter w
    %k: i32[9] = constant 2
    %l: i32[9] = constant 2
    %a: f32[9] = map[i<9] 1 / to_f32(%k[i])
    %b: f32[9] = map[i<9] 1 / to_f32(%l[i])
    %more: f32[7,9] = map[i<7, j<9] %w[i] * %a[j]
    %less: f32[7,9] = map[i<7, j<9] %w[i] - %b[j]
    %both: f32[7] = sum[i<7 | j<9] %more[i, j] * %less[i, j]
    %y: f32[8,7] = map[n<8, i<7] %x[n] * %both[i]
    output %y result y`);
  const program = compileForCpu(graph);
  const inputs = [
    [1, 2, 3, 4, 5, 6, 7, 8],
    [0.5, -1, 2, 3, 0.1, 0.2, 0.3],
  ];
  const [prepared] = program.planned.prepare;
  expect(prepared?.steps.map((step) => step.kind === "launch" && step.dispatch.label)).toEqual(["a", "both"]);
  expectClose(graph, program.run(inputs), evaluateOutputs(graph, inputs), { relative: 2e-5, absolute: 1e-6 });
});

test("entries share what is equal, and a part that only some need is apart", () => {
  const text = (rows: number, more: string) => `input %x: f32[${rows},8] argument x
    input %w: f32[8,30] parameter w
    input %v: f32[8,30] parameter v
    %norm: f32[8] = sum[i<8 | j<30] %w[i, j] * %w[i, j]
    %y: f32[${rows}] = sum[n<${rows} | i<8] %x[n, i] * %norm[i]
    ${more}
    output %y result y`;
  const graphs = [
    text(2, ""),
    text(5, ""),
    text(3, "%other: f32[8] = sum[i<8 | j<30] %v[i, j] * %v[i, j]\noutput %other result other"),
  ].map((graph) => readGraph(graph));
  const [program] = graphs.map((graph) => programOf(graph));
  const entries = graphs.map((graph, k) => ({ ...programOf(graph).entries[0]!, name: `entry ${k}` }));
  const scheduled = graphs.map((graph) => hoist(schedule(graph, "cpu")));
  const { plan, prepare } = planTarget({ ...program!, entries }, scheduled, "cpu");
  const paths = plan.prepare.map(({ reads }) => reads.map((slot) => program!.persistent[slot]!.path));
  expect(paths).toEqual([["w"], ["v"]]);
  expect(plan.entries.map((entry) => entry?.prepare)).toEqual([[0], [0], [0, 1]]);
  expect(prepare.map(({ steps }) => steps.length)).toEqual([1, 1]);
  const slotBytes = 2 * 8 * 30 * 4;
  const without = planTarget({ ...program!, entries: [] }, [], "cpu").plan.persistent[0]!;
  expect(plan.persistent[0]! - without).toBe(2 * 8 * 4);
  expect(without).toBeGreaterThan(slotBytes);
});
