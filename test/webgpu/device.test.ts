import { expect, test } from "vitest";
import { readGraph } from "../../compiler/graph/read.ts";
import type { Manifest } from "../../runtime/plan.ts";
import { createWebGPUDevice } from "../../runtime/webgpu/device.ts";
import { joinKernels, splitKernels } from "../../runtime/webgpu/kernels.ts";
import { packScalars } from "../../runtime/webgpu/scalars.ts";
import { describeWebGPU } from "../support/dawn.ts";
import { compileForGPU } from "../support/run-webgpu.ts";

/** A running sum: `total` is a state, `x` comes with each call. */
const counter = compileForGPU(
  readGraph(`input %total: f32[3] state sum
  input %x: f32[3] argument x
  %next: f32[3] = map[i<3] %total[i] + %x[i]
  %twice: f32[3] = map[i<3] %next[i] * 2
  output %next state sum
  output %twice result twice`),
);

/** A GPU whose devices are remembered, so that a test can take one away. */
function observed(gpu: GPU): { gpu: GPU; devices: GPUDevice[] } {
  const devices: GPUDevice[] = [];
  const requestAdapter = async (options?: GPURequestAdapterOptions): Promise<GPUAdapter | null> => {
    const adapter = await gpu.requestAdapter(options);
    return (
      adapter &&
      new Proxy(adapter, {
        get(target, key) {
          if (key !== "requestDevice") return Reflect.get(target, key, target);
          return async (descriptor?: GPUDeviceDescriptor) => {
            const device = await target.requestDevice(descriptor);
            devices.push(device);
            return device;
          };
        },
      })
    );
  };
  return { gpu: new Proxy(gpu, { get: (_, key) => (key === "requestAdapter" ? requestAdapter : undefined) }), devices };
}

describeWebGPU("the WebGPU device", (context) => {
  test("state lives from call to call, is read and written", async () => {
    const device = await createWebGPUDevice(context().gpu, counter.manifest, counter.wgsl);
    expect(device.name).toBe("webgpu");
    expect(await device.run(0, [Float32Array.of(1, 2, 3)])).toEqual([Float32Array.of(2, 4, 6)]);
    expect(await device.run(0, [Float32Array.of(1, 1, 1)])).toEqual([Float32Array.of(4, 6, 8)]);
    expect(await device.readSlot(0)).toEqual(Float32Array.of(2, 3, 4));
    device.writeSlot(0, Float32Array.of(10, 20, 30));
    expect(await device.run(0, [Float32Array.of(0, 0, 0)])).toEqual([Float32Array.of(20, 40, 60)]);
    device.dispose();
  });

  test("one submit a call", async () => {
    const { gpu, devices } = observed(context().gpu);
    const device = await createWebGPUDevice(gpu, counter.manifest, counter.wgsl);
    let submits = 0;
    const queue = devices[0]!.queue;
    const submit = queue.submit.bind(queue);
    queue.submit = (buffers) => {
      submits++;
      return submit(buffers);
    };
    await device.run(0, [Float32Array.of(1, 2, 3)]);
    expect(submits).toBe(1);
    device.dispose();
  });

  test("a lost GPU rejects what runs and what follows, and loading again works", async () => {
    const { gpu, devices } = observed(context().gpu);
    const device = await createWebGPUDevice(gpu, counter.manifest, counter.wgsl);
    const running = device.run(0, [Float32Array.of(1, 2, 3)]);
    devices[0]!.destroy();
    await expect(running).rejects.toMatchObject({ name: "DlxError", code: "E0802" });
    await expect(device.lost).rejects.toMatchObject({ code: "E0802" });
    await expect(device.run(0, [Float32Array.of(1, 2, 3)])).rejects.toMatchObject({ code: "E0802" });
    await expect(device.readSlot(0)).rejects.toMatchObject({ code: "E0802" });
    const again = await createWebGPUDevice(gpu, counter.manifest, counter.wgsl);
    expect(await again.run(0, [Float32Array.of(1, 2, 3)])).toEqual([Float32Array.of(2, 4, 6)]);
    again.dispose();
  });

  test("dispose ends what runs; later calls say so", async () => {
    const device = await createWebGPUDevice(context().gpu, counter.manifest, counter.wgsl);
    const running = device.run(0, [Float32Array.of(1, 2, 3)]);
    device.dispose();
    await expect(running).rejects.toMatchObject({ code: "E0804" });
    await expect(device.run(0, [])).rejects.toMatchObject({ code: "E0804" });
    device.dispose();
  });

  test("an input that is missing is named", async () => {
    const device = await createWebGPUDevice(context().gpu, counter.manifest, counter.wgsl);
    await expect(device.run(0, [])).rejects.toMatchObject({ code: "E0601", message: expect.stringContaining("`x`") });
    device.dispose();
  });

  test("no adapter, no WebGPU in the program, a limit too low, a kernel that is refused: each says what", async () => {
    const none = new Proxy(context().gpu, { get: () => async () => null });
    await expect(createWebGPUDevice(none, counter.manifest, counter.wgsl)).rejects.toMatchObject({ code: "E0801" });
    const without: Manifest = { ...counter.manifest, webgpu: null };
    await expect(createWebGPUDevice(context().gpu, without, "")).rejects.toMatchObject({ code: "E0801" });

    const webgpu = counter.manifest.webgpu!;
    const huge: Manifest = { ...counter.manifest, webgpu: { ...webgpu, plan: { ...webgpu.plan, arena: [2 ** 45] } } };
    await expect(createWebGPUDevice(context().gpu, huge, counter.wgsl)).rejects.toMatchObject({
      code: "E0801",
      message: expect.stringContaining("maxBufferSize"),
    });
    const broken = counter.wgsl.replaceAll("let number", "let");
    await expect(createWebGPUDevice(context().gpu, counter.manifest, broken)).rejects.toMatchObject({
      code: "E0801",
      message: expect.stringContaining("refuses kernel"),
    });
    await expect(createWebGPUDevice(context().gpu, counter.manifest, "")).rejects.toMatchObject({
      code: "E0801",
      message: expect.stringContaining("has no kernel"),
    });
  });
});

test("kernels are taken apart as they were put together", () => {
  const kernels = new Map([
    ["a.b", "fn main() {}\n// a comment"],
    ["c", "fn main() { let x = 1; }"],
  ]);
  expect([...splitKernels(joinKernels(kernels))].map(([name, code]) => [name, code.trim()])).toEqual(
    [...kernels].map(([name, code]) => [name, code.trim()]),
  );
});

test("equal lists of scalars share a place, others begin at the alignment", () => {
  const launch = (...scalars: number[]) => ({ kernel: "k", buffers: [], scalars, workgroups: [1, 1, 1] as const });
  const launches = [launch(), launch(7), launch(), launch(1, 2, 3, 4)];
  const { words, offsetOf, bytesOf } = packScalars(launches, 256);
  expect(launches.map(offsetOf)).toEqual([0, 256, 0, 512]);
  expect(launches.map(bytesOf)).toEqual([16, 16, 16, 32]);
  expect([...words.slice(64, 66)]).toEqual([0x7f800000, 7]);
  expect(words.byteLength).toBe(512 + 32);
});
