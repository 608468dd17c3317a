/** The scripts of the examples, their core on a few steps: what their READMEs show comes from the same functions. */
import { expect, test } from "vitest";
import { compare as denseAndConvolutional } from "../../examples/dnn_vs_cnn/run.ts";
import { narrow as narrowVGG } from "../../examples/vgg/run.ts";

test("dnn_vs_cnn: the convolutional network has fewer weights, and both learn", async () => {
  const rows = await denseAndConvolutional(60, 200);
  expect(rows.map(({ model, parameters }) => [model, parameters])).toEqual([
    ["Dense", 784 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10],
    ["Convolutional", 16 * 9 + 16 + 32 * 16 * 9 + 32 + 32 * 49 * 10 + 10],
  ]);
  for (const { accuracies } of rows) expect(accuracies[1]).toBeGreaterThan(0.5);
});

test("vgg: a narrow one trains", async () => {
  expect((await narrowVGG(2, 40)).parameters).toBe(445_626);
});
