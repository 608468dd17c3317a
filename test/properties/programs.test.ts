/**
 * Random programs through the whole compiler: they check, elaborate, print and parse back; the normal form holds after
 * every pass; optimised and unoptimised, in float64, on WebAssembly and on WebGPU, they compute the same; their gradients
 * are the slopes that differences measure; rows that are said to be independent are.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Compiled } from "../../compiler/compile.ts";
import { createWasmDevice } from "../../runtime/wasm/device.ts";
import { createWebGPUDevice } from "../../runtime/webgpu/device.ts";
import { describeWebGPU } from "../support/dawn.ts";
import {
  compiled,
  expectGradients,
  expectPrints,
  expectRowsIndependent,
  expectSameOn,
  expectSameOptimized,
  parameters,
  pointsOf,
} from "./checks.ts";
import { randomProgram } from "./random-program.ts";

const deep = process.env.DLX_DEEP !== undefined;
const seeds = fc.nat(1_000_000);
const onWasm = ({ manifest, wasm }: Compiled) => createWasmDevice(manifest, wasm as Uint8Array<ArrayBuffer>);

test("random programs", { timeout: 7_200_000 }, async () => {
  let separable = 0;
  await fc.assert(
    fc.asyncProperty(randomProgram(deep ? 10 : 7), seeds, async (random, seed) => {
      expectPrints(random.text);
      const all = compiled(random, "wasm");
      const points = pointsOf(all, seed);
      for (const point of points) expectSameOptimized(point);
      await expectSameOn(await onWasm(all), all, points, random.depth);
      expectGradients(all.program, seed);
      if (expectRowsIndependent(all.program, random.batch, seed)) separable++;
    }),
    parameters(deep ? 1500 : 40),
  );
  expect(separable).toBeGreaterThan(0);
});

test("a weight that meets only padding has the gradient 0", async () => {
  // Found by the programs above: both places of the second convolution lie outside of its 2 x 2 input.
  const text = `import nn
import loss
import optim

model M(x: f32[N, 1, 3, 3]) -> f32[N, 2] =
  x |> conv2d(1, kernel: 3, stride: 3, padding: 2) |> conv2d(1, kernel: 1, stride: 3, padding: 1) |> flatten |> dense(2)

train t(batch: int = 2)(x: f32[batch, 1, 3, 3], label: i32[batch]) {
  minimize loss = cross_entropy(M(x), label) over M.params using sgd(lr: 0.1)
}
`;
  const all = compiled({ text, batch: 2 }, "wasm");
  await expectSameOn(await onWasm(all), all, pointsOf(all, 11), 3);
});

describeWebGPU("random programs on WebGPU", (context) => {
  test("compute what the reference computes", { timeout: 3_600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(randomProgram(7), seeds, async (random, seed) => {
        const all = compiled(random, "webgpu");
        const device = await createWebGPUDevice(context().gpu, all.manifest, all.wgsl ?? "");
        try {
          // WGSL's own functions are looser, and each layer adds to that.
          await expectSameOn(device, all, pointsOf(all, seed), 30 * (1 + random.depth));
        } finally {
          device.dispose();
        }
      }),
      parameters(deep ? 100 : 5),
    );
  });
});
