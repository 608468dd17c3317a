import { expect, test } from "vitest";
import { blankPage, describeBrowser, openPage, serve } from "../support/chromium.ts";

describeBrowser("Chromium", (browser) => {
  test("is cross-origin isolated and runs WGSL", async () => {
    const server = await serve({ pages: { "/index.html": blankPage } });
    try {
      const { page, messages } = await openPage(browser(), server.url);
      const result = await page.evaluate(async () => {
        const adapter = await navigator.gpu?.requestAdapter();
        const device = await adapter?.requestDevice();
        if (!device) return undefined;
        const module = device.createShaderModule({
          code: `@group(0) @binding(0) var<storage, read_write> y: array<u32>;
            @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = id.x * 3u; }`,
        });
        const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
        const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
        const staging = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        const layout = pipeline.getBindGroupLayout(0);
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] }));
        pass.dispatchWorkgroups(1);
        pass.end();
        encoder.copyBufferToBuffer(buffer, 0, staging, 0, 16);
        device.queue.submit([encoder.finish()]);
        await staging.mapAsync(GPUMapMode.READ);
        return { isolated: crossOriginIsolated, values: [...new Uint32Array(staging.getMappedRange())] };
      });
      expect(messages.filter((message) => message.startsWith("uncaught"))).toEqual([]);
      expect(result).toEqual({ isolated: true, values: [0, 3, 6, 9] });
      await page.close();
    } finally {
      await server.close();
    }
  });
});
