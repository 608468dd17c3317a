/** Every name of the standard library on WebGPU, against the reference. */
import fc from "fast-check";
import { test } from "vitest";
import { createWebGPUDevice } from "../../runtime/webgpu/device.ts";
import { compiled, expectSameOn, parameters, pointsOf } from "../properties/checks.ts";
import { describeWebGPU } from "../support/dawn.ts";
import { Choices } from "../support/random-body.ts";
import { rows } from "./rows.ts";

const deep = process.env.DLX_DEEP !== undefined;
// A smaller seed is no smaller case.
const seeds = fc.noShrink(fc.nat(2 ** 31 - 1));

describeWebGPU("the library on WebGPU", (context) => {
  test.each(Object.entries(rows))("%s", { timeout: 3_600_000 }, async (_, row) => {
    await fc.assert(
      fc.asyncProperty(seeds, seeds, async (chosen, seed) => {
        // Kernels of derivatives by weights are those by inputs: WebAssembly runs them, and shaders take long to compile.
        const text = row.program(new Choices(chosen)).replace(/^export fn second_by_weights.*$/m, "");
        const all = compiled({ text, batch: 2 }, "webgpu");
        const device = await createWebGPUDevice(context().gpu, all.manifest, all.wgsl ?? "");
        try {
          // WGSL's own functions are looser.
          await expectSameOn(device, all, pointsOf(all, seed), 60);
        } finally {
          device.dispose();
        }
      }),
      parameters(deep ? 10 : 1),
    );
  });
});
