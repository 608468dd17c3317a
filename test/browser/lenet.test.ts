/** One bundle, four places: Node and Chromium, WebAssembly and WebGPU. The same weights, predictions and curve. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { bundleFiles, exampleSource, pagesOf, root, runBundle, writeBundle } from "../support/bundle.ts";
import { describeBrowser, openPage, serve } from "../support/chromium.ts";
import { temporaryFolder } from "../support/folder.ts";
import { unsupportedReason } from "../support/graphics.ts";

interface Life {
  readonly device: string;
  readonly drawn: string;
  readonly predictions: Readonly<Record<string, number[]>>;
  readonly losses: readonly number[];
  readonly evaluated: { readonly loss: number; readonly accuracy: number };
  readonly trained: readonly number[];
  readonly saliency: readonly number[];
}
/** What the page's script leaves for the test. */
declare global {
  var liveLeNet: (device: "cpu" | "webgpu") => Promise<Life>;
}

const folder = temporaryFolder();
let files = new Map<string, Uint8Array>();
let reference: Life;

function expectNear(got: readonly number[], want: readonly number[], tolerance: number): void {
  expect(got).toHaveLength(want.length);
  const apart = got.reduce((most, value, k) => Math.max(most, Math.abs(value - want[k]!)), 0);
  expect(apart).toBeLessThan(tolerance);
}
function expectSame(life: Life, device: string): void {
  expect(life.device).toBe(device);
  expect(life.drawn).toBe(reference.drawn);
  for (const [count, values] of Object.entries(reference.predictions))
    expectNear(life.predictions[count] ?? [], values, 1e-4);
  expectNear(life.losses, reference.losses, 1e-3);
  expectNear(
    [life.evaluated.loss, life.evaluated.accuracy],
    [reference.evaluated.loss, reference.evaluated.accuracy],
    1e-3,
  );
  const scale = (values: readonly number[]) => Math.max(...values.map(Math.abs));
  expectNear(life.trained, reference.trained, 1e-3 * scale(reference.trained));
  expectNear(life.saliency, reference.saliency, 1e-3 * scale(reference.saliency));
}

const live = async (device: string) => (await runBundle(folder.path, "liveLeNet", device)) as Life;

beforeAll(async () => {
  files = await bundleFiles(exampleSource("lenet"), { set: { batch: 4 }, batches: [1, 4] });
  writeBundle(folder.path, files);
  reference = await live("cpu");
});

describe("LeNet in Node", () => {
  test("predicts the same at every batch size, and learns", () => {
    const { predictions, losses } = reference;
    expect(Object.values(predictions).map(({ length }) => length)).toEqual([10, 30, 640, 1000]);
    const whole = predictions[100]!;
    for (const values of Object.values(predictions)) expectNear(values, whole.slice(0, values.length), 1e-5);
    const mean = (part: readonly number[]) => part.reduce((sum, loss) => sum + loss / part.length, 0);
    expect(mean(losses.slice(-5))).toBeLessThan(0.5 * mean(losses.slice(0, 5)));
    expect(losses).toHaveLength(20);
  });
  // A software driver takes half a minute to compile the kernels: once, in Chromium, is enough for every day.
  if (process.env.DLX_DEEP)
    test.skipIf(unsupportedReason() !== undefined)("lives the same life on WebGPU", async () => {
      expectSame(await live("webgpu"), "webgpu");
    });
});

test.skipIf(unsupportedReason() !== undefined)("a bundle in Node finds the WebGPU of `navigator`", async () => {
  const path = join(folder.path, "spirals");
  const spirals = await bundleFiles(exampleSource("spirals"), { set: { batch: 16 }, relaxed: false });
  writeBundle(path, spirals);
  type Points = { device: string; losses: number[]; output: number[] };
  const [gpu, cpu] = [
    (await runBundle(path, "livePoints", "webgpu")) as Points,
    (await runBundle(path, "livePoints", "cpu")) as Points,
  ];
  expect([gpu.device, cpu.device]).toEqual(["webgpu", "cpu"]);
  expectNear(gpu.losses, cpu.losses, 1e-4);
  expectNear(gpu.output, cpu.output, 1e-3);
});

/** As strict as a page can be: no inline scripts, no eval, nothing from elsewhere. */
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
const pageScript = `
  import { load } from "/bundle/index.js";
  import { liveLeNet } from "/bundle-lives.mjs";
  globalThis.liveLeNet = (device) => liveLeNet(load, device);`;
const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>dlx</title>
  <script type="module" src="/page.js"></script></html>`;

describeBrowser("LeNet in Chromium, under a strict policy", (browser) => {
  test.each(["cpu", "webgpu"] as const)("lives the same life on %s", async (device) => {
    const scenario = readFileSync(join(root, "test/support/bundle-lives.mjs"));
    const pages = { "/index.html": page, "/page.js": pageScript, "/bundle-lives.mjs": scenario };
    const server = await serve({
      pages: { ...pages, ...pagesOf("/bundle", files) },
      headers: { "Content-Security-Policy": policy },
    });
    try {
      const { page, messages } = await openPage(browser(), server.url);
      await page.waitForFunction(() => "liveLeNet" in globalThis);
      const life = await page.evaluate((wanted) => globalThis.liveLeNet(wanted), device);
      expect(messages.filter((message) => /uncaught|violates|Refused/.test(message))).toEqual([]);
      expectSame(life, device);
      await page.close();
    } finally {
      await server.close();
    }
  });

  test("the example's page is drawn on and taught", async () => {
    const html = readFileSync(join(root, "examples/lenet/page/index.html"));
    const server = await serve({ pages: { "/index.html": html, ...pagesOf("/bundle", files) } });
    try {
      const { page, messages } = await openPage(browser(), server.url, () =>
        Reflect.deleteProperty(Navigator.prototype, "gpu"),
      );
      const says = page.locator("#say");
      await page.waitForFunction(() => document.getElementById("say")?.textContent === "Ready, on cpu.");
      const board = (await page.locator("#board").boundingBox())!;
      await page.mouse.move(board.x + 80, board.y + 70);
      await page.mouse.down();
      for (const [x, y] of [
        [190, 60],
        [120, 230],
      ] as const)
        await page.mouse.move(board.x + x, board.y + y, { steps: 5 });
      await page.mouse.up();
      const shares = () => page.locator("#scores output").allTextContents();
      await page.waitForFunction(() => document.querySelector("#scores output")?.textContent !== "");
      await page.getByRole("button", { name: "7", exact: true }).click();
      await page.waitForFunction(() => document.getElementById("say")?.textContent?.startsWith("Step 10 "));
      expect(await says.textContent()).toMatch(/^Step 10 on cpu: loss [\d.]+, \d+% right$/);
      const percent = (await shares()).map(Number.parseFloat);
      expect(percent.indexOf(Math.max(...percent))).toBe(7);
      expect(messages).toEqual([]);
      await page.close();
    } finally {
      await server.close();
    }
  });
});
