/** Each rule of the normal form, broken once: the error names the pass, the rule and the node. */
import { describe, expect, test } from "vitest";
import type { Graph, Node } from "../../compiler/graph/graph.ts";
import { readGraph } from "../../compiler/graph/read.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { InvariantError } from "../../compiler/invariant.ts";

interface Broken {
  readonly rule: string;
  readonly text: string;
  /** What the text cannot say is changed afterwards. */
  readonly change?: (graph: Graph) => Graph;
}
const body = (lines: string): string => `input %x: f32[4] argument x
  input %id: i32[4] argument id
  ${lines}
  output %y result y`;
const onNode =
  (change: (node: Node) => Node) =>
  (graph: Graph): Graph => ({ ...graph, nodes: graph.nodes.map(change) });

const broken: Readonly<Record<string, Broken>> = {
  "a read out of range": { rule: "reads in range", text: body("%y: f32[4] = map[i<4] %x[i + 1]") },
  "a negative coordinate": { rule: "reads in range", text: body("%y: f32[4] = map[i<4] %x[-i]") },
  "a table out of range": { rule: "reads in range", text: body("%y: f32[2] = map[i<2] %x[{0,4}[i]]") },
  "a short table": { rule: "coordinates", text: body("%y: f32[4] = map[i<4] %x[{0,1}[i]]") },
  "two terms of one index": { rule: "coordinates", text: body("%y: f32[2] = map[i<2] %x[i + i]") },
  "a coordinate from floats": { rule: "coordinates", text: body("%y: f32[4] = map[i<4] %x[%x[i] else 0]") },
  "too few coordinates": { rule: "ranks", text: body("%v: f32[2,2] = view %x\n%y: f32[2] = map[i<2] %v[i]") },
  "a domain that is not the shape": { rule: "shapes", text: body("%y: f32[3] = map[i<4] %x[i]") },
  "an index of extent 1": { rule: "extents", text: body("%y: f32[4,1] = map[i<4, j<1] %x[i]") },
  "a map that reduces": { rule: "combiners", text: body("%y: f32[] = map[| i<4] %x[i]") },
  "a sum over nothing": { rule: "combiners", text: body("%y: f32[4] = sum[i<4] %x[i]") },
  "a sum of truth values": { rule: "types", text: body("%y: f32[] = sum[| i<4] %x[i] > 0") },
  "any of floats": { rule: "types", text: body("%y: bool[] = any[| i<4] %x[i]") },
  "a result of another type": { rule: "types", text: body("%y: i32[4] = map[i<4] %x[i]") },
  "one result of two": { rule: "results", text: body("%y: f32[] = max_first[| i<4] %x[i]") },
  "a view of other size": { rule: "views", text: body("%y: f32[5] = view %x") },
  "pieces that overlap": { rule: "joins", text: body("%y: f32[7] = join { %x at [0:4], %x at [3:7] } fill 0") },
  "strided pieces that overlap": {
    rule: "joins",
    text: body("%y: f32[9] = join { %x at [0:7:2], %x at [0:10:3] } fill 0"),
  },
  "a piece that does not fit": { rule: "joins", text: body("%y: f32[6] = join { %x at [3:7] } fill 0") },
  "a piece of other size": { rule: "joins", text: body("%y: f32[6] = join { %x at [0:3] } fill 0") },
  "a constant of other size": { rule: "shapes", text: body("%y: f32[4] = constant [1, 2]") },
  "scatter with too few coordinates": {
    rule: "ranks",
    text: body("%y: f32[4,4] = scatter_add[i<4] [%id[i]] drop %x[i]"),
  },
  "a seed that is none": { rule: "types", text: body("%y: u32[4] = random seed %id stream 1") },
  "an outcome that changes a parameter's shape": {
    rule: "pairing",
    text: `input %w: f32[4] parameter w
      %y: f32[] = sum[| i<4] %w[i]
      output %y parameter w`,
  },
  "two outputs of one name": { rule: "pairing", text: `${body("%y: f32[4] = map[i<4] %x[i]")}\noutput %x result y` },
  "a scan whose carry changes": {
    rule: "inner graphs",
    text: body(`%y: f32[4] = scan 4 carries(%x) slices() captured() {
        input %h: f32[4] argument h
        input %t: i32[] argument t
        %s: f32[] = sum[| i<4] %h[i]
        output %s result h
      }`),
  },
  "slices of another length": {
    rule: "shapes",
    text: body(`%y: f32[] = scan 3 carries() slices(%x) captured() {
        input %s: f32[] argument s
        input %t: i32[] argument t
        output %s result s
      }`),
  },
  "a fault inside a scan": {
    rule: "reads in range",
    text: body(`%y: f32[4] = scan 3 carries(%x) slices() captured() {
        input %h: f32[4] argument h
        input %t: i32[] argument t
        %s: f32[4] = map[i<4] %h[i + 1]
        output %s result h
      }`),
  },
  "a custom with too few adjoints": {
    rule: "inner graphs",
    text: body(`%y: f32[4] = custom(%x) {
        input %a: f32[4] argument a
        output %a result y
      } backward {
        input %a: f32[4] argument a
        input %b: f32[4] argument b
        input %c: f32[4] argument c
      }`),
  },
  "a value used before it is made": {
    rule: "dependency order",
    text: body("%a: f32[4] = map[i<4] %x[i]\n%y: f32[4] = map[i<4] %a[i]"),
    change: (graph) => ({ ...graph, nodes: [...graph.nodes].reverse() }),
  },
  "one name twice": {
    rule: "unique names",
    text: body("%y: f32[4] = map[i<4] %x[i]"),
    change: (graph) => ({
      ...graph,
      inputs: graph.inputs.map((input) => ({ ...input, tensor: { ...input.tensor, name: "y" } })),
    }),
  },
  "an index that does not exist": {
    rule: "indices",
    text: body("%y: i32[4] = map[i<4] i"),
    change: onNode((node) =>
      node.kind === "generic" ? { ...node, body: { kind: "index", type: "i32", position: 2 } } : node,
    ),
  },
  "a row with a wrong type": {
    rule: "types",
    text: body("%y: f32[4] = map[i<4] exp(%x[i])"),
    change: onNode((node) =>
      node.kind === "generic" && node.body.kind === "apply" ? { ...node, body: { ...node.body, type: "i32" } } : node,
    ),
  },
};

describe("the verifier", () => {
  test.each(Object.entries(broken))("%s", (_name, { rule, text, change }) => {
    const graph = readGraph(text);
    const run = (): Graph => verify(change ? change(graph) : graph, "some pass");
    expect(run).toThrow(InvariantError);
    expect(run).toThrow(/^after some pass: /);
    expect(run).toThrow(`(rule: ${rule})`);
  });
});
