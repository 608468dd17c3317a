import { describe, expect, test } from "vitest";
import { readGraph } from "../../compiler/graph/read.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { randomWords } from "../../runtime/rng.ts";

interface Case {
  readonly name: string;
  readonly text: string;
  readonly inputs: readonly (readonly number[])[];
  readonly outputs: readonly (readonly number[])[];
}

const cases: readonly Case[] = [
  {
    name: "a convolution with padding",
    text: `input %x: f32[4] argument x
           input %w: f32[3] argument w
           %y: f32[4] = sum[i<4 | p<3] %x[i + p - 1 else 0] * %w[p]
           output %y result output`,
    inputs: [
      [1, 2, 3, 4],
      [1, 10, 100],
    ],
    outputs: [[210, 321, 432, 43]],
  },
  {
    name: "a transpose, a view and an axis of extent 1",
    text: `input %x: f32[2,1,3] argument x
           %t: f32[3,2] = map[j<3, i<2] %x[i, 0, j]
           %v: f32[6] = view %t
           output %v result output`,
    inputs: [[1, 2, 3, 4, 5, 6]],
    outputs: [[1, 4, 2, 5, 3, 6]],
  },
  {
    name: "first maximum and minimum with ties and NaN",
    text: `input %x: f32[2,4] argument x
           %m, %at: f32[2], i32[2] = max_first[i<2 | j<4] %x[i, j]
           %n, %bt: f32[2], i32[2] = min_first[i<2 | j<4] %x[i, j]
           output %m result m
           output %at result at
           output %n result n
           output %bt result bt`,
    inputs: [[1, 7, 7, 1, 2, Number.NaN, 9, Number.NaN]],
    outputs: [
      [7, Number.NaN],
      [1, 1],
      [1, Number.NaN],
      [0, 1],
    ],
  },
  {
    name: "moments",
    text: `input %x: f32[4] argument x
           %mean, %squares: f32[], f32[] = moments[| i<4] %x[i]
           output %mean result mean
           output %squares result squares`,
    inputs: [[1, 2, 3, 6]],
    outputs: [[3], [14]],
  },
  {
    name: "products, any and all",
    text: `input %x: f32[3] argument x
           %p: f32[] = prod[| i<3] %x[i]
           %any: bool[] = any[| i<3] %x[i] > 2
           %all: bool[] = all[| i<3] %x[i] > 2
           output %p result p
           output %any result any
           output %all result all`,
    inputs: [[2, 3, 4]],
    outputs: [[24], [1], [0]],
  },
  {
    name: "integers wrap",
    text: `input %x: i32[2] argument x
           %s: i32[] = sum[| i<2] %x[i]
           %p: i32[] = prod[| i<2] %x[i]
           output %s result s
           output %p result p`,
    inputs: [[2147483647, 3]],
    outputs: [[-2147483646], [2147483645]],
  },
  {
    name: "gathers: else beyond the edge, clamped without",
    text: `input %w: f32[3] argument w
           input %id: i32[3] argument id
           %a: f32[3] = map[n<3] %w[%id[n] else -1]
           %b: f32[3] = map[n<3] %w[%id[n]]
           %c: f32[3] = map[n<3] %w[{2,0,1}[n]]
           output %a result a
           output %b result b
           output %c result c`,
    inputs: [
      [10, 20, 30],
      [-1, 1, 7],
    ],
    outputs: [
      [-1, 20, -1],
      [10, 20, 30],
      [30, 10, 20],
    ],
  },
  {
    name: "scatter_add drops or clamps",
    text: `input %x: f32[4] argument x
           input %id: i32[4] argument id
           %a: f32[3] = scatter_add[n<4] [%id[n]] drop %x[n]
           %b: f32[3] = scatter_add[n<4] [%id[n]] clamp %x[n]
           output %a result a
           output %b result b`,
    inputs: [
      [1, 2, 4, 8],
      [1, 1, -1, 5],
    ],
    outputs: [
      [0, 3, 0],
      [4, 3, 8],
    ],
  },
  {
    name: "join of strided pieces",
    text: `input %a: f32[2] argument a
           input %b: f32[1] argument b
           %y: f32[6] = join { %a at [0:3:2], %b at [4:5] } fill 9
           output %y result output`,
    inputs: [[1, 2], [3]],
    outputs: [[1, 9, 2, 9, 3, 9]],
  },
  {
    name: "scan, forwards and backwards",
    text: `input %h: f32[] argument h
           input %x: f32[3] argument x
           input %k: f32[] argument k
           %f.h, %f.y: f32[], f32[3] = scan 3 carries(%h) slices(%x) captured(%k) {
             input %h: f32[] argument h
             input %x: f32[] argument x
             input %k: f32[] argument k
             input %t: i32[] argument t
             %next: f32[] = map[] %h * %k + %x
             %y: f32[] = map[] %next + to_f32(%t)
             output %next result h
             output %y result y
           }
           %r.h, %r.y: f32[], f32[3] = scan 3 reverse carries(%h) slices(%x) captured(%k) {
             input %h: f32[] argument h
             input %x: f32[] argument x
             input %k: f32[] argument k
             input %t: i32[] argument t
             %next: f32[] = map[] %h * %k + %x
             %y: f32[] = map[] %next + to_f32(%t)
             output %next result h
             output %y result y
           }
           output %f.h result fh
           output %f.y result fy
           output %r.h result rh
           output %r.y result ry`,
    inputs: [[1], [1, 2, 3], [10]],
    outputs: [[1123], [11, 113, 1125], [1321], [1321, 133, 15]],
  },
  {
    name: "a random node is the stream's words",
    text: `input %seed: u32[2] seed seed
           input %step: i32[] step step
           %r: u32[2,2] = random seed %seed stream 5 step %step
           output %r result output`,
    inputs: [[1, 2], [3]],
    outputs: [[...randomWords([1, 2], 5, 3, 0, 4)]],
  },
  {
    name: "custom runs its forward graph; constants fill",
    text: `input %x: f32[2] argument x
           %c: f32[2] = constant 3
           %d: f32[2] = constant [1, -1]
           %y: f32[2] = custom(%x, %c) {
             input %x: f32[2] argument x
             input %c: f32[2] argument c
             %y: f32[2] = map[i<2] %x[i] * %c[i]
             output %y result y
           } backward {
             input %x: f32[2] argument x
             input %c: f32[2] argument c
             input %y: f32[2] argument y
             input %dy: f32[2] argument dy
             output %dy result dx
             output %dy result dc
           }
           %z: f32[2] = map[i<2] %y[i] + %d[i]
           output %z result output`,
    inputs: [[5, 7]],
    outputs: [[16, 20]],
  },
];

describe("reference", () => {
  test.each(cases)("$name", ({ text, inputs, outputs }) => {
    const graph = readGraph(text);
    expect(evaluateOutputs(graph, inputs).map((values) => [...values])).toEqual(outputs);
  });
});
