/** dlx: the bundle as its users load it. A single operation runs in place, its inputs written once. */
import { readFileSync } from "node:fs";
import v8 from "node:v8";

/** `variant` has `load`, the options of `load()`, and `bundle`, the folder. */
export async function prepare(job, variant) {
  if (job.mode === "kernel") return inPlace(job, variant);
  const { load } = await import(`file://${job.file(variant.bundle)}/index.js`);
  const notes = [];
  const net = await load({ device: "cpu", ...variant.load, onProgress: ({ message }) => notes.push(message) });
  if (notes.length > 0) throw new Error(notes.join("; "));
  const inputs = Object.fromEntries(job.inputs.map(({ name, data }) => [name, data]));
  return job.mode === "train"
    ? { step: async () => (await net.trainStep(inputs)).loss }
    : { step: async () => (await net.predict({ image: inputs.image })).output };
}

/** One entry of the module on its own memory, as `prepare.ts` wrote down where things lie. */
async function inPlace({ place, inputs, file }, { bundle, load }) {
  const { pages, entry, addresses, output } = place;
  if (load.relaxedSimd && process.versions.node.startsWith("20."))
    v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
  const code = readFileSync(`${file(bundle)}/${load.relaxedSimd ? "kernels.relaxed.wasm" : "kernels.wasm"}`);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536 });
  const { instance } = await WebAssembly.instantiate(code, { env: { memory } });
  for (const [k, { data }] of inputs.entries()) new Float32Array(memory.buffer, addresses[k], data.length).set(data);
  const run = instance.exports[entry];
  return {
    step: async () => run(),
    output: () => new Float32Array(memory.buffer, output.address, output.count).slice(),
  };
}
