import { expect, test } from "vitest";
import { short, summaries, table } from "../../compiler/cli/summary-table.ts";
import { graphFlops } from "../../compiler/graph/flops.ts";
import type { Graph, Node, Origin, Tensor } from "../../compiler/graph/graph.ts";
import { readGraph } from "../../compiler/graph/read.ts";

const tensor = (name: string, ...shape: number[]): Tensor => ({ name, type: { dtype: "f32", shape } });
const here = (position: number) => ({ offset: 0, terms: [{ kind: "affine", coefficient: 1, position }] }) as const;
const read = (of: Tensor, ...positions: number[]) =>
  ({ kind: "read", type: "f32", tensor: of, coordinates: positions.map(here), otherwise: undefined }) as const;
const apply = (name: string, ...arguments_: Extract<Node, { kind: "generic" }>["body"][]) =>
  ({ kind: "apply", type: "f32", name, arguments: arguments_ }) as const;
const at = (line: number, path: string): Origin => ({ file: "m.dlx", line, path });

const [x, w, y, z] = [tensor("x", 4, 8), tensor("w", 3, 8), tensor("y", 4, 3), tensor("z", 4, 3)];
const axis = (name: string, extent: number) => ({ name, extent });
const graph: Graph = {
  inputs: [
    { tensor: x, role: "argument", path: "x" },
    { tensor: w, role: "parameter", path: "M.dense_1.weight" },
  ],
  nodes: [
    {
      kind: "generic",
      combiner: "sum",
      parallel: [axis("n", 4), axis("o", 3)],
      reduction: [axis("d", 8)],
      body: apply("mul", read(x, 0, 2), read(w, 1, 2)),
      results: [y],
      origin: at(3, "M.dense_1"),
    },
    {
      kind: "generic",
      combiner: "map",
      parallel: [axis("n", 4), axis("o", 3)],
      reduction: [],
      body: apply("exp", read(y, 0, 1)),
      results: [z],
      origin: at(4, "M"),
    },
  ],
  outputs: [{ tensor: z, role: "result", path: "output" }],
};

test("a matrix product has two operations a multiplication, a map one a point", () => {
  expect(graphFlops(graph)).toBe(2 * 4 * 3 * 8 + 4 * 3);
});

test.each([
  ["%y: f32[4] = map[i<4] exp(%x[i])", 4],
  ["%y: f32[4] = map[i<4] select(%x[i] > 0, %x[i] / 2, 0)", 4],
  ["%y: f32[] = max[| i<4] %x[i]", 4],
  ["%y: i32[4] = sort %x axis 0", 8],
  ["%y: i32[4] = map[i<4] i * 2 + 1", 0],
])("%s: operations on floats, one for each function and comparison", (line, flops) => {
  expect(graphFlops(readGraph(`input %x: f32[4] argument x\n${line}\noutput %y result y`))).toBe(flops);
});

test("layers stand under their paths, what lies between under its line", () => {
  const program = {
    main: "M",
    persistent: [
      { path: "M.dense_1.weight", role: "parameter", dtype: "f32", shape: [3, 8] },
      { path: "Other.dense_1.weight", role: "parameter", dtype: "f32", shape: [2, 8] },
      { path: "M.dense_1.weight", role: "optimizer", dtype: "f32", shape: [3, 8], block: "m" },
    ],
    entries: [{ name: "M@4", kind: "predict", of: "M", batch: 4, inputs: [], graph }],
  } as const;
  expect(summaries(program, undefined)).toEqual([
    {
      model: "M",
      batch: 4,
      parameters: 24,
      flops: 204,
      activationBytes: 96,
      rows: [
        { layer: "M.dense_1", output: [4, 3], parameters: 24, flops: 192, activationBytes: 48 },
        { layer: "  line 4 of m.dlx", output: [4, 3], parameters: 0, flops: 12, activationBytes: 48 },
      ],
      weights: [{ path: "M.dense_1.weight", role: "parameter", dtype: "f32", shape: [3, 8] }],
    },
  ]);
  expect(summaries(program, "Other")).toEqual([]);
});

test.each([
  [0, "0"],
  [999, "999"],
  [1000, "1 k"],
  [999_600, "1 M"],
  [1_234_567, "1.23 M"],
  [2.5e9, "2.5 G"],
])("%d is %s", (value, text) => expect(short(value)).toBe(text));

test("tables line up", () => {
  expect(
    table([
      ["a", "b"],
      ["long", "1"],
    ]),
  ).toBe("a     b\nlong  1\n");
});
