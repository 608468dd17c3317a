/** onnxruntime, in WebAssembly or native, on the model that `onnx.ts` wrote. Its feeds are copied at every call. */
import { readFileSync } from "node:fs";

export async function prepare({ inputs, file }, { native }) {
  const module = native ? await import("onnxruntime-node") : await import("onnxruntime-web/wasm");
  const ort = module.default ?? module;
  if (!native) ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(file("model.onnx"))), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
    executionProviders: [native ? "cpu" : "wasm"],
  });
  let last;
  return {
    async step() {
      const feeds = Object.fromEntries(
        inputs.map(({ name, shape, data }) => [name, new ort.Tensor("float32", data, shape)]),
      );
      const { output } = await session.run(feeds);
      last = output.data;
      return last;
    },
    output: () => last,
  };
}
