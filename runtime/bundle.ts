/** What the generated host of a bundle imports: everything that does not depend on the program. */
import { decodeBase64 } from "./base64.ts";
import type { Device } from "./device.ts";
import { DlxError } from "./errors.ts";
import type { Manifest } from "./plan.ts";
import type { LoadOptions } from "./session.ts";
import { createWasmDevice } from "./wasm/device.ts";
import { noSharedMemory } from "./wasm/threads.ts";
import { openWorkerDevice } from "./wasm/worker.ts";
import { createWebGPUDevice } from "./webgpu/device.ts";

export { DlxError } from "./errors.ts";
export type { Manifest } from "./plan.ts";
export { openSession, readFile } from "./session.ts";
export { serveDevice } from "./wasm/worker.ts";

type Read = (file: string, signal?: AbortSignal) => Promise<Uint8Array>;

/** A module of one function that uses `f32x4.relaxed_madd`: it validates where relaxed SIMD is on. */
const probe = decodeBase64("AGFzbQEAAAABCAFgA3t7ewF7AwIBAAoNAQsAIAAgASAC/YUCCw==");

/** Whether fused multiply-add can be had; where it is asked for, Node 20's flag is set. */
export function relaxedSimd(asked: boolean): boolean {
  if (!WebAssembly.validate(probe) && asked && typeof process === "object") {
    process.getBuiltinModule?.("node:v8").setFlagsFromString("--experimental-wasm-relaxed-simd");
  }
  return WebAssembly.validate(probe);
}

/** `url` is the bundle's own file, from which a worker can be made. */
export async function openWasm(
  manifest: Manifest,
  read: Read,
  { relaxedSimd: asked = false, worker = false, threads = 1, onProgress, signal }: LoadOptions,
  url?: string,
): Promise<Device> {
  const { wasm } = manifest;
  if (!wasm) throw new DlxError("E0801", "this program was built without WebAssembly");
  const alone = threads > 1 ? noSharedMemory() : undefined;
  if (alone !== undefined) onProgress?.({ message: `Running on one thread, not on ${threads}: ${alone}` });
  const wanted = alone === undefined ? threads : 1;
  // A page may not wait for threads.
  const isPage = "document" in globalThis;
  if (url !== undefined && (worker || (wanted > 1 && isPage))) {
    try {
      return await openWorkerDevice(url, manifest, { relaxedSimd: asked, threads: wanted }, onProgress);
    } catch (error) {
      onProgress?.({ message: `Running without a worker: ${messageOf(error)}` });
    }
  }
  const relaxed = relaxedSimd(asked) ? wasm.relaxed : undefined;
  const code = (await read(relaxed ?? wasm.file, signal)) as Uint8Array<ArrayBuffer>;
  const memoryFlags = wasm.memoryFlags[relaxed === undefined ? 0 : 1] ?? 0;
  const withThreads = (count: number) => createWasmDevice(manifest, code, { threads: count, memoryFlags, url });
  const device = await withThreads(isPage ? 1 : wanted).catch((error) => {
    if (wanted === 1) throw error;
    onProgress?.({ message: `Running on one thread, not on ${wanted}: ${messageOf(error)}` });
    return withThreads(1);
  });
  return { ...device, details: relaxed === undefined ? "simd128" : "relaxed-simd" };
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

export async function openWebGpu(manifest: Manifest, read: Read, { signal }: LoadOptions): Promise<Device> {
  const { webgpu } = manifest;
  const gpu = globalThis.navigator?.gpu;
  if (!webgpu || !gpu) throw new DlxError("E0801", "there is no WebGPU here");
  return createWebGPUDevice(gpu, manifest, new TextDecoder().decode(await read(webgpu.file, signal)));
}
