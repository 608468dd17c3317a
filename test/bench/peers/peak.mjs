/** Not a contender but the measure of all: multiplications and additions in registers, as many as one core can do. */
import { readFileSync } from "node:fs";
import v8 from "node:v8";

/** `variant` has `relaxed`, which takes fused multiply-add; `prepare.ts` wrote the modules. */
export async function prepare(job, { relaxed }) {
  if (relaxed && process.versions.node.startsWith("20.")) v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
  const { pages, at, numbers } = job.peak;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536 });
  const code = readFileSync(job.file(relaxed ? "peak.relaxed.wasm" : "peak.wasm"));
  const { instance } = await WebAssembly.instantiate(code, { env: { memory } });
  new Float32Array(memory.buffer, at, numbers).fill(0.01);
  const run = instance.exports.entry0;
  return { step: async () => run() };
}
