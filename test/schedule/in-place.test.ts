/** Results that are written over an operand: where that may be, and that no point meets what another has written. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Graph } from "../../compiler/graph/graph.ts";
import { readGraph } from "../../compiler/graph/read.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { schedule } from "../../compiler/schedule/schedule.ts";
import { expectClose } from "../support/compare.ts";
import { expectNothingLost } from "../support/nothing-lost.ts";
import { backwards, interpretOnCpu, runOnCpu } from "../support/run-cpu.ts";
import { runOnThreads } from "../support/run-threads.ts";

const runs = process.env.DLX_DEEP ? 800 : 30;

interface Case {
  readonly text: string;
  /** Each result with the operand that it is written over. */
  readonly cpu: Readonly<Record<string, string>>;
  /** Where it differs. */
  readonly gpu?: Readonly<Record<string, string>>;
}

const x = `input %x: f32[6,18] argument x
  input %w: f32[18,18] parameter w
  %a: f32[6,18] = sum[i<6, j<18 | k<18] %x[i, k] * %w[k, j]`;
const cases: Readonly<Record<string, Case>> = {
  "the epilogue of a contraction over what it adds": {
    text: `${x}
      %b: f32[6,18] = sum[i<6, j<18 | k<18] %a[i, k] * %w[j, k]
      %c: f32[6,18] = sum[i<6, j<18 | k<18] %b[i, k] * %w[k, j]
      %d: f32[6,18] = map[i<6, j<18] max(%c[i, j] + %a[i, j], 0)
      output %d result y`,
    cpu: { d: "a" },
  },
  "an operand that a factor reads too": {
    text: `${x}
      %b: f32[6,18] = sum[i<6, j<18 | k<18] %a[i, k] * %w[j, k]
      %d: f32[6,18] = map[i<6, j<18] max(%b[i, j] + %a[i, j], 0)
      output %d result y`,
    cpu: {},
  },
  "the last pass over a row": {
    text: `${x}
      %m: f32[6] = sum[i<6 | j<18] %a[i, j]
      %d: f32[6,18] = map[i<6, j<18] %a[i, j] - %m[i] / 18
      output %d result y`,
    cpu: { d: "a" },
    gpu: {},
  },
  "a pass of which a later one reads the operand again": {
    text: `${x}
      %m: f32[6] = sum[i<6 | j<18] %a[i, j]
      %d: f32[6,18] = map[i<6, j<18] %a[i, j] - %m[i]
      %s: f32[6] = sum[i<6 | j<18] %d[i, j] * %d[i, j]
      %e: f32[6,18] = map[i<6, j<18] %a[i, j] * sqrt(%s[i])
      output %d result d
      output %e result e`,
    cpu: { e: "a" },
    gpu: {},
  },
  "a short row, written out, of which a later pass reads back what lies over the operand": {
    text: `input %x: f32[6,3] argument x
      %a: f32[6,3] = map[i<6, j<3] sin(%x[i, j]) * sin(%x[i, j])
      %t: f32[] = sum[| i<6, j<3] %a[i, j] * %a[5, j]
      %m: f32[6] = max[i<6 | j<3] %a[i, j] * %t
      %e: f32[6,3] = map[i<6, j<3] exp(%a[i, j] * %t - %m[i])
      %s: f32[6] = sum[i<6 | j<3] %e[i, j]
      %d: f32[6,3] = map[i<6, j<3] %e[i, j] / %s[i]
      output %e result e
      output %d result d`,
    cpu: { e: "a" },
    gpu: {},
  },
  "a value of each row over what a later pass reads": {
    text: `${x}
      %r: f32[6] = max[i<6 | k<7] %x[i, k]
      %s: f32[6] = sum[i<6 | j<18] %a[i, j] * %r[i]
      %d: f32[6] = map[i<6] %r[i] + %s[i] * %s[i]
      %t: f32[6] = sum[i<6 | j<18] %a[i, j] * %d[i]
      %e: f32[6,18] = map[i<6, j<18] %a[i, j] * %r[i] + %t[i]
      output %d result d
      output %e result e`,
    cpu: { d: "r", e: "a" },
    gpu: {},
  },
  "a value of each row over what no later pass reads": {
    text: `${x}
      %r: f32[6] = max[i<6 | k<7] %x[i, k]
      %s: f32[6] = sum[i<6 | j<18] %a[i, j] * %r[i]
      %d: f32[6] = map[i<6] %r[i] + %s[i] * %s[i]
      %t: f32[6] = sum[i<6 | j<18] %a[i, j] * %s[i]
      %e: f32[6,18] = map[i<6, j<18] %a[i, j] + %t[i]
      output %d result d
      output %e result e`,
    cpu: { d: "r", e: "a" },
    gpu: { d: "r" },
  },
  "two results over two operands": {
    text: `${x}
      %b: f32[6,18] = sum[i<6, j<18 | k<18] %a[i, k] * %w[j, k]
      %s: f32[] = sum[| i<6, j<18, k<18] %a[i, j] * %b[i, k]
      %d: f32[6,18] = map[i<6, j<18] %a[i, j] + %b[i, j] * %s
      %e: f32[6,18] = map[i<6, j<18] %a[i, j] * %s - %b[i, j]
      output %d result d
      output %e result e`,
    cpu: { d: "a", e: "b" },
  },
  "a chain, through a view": {
    text: `${x}
      %b: f32[6,18] = sum[i<6, j<18 | k<18] %a[i, k] * %w[j, k]
      %s: f32[] = sum[| i<6, j<18, k<18] %a[i, j] * %b[i, k]
      %v: f32[108] = view %a
      %d: f32[108] = map[i<108] %v[i] * %s
      %t: f32[] = max[| i<108, j<108] %d[i] - %d[j]
      %e: f32[108] = map[i<108] %d[i] / %t
      output %e result e`,
    cpu: { d: "a", e: "a" },
  },
  "an operand that is read elsewhere than it is written": {
    text: `${x}
      %s: f32[] = sum[| i<6, j<18, k<18] %a[i, j] * %a[i, k]
      %d: f32[6,18] = map[i<6, j<18] %a[i, j] * %s + %a[i, -j + 17]
      output %d result d`,
    cpu: {},
  },
  "an operand of another size or type": {
    text: `${x}
      %s: f32[] = sum[| i<6, j<18, k<18] %a[i, j] * %a[i, k]
      %d: f32[3,18] = map[i<3, j<18] %a[i, j] * %s
      %e: i32[6,18] = map[i<6, j<18] to_i32(%a[i, j] * %s)
      output %d result d
      output %e result e`,
    cpu: {},
  },
  "arguments, weights, results and what is the same at every call": {
    text: `${x}
      %n: f32[6,18] = sum[i<6, j<18 | k<18] %w[i, k] * %w[k, j]
      %s: f32[] = sum[| i<6, j<18, k<18] %a[i, j] * %a[i, k]
      %d: f32[6,18] = map[i<6, j<18] %a[i, j] * %s + %x[i, j] - %n[i, j]
      output %a result a
      output %d result d`,
    cpu: {},
  },
};

const valuesFor = (graph: Graph): number[][] =>
  graph.inputs.map(({ tensor: { type } }, k) =>
    Array.from({ length: type.shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(7 * i + k) / 3),
  );

describe.each(Object.entries(cases))("%s", (_, { text, cpu, gpu = cpu }) => {
  const graph = readGraph(text);
  test.each([
    ["cpu", cpu],
    ["gpu", gpu],
  ] as const)("what lies where (%s)", (target, want) => {
    const { reused, aliases } = schedule(graph, target);
    const found = [...reused.keys()].map((value) => {
      const place = aliases.get(value);
      return [value.name, place?.kind === "tensor" ? place.tensor.name : ""];
    });
    expect(Object.fromEntries(found)).toEqual(want);
    expectNothingLost(graph, target);
  });
  test("on threads, the values of the reference", async () => {
    const inputs = valuesFor(graph);
    const [one, three] = await runOnThreads(graph, inputs, [1, 3]);
    expect(three).toEqual(one);
    expectClose(graph, one!, evaluateOutputs(graph, inputs), { relative: 2e-5, absolute: 1e-5 });
    expect(interpretOnCpu(graph, inputs, { kernel: backwards })).toEqual(interpretOnCpu(graph, inputs));
  });
});

/** Tensors of one size, each made of a few before it: by contractions, along rows, at one point or at another one. */
const programs = fc
  .record({
    rows: fc.constantFrom(3, 6),
    columns: fc.constantFrom(3, 5, 8, 10),
    steps: fc.array(fc.tuple(fc.nat(5), fc.nat(3), fc.nat(3)), { minLength: 3, maxLength: 9 }),
  })
  .map(({ rows, columns, steps }) => {
    const [shape, at] = [`f32[${rows},${columns}]`, `map[i<${rows}, j<${columns}]`];
    const lines = [
      `input %t0: ${shape} argument t0`,
      `input %w: f32[${columns},${columns}] parameter w`,
      `%t1: ${shape} = ${at} sin(%t0[i, j])`,
    ];
    const product = (name: string, left: string): string =>
      `%${name}: ${shape} = sum[i<${rows}, j<${columns} | k<${columns}] ${left}[i, k] * %w[k, j]`;
    for (const [k, [kind, first, second]] of steps.entries()) {
      const of = (back: number): string => `%t${Math.max(0, k + 1 - back)}`;
      const [a, b, name] = [of(first), of(second), `t${k + 2}`];
      if (kind === 0) lines.push(product(name, a));
      else if (kind === 1)
        lines.push(product(`c${k}`, a), `%${name}: ${shape} = ${at} max(%c${k}[i, j] + ${b}[i, j], 0)`);
      else if (kind < 4) {
        lines.push(`%s${k}: f32[${rows}] = sum[i<${rows} | j<${columns}] ${a}[i, j] * ${b}[i, j]`);
        lines.push(
          `%${name}: ${shape} = ${at} ${b}[i, j] / (2 + %s${k}[i] * %s${k}[i]) + ${a}[${kind === 3 ? "i, j" : `i, -j + ${columns - 1}`}]`,
        );
      } else if (kind === 4) lines.push(`%${name}: ${shape} = ${at} ${a}[i, j] * cos(${b}[i, j])`);
      else lines.push(`%${name}: ${shape} = ${at} ${a}[i, j] + ${b}[i, j - 1 else 0]`);
    }
    lines.push(`output %t${steps.length + 1} result y`);
    return readGraph(lines.join("\n"));
  });

test("iterations that threads share may run in any order", () => {
  let reused = 0;
  fc.assert(
    fc.property(programs, (graph) => {
      const inputs = valuesFor(graph);
      for (const target of ["cpu", "gpu"] as const) expectNothingLost(graph, target);
      reused += schedule(graph, "cpu").reused.size;
      const results = runOnCpu(graph, inputs);
      expect(interpretOnCpu(graph, inputs, { kernel: backwards })).toEqual(results);
      expectClose(graph, results, evaluateOutputs(graph, inputs), { relative: 1e-4, absolute: 1e-4 });
    }),
    { numRuns: runs },
  );
  expect(reused).toBeGreaterThan(runs / 3);
});
