/** Adjoints as text: what a reader of `dlx ir --stage backward` sees, and that it does no more work than it must. */
import { describe, expect, it } from "vitest";
import { differentiate } from "../../compiler/autodiff/differentiate.ts";
import { explainMissing } from "../../compiler/autodiff/missing.ts";
import type { Graph, Node } from "../../compiler/graph/graph.ts";
import { printGraph } from "../../compiler/graph/print.ts";
import { readGraph } from "../../compiler/graph/read.ts";
import { evaluate } from "../../compiler/reference/evaluate.ts";
import { generator } from "../scalar/sampling.ts";
import { builderOf, checkGradients, gradientText, sizeOf, withGradients } from "./support.ts";

const lenet = readGraph(`
input %image: f32[64,1,28,28] argument image
input %w: f32[6,1,5,5] parameter w
input %b: f32[6] parameter b
%conv: f32[64,6,28,28] = sum[n<64, o<6, i<28, j<28 | p<5, q<5] %image[n, 0, i + p - 2, j + q - 2 else 0] * %w[o, 0, p, q]
%relu: f32[64,6,28,28] = map[n<64, o<6, i<28, j<28] max(%conv[n,o,i,j] + %b[o], 0)
%relu.v: f32[64,6,14,2,14,2] = view %relu
%pool: f32[64,6,14,14] = max[n<64, o<6, i<14, j<14 | p<2, q<2] %relu.v[n,o,i,p,j,q]
output %pool result output
`);

const strided = readGraph(`
input %x: f32[32,16,32,32] argument x
input %w: f32[32,16,3,3] parameter w
%y: f32[32,32,16,16] = sum[n<32, o<32, i<16, j<16 | c<16, p<3, q<3] %x[n, c, 2*i + p - 1, 2*j + q - 1 else 0] * %w[o, c, p, q]
output %y result output
`);

describe("the adjoint as text", () => {
  it("of LeNet's first layers", () => {
    expect(gradientText(withGradients(lenet), lenet)).toMatchInlineSnapshot(`
      "%pool, %pool.at: f32[64,6,14,14], i32[64,6,14,14] = max_first[n<64, o<6, i<14, j<14 | p<2, q<2]
          %relu.v[n, o, i, p, j, q]
      %d_relu.v: f32[64,6,14,2,14,2] = map[n<64, o<6, i<14, p<2, j<14, q<2]
          select(%pool.at[n, o, i, j] == 2 * p + q, %d_pool[n, o, i, j], 0)
      %d_relu: f32[64,6,28,28] = view %d_relu.v
      %d_conv: f32[64,6,28,28] = map[n<64, o<6, i<28, j<28] select(%conv[n, o, i, j] + %b[o] > 0, %d_relu[n, o, i, j], 0)
      %d_b: f32[6] = sum[o<6 | n<64, i<28, j<28] %d_conv[n, o, i, j]
      %d_image: f32[64,1,28,28] = sum[n<64, i<28, j<28 | o<6, p<5, q<5]
          %d_conv[n, o, i - p + 2, j - q + 2 else 0] * %w[o, 0, p, q]
      %d_w: f32[6,1,5,5] = sum[o<6, p<5, q<5 | n<64, i<28, j<28]
          %d_conv[n, o, i, j] * %image[n, 0, i + p - 2, j + q - 2 else 0]
      d_image d_w d_b"
    `);
  });
  it("of a convolution of stride 2", () => {
    expect(gradientText(withGradients(strided), strided)).toMatchInlineSnapshot(`
      "%d_x.00: f32[32,16,16,16] = sum[n<32, c<16, i<16, j<16 | o<32] %d_y[n, o, i, j] * %w[o, c, 1, 1]
      %d_x.01: f32[32,16,16,16] = sum[n<32, c<16, i<16, j<16 | o<32, q<2] %d_y[n, o, i, j - q + 1 else 0] * %w[o, c, 1, 2*q]
      %d_x.10: f32[32,16,16,16] = sum[n<32, c<16, i<16, j<16 | o<32, p<2] %d_y[n, o, i - p + 1, j else 0] * %w[o, c, 2*p, 1]
      %d_x.11: f32[32,16,16,16] = sum[n<32, c<16, i<16, j<16 | o<32, p<2, q<2]
          %d_y[n, o, i - p + 1, j - q + 1 else 0] * %w[o, c, 2*p, 2*q]
      %d_w: f32[32,16,3,3] = sum[o<32, c<16, p<3, q<3 | n<32, i<16, j<16]
          %d_y[n, o, i, j] * %x[n, c, 2*i + p - 1, 2*j + q - 1 else 0]
      %d_x: f32[32,16,32,32] = join {
          %d_x.00 at [:, :, 0::2, 0::2],
          %d_x.01 at [:, :, 0::2, 1::2],
          %d_x.10 at [:, :, 1::2, 0::2],
          %d_x.11 at [:, :, 1::2, 1::2],
      } fill 0
      d_x d_w"
    `);
  });
});

/** Points of all sums of products. */
function multiplyAdds(nodes: readonly Node[]): number {
  let count = 0;
  for (const node of nodes)
    if (node.kind === "generic" && node.combiner === "sum")
      count += [...node.parallel, ...node.reduction].reduce((product, { extent }) => product * extent, 1);
  return count;
}

describe("the work of an adjoint", () => {
  it.each([
    [1, 3, 1],
    [2, 3, 1],
    [2, 4, 1],
    [3, 3, 1],
    [3, 5, 1],
    [4, 7, 1],
    [2, 3, 2],
    [4, 3, 6],
    [20, 40, 1],
  ])("stride %i, kernel %i, dilation %i: no more multiply-adds than forward", (stride, kernel, dilation) => {
    const outputs = 12;
    const extent = stride * (outputs - 1) + dilation * (kernel - 1) + 1;
    const graph = readGraph(`
input %x: f32[${extent}] argument x
input %w: f32[${kernel}] parameter w
%y: f32[${outputs}] = sum[i<${outputs} | p<${kernel}] %x[${stride === 1 ? "" : `${stride}*`}i + ${dilation === 1 ? "" : `${dilation}*`}p] * %w[p]
output %y result output
`);
    const x = graph.inputs[0]!.tensor;
    const subject = withGradients(graph, [x]);
    const backward = multiplyAdds(subject.graph.nodes.slice(graph.nodes.length));
    // A window cut off at either end is computed as a whole, and polyphase pads the kernel to whole strides.
    const ends = kernel * kernel;
    expect(backward).toBeLessThanOrEqual(multiplyAdds(graph.nodes) + ends);
  });
});

const lstm = readGraph(`
input %x: f32[7,2,8] argument x
input %h0: f32[2,3] argument h0
input %wh: f32[8,3] parameter wh
input %b: f32[8] parameter b
%out, %stack: f32[2,3], f32[7,2,3] = scan 7 carries(%h0) slices(%x) captured(%wh, %b) {
  input %h: f32[2,3] argument h
  input %drive: f32[2,8] argument drive
  input %w: f32[8,3] argument w
  input %bias: f32[8] argument bias
  input %t: i32[] argument t
  %product: f32[2,8] = sum[n<2, k<8 | d<3] %h[n, d] * %w[k, d]
  %gate: f32[2,8] = map[n<2, k<8] sin(%drive[n, k] + %product[n, k] + %bias[k])
  %next: f32[2,3] = map[n<2, d<3] %gate[n, d] * %gate[n, d + 3] + %h[n, d] * %gate[n, 2*d] * to_f32(%t)
  output %next result carry
  output %next result stacked
}
output %stack result output
output %out result last
`);

function randomValues(graph: Graph, seed: number) {
  const random = generator(seed);
  return new Map(
    graph.inputs.map(
      ({ tensor }) => [tensor, Float64Array.from({ length: sizeOf(tensor) }, () => random() * 2 - 1)] as const,
    ),
  );
}

describe("the adjoint of a scan", () => {
  const subject = withGradients(lstm);
  it("equals differences, and so does its own adjoint", () => {
    checkGradients(subject, randomValues(subject.graph, 1), generator(1));
    const outputs = subject.graph.outputs.filter(({ path }) => path.startsWith("gradient."));
    const second = withGradients({
      ...subject.graph,
      outputs: outputs.map((o) => ({ ...o, path: `first.${o.path}` })),
    });
    checkGradients(second, randomValues(second.graph, 2), generator(2), 1e-5);
  });
  it("contracts the weights' gradients once, over all iterations, and recomputes no product", () => {
    const nodes = subject.graph.nodes;
    const reverse = nodes.find((node) => node.kind === "scan" && node.reverse);
    expect(reverse?.kind === "scan" && reverse.carries.length).toBe(1);
    if (reverse?.kind !== "scan") return;
    const text = printGraph(reverse.body, { origins: false });
    // One product inside: the one that feeds the carry.
    expect(text.match(/= sum/g)).toHaveLength(1);
    const outside = printGraph(
      { inputs: [], nodes: nodes.slice(nodes.indexOf(reverse)), outputs: [] },
      { origins: false },
    );
    expect(outside).toMatch(/%d_w: f32\[8,3\] = sum\[k<8, d<3 \| step<7, n<2\]/);
    expect(outside).toMatch(/%d_bias: f32\[8\] = sum\[k<8 \| step<7, n<2\]/);
  });
});

describe("a stopped tensor inside a scan", () => {
  it("is a constant for the second derivative too", () => {
    const graph = readGraph(`
input %h0: f32[3] argument h0
%last, %steps: f32[3], f32[1,3] = scan 1 carries(%h0) slices() captured() {
  input %h: f32[3] argument h
  input %t: i32[] argument t
  %held: f32[3] = view %h
  %next: f32[3] = map[i<3] %held[i] * %h[i] * %h[i]
  output %next result carry
  output %next result stacked
}
output %last result output
`);
    const scan = graph.nodes[0]!;
    const held = scan.kind === "scan" ? scan.body.nodes[0]!.results[0]! : undefined;
    const stopped = new Set([held!]);
    const builder = builderOf(graph);
    const [h] = graph.inputs.map(({ tensor }) => tensor);
    const ones = builder.constant("ones", { dtype: "f32", shape: [3] }, [1]);
    const first = differentiate(builder, [{ tensor: scan.results[0]!, adjoint: ones }], [h!], { stopped })
      .gradients[0]!;
    const second = differentiate(builder, [{ tensor: first, adjoint: ones }], [h!], { stopped }).gradients[0]!;
    const values = evaluate(builder.finish([]), new Map([[h!, Float64Array.of(2, 3, -1)]]));
    // held * h^2 has the derivatives 2 * held * h and 2 * held.
    expect([...values.get(first)!]).toEqual([8, 18, 2]);
    expect([...values.get(second)!]).toEqual([4, 6, -2]);
  });
});

const custom = readGraph(`
input %x: f32[4] argument x
input %k: i32[] argument k
%y: f32[4] = custom(%x, %k) {
  input %a: f32[4] argument a
  input %n: i32[] argument n
  %b: f32[4] = map[i<4] %a[i] * %a[i]
  output %b result b
} backward {
  input %a: f32[4] argument a
  input %n: i32[] argument n
  input %b: f32[4] argument b
  input %u: f32[4] argument u
  %v: f32[4] = map[i<4] %u[i] * 3 * %b[i]
  %zero: i32[] = constant 0
  output %v result v
  output %zero result zero
}
output %y result output
`);

describe("custom", () => {
  it("gets the gradient it declares, not the one its value has", () => {
    const { graph, gradients } = withGradients(custom);
    expect(printGraph(graph, { origins: false })).toMatch(/map\[i<4\] %d_y\[i\] \* 3 \* %y\[i\]/);
    expect(gradients).toHaveLength(1);
  });
});

describe("a wrong gradient", () => {
  it("is found out", () => {
    const right = withGradients(strided, [strided.inputs[1]!.tensor]);
    const small = readGraph(printGraph(lstm));
    const subject = withGradients(small);
    const wrong = subject.graph.nodes.map((node): Node => {
      if (node.kind !== "generic" || node.results[0]?.name !== "d_bias") return node;
      const half = { kind: "constant", type: "f32", value: 0.999 } as const;
      return { ...node, body: { kind: "apply", type: "f32", name: "mul", arguments: [half, node.body] } };
    });
    const broken = { ...subject, graph: { ...subject.graph, nodes: wrong } };
    expect(() => checkGradients(broken, randomValues(broken.graph, 1), generator(1))).toThrow(/gradient of %b/);
    expect(right.gradients[0]).toBeDefined();
  });
});

describe("a gradient that does not exist", () => {
  const graph = readGraph(`
input %x: f32[3,4] argument x
input %unused: f32[2] argument unused
%best, %at: f32[3], i32[3] = max_first[i<3 | j<4] %x[i, j]
%floor: f32[3,4] = map[i<3, j<4] floor(%x[i, j])
%mask: bool[3,4] = map[i<3, j<4] %x[i, j] > 0
%cut: f32[3,4] = view %x
%y: f32[] = sum[| i<3] to_f32(%at[i])
%beside: f32[3,4] = map[i<3, j<4] floor(%x[i + 3, j else 0])
%b: f32[] = sum[| i<3, j<4] %beside[i, j]
%z: f32[] = sum[| i<3, j<4] %floor[i, j] * 2
%m: f32[] = sum[| i<3, j<4] select(%mask[i, j], 1, 2)
%s: f32[] = sum[| i<3, j<4] %cut[i, j]
output %y result output
`);
  const [x, unused] = graph.inputs.map(({ tensor }) => tensor);
  const named = (name: string) => graph.nodes.flatMap((node) => node.results).find((tensor) => tensor.name === name)!;
  const stopped = new Set([named("cut")]);
  it.each([
    ["y", "integer", "max_first", ["x", "at", "y"]],
    ["z", "flat", "floor", ["x", "floor", "z"]],
    ["m", "integer", "gt", ["x", "mask", "m"]],
    ["s", "stopped", undefined, ["x", "cut", "s"]],
  ])("of %%%s is explained: %s", (output, reason, by, path) => {
    const builder = builderOf(graph);
    const seed = { tensor: named(output), adjoint: builder.constant("one", { dtype: "f32", shape: [] }, [1]) };
    expect(differentiate(builder, [seed], [x!], { stopped }).gradients).toEqual([undefined]);
    const found = explainMissing(builder, [seed.tensor], x!, stopped);
    expect(found).toMatchObject({ reason, by });
    if (found.reason !== "unused") expect(found.path.map(({ name }) => name)).toEqual(path);
    expect(explainMissing(builder, [seed.tensor], unused!)).toEqual({ reason: "unused" });
  });
  it("of what is read out of range alone is that nothing depends on it", () => {
    expect(explainMissing(builderOf(graph), [named("b")], x!)).toEqual({ reason: "unused" });
  });
  it("is zeros if that is asked for", () => {
    const builder = builderOf(graph);
    const seed = { tensor: named("s"), adjoint: builder.constant("one", { dtype: "f32", shape: [] }, [1]) };
    const { gradients } = differentiate(builder, [seed], [unused!], { unreached: "zeros" });
    expect(gradients[0]?.type.shape).toEqual([2]);
  });
});
