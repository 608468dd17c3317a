/**
 * WebGPU in tests: Dawn for Node (`webgpu`) on SwiftShader. `describeWebGPU` is `describe` with a device, skipped where
 * Dawn cannot run (`test/run.ts` reports that, and fails on it when CI is set).
 */
import { afterAll, beforeAll, describe } from "vitest";
import { unsupportedReason } from "./graphics.ts";

/** What `navigator.gpu` would be. Throws with the reason where there is no WebGPU. */
export async function createGPU(): Promise<GPU> {
  const reason = unsupportedReason();
  if (reason !== undefined) throw new Error(reason);
  const { create, globals } = await import("webgpu");
  // The flag constants (GPUBufferUsage ..) are globals in browsers; Dawn for Node hands them over.
  for (const [name, value] of Object.entries(globals)) {
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true });
  }
  // Kernels write workgroup memory before they read it. That it is zero before takes a software driver three quarters of the time
  // in which it compiles; in test/browser it is.
  return create(["enable-dawn-features=disable_workgroup_init"]);
}

export interface WebGPUContext {
  readonly gpu: GPU;
  readonly adapter: GPUAdapter;
  readonly device: GPUDevice;
}

/** A suite that uses a GPU device: `context()` gives it inside tests. */
export function describeWebGPU(name: string, body: (context: () => WebGPUContext) => void): void {
  const supported = unsupportedReason() === undefined;
  describe.skipIf(!supported)(name, () => {
    let current: WebGPUContext | undefined;
    beforeAll(async () => {
      const gpu = await createGPU();
      const adapter = await gpu.requestAdapter();
      if (!adapter) throw new Error("Dawn found no adapter: is LD_LIBRARY_PATH set (vitest.config.ts)?");
      current = { gpu, adapter, device: await adapter.requestDevice() };
    });
    afterAll(() => {
      current?.device.destroy();
      // Dawn keeps the process alive as long as its instance is reachable.
      current = undefined;
    });
    body(() => {
      if (!current) throw new Error("the device exists inside tests only");
      return current;
    });
  });
}
