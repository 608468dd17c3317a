/** Bundles in a real browser: every kind of value on WebGPU as on WebAssembly, and what becomes of a lost GPU. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleFiles, pagesOf } from "../support/bundle.ts";
import { describeBrowser, openPage, type StaticServer, serve } from "../support/chromium.ts";

type Results = Record<string, unknown>;
interface Net {
  readonly device: string;
  readonly call: Record<string, (inputs: object) => Promise<Results>>;
  readonly models: Record<string, { predict(inputs: object): Promise<Results> }>;
  trainStep(inputs: object): Promise<Results>;
  evaluate(inputs: object): Promise<Results>;
  predict(inputs: object): Promise<Results>;
  saveState(): Promise<Uint8Array>;
  loadState(bytes: Uint8Array): Promise<unknown>;
  dispose(): void;
}
/** What the page's script leaves for the tests: vitest rewrites `import()` in functions that it compiles. */
declare global {
  var openNet: (bundle: string, options: object) => Promise<Net>;
  /** Every GPU device that was asked for. */
  var gpuDevices: GPUDevice[];
  var plain: (results: Results) => Results;
}
const script = `
  globalThis.openNet = async (bundle, options) => (await import("/" + bundle + "/index.js")).load(options);
  globalThis.gpuDevices = [];
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...list) {
    const device = await requestDevice.apply(this, list);
    gpuDevices.push(device);
    return device;
  };
  globalThis.plain = (results) => Object.fromEntries(Object.entries(results).map(([name, value]) =>
    [name, typeof value === "object" ? [value.constructor.name, ...value] : value]));`;
const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>dlx</title><link rel="icon" href="data:,">
  <script type="module" src="/page.js"></script></html>`;

const values = `
import nn
import loss
import optim
export fn mirrored(image: u8[2, 3]) -> u8[2, 3] {
  let y[i, j < 3] = image[i, 2 - j]
  y
}
export fn compared(a: i32[5], b: i32[5]) -> (less: bool[5], sum: i32[5], all_less: bool, most: i32) {
  let less = a < b
  let all_less = all[k] less[k]
  let most = max[k] a[k]
  (less: less, sum: a + b, all_less: all_less, most: most)
}
export fn flag(on: bool, x: f32) -> f32 = select(on, x, -x)
export fn masked(x: f32[N, 5]) -> f32[N, 5] = select(bernoulli(shape(x), 0.5, seed: 11), x, 0)
layer memory(features: int)(x: f32[N, T, D]) { x |> lstm(features) }
export model Reader(x: f32[N, 4, 2]) = x |> memory(3)
train reader(batch: int = 3)(x: f32[batch, 4, 2], label: i32[batch], peak: f32 = 0.05) {
  let kept = Reader(x).hidden |> dropout(0.2)
  minimize loss = cross_entropy(kept, label) over Reader.params using adam(lr: peak)
  metric accuracy = accuracy(kept, label)
}`;
const small = "import nn\nmodel M(x: f32[N, 2]) -> f32[N, 2] = x |> dense(8) |> tanh |> dense(2)";

describeBrowser("a bundle in Chromium", (browser) => {
  let server: StaticServer;
  beforeAll(async () => {
    const bundles = {
      values: await bundleFiles(values, { batches: [1, 2], evaluations: [1] }),
      gpu: await bundleFiles(small, { targets: ["webgpu"] }),
      single: await bundleFiles(small, { singleFile: true }),
    };
    const pages = Object.entries(bundles).map(([name, files]) => pagesOf(`/${name}`, files));
    server = await serve({ pages: { "/index.html": page, "/page.js": script, ...Object.assign({}, ...pages) } });
  });
  afterAll(() => server.close());
  const opened = async () => {
    const { page, messages } = await openPage(browser(), server.url);
    await page.waitForFunction(() => "plain" in globalThis);
    return { page, failures: () => messages.filter((message) => /^(uncaught|error)/.test(message)) };
  };

  test("values of every dtype, records, masks, training and its state are on WebGPU what they are on WebAssembly", async () => {
    const { page, failures } = await opened();
    const [gpu, cpu] = await page.evaluate(async () => {
      const live = async (device: string) => {
        const net = await globalThis.openNet("values", { device, seed: 3 });
        const x = Float32Array.from({ length: 24 }, (_, k) => Math.sin(1.7 * k));
        const image = Uint8Array.of(0, 1, 2, 3, 4, 255);
        const [a, b] = [Int32Array.of(1, 2, 3, -4, 0), Int32Array.of(2, 1, 4, 4, 1)];
        const exact = [
          { device: net.device },
          await net.call.mirrored!({ image }),
          await net.call.compared!({ a, b }),
          await net.call.flag!({ on: false, x: 2.5 }),
          await net.call.masked!({ x: x.slice(0, 10) }),
        ].map(globalThis.plain);
        const label = Int32Array.of(0, 1, 2);
        const near: Results[] = [await net.predict({ x })];
        for (let step = 0; step < 4; step++) near.push(await net.trainStep({ x, label }));
        const state = await net.saveState();
        near.push(
          await net.trainStep({ x, label }),
          await net.evaluate({ x: x.slice(0, 16), label: label.slice(0, 2) }),
        );
        const again = await globalThis.openNet("values", { device, seed: 4 });
        await again.loadState(state);
        await again.trainStep({ x, label });
        const resumed = String((await again.saveState()).slice(-512)) === String((await net.saveState()).slice(-512));
        net.dispose();
        again.dispose();
        const flat = near.flatMap((results) => Object.values(results)).flatMap((value) => [...[value].flat()]);
        return {
          exact,
          near: flat.flatMap((value) => (typeof value === "object" ? [...(value as Float32Array)] : [Number(value)])),
          resumed,
        };
      };
      return [await live("webgpu"), await live("cpu")] as const;
    });
    expect(failures()).toEqual([]);
    expect(gpu.exact[0]).toEqual({ device: "webgpu" });
    expect(cpu.exact.slice(1, 4)).toEqual([
      { output: ["Uint8Array", 2, 1, 0, 255, 4, 3] },
      { less: ["Uint8Array", 1, 0, 1, 1, 1], sum: ["Int32Array", 3, 3, 7, 0, 1], all_less: false, most: 3 },
      { output: -2.5 },
    ]);
    expect(gpu.exact.slice(1)).toEqual(cpu.exact.slice(1));
    expect(gpu.near).toHaveLength(cpu.near.length);
    const apart = gpu.near.map((value, k) => Math.abs(value - cpu.near[k]!));
    expect(Math.max(...apart)).toBeLessThan(1e-3);
    expect([gpu.resumed, cpu.resumed]).toEqual([true, true]);
    await page.close();
  });

  test("built for WebGPU alone, and in one file: the same weights", async () => {
    const { page, failures } = await opened();
    const outputs = await page.evaluate(async () => {
      const predict = async (bundle: string, device: string) => {
        const net = await globalThis.openNet(bundle, { device, seed: 8 });
        const { output } = await net.predict({ x: Float32Array.of(0.5, -1, 2, 0.25) });
        net.dispose();
        return [...(output as Float32Array)];
      };
      return [await predict("single", "cpu"), await predict("single", "auto"), await predict("gpu", "auto")];
    });
    expect(failures()).toEqual([]);
    const [cpu, ...gpu] = outputs;
    for (const output of gpu) for (const [k, value] of output.entries()) expect(value).toBeCloseTo(cpu![k]!, 5);
    await page.close();
  });

  test("in a worker, or without one where the page's policy allows none", async () => {
    const files = await bundleFiles(small, { targets: ["wasm"] });
    for (const [workers, said] of [
      ["'self'", []],
      ["'none'", [expect.stringMatching(/^Running without a worker: /)]],
    ] as const) {
      const strict = await serve({
        pages: { "/index.html": page, "/page.js": script, ...pagesOf("/only", files) },
        headers: { "Content-Security-Policy": `script-src 'self' 'wasm-unsafe-eval'; worker-src ${workers}` },
      });
      const { page: opened } = await openPage(browser(), strict.url);
      await opened.waitForFunction(() => "plain" in globalThis);
      const result = await opened.evaluate(async () => {
        const messages: string[] = [];
        const onProgress = ({ message }: { message: string }) => messages.push(message);
        const net = await globalThis.openNet("only", { worker: true, seed: 8, onProgress });
        const here = await globalThis.openNet("only", { seed: 8 });
        const x = Float32Array.of(0.5, -1, 2, 0.25);
        const [there, same] = [globalThis.plain(await net.predict({ x })), globalThis.plain(await here.predict({ x }))];
        net.dispose();
        here.dispose();
        const gone = await net.predict({ x }).catch((error) => error.code);
        return { messages, equal: JSON.stringify(there) === JSON.stringify(same), gone };
      });
      expect(result).toEqual({ messages: said, equal: true, gone: "E0804" });
      await opened.close();
      await strict.close();
    }
  });

  test("a lost GPU rejects what runs and what waits, and loading again works", async () => {
    const { page } = await opened();
    const result = await page.evaluate(async () => {
      const x = new Float32Array(64);
      const net = await globalThis.openNet("gpu", { seed: 8 });
      const before = globalThis.plain(await net.predict({ x }));
      const running = [net.predict({ x }), net.predict({ x })];
      globalThis.gpuDevices.at(-1)?.destroy();
      const lost = (await Promise.allSettled([...running, net.predict({ x })])).map((outcome) =>
        outcome.status === "rejected" ? outcome.reason.code : "fulfilled",
      );
      const later = await net.predict({ x }).catch((error) => error.message);
      net.dispose();
      const again = await globalThis.openNet("gpu", { seed: 8 });
      const after = globalThis.plain(await again.predict({ x }));
      again.dispose();
      const gone = await again.predict({ x }).catch((error) => error.code);
      return { same: JSON.stringify(before) === JSON.stringify(after), lost, later, gone };
    });
    expect(result).toMatchObject({
      same: true,
      later: expect.stringMatching(/^E0802: the GPU was lost/),
      gone: "E0804",
    });
    // The first may have been done before the GPU went away.
    expect(result.lost.slice(1)).toEqual(["E0802", "E0802"]);
    await page.close();
  });
});
