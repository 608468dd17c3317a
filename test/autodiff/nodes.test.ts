/** One node at a time, written out: the shapes of indexing that layers are made of, and the odd ones. */
import { describe, expect, it } from "vitest";
import type { Graph } from "../../compiler/graph/graph.ts";
import { readGraph } from "../../compiler/graph/read.ts";
import { generator } from "../scalar/sampling.ts";
import { checkGradients, gradientText, sizeOf, type WithGradients, withGradients } from "./support.ts";

/** Inputs declared in a line, nodes after it; the last result is the output. */
function graphOf(inputs: Record<string, string>, nodes: string, outputs: readonly string[]): Graph {
  const declared = Object.entries(inputs).map(([name, type]) => `input %${name}: ${type} argument ${name}`);
  const results = outputs.map((name) => `output %${name} result ${name}`);
  return readGraph([...declared, nodes, ...results, ""].join("\n"));
}

/** Values a good step apart from each other, so that no maximum ties within a difference's step. */
function valuesFor({ graph }: WithGradients, integers: Record<string, readonly number[]>, seed: number) {
  const random = generator(seed);
  return new Map(
    graph.inputs
      .filter(({ tensor }) => !tensor.name.startsWith("d_"))
      .map(({ tensor }) => {
        const given = integers[tensor.name];
        if (given) return [tensor, Float64Array.from(given)] as const;
        const size = sizeOf(tensor);
        const order = Array.from({ length: size }, (_, k) => k).sort(() => random() - 0.5);
        return [
          tensor,
          Float64Array.from(order, (k) => ((k + 0.5) / size) * 3 - 1.5 + random() * (0.3 / size)),
        ] as const;
      }),
  );
}

interface Case {
  readonly inputs: Record<string, string>;
  readonly nodes: string;
  readonly outputs?: readonly string[];
  readonly integers?: Record<string, readonly number[]>;
  /** What must, and must not, be in the text of the adjoint. */
  readonly shows?: readonly RegExp[];
  readonly hides?: readonly RegExp[];
}
const x = (shape: string) => ({ x: `f32[${shape}]` });

const cases: Record<string, Case> = {
  "a slice": {
    inputs: x("8"),
    nodes: "%y: f32[5] = map[i<5] %x[i + 2]",
    hides: [/select/, /else/],
    shows: [/at \[2:7\]/],
  },
  "a strided slice": {
    inputs: x("9"),
    nodes: "%y: f32[3] = map[i<3] %x[3*i + 1]",
    shows: [/at \[1::3\]/],
    hides: [/select/],
  },
  "a reversal": {
    inputs: x("5"),
    nodes: "%y: f32[5] = map[i<5] %x[-i + 4]",
    shows: [/%d_y\[-i \+ 4\]/],
    hides: [/join/],
  },
  "an element": { inputs: x("5,4"), nodes: "%y: f32[] = map[] %x[3, 2]", shows: [/join/] },
  "a transpose": { inputs: x("3,4"), nodes: "%y: f32[4,3] = map[i<4, j<3] %x[j, i]", hides: [/sum/, /join/] },
  "a broadcast": { inputs: x("3"), nodes: "%y: f32[4,3] = map[i<4, j<3] %x[j] * 2", shows: [/sum\[j<3 \| i<4\]/] },
  "a broadcast of nothing": { inputs: x("3"), nodes: "%y: f32[3,4] = map[i<3, j<4] %x[i]", shows: [/sum/] },
  "a sum of what does not vary": {
    inputs: x("3"),
    nodes: "%y: f32[3] = sum[i<3 | j<4] %x[i]",
    shows: [/\* 4/],
    hides: [/sum/],
  },
  padding: { inputs: x("4"), nodes: "%y: f32[8] = map[i<8] %x[i - 2 else 0]", hides: [/select/, /else/] },
  "an else that counts": { inputs: x("4"), nodes: "%y: f32[6] = map[i<6] %x[i - 1 else 2] * %x[i - 1 else 2]" },
  "a trace": { inputs: x("4,4"), nodes: "%y: f32[] = sum[| i<4] %x[i, i]", shows: [/select/] },
  "a diagonal off the corner": { inputs: x("5,4"), nodes: "%y: f32[3] = map[i<3] %x[i + 2, i] * %x[i + 2, i + 1]" },
  "a repeated index with factors": { inputs: x("9,5"), nodes: "%y: f32[3] = map[i<3] %x[2*i + 1, 2*i]" },
  "a convolution": {
    inputs: { x: "f32[2,3,6,5]", w: "f32[4,3,3,2]" },
    nodes:
      "%y: f32[2,4,6,5] = sum[n<2, o<4, i<6, j<5 | c<3, p<3, q<2] %x[n, c, i + p - 1, j + q - 1 else 0] * %w[o, c, p, q]",
    hides: [/select/, /join/],
  },
  "a convolution of stride 2": {
    inputs: { x: "f32[2,2,8,8]", w: "f32[3,2,3,3]" },
    nodes:
      "%y: f32[2,3,4,4] = sum[n<2, o<3, i<4, j<4 | c<2, p<3, q<3] %x[n, c, 2*i + p - 1, 2*j + q - 1 else 0] * %w[o, c, p, q]",
    hides: [/select/, /scatter/],
    shows: [/d_x\.0_?0/, /0::2, 1::2/],
  },
  "stride 3, dilation 2, kernel larger than the output": {
    inputs: { x: "f32[11]", w: "f32[5]" },
    nodes: "%y: f32[2] = sum[i<2 | p<5] %x[3*i + 2*p - 1 else 0] * %w[p]",
    hides: [/select/, /scatter/],
  },
  "stride 2, dilation 2: odd pixels are never read": {
    inputs: { x: "f32[12]", w: "f32[3]" },
    nodes: "%y: f32[4] = sum[i<4 | p<3] %x[2*i + 2*p] * %w[p]",
    hides: [/select/, /scatter/],
  },
  "stride 4, dilation 6": {
    inputs: { x: "f32[30]", w: "f32[3]" },
    nodes: "%y: f32[5] = sum[i<5 | p<3] %x[4*i + 6*p - 2 else 0] * %w[p]",
    hides: [/select/, /scatter/],
  },
  "two indices with a common stride": {
    inputs: x("23"),
    nodes: "%y: f32[4,3] = map[i<4, j<3] %x[4*i + 2*j + 1] * %x[3*i + 5*j]",
  },
  "a transposed convolution": {
    inputs: { x: "f32[2,4]", w: "f32[2,3]" },
    nodes: "%y: f32[4] = sum[i<4 | c<2, p<3] %x[c, i - p + 1 else 0] * %w[c, p]",
    hides: [/select/],
  },
  "a weight gradient, differentiated again": {
    inputs: { x: "f32[7]", g: "f32[5]" },
    nodes: "%y: f32[3] = sum[p<3 | i<5] %g[i] * %x[i + p]",
    hides: [/select/],
  },
  "overlapping windows": {
    inputs: x("7"),
    nodes: "%y: f32[3,3] = map[i<3, p<3] %x[2*i + p]",
    hides: [/select/, /scatter/],
  },
  "a window whose pivot only the kernel bounds": {
    inputs: { x: "f32[9]" },
    nodes: "%y: f32[3] = sum[p<3 | i<5] exp(%x[i + p])",
    shows: [/select/],
  },
  "a stride beyond the pieces allowed": {
    inputs: { x: "f32[120]", w: "f32[40]" },
    nodes: "%y: f32[4] = sum[i<4 | p<40] %x[20*i + p] * %w[p]",
    hides: [/scatter/, /select/],
  },
  "the same with an offset, a ragged kernel and padding": {
    inputs: { x: "f32[101]", w: "f32[31]" },
    nodes: "%y: f32[5] = sum[i<5 | p<31] %x[20*i + 3*p - 7 else 0] * %w[p]",
    hides: [/scatter/, /select/],
  },
  "the same backwards": {
    inputs: { x: "f32[130]", w: "f32[31]" },
    nodes: "%y: f32[5] = sum[i<5 | p<31] %x[-20*i - p + 110] * sin(%w[p])",
    hides: [/scatter/],
  },
  "strides 5 in two dimensions": {
    inputs: { x: "f32[17,16]", w: "f32[7,6]" },
    nodes: "%y: f32[3,3] = sum[i<3, j<3 | p<7, q<6] %x[5*i + p, 5*j + q] * %w[p, q]",
    hides: [/scatter/, /select/],
  },
  reflection: {
    inputs: x("5"),
    nodes: "%y: f32[9] = map[i<9] %x[{2,1,0,1,2,3,4,3,2}[i]]",
    hides: [/scatter/, /select/],
  },
  "nearest resize": {
    inputs: x("3,4"),
    nodes: "%y: f32[7,4] = map[i<7, j<4] %x[{0,0,0,1,1,2,2}[i], j]",
    hides: [/scatter/],
  },
  "a table and a filter": {
    inputs: { x: "f32[5]", w: "f32[3]" },
    nodes: "%y: f32[4] = sum[i<4 | p<3] %x[{0,0,3,1}[i] + p else 0] * %w[p]",
  },
  "a table with many of one": {
    inputs: x("3"),
    nodes: `%y: f32[40] = map[i<40] %x[{${Array.from({ length: 40 }, (_, k) => (k < 38 ? 1 : 2)).join(",")}}[i]]`,
  },
  "cross-entropy's gather": {
    inputs: { x: "f32[3,4]", id: "i32[3]" },
    nodes: "%y: f32[3] = map[n<3] -%x[n, %id[n]]",
    integers: { id: [2, 0, 9] },
    hides: [/scatter/],
    shows: [/select/],
  },
  "an embedding": {
    inputs: { x: "f32[4,3]", id: "i32[2,3]" },
    nodes: "%y: f32[2,3,3] = map[n<2, t<3, d<3] %x[%id[n, t], d]",
    integers: { id: [2, 0, 2, 3, 7, -1] },
    shows: [/scatter_add/],
  },
  "an embedding with an else": {
    inputs: { x: "f32[4,3]", id: "i32[5]" },
    nodes: "%y: f32[5,3] = map[n<5, d<3] %x[%id[n], d else 1] * %x[%id[n], d else 1]",
    integers: { id: [2, 0, 2, 4, -1] },
    shows: [/scatter_add.*drop/],
  },
  "a shifted crop": {
    inputs: { x: "f32[2,6]", id: "i32[2]" },
    nodes: "%y: f32[2,6] = map[n<2, i<6] %x[n, i + %id[n] else 0] * %x[n, i]",
    integers: { id: [2, -3] },
    hides: [/scatter/],
  },
  "a shifted crop without an else": {
    inputs: { x: "f32[2,6]", id: "i32[2]" },
    nodes: "%y: f32[2,6] = map[n<2, i<6] %x[n, i + %id[n]]",
    integers: { id: [2, -3] },
    shows: [/scatter_add/],
  },
  "a gather beside a window": {
    inputs: { x: "f32[6]", w: "f32[4]", id: "i32[4]" },
    nodes: "%y: f32[4] = sum[i<4 | p<3] %x[i + p] * %w[%id[i]]",
    integers: { id: [3, 3, 0, 5] },
  },
  "a gather whose index is solved for": {
    inputs: { x: "f32[4,6]", id: "i32[3]" },
    nodes: "%y: f32[3] = sum[i<3 | p<2] %x[2*p + i - 1, 2*%id[i] + p else 0] * %x[i, p]",
    integers: { id: [2, 0, 1] },
  },
  "index values": { inputs: x("7"), nodes: "%y: f32[3] = sum[i<3 | p<3] %x[2*i + p] * to_f32(i * 3 + p)" },
  "masks from indices": {
    inputs: x("3,3"),
    nodes: "%y: f32[3,3] = map[i<3, j<3] exp(select(j > i, -inf, %x[i, j] * %x[j, i]))",
  },
  "a logarithm behind a mask": {
    inputs: x("6"),
    nodes: "%y: f32[6] = map[i<6] select(%x[i] > 0, log(%x[i]), 0) + select(%x[i] > 0, 2 * log(%x[i]), 0)",
  },
  powers: { inputs: x("6"), nodes: "%y: f32[6] = map[i<6] %x[i] ^ 2 + %x[i] ^ 3" },
  max: { inputs: x("3,4"), nodes: "%y: f32[3] = max[i<3 | j<4] %x[i, j]", shows: [/max_first/] },
  "max over two axes, overlapping": {
    inputs: x("5,6"),
    nodes: "%y: f32[2,3] = max[i<2, j<3 | p<3, q<3] %x[2*i + p, 2*j + q - 1 else -inf]",
  },
  min: { inputs: x("4,3"), nodes: "%y: f32[3] = min[j<3 | i<4] %x[i, j] * %x[i, 0]" },
  max_first: {
    inputs: x("3,4"),
    nodes: "%y, %at: f32[3], i32[3] = max_first[i<3 | j<4] sin(%x[i, j])",
    outputs: ["y", "at"],
  },
  prod: { inputs: x("3,5"), nodes: "%y: f32[3] = prod[i<3 | j<5] %x[i, j] + 1" },
  "prod over everything": { inputs: x("2,3"), nodes: "%y: f32[] = prod[| i<2, j<3] %x[i, j] * %x[0, j]" },
  "prod of two": { inputs: x("2"), nodes: "%y: f32[] = prod[| i<2] %x[i]" },
  moments: {
    inputs: x("3,5"),
    nodes: "%y, %z: f32[3], f32[3] = moments[i<3 | j<5] %x[i, j] * %x[i, 0]",
    outputs: ["y", "z"],
  },
  "the second result of moments alone": {
    inputs: x("3,5"),
    nodes: "%m, %y: f32[5], f32[5] = moments[j<5 | i<3] %x[i, j]",
  },
  "any and all": {
    inputs: x("3,4"),
    nodes:
      "%a: bool[3] = any[i<3 | j<4] %x[i, j] > 1\n%b: bool[3] = all[i<3 | j<4] %x[i, j] < 1\n%y: f32[3] = map[i<3] select(%a[i] and not %b[i], %x[i, 0], 2 * %x[i, 1])",
  },
  "views and joins": {
    inputs: { x: "f32[3,4]", z: "f32[2,2]" },
    nodes:
      "%v: f32[2,6] = view %x\n%j: f32[5,9] = join { %v at [0::3, 1:7], %z at [1:3, 7:9] } fill 2\n%y: f32[5,9] = map[i<5, j<9] %j[i, j] * %j[i, j]",
  },
  "q, k and v of one tensor": {
    inputs: x("2,9"),
    nodes: "%y: f32[2,3] = map[i<2, j<3] %x[i, j] * %x[i, j + 3] * %x[i, j + 6]",
    shows: [/join \{.*0:3.*3:6.*6:9/],
  },
  "two reads that overlap": { inputs: x("6"), nodes: "%y: f32[4] = map[i<4] %x[i] * %x[i + 2]" },
  scatter_add: {
    inputs: { x: "f32[4]", id: "i32[4]" },
    nodes: "%y: f32[3] = scatter_add[i<4] [%id[i]] clamp %x[i] * %x[i]",
    integers: { id: [2, 0, 2, 5] },
  },
  "sorted values": {
    inputs: x("3,5"),
    nodes: "%p: i32[3,5] = sort %x axis 1\n%y: f32[3,5] = map[i<3, j<5] %x[i, %p[i, j]] * to_f32(j)",
    shows: [/sort %p axis 1/],
    hides: [/scatter/],
  },
  "the largest, of the other axis": {
    inputs: x("6,3"),
    nodes: "%p: i32[6,3] = sort %x axis 0\n%y: f32[3,2] = map[i<3, j<2] %x[%p[5 - j, i], i] * %x[%p[j, i], i]",
    hides: [/scatter/],
  },
  "rows in the order of others": {
    inputs: { x: "f32[5,3]", z: "f32[5]" },
    nodes: "%p: i32[5] = sort %z axis 0\n%y: f32[4,3] = map[j<4, d<3] %x[%p[j + 1], d] * %z[%p[j]]",
    hides: [/scatter/],
  },
  "a median": {
    inputs: x("3,5"),
    nodes: "%p: i32[3,5] = sort %x axis 1\n%y: f32[3] = map[i<3] %x[i, %p[i, 2]]",
    hides: [/scatter/],
  },
  "positions of another row": {
    inputs: x("3,4"),
    nodes: "%p: i32[3,4] = sort %x axis 1\n%y: f32[2,4] = map[i<2, j<4] %x[i, %p[i + 1, j]]",
    shows: [/scatter_add/],
  },
  "half precision": {
    inputs: { x: "f16[4]", z: "f16[2,2]" },
    nodes:
      "%v: f16[2,2] = view %x\n%j: f16[2,4] = join { %v at [:, 0:2], %z at [:, 2:4] } fill 0\n%y: f32[2,4] = map[i<2, j<4] %j[i, j] * %j[i, j]",
  },
  "axes of extent 1": { inputs: x("1,4,1"), nodes: "%y: f32[4,1] = map[i<4] %x[0, i, 0] * %x[0, 0, 0]" },
};

describe("the adjoint of", () => {
  it.each(Object.entries(cases))(
    "%s",
    (_, { inputs, nodes, outputs = ["y"], integers = {}, shows = [], hides = [] }) => {
      const graph = graphOf(inputs, nodes, outputs);
      const subject = withGradients(graph);
      for (const seed of [1, 2, 3]) checkGradients(subject, valuesFor(subject, integers, seed), generator(seed));
      const text = gradientText(subject, graph);
      for (const pattern of shows) expect(text).toMatch(pattern);
      for (const pattern of hides) expect(text).not.toMatch(pattern);
    },
  );

  it.each(Object.entries(cases))("%s, differentiated twice", (_, { inputs, nodes, integers = {}, outputs = ["y"] }) => {
    const first = withGradients(graphOf(inputs, nodes, outputs));
    const gradients = first.graph.outputs.filter(({ path }) => path.startsWith("gradient."));
    if (gradients.length === 0) return;
    const second = withGradients({
      ...first.graph,
      outputs: gradients.map((output) => ({ ...output, path: `first.${output.path}` })),
    });
    const values = valuesFor(second, integers, 4);
    const random = generator(5);
    for (const { adjoint } of first.seeds) values.set(adjoint, Float64Array.from({ length: sizeOf(adjoint) }, random));
    checkGradients(second, values, random, 1e-5);
  });
});
