/** A bundle whose weights lie in eight bits: what it computes is what the library's `quantise` says, on every device. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { quantiseWeights } from "../../runtime/quantise.ts";
import { decodeNumbers, readSafetensors } from "../../runtime/safetensors.ts";
import type { Session } from "../../runtime/session.ts";
import { programOf, runEntry } from "../elaborate/run.ts";
import { compileSource, filesOf, importBundle, runBundle, writeBundle } from "../support/bundle.ts";
import { temporaryFolder } from "../support/folder.ts";
import { unsupportedReason } from "../support/graphics.ts";
import { wave } from "./support.ts";

const text = `import nn
import loss
import optim
import compress

model Net(x: f32[N, 2, 6, 6]) -> f32[N, 3] =
  x
  |> conv2d(4, kernel: 3)
  |> relu
  |> conv_transpose2d(3, kernel: 2, stride: 2)
  |> batch_norm
  |> flatten
  |> dense(3)

train net(batch: int = 4)(x: f32[batch, 2, 6, 6], label: i32[batch]) {
  minimize loss = cross_entropy(Net(x), label) over Net.params using momentum(lr: 0.1)
}

export fn rounded(x: f32[N, 2, 6, 6]) -> f32[N, 3] = with_params(Net, quantise(Net.params))(x)

export fn convolution() = quantise_per_channel(Net.conv2d_1.weight)
export fn transposed() = quantise_per_channel(Net.conv_transpose2d_1.weight)
export fn columns() = quantise_per_channel(Net.dense_1.weight)
`;
const { path: folder } = temporaryFolder();
const source = { file: "model.dlx", text };
const compiled = compileSource(source, { batches: [1, 4], relaxed: false, targets: ["wasm"] });
const x = wave(4 * 72, 1.3);
const tensors = (file: Uint8Array) =>
  Object.fromEntries(
    [...readSafetensors(file).tensors].map(([name, tensor]) => [name, [...decodeNumbers(tensor)].map((v) => v + 0)]),
  );

describe("weights in eight bits", () => {
  let float: Session;
  let stored: Session;
  let weights: Uint8Array;
  let reference: readonly number[];
  beforeAll(async () => {
    float = await (await importBundle(writeBundle(join(folder, "float"), await filesOf(compiled)))).load({
      device: "cpu",
      seed: 5,
    });
    weights = await float.saveWeights();
    const { file } = quantiseWeights(compiled.manifest, weights);
    const predicting = compileSource(source, { batches: [4], blocks: [], calls: [], targets: ["webgpu"] });
    writeBundle(join(folder, "webgpu"), await filesOf(predicting, { weights: file }));
    for (const singleFile of [false, true])
      writeBundle(join(folder, String(singleFile)), await filesOf(compiled, { weights: file, singleFile }));
    stored = await (await importBundle(join(folder, "false"))).load({ device: "cpu" });
    const entry = programOf(text, { batches: [4] }).entries.find(({ name }) => name === "rounded@4");
    if (!entry) throw new Error("there is no entry rounded@4");
    reference = runEntry(entry, { ...tensors(weights), x: [...x] }).output ?? [];
  });
  afterAll(() => {
    float.dispose();
    stored.dispose();
  });
  const near = (values: readonly number[]) => {
    expect(values).toHaveLength(reference.length);
    for (const [k, value] of values.entries()) expect(value).toBeCloseTo(reference[k] ?? Number.NaN, 5);
  };

  test("are those of the library's quantise_per_channel to the bit; biases and statistics are as they were", async () => {
    const expected = tensors(weights);
    for (const [name, path] of [
      ["convolution", "conv2d_1"],
      ["transposed", "conv_transpose2d_1"],
      ["columns", "dense_1"],
    ] as const) {
      const { output } = (await float.call[name]?.()) ?? {};
      expected[`Net.${path}.weight`] = [...(output as Float32Array)].map((value) => value + 0);
    }
    const saved = await stored.saveWeights();
    expect(tensors(saved)).toEqual(expected);
    expect(new Set([...readSafetensors(saved).tensors.values()].map(({ type }) => type))).toEqual(new Set(["F32"]));
  });
  test("predict on WebAssembly what the reference does with quantised weights, and the same bits from one file", async () => {
    const { output } = await stored.predict({ x });
    near([...(output as Float32Array)]);
    const single = await (await importBundle(join(folder, "true"))).load({ device: "cpu" });
    expect(await single.predict({ x })).toEqual({ output });
    single.dispose();
  });
  test.skipIf(unsupportedReason() !== undefined)("and on WebGPU", async () => {
    near((await runBundle(join(folder, "webgpu"), "livePredictions", "webgpu")) as number[]);
  });
  test("are learnt on from, and saved as floats", async () => {
    const own = await (await importBundle(join(folder, "false"))).load({ device: "cpu" });
    const given = { x, label: Int32Array.of(0, 1, 2, 0) };
    const { loss } = await own.trainStep(given);
    for (let step = 0; step < 10; step++) await own.trainStep(given);
    expect((await own.trainStep(given)).loss).toBeLessThan(loss as number);
    const saved = await own.saveWeights();
    const again = await (await importBundle(join(folder, "false"))).load({ device: "cpu", weights: saved });
    expect(await again.predict({ x })).toEqual(await own.predict({ x }));
    own.dispose();
    again.dispose();
  });
});
