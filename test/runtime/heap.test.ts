/** Training allocates nothing that stays, and nothing that grows with the network. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { bundleFiles, root, writeBundle } from "../support/bundle.ts";
import { temporaryFolder } from "../support/folder.ts";

const { path: folder } = temporaryFolder();

const program = (depth: number, width: number) => `import nn
import loss
import optim

model Net(x: f32[N, ${width}]) -> f32[N, 10] = repeat i < ${depth}, h = x { h |> dense(${width}) |> relu } |> dense(10)

train net(batch: int = 16)(x: f32[batch, ${width}], label: i32[batch]) {
  minimize loss = cross_entropy(Net(x), label) over Net.params using momentum(lr: 0.01)
}
`;

interface Heap {
  readonly retained: number;
  readonly retainedArrays: number;
  readonly stepHeap: number;
  readonly stepArrays: number;
}

async function measure(depth: number, width: number): Promise<Heap> {
  const files = await bundleFiles(program(depth, width), { targets: ["wasm"] });
  const at = writeBundle(join(folder, `${depth}-${width}`), files);
  const inputs = { x: { length: 16 * width, integer: false }, label: { length: 16, integer: true } };
  const parameters = ["--expose-gc", "--max-semi-space-size=64", join(root, "test/support/heap.mjs")];
  const url = pathToFileURL(join(at, "index.js")).href;
  return JSON.parse(execFileSync(process.execPath, [...parameters, url, JSON.stringify(inputs)], { encoding: "utf8" }));
}

test("a thousand steps leave nothing behind, and a step allocates its promises and results alone", async () => {
  const [small, large] = [await measure(1, 16), await measure(6, 64)];
  for (const { retained, retainedArrays, stepHeap, stepArrays } of [small, large]) {
    // A byte or two a step would be 2,000.
    expect(retained).toBeLessThan(16_384);
    expect(retainedArrays).toBeLessThanOrEqual(0);
    expect(stepHeap).toBeLessThan(8_192);
    // The loss, and what is around a number.
    expect(stepArrays).toBeLessThan(64);
  }
  // A copy of the inputs would be 3,072 bytes more, one of the weights 100,000; how well the engine optimises varies by up to 1,100.
  expect(large.stepHeap - small.stepHeap).toBeLessThan(2048);
});
