/** Graphs whose WebAssembly must agree with the reference: one per kind of node, combiner and shape of group. */
import { describe, test } from "vitest";
import type { Graph } from "../../compiler/graph/graph.ts";
import { readGraph } from "../../compiler/graph/read.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { expectClose } from "../support/compare.ts";
import { runOnCpu } from "../support/run-cpu.ts";

/** Small numbers that repeat, so that ties occur; integers in [0, 5). */
function valuesFor(graph: Graph, seed = 1): number[][] {
  let state = seed * 2654435761;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return graph.inputs.map(({ tensor: { type } }) => {
    const count = type.shape.reduce((product, extent) => product * extent, 1);
    return Array.from({ length: count }, () => {
      if (type.dtype === "bool") return next() < 0.5 ? 0 : 1;
      if (type.dtype === "f32" || type.dtype === "f16") return Math.fround(Math.round((next() * 4 - 2) * 16) / 16);
      return Math.floor(next() * 5);
    });
  });
}

const map = (shape: string, axes: string, body: string): string =>
  `input %x: f32[${shape}] argument x\n%y: f32[${shape}] = map[${axes}] ${body}\noutput %y result y`;

const cases: Readonly<Record<string, string>> = {
  "a scalar": "input %x: f32[] argument x\n%y: f32[] = map[] %x * 2 + 1\noutput %y result y",
  ...Object.fromEntries(
    [2, 3, 4, 5, 7, 8, 33].map((n) => [`a map of ${n}`, map(`${n}`, `i<${n}`, "max(%x[i], 0) + to_f32(i)")]),
  ),
  "a map over odd extents": map("3,5,7", "i<3, j<5, k<7", "%x[i,j,k] * 2 + to_f32(j)"),
  transpose: "input %x: f32[5,7] argument x\n%y: f32[7,5] = map[j<7, i<5] %x[i, j]\noutput %y result y",
  ...Object.fromEntries(
    [
      [4, 4],
      [16, 6],
      [37, 50],
    ].map(([m, n]) => [
      `a transpose of ${m} by ${n} among other terms`,
      `input %x: f32[${m},${n}] argument x\ninput %z: f32[${m}] argument z
      %y: f32[${n},${m}] = map[j<${n}, i<${m}] max(%x[i, j], %z[i]) * to_f32(j) - to_f32(i)\noutput %y result y`,
    ]),
  ),
  "channels last": `input %x: f32[2,5,3,7] argument x
    %y: f32[2,3,7,5] = map[n<2, i<3, j<7, c<5] %x[n, c, i, j]\noutput %y result y`,
  "few long rows": `input %x: f32[2,3,900] argument x\ninput %z: f32[2,3] argument z
    %y: f32[2,3,900] = map[n<2, c<3, i<900] %x[n, c, i] + %z[n, c] - to_f32(c)\noutput %y result y`,
  ...Object.fromEntries(
    [
      ["131072", "i<131072", "i"],
      ["131101", "i<131101", "i"],
      ["6,21846", "n<6, i<21846", "n, i"],
      ["2,3,5,4370", "h<2, n<3, k<5, i<4370", "h, n, k, i"],
    ].map(([shape, axes, at]) => [
      `long reductions over [${shape}]`,
      `input %x: f32[${shape}] argument x
      %s: f32[] = sum[| ${axes}] %x[${at}] * %x[${at}]\n%m: f32[] = max[| ${axes}] %x[${at}] - to_f32(i) * 0.001
      output %s result s\noutput %m result m`,
    ]),
  ),
  "a number and what is looked up by it": `input %id: i32[8] argument id\ninput %w: f32[5] argument w
    %m: i32[8] = map[i<8] max(%id[i], select(i == 0, 3:i32, 1:i32))
    %s: f32[] = sum[| i<8] to_f32(%m[i]) * %w[%m[i] else 0]\noutput %s result s`,
  reversal: "input %x: f32[19] argument x\n%y: f32[19] = map[i<19] %x[18 - i]\noutput %y result y",
  "stride 2": "input %x: f32[20] argument x\n%y: f32[10] = map[i<10] %x[2*i + 1]\noutput %y result y",
  "stride 3": "input %x: f32[30] argument x\n%y: f32[10] = map[i<10] %x[3*i]\noutput %y result y",
  "a shift with else": map("11", "i<11", "%x[i - 2 else 7] - %x[i + 3 else 0]"),
  "a blur with else in two axes": map(
    "6,9",
    "i<6, j<9",
    "%x[i - 1, j - 1 else 0] + %x[i, j] + %x[i + 1, j + 2 else 0]",
  ),
  "a row of softmax": `input %x: f32[6,10] argument x
    %m: f32[6] = max[i<6 | j<10] %x[i, j]
    %e: f32[6,10] = map[i<6, j<10] exp(%x[i, j] - %m[i])
    %s: f32[6] = sum[i<6 | j<10] %e[i, j]
    %y: f32[6,10] = map[i<6, j<10] %e[i, j] / %s[i]
    output %y result y`,
  "softmax over a middle axis": `input %x: f32[3,10,6] argument x
    %m: f32[3,6] = max[i<3, k<6 | j<10] %x[i, j, k]
    %e: f32[3,10,6] = map[i<3, j<10, k<6] exp(%x[i, j, k] - %m[i, k])
    %s: f32[3,6] = sum[i<3, k<6 | j<10] %e[i, j, k]
    %y: f32[3,10,6] = map[i<3, j<10, k<6] %e[i, j, k] / %s[i, k]
    output %y result y`,
  "batch statistics": `input %x: f32[4,3,5,6] argument x
    input %g: f32[3] parameter g
    %sum: f32[3] = sum[c<3 | n<4, i<5, j<6] %x[n, c, i, j]
    %mean: f32[3] = map[c<3] %sum[c] / 120
    %d: f32[4,3,5,6] = map[n<4, c<3, i<5, j<6] %x[n, c, i, j] - %mean[c]
    %q: f32[3] = sum[c<3 | n<4, i<5, j<6] %d[n, c, i, j] * %d[n, c, i, j]
    %y: f32[4,3,5,6] = map[n<4, c<3, i<5, j<6] %d[n, c, i, j] / sqrt(%q[c] / 120 + 0.001) * %g[c]
    output %y result y
    output %mean result mean`,
  "two sums over one domain": `input %x: f32[9,13] argument x
    input %d: f32[9,13] argument d
    %a: f32[13] = sum[j<13 | i<9] %d[i, j]
    %b: f32[13] = sum[j<13 | i<9] %d[i, j] * %x[i, j]
    output %a result a
    output %b result b`,
  "moments of rows": `input %x: f32[7,11] argument x
    %m, %q: f32[7], f32[7] = moments[i<7 | j<11] %x[i, j]
    output %m result m
    output %q result q`,
  "a sum that later loops read": `input %x: f32[8,9,4] argument x
    %s: f32[4] = sum[k<4 | j<9, i<8] %x[i, j, k]
    %y: f32[8,9,4] = map[i<8, j<9, k<4] exp((%x[i, j, k] - %s[k]) * 0.1)
    output %s result s
    output %y result y`,
  "a long sum": "input %x: f32[100003] argument x\n%y: f32[] = sum[| i<100003] %x[i]\noutput %y result y",
  "a long sum of columns":
    "input %x: f32[3001,5] argument x\n%y: f32[5] = sum[j<5 | i<3001] %x[i, j]\noutput %y result y",
  ...Object.fromEntries(
    ["sum", "prod", "max", "min"].flatMap((combiner) => [
      [
        `${combiner} of rows`,
        `input %x: f32[5,13] argument x\n%y: f32[5] = ${combiner}[i<5 | j<13] %x[i, j]\noutput %y result y`,
      ],
      [
        `${combiner} of columns`,
        `input %x: f32[13,5] argument x\n%y: f32[5] = ${combiner}[i<5 | j<13] %x[j, i]\noutput %y result y`,
      ],
      [
        `${combiner} of integers`,
        `input %x: i32[13,5] argument x\n%y: i32[5] = ${combiner}[i<5 | j<13] %x[j, i]\noutput %y result y`,
      ],
    ]),
  ),
  ...Object.fromEntries(
    ["any", "all"].map((combiner) => [
      `${combiner} of rows`,
      `input %x: f32[5,7] argument x\n%y: bool[5] = ${combiner}[i<5 | j<7] %x[i, j] > -1.9\noutput %y result y`,
    ]),
  ),
  ...Object.fromEntries(
    ["max_first", "min_first"].flatMap((combiner) => [
      [
        `${combiner} of rows`,
        `input %x: f32[5,23] argument x\n%y, %at: f32[5], i32[5] = ${combiner}[i<5 | j<23] %x[i, j]\noutput %y result y\noutput %at result at`,
      ],
      [
        `${combiner} over two axes, one outside`,
        `input %x: f32[3,5,4] argument x\n%y, %at: f32[5], i32[5] = ${combiner}[i<5 | k<4, j<3] %x[j, i, k]\noutput %y result y\noutput %at result at`,
      ],
    ]),
  ),
  "max pooling and its adjoint": `input %x: f32[2,3,8,12] argument x
    input %d: f32[2,3,4,6] argument d
    %v: f32[2,3,4,2,6,2] = view %x
    %y, %at: f32[2,3,4,6], i32[2,3,4,6] = max_first[n<2, c<3, i<4, j<6 | p<2, q<2] %v[n,c,i,p,j,q]
    %dv: f32[2,3,4,2,6,2] = map[n<2, c<3, i<4, p<2, j<6, q<2] select(%at[n,c,i,j] == 2*p + q, %d[n,c,i,j], 0)
    %dx: f32[2,3,8,12] = view %dv
    %s: f32[3] = sum[c<3 | n<2, i<8, j<12] %dx[n,c,i,j]
    %z: f32[2,3,8,12] = map[n<2, c<3, i<8, j<12] %dx[n,c,i,j] * 2
    output %y result y
    output %s result s
    output %z result z`,
  "average pooling with padding": `input %x: f32[2,7,9] argument x
    %s: f32[2,4,5] = sum[n<2, i<4, j<5 | p<3, q<3] %x[n, 2*i + p - 1, 2*j + q - 1 else 0]
    %y: f32[2,4,5] = map[n<2, i<4, j<5] %s[n, i, j] / 9
    output %y result y`,
  "matrix product with epilogue": `input %a: f32[7,9] argument a
    input %b: f32[9,5] argument b
    input %c: f32[5] argument c
    %p: f32[7,5] = sum[i<7, j<5 | k<9] %a[i, k] * %b[k, j]
    %y: f32[7,5] = map[i<7, j<5] max(%p[i, j] + %c[j], 0)
    output %y result y`,
  "a gather of rows": `input %w: f32[5,6] argument w
    input %id: i32[4] argument id
    %y: f32[4,6] = map[n<4, d<6] %w[%id[n], d]
    output %y result y`,
  "a gather along the lanes": `input %w: f32[5,6] argument w
    input %id: i32[7] argument id
    %y: f32[3,7] = map[i<3, n<7] %w[%id[n] + i - 1, 2 else -1]
    output %y result y`,
  "a scatter": `input %d: f32[4,6] argument d
    input %id: i32[4] argument id
    %y: f32[5,6] = scatter_add[n<4, e<6] [%id[n], e] clamp %d[n, e]
    output %y result y`,
  "a scatter that drops": `input %d: f32[9] argument d
    input %id: i32[9] argument id
    %y: f32[3] = scatter_add[n<9] [%id[n]] drop %d[n]
    output %y result y`,
  "a join of slices": `input %a: f32[3,5] argument a
    input %b: f32[3,4] argument b
    %a2: f32[3,5] = map[i<3, j<5] %a[i, j] + 1
    %y: f32[3,10] = join { %a2 at [:, 0:5], %b at [:, 6:10] } fill 9
    output %y result y`,
  "a join of residues": `input %a: f32[3,5] argument a
    %a2: f32[3,5] = map[i<3, j<5] %a[i, j] + 1
    %a3: f32[3,5] = map[i<3, j<5] %a[i, j] * 2
    %y: f32[3,10] = join { %a2 at [:, 0::2], %a3 at [:, 1::2] } fill 0
    output %y result y`,
  "updates in place": `input %w: f32[9] parameter w
    input %v: f32[9] optimizer v
    input %g: f32[9] argument g
    %v2: f32[9] = map[i<9] %v[i] * 0.9 + %g[i]
    %w2: f32[9] = map[i<9] %w[i] - 0.1 * %v2[i]
    %n: f32[] = sum[| i<9] %w[i] * %w[i]
    output %w2 parameter w
    output %v2 optimizer v
    output %n result n`,
  "a weight updated behind its gradient": `input %w: f32[9,7] parameter w
    input %v: f32[9,7] optimizer v
    input %x: f32[5,9] argument x
    input %d: f32[5,7] argument d
    %y: f32[5,7] = sum[n<5, j<7 | i<9] %x[n, i] * %w[i, j]
    %g: f32[9,7] = sum[i<9, j<7 | n<5] %x[n, i] * %d[n, j]
    %w2: f32[9,7] = map[i<9, j<7] %w[i, j] - 0.1 * (%v[i, j] * 0.9 + %g[i, j])
    %v2: f32[9,7] = map[i<9, j<7] %v[i, j] * 0.9 + %g[i, j]
    output %w2 parameter w
    output %v2 optimizer v
    output %y result y`,
  "a value needed after it was overwritten": `input %w: f32[9] parameter w
    %w2: f32[9] = map[i<9] %w[i] * 2 + 1
    %s: f32[] = sum[| i<9] %w2[i]
    %z: f32[9] = map[i<9] %w[i] + %s
    output %w2 parameter w
    output %z result z`,
  "persistent tensors exchanged": `input %a: f32[5] state a
    input %b: f32[5] state b
    output %b state a
    output %a state b
    output %a result old`,
  "booleans and integers in memory": `input %x: i32[9] argument x
    input %m: bool[9] argument m
    %y: bool[9] = map[i<9] %m[i] and %x[i] > 2
    %z: i32[9] = map[i<9] select(%y[i], %x[i] * 3, %x[i] / 2)
    output %y result y
    output %z result z`,
};

describe("WebAssembly computes what the reference computes", () => {
  for (const [name, text] of Object.entries(cases))
    test(name, () => {
      const graph = readGraph(text);
      verify(graph, "the text");
      const inputs = valuesFor(graph);
      expectClose(graph, runOnCpu(graph, inputs), evaluateOutputs(graph, inputs));
    });
});

test("NaN is the greatest and the least, and the first one stays", () => {
  const extents = [2, 3, 5, 8, 17, 40];
  for (const n of extents)
    for (const place of [0, 1, n - 1, Math.floor(n / 2)])
      for (const [parallel, rows, columns, at] of [
        [`i<3`, 3, n, "%x[i, r]"],
        [`i<3`, n, 3, "%x[r, i]"],
      ] as const) {
        const graph = readGraph(`input %x: f32[${rows},${columns}] argument x
          %m, %at: f32[3], i32[3] = max_first[${parallel} | r<${n}] ${at}
          %n, %bt: f32[3], i32[3] = min_first[${parallel} | r<${n}] ${at}
          %a: f32[3] = max[${parallel} | r<${n}] ${at}
          %b: f32[3] = min[${parallel} | r<${n}] ${at}
          output %m result m
          output %at result at
          output %n result n
          output %bt result bt
          output %a result a
          output %b result b`);
        const values = valuesFor(graph, n + place)[0]!;
        const index = (i: number, r: number): number => (rows === 3 ? i * n + r : r * 3 + i);
        values[index(0, place)] = Number.NaN;
        values[index(1, place)] = Number.NaN;
        values[index(1, n - 1)] = Number.NaN;
        values[index(2, place)] = Number.NEGATIVE_INFINITY;
        expectClose(graph, runOnCpu(graph, [values]), evaluateOutputs(graph, [values]));
      }
});

test("a row of -inf has its maximum at 0", () => {
  const graph = readGraph(`input %x: f32[2,9] argument x
    %m, %at: f32[2], i32[2] = max_first[i<2 | r<9] %x[i, r]
    output %m result m
    output %at result at`);
  const values = [Array.from({ length: 18 }, () => Number.NEGATIVE_INFINITY)];
  expectClose(graph, runOnCpu(graph, values), evaluateOutputs(graph, values));
});
