/** The scripts of the examples, their core on a few steps: what their READMEs show comes from the same functions. */
import { expect, test } from "vitest";
import { compare as denseAndConvolutional } from "../../examples/dnn_vs_cnn/run.ts";
import { best } from "../../examples/optimizers/race.ts";
import { heat, lines as solutions } from "../../examples/pinn/table.ts";
import { narrow as narrowVGG } from "../../examples/vgg/run.ts";
import { row as exclusiveOr } from "../../examples/xor/table.ts";

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

test("xor: no line is better than even, eight units with tanh between them are right", async () => {
  const line = await exclusiveOr("linear", "Linear", 4, 1);
  expect(line.slice(2)).toEqual(["0.500", "0.500", "0.500", "0.500", Math.LN2.toFixed(4), "0 of 1"]);
  expect((await exclusiveOr("tanh_net", "Tanh", 8, 1)).at(-1)).toBe("1 of 1");
});

test("pinn: the equation alone leads to its solution", async () => {
  const found = await solutions("Heat", "heat", heat, 400, { conductivity: 0.1, width: 16 });
  for (const line of found) expect(Number.parseFloat(line.at(-1) ?? "")).toBeLessThan(5);
});

test("optimizers: momentum is faster down the valley than descent, Newton's method takes one step", async () => {
  const [sgd, nesterov, newton] = await Promise.all(
    (["sgd", "nesterov", "newton"] as const).map((name) => best("valley", name, 800)),
  );
  expect(newton?.steps).toBe(1);
  expect(nesterov?.steps).toBeLessThan((sgd?.steps ?? 0) / 2);
});
