/** What is computed once is computed again when its weights changed: by loading, by training, by a state. */
import { describe, expect, test } from "vitest";
import type { Manifest } from "../../runtime/plan.ts";
import { openSession, type Session } from "../../runtime/session.ts";
import { createWasmDevice } from "../../runtime/wasm/device.ts";
import { createWebGPUDevice } from "../../runtime/webgpu/device.ts";
import { generator } from "../scalar/sampling.ts";
import { compileSource } from "../support/bundle.ts";
import { describeWebGPU } from "../support/dawn.ts";

const text = `import nn
import loss
import optim

model Net(image: f32[N, 2, 9, 9]) -> f32[N, 3] =
  image |> conv2d(5, kernel: 3, padding: 1) |> batch_norm |> relu |> conv2d(8, kernel: 3, padding: 1) |> batch_norm |> relu
    |> flatten |> dense(3)

export fn doubled(image: f32[1, 2, 9, 9]) = Net(image) * 2

train fit(batch: int = 4)(image: f32[batch, 2, 9, 9], target: f32[batch, 3]) {
  minimize loss = mse(Net(image), target) over Net.params using sgd(lr: 0.1)
}
`;
const { manifest, wasm, wgsl } = compileSource({ file: "model.dlx", text }, { batches: [1, 4], relaxed: false });

type Opener = (seed: number) => Promise<Session>;
const onCpu: Opener = (seed) =>
  openSession(
    {
      manifest,
      read: () => Promise.reject(new Error("no files")),
      open: { cpu: () => createWasmDevice(manifest, code()) },
    },
    { device: "cpu", seed },
  );
const code = () => new Uint8Array(wasm!);

const random = generator("prepared");
const values = (count: number) => Float32Array.from({ length: count }, () => random() * 2 - 1);
const images = { one: values(162), four: values(4 * 162) };
const targets = values(12);

async function everything(session: Session): Promise<unknown[]> {
  return [
    await session.predict({ image: images.one }),
    await session.predict({ image: images.four }),
    await session.call.doubled!({ image: images.one }),
    await session.evaluate({ image: images.four, target: targets }),
  ];
}

function describeDevice(open: () => Opener): void {
  test("loaded weights", async () => {
    const [first, second] = [await open()(1), await open()(2)];
    const [before, wanted] = [await everything(first), await everything(second)];
    expect(before).not.toEqual(wanted);
    await first.loadWeights(await second.saveWeights());
    expect(await everything(first)).toEqual(wanted);
    first.dispose();
    second.dispose();
  });

  test("training, and going back to a saved state", async () => {
    const session = await open()(1);
    const start = await session.saveState();
    const before = await everything(session);
    for (let step = 0; step < 2; step++) await session.trainStep({ image: images.four, target: targets });
    const after = await everything(session);
    expect(after).not.toEqual(before);
    const fresh = await open()(3);
    await fresh.loadState(await session.saveState());
    expect(await everything(fresh)).toEqual(after);
    await session.loadState(start);
    expect(await everything(session)).toEqual(before);
    session.dispose();
    fresh.dispose();
  });
}

const steps = ({ plan }: { readonly plan: NonNullable<Manifest["wasm"]>["plan"] }) => plan.prepare.length;

describe("on WebAssembly", () => {
  test("there is something to prepare", () => expect(steps(manifest.wasm!)).toBeGreaterThan(0));
  describeDevice(() => onCpu);
});

describeWebGPU("on WebGPU", (context) => {
  test("there is something to prepare", () => expect(steps(manifest.webgpu!)).toBeGreaterThan(0));
  describeDevice(
    () => (seed) =>
      openSession(
        {
          manifest,
          read: () => Promise.reject(new Error("no files")),
          open: {
            webgpu: () => createWebGPUDevice(context().gpu, manifest, wgsl!),
            draw: () => createWasmDevice(manifest, code()),
          },
        },
        { device: "webgpu", seed },
      ),
  );
});
