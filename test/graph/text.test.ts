import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printGraph } from "../../compiler/graph/print.ts";
import { readGraph } from "../../compiler/graph/read.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { randomGraph } from "../support/random-graph.ts";

describe("the graph's text", () => {
  test("printed = read back, and means the same", () => {
    fc.assert(
      fc.property(randomGraph(), ({ graph, inputs }) => {
        verify(graph, "random");
        const text = printGraph(graph);
        const back = verify(readGraph(text), "read");
        expect(printGraph(back)).toBe(printGraph(readGraph(printGraph(back))));
        expect(evaluateOutputs(back, inputs)).toEqual(evaluateOutputs(graph, inputs));
      }),
      { numRuns: 200 },
    );
  });

  test("a convolution, its pooling and its adjoints, as the documents write them", () => {
    const text = `input %image: f32[64,1,28,28] argument image
input %w: f32[6,1,5,5] parameter LeNet.conv2d_1.weight
input %b: f32[6] parameter LeNet.conv2d_1.bias
input %d_pool: f32[64,6,14,14] argument d_pool
%y: f32[64,6,28,28] = sum[n<64, o<6, i<28, j<28 | p<5, q<5] %image[n, 0, i + p - 2, j + q - 2 else 0] * %w[o, 0, p, q]    // model.dlx:9 LeNet.conv2d_1
%relu: f32[64,6,28,28] = map[n<64, o<6, i<28, j<28] max(%y[n, o, i, j] + %b[o], 0)
%relu.v: f32[64,6,14,2,14,2] = view %relu
%pool, %pool.at: f32[64,6,14,14], i32[64,6,14,14] = max_first[n<64, o<6, i<14, j<14 | p<2, q<2] %relu.v[n, o, i, p, j, q]
%d: f32[64,6,14,2,14,2] = map[n<64, o<6, i<14, p<2, j<14, q<2] select(%pool.at[n, o, i, j] == 2 * p + q, %d_pool[n, o, i, j], 0)
%e: f32[64,6,28,28] = view %d
%d_image: f32[64,1,28,28] = sum[n<64, h<28, w<28 | o<6, p<5, q<5] %e[n, o, h - p + 2, w - q + 2 else 0] * %w[o, 0, p, q]
%half: f32[64,6,14,28] = map[n<64, o<6, i<14, j<28] %e[n, o, 2*i, -j + 27]
%both: f32[64,6,28,28] = join { %half at [:, :, 0::2, :], %half at [:, :, 1::2, :] } fill -inf
output %d_image result d_image
output %both result both
`;
    const graph = verify(readGraph(text), "read");
    const joined = (shown: string): string =>
      shown.replaceAll(/(\s*\/\/[^\n]*)?\n {4}/g, " ").replaceAll(/ +\/\/.*/g, "");
    expect(joined(printGraph(graph))).toBe(joined(text));
    expect(graph.nodes[0]?.origin).toEqual({ file: "model.dlx", line: 9, path: "LeNet.conv2d_1" });
    expect(printGraph(readGraph(printGraph(graph)))).toBe(printGraph(graph));
  });

  test.each([
    "-0 + inf - -inf * -2",
    "-(2 - -%x[i]) * neg(2)",
    "%x[i] - (%x[i] - %x[i]) - %x[i]",
    "%x[i] / (%x[i] * %x[i]) / %x[i]",
    "(-%x[i]) ^ 2 ^ -2",
    "select(not (%x[i] < 2 and (%x[i] > 1 or true)), nan, 1e-30)",
    "select(i % 3 == 2 or 4:i32 < 5:i32, %x[i], 1e+21)",
    "to_f32(shift_left(%u[i], 3) + 4294967295)",
    "to_f32(-i - -2) + to_f32(2:i32)",
    "let $1 = (%x[i] + 1) * (%x[i] - 1) in $1 * $1 + sin($1)",
    "%x[{3,2,1,0}[i]] + %x[2*%n[i] - i + 1 else 7]",
  ])("%s", (body) => {
    const text = `input %x: f32[4] argument x
input %"a b": f32[4] argument "a \\"b\\""
input %u: u32[4] argument u
input %n: i32[4] argument n
%y: f32[4] = map[i<4] ${body}
output %y result y
`;
    const printed = printGraph(verify(readGraph(text), "read"));
    expect(printGraph(readGraph(printed))).toBe(printed);
    expect(printed).toContain(body.startsWith("-0") ? "= map[i<4] " : `map[i<4] ${body}`);
  });
});
