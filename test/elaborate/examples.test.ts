/** The normative examples: checked, elaborated, verified, printed and read back; those of a feasible size are run. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { printGraph } from "../../compiler/graph/print.ts";
import { readGraph } from "../../compiler/graph/read.ts";
import { programOf, runEntry, sample } from "./run.ts";
import { checkText } from "./support.ts";

const text = readFileSync(join(import.meta.dirname, "../language/examples.dlx"), "utf8");

describe("examples.dlx", () => {
  test("checks without a word", () => {
    expect(checkText(text).map(({ code, message }) => `${code} ${message}`)).toEqual([]);
  });

  const program = programOf(text, { batches: [1, 2] });
  const entry = (name: string) => {
    const found = program.entries.find((one) => one.name === name);
    if (!found) throw new Error(`no entry ${name}`);
    return found;
  };

  test("has every entry", () => {
    expect(program.entries.map(({ name, kind }) => `${kind} ${name}`).sort()).toEqual(
      [
        ...["LeNet", "ResNet20", "Generator", "Discriminator", "GPT"].flatMap((name) => [
          `predict ${name}@1`,
          `predict ${name}@2`,
        ]),
        ...["lenet", "resnet20", "finetune", "gan"].flatMap((name) => [
          `step ${name}.step`,
          `evaluate ${name}.evaluate`,
        ]),
        "call saliency",
        "call grad_cam",
        "initialize initialize",
        "initialize resnet20.initialize",
      ].sort(),
    );
  });

  test("names what persists", () => {
    const paths = program.persistent.map(({ role, path }) => `${role} ${path}`);
    for (const wanted of [
      "parameter LeNet.conv2d_1.weight",
      "parameter LeNet.dense_3.bias",
      "parameter ResNet20.features.stages.1.0.basic_block_1.skip.conv2d_1.weight",
      "state ResNet20.features.stem.batch_norm_1.running_var",
      "parameter ResNet20.head.weight",
      "parameter GPT.token.weight",
      "parameter GPT.blocks.5.gpt_block_1.y.attention_1.qkv.dense_1.weight",
      "optimizer lenet.loss.LeNet.conv2d_1.weight.velocity",
      "optimizer resnet20.average.head.bias",
      "optimizer gan.d_loss.Discriminator.dense_1.weight.m",
      "step gan.step",
      "seed seed",
    ])
      expect(paths).toContain(wanted);
    expect(new Set(paths).size).toBe(paths.length);
  });

  test("bounds integer inputs by what they address", () => {
    const bounds = (name: string, input: string) => entry(name).inputs.find((one) => one.name === input)?.bounds;
    expect(bounds("lenet.step", "label")).toEqual({ min: 0, max: 9 });
    expect(bounds("GPT@1", "id")).toEqual({ min: 0, max: 255 });
    expect(bounds("saliency", "class")).toEqual({ min: 0, max: 9 });
    expect(bounds("lenet.step", "peak")).toBeUndefined();
    expect(entry("lenet.step").inputs.find(({ name }) => name === "peak")?.default).toBe(0.05);
  });

  test("freezes what is not in `over`", () => {
    const updated = entry("finetune.step").graph.outputs.flatMap(({ role, path }) =>
      role === "parameter" ? [path] : [],
    );
    expect(updated).toEqual(["ResNet20.head.weight", "ResNet20.head.bias"]);
  });

  test("graphs read back from their text", () => {
    for (const { graph } of program.entries) {
      const once = printGraph(graph);
      expect(printGraph(readGraph(once))).toBe(once);
    }
  });

  const random = (path: string, count: number) =>
    sample(count, path.length).map((value) => (path.endsWith("var") ? 1 : value * 0.2));
  test("LeNet predicts", () => {
    const { output = [] } = runEntry(entry("LeNet@1"), { image: sample(784) }, random);
    expect(output.length).toBe(10);
    expect(output.every(Number.isFinite)).toBe(true);
  });
  test("saliency is the absolute gradient of one logit", () => {
    const image = sample(784);
    const { output = [] } = runEntry(entry("saliency"), { image, class: [3] }, random);
    const logit = (pixels: readonly number[]) =>
      runEntry(entry("LeNet@1"), { image: pixels }, random).output?.[3] ?? Number.NaN;
    for (const pixel of [100, 407]) {
      const moved = (by: number) => logit(image.map((value, k) => (k === pixel ? value + by : value)));
      expect(output[pixel]).toBeCloseTo(Math.abs((moved(1e-5) - moved(-1e-5)) / 2e-5), 5);
    }
  });
});
