// `node run-bundle.mjs URL-OF-INDEX.JS MODULE EXPORT cpu|webgpu`: prints what the exported function of the module makes of the
// bundle, as JSON. WebGPU is Dawn's, as `navigator.gpu`.
const [url, module, name, device] = process.argv.slice(2);
if (device === "webgpu") {
  const { create } = await import("webgpu");
  Object.defineProperty(globalThis, "navigator", { value: { gpu: create([]) }, configurable: true });
}
const { load } = await import(url);
const { [name]: live } = await import(module);
console.log(JSON.stringify(await live(load, device)));
process.exit();
