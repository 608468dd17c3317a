/** Runs kernels in WebAssembly over copies of typed arrays. */
import v8 from "node:v8";
import wabtModule from "wabt";
import { windowSize } from "../../../compiler/codegen/wasm/machine.ts";
import { encodeModule, memoryPages } from "../../../compiler/codegen/wasm/module.ts";
import type { KernelMemory } from "../../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../../compiler/kernel/ir.ts";
import { verifyKernel } from "../../../compiler/kernel/verify.ts";

const wabt = await wabtModule();

/** The smallest module with an `f32x4.relaxed_madd`. */
const relaxedProbe = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 14, 1, 12, 0, 32, 0, 32, 1, 32, 2,
  253, 133, 2, 11,
]);
export function enableRelaxed(): boolean {
  if (WebAssembly.validate(relaxedProbe)) return true;
  v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
  return WebAssembly.validate(relaxedProbe);
}

/** Another implementation of the format agrees that the module is valid. */
export function validate(bytes: Uint8Array): void {
  const module = wabt.readWasm(bytes, { simd: true, relaxed_simd: true, threads: true });
  module.validate();
  module.destroy();
}

export function disassemble(bytes: Uint8Array): string {
  const module = wabt.readWasm(bytes, { simd: true, relaxed_simd: true, threads: true, readDebugNames: true });
  module.applyNames();
  return module.toText({ foldExprs: false, inlineExport: false });
}

export function place(buffers: readonly KernelMemory[]): { addresses: number[]; memoryBytes: number } {
  let next = windowSize;
  const addresses = buffers.map((buffer) => {
    const at = next;
    next += Math.ceil(buffer.byteLength / 16) * 16;
    return at;
  });
  return { addresses, memoryBytes: next };
}

/** The buffers after one run of the kernel. Memory outside of them must stay as it was. */
export async function runWasm(
  kernel: Kernel,
  buffers: readonly KernelMemory[],
  scalars: readonly number[] = [],
  options: { relaxed?: boolean; validate?: boolean } = {},
): Promise<KernelMemory[]> {
  verifyKernel(kernel);
  const { addresses, memoryBytes } = place(buffers);
  const { bytes } = encodeModule({
    entries: [{ name: "run", steps: [{ kind: "call", kernel, args: [...addresses, ...scalars] }] }],
    memoryBytes,
    relaxed: options.relaxed ?? false,
  });
  if (options.validate ?? true) validate(bytes);
  const memory = new WebAssembly.Memory({ initial: memoryPages(memoryBytes), maximum: 65536 });
  const words = new Uint32Array(memory.buffer);
  const canary = 0x7fc0dead;
  words.fill(canary);
  for (const [k, buffer] of buffers.entries())
    words.set(new Uint32Array(buffer.buffer, buffer.byteOffset, buffer.length), addresses[k]! / 4);
  const instance = await WebAssembly.instantiate(await WebAssembly.compile(Buffer.from(bytes)), { env: { memory } });
  const entry = instance.exports.entry0;
  if (typeof entry !== "function") throw new Error("no entry");
  entry();
  const inside = new Uint8Array(words.length);
  const results = buffers.map((buffer, k) => {
    const at = addresses[k]! / 4;
    inside.fill(1, at, at + buffer.length);
    const Type = buffer.constructor as new (data: ArrayBuffer, at: number, length: number) => KernelMemory;
    return new Type(memory.buffer, at * 4, buffer.length).slice();
  });
  words.forEach((word, k) => {
    if (word !== canary && inside[k] === 0) throw new Error(`wrote outside of its buffers, at byte ${k * 4}`);
  });
  return results;
}
