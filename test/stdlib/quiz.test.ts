/** What courses ask, asked of dlx. */
import { expect, test } from "vitest";
import { checkSource } from "../../compiler/compile.ts";
import { elementCount } from "../../compiler/graph/builder.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { programOf } from "../elaborate/run.ts";
import { library, sourceOf } from "../elaborate/support.ts";
import { program } from "./rows.ts";

const messages = (text: string) =>
  checkSource(sourceOf(text), library).map(({ code, message }) => `${code} ${message}`);

test("a 10 x 10 x 1 input under a 5 x 5 kernel with padding 1 and stride 3 gives 3 x 3", () => {
  const net = (size: number) =>
    program(
      `model M(x: f32[N, 1, 10, 10]) -> f32[N, 1, ${size}, ${size}] = x |> conv2d(1, kernel: 5, padding: 1, stride: 3)`,
    );
  expect(messages(net(3))).toEqual([]);
  expect(messages(net(4)).join()).toContain("axis 3 (4) is 3 where 4 is expected");
});

test("a 2 x 2 max-pool has nothing to learn; a convolution has kernel * kernel * channels * features, and biases", () => {
  const learnt = (stage: string) =>
    programOf(program(`model M(x: f32[N, 3, 8, 8]) = x |> ${stage}`))
      .persistent.filter(({ role }) => role === "parameter")
      .reduce((total, { shape }) => total + elementCount(shape), 0);
  expect(learnt("max_pool(2)")).toBe(0);
  expect(learnt("conv2d(16, kernel: 5)")).toBe(5 * 5 * 3 * 16 + 16);
  expect(learnt("batch_norm")).toBe(2 * 3);
  expect(learnt("flatten |> dense(10)")).toBe(8 * 8 * 3 * 10 + 10);
});

const takes: readonly (readonly [optimizer: string, hyperparameters: readonly string[]])[] = [
  ["sgd", ["lr", "weight_decay"]],
  ["momentum", ["lr", "beta", "weight_decay"]],
  ["nesterov", ["lr", "beta", "weight_decay"]],
  ["adagrad", ["lr", "decay", "eps", "weight_decay"]],
  ["rmsprop", ["lr", "alpha", "beta", "eps", "weight_decay"]],
  ["adadelta", ["lr", "rho", "eps", "weight_decay"]],
  ["adam", ["lr", "beta1", "beta2", "eps", "weight_decay"]],
  ["lion", ["lr", "beta1", "beta2", "weight_decay"]],
];
const all = [...new Set(takes.flatMap(([, names]) => names))];
test.each(takes)("which hyper-parameters %s takes", (optimizer, names) => {
  const block = (name: string) =>
    program(
      "model M(x: f32[N, 3]) -> f32[N, 2] = x |> dense(2)",
      "train t(batch: int = 2)(x: f32[batch, 3], y: f32[batch, 2]) {",
      `  minimize loss = mse(M(x), y) over M.params using ${optimizer}(lr: 0.1${name === "lr" ? "" : `, ${name}: 0.5`})`,
      "}",
    );
  for (const name of all) {
    const found = messages(block(name));
    if (names.includes(name)) expect(found).toEqual([]);
    else expect(found.join()).toMatch(/^E0204/);
  }
});

test("dropout that does not scale while training multiplies by the keep rate when predicting", () => {
  const predicted = (layer: string) => {
    const text = program(`model M(x: f32[2, 3]) = x |> ${layer}`);
    const entry = programOf(text).entries.find(({ kind }) => kind === "predict");
    if (!entry) throw new Error("no prediction");
    const [output = []] = evaluateOutputs(entry.graph, [[1, 2, 3, 4, 5, 6]]);
    return Array.from(output);
  };
  expect(predicted("unscaled_dropout(0.25)")).toEqual([0.75, 1.5, 2.25, 3, 3.75, 4.5]);
  expect(predicted("dropout(0.25)")).toEqual([1, 2, 3, 4, 5, 6]);
});
