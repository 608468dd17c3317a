// `node run-lenet.mjs URL-OF-INDEX.JS cpu|webgpu`: prints what became of the bundle. WebGPU is Dawn's, as `navigator.gpu`.
import { liveLeNet } from "./lenet-scenario.mjs";

const [url, device] = process.argv.slice(2);
if (device === "webgpu") {
  const { create } = await import("webgpu");
  Object.defineProperty(globalThis, "navigator", { value: { gpu: create([]) }, configurable: true });
}
const { load } = await import(url);
console.log(JSON.stringify(await liveLeNet(load, device)));
process.exit();
