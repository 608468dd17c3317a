/** Graphs on WebGPU against the reference: random ones, and the forms that only appear at some size. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Graph } from "../../compiler/graph/graph.ts";
import { readGraph } from "../../compiler/graph/read.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { describeWebGPU } from "../support/dawn.ts";
import { makeGraph, type RandomKind, randomGraph } from "../support/random-graph.ts";
import { compileForGPU, runOnGPU } from "../support/run-webgpu.ts";

/** Within float32 and another order of sums; WGSL promises nothing about NaN and infinities. */
function expectNear(
  graph: Graph,
  got: readonly ArrayLike<number>[],
  want: readonly ArrayLike<number>[],
  relative: number,
): void {
  for (const [k, { tensor }] of graph.outputs.entries()) {
    const exact = tensor.type.dtype !== "f32" && tensor.type.dtype !== "f16";
    const [a, b] = [got[k]!, Array.from(want[k]!)];
    const scale = b.filter(Number.isFinite).reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    expect(a.length).toBe(b.length);
    for (const [element, value] of b.entries()) {
      if (!Number.isFinite(value) || Math.abs(value) > 1e37) continue;
      const error = Math.abs(a[element]! - value);
      if (!(error <= (exact ? 0 : relative * scale)))
        expect.fail(`%${tensor.name}[${element}]: got ${a[element]}, reference ${value}`);
    }
  }
}

async function check(gpu: GPU, graph: Graph, inputs: readonly (readonly number[])[], relative = 1e-4): Promise<void> {
  expectNear(graph, await runOnGPU(gpu, graph, inputs), evaluateOutputs(graph, inputs), relative);
}

/** Values in [-1, 1) that do not repeat; integers in [0, `range`). */
function valuesOf(graph: Graph, range = 4): number[][] {
  let state = 12345;
  return graph.inputs.map(({ tensor: { type } }) =>
    Array.from({ length: type.shape.reduce((total, extent) => total * extent, 1) }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return type.dtype === "f32" ? Math.fround(state / 2 ** 31 - 1) : state % range;
    }),
  );
}

describeWebGPU("random graphs: reference = WGSL", (context) => {
  const kinds: readonly RandomKind[] = [
    "generic",
    "generic",
    "generic",
    "view",
    "join",
    "scatter_add",
    "sort",
    "random",
  ];
  test("of all node kinds but scan", async () => {
    await fc.assert(
      fc.asyncProperty(randomGraph({ kinds }), ({ graph, inputs }) => check(context().gpu, graph, inputs)),
      { numRuns: process.env.DLX_DEEP ? 400 : 15, endOnFailure: !process.env.DLX_DEEP },
    );
  });
  test("with scans", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 30 }), async (seed) => {
        const { graph, inputs } = makeGraph(seed, [seed + 1, seed + 2], { kinds: ["scan"] });
        await check(context().gpu, graph, inputs);
      }),
      { numRuns: process.env.DLX_DEEP ? 60 : 4, endOnFailure: !process.env.DLX_DEEP },
    );
  });
});

const softmax = (rows: number, length: number) => `input %x: f32[${rows},${length}] argument x
  %m: f32[${rows}] = max[i<${rows} | j<${length}] %x[i, j]
  %e: f32[${rows},${length}] = map[i<${rows}, j<${length}] exp(%x[i, j] - %m[i])
  %s: f32[${rows}] = sum[i<${rows} | j<${length}] %e[i, j]
  %y: f32[${rows},${length}] = map[i<${rows}, j<${length}] %e[i, j] / %s[i]
  %top, %at: f32[${rows}], i32[${rows}] = max_first[i<${rows} | j<${length}] %x[i, j]
  output %y result y
  output %s result s
  output %top result top
  output %at result at`;
const columns = (rows: number, length: number) => `input %x: f32[${length},${rows}] argument x
  %mean, %squares: f32[${rows}], f32[${rows}] = moments[i<${rows} | j<${length}] %x[j, i] + 100
  %y: f32[${length},${rows}] = map[j<${length}, i<${rows}] %x[j, i] - %mean[i]
  output %mean result mean
  output %squares result squares
  output %y result y`;
const product = (m: number, n: number, k: number) => `input %x: f32[${m},${k}] argument x
  input %w: f32[${n},${k}] argument w
  input %b: f32[${n}] argument b
  %p: f32[${m},${n}] = sum[i<${m}, j<${n} | k<${k}] %x[i, k] * %w[j, k]
  %y: f32[${m},${n}] = map[i<${m}, j<${n}] max(%p[i, j] + %b[j], 0)
  output %y result y`;

describeWebGPU("rows", (context) => {
  test.each([
    [3, 5],
    [64, 10],
    [2, 20000],
    [4200, 9],
  ])("softmax and first maximum, %i x %i", async (rows, length) => {
    const graph = readGraph(softmax(rows, length));
    await check(context().gpu, graph, valuesOf(graph));
  });
  test.each([
    [40, 64],
    [3, 20000],
  ])("moments of columns, %i x %i", async (rows, length) => {
    const graph = readGraph(columns(rows, length));
    await check(context().gpu, graph, valuesOf(graph), 1e-5);
  });
  test.each([
    [2, 20000],
    [40, 300],
    [3, 40],
  ])("a value of each row that would lie over what later passes need, %i x %i", async (rows, length) => {
    const graph = readGraph(`input %x: f32[${rows},${length}] argument x
      input %z: f32[${rows},7] argument z
      input %w: f32[${rows}] state w
      %a: f32[${rows}] = sum[i<${rows} | k<7] %z[i, k]
      %s: f32[${rows}] = sum[i<${rows} | j<${length}] %x[i, j] * %a[i] * %w[i]
      %d: f32[${rows}] = map[i<${rows}] %a[i] + %s[i] * %s[i]
      %v: f32[${rows}] = map[i<${rows}] %w[i] - 0.5 * %s[i]
      %t: f32[${rows}] = sum[i<${rows} | j<${length}] %x[i, j] * (%d[i] + %v[i])
      %y: f32[${rows},${length}] = map[i<${rows}, j<${length}] %x[i, j] * (%a[i] + %w[i]) + %d[i] + %t[i] * %v[i]
      output %d result d
      output %v state w
      output %t result t
      output %y result y`);
    await check(context().gpu, graph, valuesOf(graph));
  });
  test("few long rows are cut in pieces", () => {
    const launches = (text: string) =>
      compileForGPU(readGraph(text)).manifest.webgpu?.plan.entries[0]?.dispatches.length;
    expect(launches(softmax(64, 10))).toBe(1);
    expect(launches(softmax(1 + 1, 20000))).toBeGreaterThan(1);
  });
});

describeWebGPU("contractions", (context) => {
  test.each([
    [3, 5, 7],
    [33, 65, 100],
    [6, 25, 20000],
    [130, 132, 20],
  ])("product with bias and relu, %i x %i x %i", async (m, n, k) => {
    const graph = readGraph(product(m, n, k));
    await check(context().gpu, graph, valuesOf(graph));
  });
  test("more tiles than workgroups in a line, each with a step of descent", async () => {
    const graph = readGraph(`input %x: f32[65537,2,3] argument x
      input %y: f32[65537,3,2] argument y
      input %w: f32[65537,2,2] state w
      %g: f32[65537,2,2] = sum[b<65537, i<2, j<2 | k<3] %x[b, i, k] * %y[b, k, j]
      %v: f32[65537,2,2] = map[b<65537, i<2, j<2] %w[b, i, j] - 0.5 * %g[b, i, j]
      output %v state w`);
    await check(context().gpu, graph, valuesOf(graph));
  });
  test("random shapes", async () => {
    const extent = fc.integer({ min: 2, max: 40 });
    await fc.assert(
      fc.asyncProperty(extent, extent, extent, async (m, n, k) => {
        const graph = readGraph(product(m, n, k));
        await check(context().gpu, graph, valuesOf(graph));
      }),
      { numRuns: process.env.DLX_DEEP ? 100 : 2 },
    );
  });
  test("convolution with padding, and both adjoints", async () => {
    const graph = readGraph(`input %x: f32[4,3,9,10] argument x
      input %w: f32[6,3,5,5] argument w
      %y: f32[4,6,9,10] = sum[n<4, o<6, i<9, j<10 | c<3, p<5, q<5] %x[n, c, i + p - 2, j + q - 2 else 0] * %w[o, c, p, q]
      %dw: f32[6,3,5,5] = sum[o<6, c<3, p<5, q<5 | n<4, i<9, j<10] %y[n, o, i, j] * %x[n, c, i + p - 2, j + q - 2 else 0]
      %dx: f32[4,3,9,10] = sum[n<4, c<3, h<9, v<10 | o<6, p<5, q<5] %y[n, o, h - p + 2, v - q + 2 else 0] * %w[o, c, p, q]
      output %y result y
      output %dw result dw
      output %dx result dx`);
    await check(context().gpu, graph, valuesOf(graph));
  });
  test("batched, both factors expressions, stride 2", async () => {
    const graph = readGraph(`input %q: f32[2,3,11,8] argument q
      input %k: f32[2,3,22,8] argument k
      %s: f32[2,3,11,11] = sum[n<2, h<3, i<11, j<11 | e<8] (%q[n, h, i, e] * 0.5) * max(%k[n, h, 2*j, e], 0)
      output %s result s`);
    await check(context().gpu, graph, valuesOf(graph));
  });
});

describeWebGPU("other nodes", (context) => {
  test("scatter_add: an embedding's gradient, and everything in one place", async () => {
    const embedding = readGraph(`input %id: i32[5,70] argument id
      input %dy: f32[5,70,6] argument dy
      %dw: f32[9,6] = scatter_add[n<5, t<70, d<6] [%id[n, t], d] clamp %dy[n, t, d]
      output %dw result dw`);
    await check(context().gpu, embedding, valuesOf(embedding, 12));
  });
  test("a map over more than 65535 workgroups", async () => {
    const count = 65536 * 256 + 3;
    const graph = readGraph(`input %x: f32[1] argument x
      %y: i32[${count}] = map[i<${count}] i + to_i32(%x[0])
      %last: i32[] = map[] %y[${count - 1}]
      output %last result last
      output %y result y`);
    const { plan } = compileForGPU(graph).manifest.webgpu!;
    expect(plan.entries[0]?.dispatches.some(({ workgroups }) => workgroups[1] > 1)).toBe(true);
    const [last, all] = await runOnGPU(context().gpu, graph, [[2]]);
    expect(last).toEqual([count + 1]);
    expect(all?.findIndex((value, k) => value !== k + 2)).toBe(-1);
  });
});

describe("kernels of repeated structure", () => {
  test("equal layers share a kernel", () => {
    const graph = readGraph(`input %x: f32[8,16] argument x
      input %a: f32[16,16] argument a
      input %b: f32[16,16] argument b
      %y: f32[8,16] = sum[i<8, j<16 | k<16] %x[i, k] * %a[k, j]
      %z: f32[8,16] = sum[i<8, j<16 | k<16] %y[i, k] * %b[k, j]
      output %z result z`);
    const dispatches = compileForGPU(graph).manifest.webgpu?.plan.entries[0]?.dispatches ?? [];
    expect(dispatches.length).toBe(2);
    expect(new Set(dispatches.map(({ kernel }) => kernel)).size).toBe(1);
  });
});
