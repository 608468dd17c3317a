/** Threads in Chromium: a page that is cross-origin isolated has the same bits on two as on one; others say why not. */
import { expect, test } from "vitest";
import type { Session } from "../../runtime/session.ts";
import { bundleFiles, exampleSource, pagesOf } from "../support/bundle.ts";
import { blankPage, describeBrowser, openPage, serve } from "../support/chromium.ts";

const html = blankPage.replace("<body>", '<body><script type="module" src="/page.js"></script>');
const script = 'import { load } from "/lenet/index.js"; globalThis.load = load;';

describeBrowser("threads in Chromium", (browser) => {
  /** Weights after some steps, and what was said, for each way of loading. */
  async function lives(pages: Record<string, string | Uint8Array>, isolated: boolean, ways: readonly object[]) {
    const server = await serve({ pages: { "/index.html": html, "/page.js": script, ...pages }, isolated });
    const { page } = await openPage(browser(), server.url);
    await page.waitForFunction(() => "load" in globalThis);
    const results = await page.evaluate(async (options) => {
      const load: (options: object) => Promise<Session> = Reflect.get(globalThis, "load");
      const live = async (way: object) => {
        const messages: string[] = [];
        const onProgress = ({ message }: { message: string }) => messages.push(message);
        const net = await load({ device: "cpu", seed: 5, onProgress, ...way });
        const image = Float32Array.from({ length: 16 * 784 }, (_, k) => Math.sin(1.7 * k));
        const label = Int32Array.from({ length: 16 }, (_, k) => k % 10);
        for (let step = 0; step < 5; step++) await net.trainStep({ image, label, peak: 0.1 });
        const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(await net.saveState())));
        const loss = (await net.evaluate({ image, label })).loss;
        net.dispose();
        return { messages, loss, weights: [...digest].join() };
      };
      const found: Awaited<ReturnType<typeof live>>[] = [];
      for (const way of options) found.push(await live(way));
      return found;
    }, ways);
    await page.close();
    await server.close();
    return results;
  }

  test("two threads have the bits of one, and without shared memory there is one", async () => {
    const source = exampleSource("lenet");
    const files = await bundleFiles(source, { targets: ["wasm"], set: { batch: 16 }, calls: [] });
    const pages = pagesOf("/lenet", files);
    const [one, two, asked] = await lives(pages, true, [{}, { threads: 2 }, { threads: 3, worker: true }]);
    expect(one?.messages).toEqual([]);
    expect([two, asked]).toEqual([one, one]);
    const [alone] = await lives(pages, false, [{ threads: 2 }]);
    expect(alone).toEqual({ ...one, messages: [expect.stringMatching(/^Running on one thread, not on 2: .*COOP/)] });
  });
});
