/** Which programs take any number of rows: those whose rows are independent, as the graph shows. */
import { describe, expect, test } from "vitest";
import { compileSource } from "../support/bundle.ts";

const rows: [what: string, source: string, separable: boolean][] = [
  ["a perceptron", "model M(x: f32[N, 4]) = x |> dense(3) |> relu |> dense(2)", true],
  [
    "a convolution network",
    "model M(x: f32[N, 2, 8, 8]) = x |> conv2d(3, padding: 1) |> batch_norm |> relu |> max_pool(2) |> flatten |> dense(2)",
    true,
  ],
  ["a stride of 2", "model M(x: f32[N, 1, 9, 9]) = x |> conv2d(3, stride: 2, padding: 1) |> global_avg_pool", true],
  ["recurrence", "model M(x: f32[N, 5, 2]) = x |> lstm(3)", true],
  ["recurrence, last value", "model M(x: f32[N, 5, 2]) = (x |> lstm(3)).hidden |> dense(2)", true],
  [
    "attention with positions",
    `model M(id: i32[N, 6]) {
       let place = embedding(6, 8)
       let start = (id |> embedding(9, 8)) + place(arange(6))[_, :, :]
       start |> layer_norm |> attention(2) |> dense(3)
     }`,
    true,
  ],
  ["softmax of a row", "model M(x: f32[N, 4]) = softmax(x)", true],
  ["a gradient with respect to the input", "model M(x: f32[N, 4]) = grad(u => sum(tanh(u |> dense(3))))(x)", true],
  ["one row for all", "model M(x: f32[N, 3], w: f32[3]) { let y[n, k] = x[n, k] * w[k]\n y }", true],
  ["a matrix as large as the batch may be", "model M(x: f32[N, 3], w: f32[3, 3]) = x @ w", true],
  ["each row sorted", "model M(x: f32[N, 4]) = sort(x)", true],
  ["the batch sorted", "model M(x: f32[N, 4]) = sort(x, axis: 0)", false],
  ["softmax over the batch", "model M(x: f32[N]) = softmax(x)", false],
  ["a mean over the batch", "model M(x: f32[N, 4]) { let y[n, k] = x[n, k] - mean[m] x[m, k]\n y }", false],
  ["a neighbour's row", "model M(x: f32[N, 4]) { let y[n, k] = x[n, k] + x[n - 1, k else 0]\n y }", false],
  ["the row's number", "model M(x: f32[N, 4]) { let y[n, k] = x[n, k] * n\n y }", false],
  ["a result without rows", "model M(x: f32[N, 4]) = sum(x)", false],
  ["other values for each row", "model M(x: f32[N, 4]) = x + normal(shape(x), seed: 3)", false],
  [
    "time as the batch",
    "model M(x: f32[N, 2]) { let (_, y) = scan(zeros([2]), x, (c, a) => (c + a, c + a))\n y }",
    false,
  ],
];

describe("rows are independent", () => {
  test.each(rows)("%s", (_, source, separable) => {
    const { manifest } = compileSource(
      { file: "m.dlx", text: `import nn\n${source}` },
      { targets: ["wasm"], relaxed: false },
    );
    expect(manifest.separable).toEqual(separable ? ["M"] : []);
  });
});
