/** Positions of sorted elements: the same on the reference, WebAssembly and WGSL, for any length, ties and NaN included. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Graph } from "../../compiler/graph/graph.ts";
import { printGraph } from "../../compiler/graph/print.ts";
import { readGraph } from "../../compiler/graph/read.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { describeWebGPU } from "../support/dawn.ts";
import { runOnCpu } from "../support/run-cpu.ts";
import { runOnThreads } from "../support/run-threads.ts";
import { runOnGPU } from "../support/run-webgpu.ts";

const sortOf = (shape: readonly number[], axis: number, dtype = "f32"): Graph => {
  const text = `input %x: ${dtype}[${shape}] argument x
    %at: i32[${shape}] = sort %x axis ${axis}
    output %at result at`;
  return verify(readGraph(text), "the text");
};
const count = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

/** `kinds` different values, so that some repeat; infinities, zeros of both signs and NaN among the floats. */
function valuesFor(dtype: string, size: number, kinds: number): number[] {
  let state = size * 2654435761 + kinds;
  const special = [NaN, Infinity, -Infinity, -0, 0, 1e-40, -1e-40];
  return Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const number = (state >>> 4) % kinds;
    if (dtype === "bool") return number % 2;
    if (dtype === "u32") return number % 3 === 0 ? 2 ** 32 - 1 - number : number;
    if (dtype === "i32") return number - Math.floor(kinds / 2);
    if (number % 11 === 0) return special[(state >>> 9) % special.length]!;
    return Math.fround((number - kinds / 2) * 1.1);
  });
}

const shapes: readonly (readonly [shape: readonly number[], axis: number])[] = [
  [[1], 0],
  [[3, 1, 4], 1],
  [[2], 0],
  [[7], 0],
  [[5, 8], 1],
  [[9, 3, 5], 1],
  [[13, 4], 0],
  [[2, 257], 1],
  [[1009, 3], 0],
  [[4, 256], 1],
  [[6000], 0],
];

describe("WebAssembly sorts as the reference does", () => {
  for (const [shape, axis] of shapes)
    test(`axis ${axis} of [${shape}]`, () => {
      for (const dtype of ["f32", "i32", "u32", "bool"])
        for (const kinds of [4, 40, 100_000]) {
          const graph = sortOf(shape, axis, dtype);
          const inputs = [valuesFor(dtype, count(shape), kinds)];
          expect(Array.from(runOnCpu(graph, inputs)[0]!)).toEqual(Array.from(evaluateOutputs(graph, inputs)[0]!));
        }
    });
  test("random shapes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
        fc.nat(2),
        fc.integer({ min: 1, max: 30 }),
        (shape, axis, kinds) => {
          const graph = sortOf(shape, axis % shape.length);
          const inputs = [valuesFor("f32", count(shape), kinds)];
          expect(Array.from(runOnCpu(graph, inputs)[0]!)).toEqual(Array.from(evaluateOutputs(graph, inputs)[0]!));
        },
      ),
      { numRuns: 30 },
    );
  });
});

test("threads share the rows", async () => {
  for (const [shape, axis] of [
    [[37, 11], 1],
    [[50, 3], 0],
  ] as const) {
    const graph = sortOf(shape, axis);
    const inputs = [valuesFor("f32", count(shape), 7)];
    const want = Array.from(evaluateOutputs(graph, inputs)[0]!);
    for (const [got] of await runOnThreads(graph, inputs, [1, 2, 3])) expect(got).toEqual(want);
  }
});

test("equal elements keep their order, -0 is 0, NaN stands last", () => {
  const [at] = evaluateOutputs(sortOf([8], 0), [[NaN, 1, -0, Infinity, 0, 1, -Infinity, NaN]]);
  expect(Array.from(at!)).toEqual([6, 2, 4, 1, 5, 3, 0, 7]);
});

test("a sort's text reads back", () => {
  const graph = sortOf([2, 5], 1);
  expect(printGraph(readGraph(printGraph(graph)))).toBe(printGraph(graph));
  expect(() => verify(sortOf([2, 5], 2), "the text")).toThrow("has no axis 2");
});

describeWebGPU("WGSL sorts as the reference does", (context) => {
  for (const [shape, axis] of shapes)
    test(`axis ${axis} of [${shape}]`, async () => {
      for (const dtype of ["f32", "i32"])
        for (const kinds of [4, 100_000]) {
          const graph = sortOf(shape, axis, dtype);
          const inputs = [valuesFor(dtype, count(shape), kinds)];
          const [got] = await runOnGPU(context().gpu, graph, inputs);
          expect(Array.from(got!)).toEqual(Array.from(evaluateOutputs(graph, inputs)[0]!));
        }
    });
});
