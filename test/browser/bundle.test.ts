/** A bundle in a real browser: predicts and trains on WebGPU and on WebAssembly, and both agree. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bundle } from "../../compiler/bundle/bundle.ts";
import { fileLoader } from "../../compiler/cli/library.ts";
import { compile } from "../../compiler/compile.ts";
import { describeBrowser, openPage, serve } from "../support/chromium.ts";

/** What the page's script leaves for the tests: vitest rewrites `import()` in functions that it compiles. */
declare global {
  var bundleUnderTest: Promise<{
    load(options: object): Promise<{
      device: string;
      trainStep(inputs: object): Promise<{ loss: number }>;
      predict(inputs: object): Promise<{ output: Float32Array }>;
      dispose(): void;
    }>;
  }>;
}
const bundlePage = `<!doctype html><html lang="en"><meta charset="utf-8"><title>dlx</title><link rel="icon" href="data:,">
  <body><script>globalThis.bundleUnderTest = import("/bundle/index.js")</script></body></html>`;

const root = join(import.meta.dirname, "../..");

async function bundleOf(example: string, set: Record<string, string>): Promise<Record<string, Uint8Array>> {
  const file = join(root, "examples", example, "model.dlx");
  const source = { file: `${example}.dlx`, text: readFileSync(file, "utf8") };
  const { compiled, diagnostics } = compile(source, fileLoader(file), { set });
  if (!compiled) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  const files = await bundle({ ...compiled, weights: undefined }, { runtime: join(root, "runtime/bundle.ts") });
  return Object.fromEntries([...files].map(([name, bytes]) => [`/bundle/${name}`, bytes]));
}

describeBrowser("a bundle in Chromium", (browser) => {
  test("trains and predicts on WebGPU as on WebAssembly", async () => {
    const pages = await bundleOf("spirals", { batch: "16" });
    const server = await serve({ pages: { "/index.html": bundlePage, ...pages } });
    try {
      const { page, messages } = await openPage(browser(), server.url);
      const results = await page.evaluate(async () => {
        const { load } = await globalThis.bundleUnderTest;
        const run = async (device: string) => {
          const net = await load({ device, weights: "random", seed: 3 });
          const x = Float32Array.from({ length: 32 }, (_, k) => Math.sin(k * 1.7));
          const label = Int32Array.from({ length: 16 }, (_, k) => k % 3);
          const losses: number[] = [];
          for (let step = 0; step < 3; step++) losses.push((await net.trainStep({ x, label })).loss);
          const { output } = await net.predict({ x: x.slice(0, 2) });
          const { device: got } = net;
          net.dispose();
          return { device: got, losses, output: [...output] };
        };
        return [await run("webgpu"), await run("cpu")];
      });
      expect(messages.filter((message) => message.startsWith("uncaught") || message.startsWith("error"))).toEqual([]);
      const [gpu, cpu] = results;
      expect([gpu?.device, cpu?.device]).toEqual(["webgpu", "cpu"]);
      for (const key of ["losses", "output"] as const)
        for (const [k, value] of cpu![key].entries()) expect(Math.abs(gpu![key][k]! - value)).toBeLessThan(1e-3);
      expect(gpu?.losses[2]).toBeLessThan(gpu!.losses[0]!);
      await page.close();
    } finally {
      await server.close();
    }
  }, 120_000);
});
