/** What is computed once is computed again when its weights changed: by loading, by training, by a state. */
import { describe, expect, test } from "vitest";
import type { Compiled } from "../../compiler/compile.ts";
import { openSession, type Session } from "../../runtime/session.ts";
import { createWasmDevice } from "../../runtime/wasm/device.ts";
import { createWebGPUDevice } from "../../runtime/webgpu/device.ts";
import { generator } from "../scalar/sampling.ts";
import { compileSource } from "../support/bundle.ts";
import { describeWebGPU } from "../support/dawn.ts";

const dense = { shape: [6], layers: "dense(5) |> batch_norm |> relu |> dense(3)" };
const convolutions = {
  shape: [2, 9, 9],
  layers: `conv2d(5, kernel: 3, padding: 1) |> batch_norm |> relu |> conv2d(8, kernel: 3, padding: 1) |> batch_norm |> relu
    |> flatten |> dense(3)`,
};
type Net = typeof dense;

function compiled({ shape, layers }: Net) {
  const text = `import nn
import loss
import optim
model Net(x: f32[N, ${shape}]) -> f32[N, 3] = x |> ${layers}
export fn doubled(x: f32[1, ${shape}]) = Net(x) * 2
train fit(batch: int = 4)(x: f32[batch, ${shape}], target: f32[batch, 3]) {
  minimize loss = mse(Net(x), target) over Net.params using sgd(lr: 0.1)
}
`;
  return compileSource({ file: "model.dlx", text }, { batches: [1, 4], relaxed: false });
}

type Opener = (program: Compiled, seed: number) => Promise<Session>;
const read = () => Promise.reject(new Error("no files"));
const draw = ({ manifest, wasm }: Compiled) => createWasmDevice(manifest, new Uint8Array(wasm!));
const onCpu: Opener = (program, seed) =>
  openSession({ manifest: program.manifest, read, open: { cpu: () => draw(program) } }, { device: "cpu", seed });

const random = generator("prepared");
const values = (count: number) => Float32Array.from({ length: count }, () => random() * 2 - 1);

async function check(net: Net, open: Opener): Promise<void> {
  const program = compiled(net);
  const size = net.shape.reduce((product, extent) => product * extent, 1);
  const [one, four, target] = [values(size), values(4 * size), values(12)];
  const everything = async (session: Session): Promise<unknown[]> => [
    await session.predict({ x: one }),
    await session.predict({ x: four }),
    await session.call.doubled!({ x: one }),
    await session.evaluate({ x: four, target }),
  ];
  const [first, second] = [await open(program, 1), await open(program, 2)];
  const start = await first.saveState();
  const [before, other] = [await everything(first), await everything(second)];
  expect(before).not.toEqual(other);

  await first.loadWeights(await second.saveWeights());
  expect(await everything(first), "loaded weights").toEqual(other);

  for (let step = 0; step < 2; step++) await first.trainStep({ x: four, target });
  const trained = await everything(first);
  expect(trained, "training").not.toEqual(other);
  await second.loadState(await first.saveState());
  expect(await everything(second), "a state in a session that never trained").toEqual(trained);

  await first.loadState(start);
  expect(await everything(first), "the first state again").toEqual(before);
  first.dispose();
  second.dispose();
}

describe("predictions, calls and evaluations follow loaded weights, training and states", () => {
  test("dense, on WebAssembly", () => check(dense, onCpu));
  test("convolutions, on WebAssembly", () => check(convolutions, onCpu));
});

describeWebGPU("on WebGPU", (context) => {
  test("dense", () =>
    check(dense, (program, seed) =>
      openSession(
        {
          manifest: program.manifest,
          read,
          open: {
            webgpu: () => createWebGPUDevice(context().gpu, program.manifest, program.wgsl!),
            draw: () => draw(program),
          },
        },
        { device: "webgpu", seed },
      ),
    ));
});

test("both devices have something to prepare, shared by the batch sizes", () => {
  const { manifest } = compiled(dense);
  for (const target of [manifest.wasm, manifest.webgpu]) {
    const needed = target!.plan.entries.map((entry) => entry?.prepare ?? []);
    const predictions = [...manifest.entries.keys()].filter((k) => manifest.entries[k]!.kind === "predict");
    const [one, four] = predictions.map((k) => needed[k]!);
    expect(one!.filter((k) => four!.includes(k))).not.toEqual([]);
  }
});
