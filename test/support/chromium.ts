/**
 * A real browser in tests: Chromium of `@sparticuz/chromium` driven by playwright-core, WebGPU on SwiftShader, and a
 * loopback server whose pages are cross-origin isolated (so that `SharedArrayBuffer` and threads exist).
 */
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize, resolve, sep } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe } from "vitest";
import { chromiumFiles, unsupportedReason } from "./graphics.ts";

export async function launchChromium(extraFlags: readonly string[] = []): Promise<Browser> {
  const reason = unsupportedReason();
  if (reason !== undefined) throw new Error(reason);
  const files = chromiumFiles();
  // What the environment names comes first; the carried libraries fill the gaps of a bare system.
  const libraries = [process.env.LD_LIBRARY_PATH, files.libraries].filter((entry) => entry).join(":");
  return chromium.launch({
    executablePath: files.executable,
    headless: true,
    env: { ...stringVariables(process.env), LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: files.fonts },
    args: [
      "--no-sandbox",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--enable-unsafe-webgpu",
      "--use-webgpu-adapter=swiftshader",
      "--enable-features=Vulkan",
      ...extraFlags,
    ],
  });
}

function stringVariables(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

const contentTypes: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".wgsl": "text/plain; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};

export interface StaticServer {
  /** Without a trailing slash. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves a folder, and `pages` (by path, e.g. "/index.html") before it, on loopback. `isolated: false` leaves the
 * COOP/COEP headers out; `headers` adds others (a Content-Security-Policy).
 */
export async function serve(
  options: {
    folder?: string;
    pages?: Record<string, string | Uint8Array>;
    isolated?: boolean;
    headers?: Record<string, string>;
  } = {},
): Promise<StaticServer> {
  const folder = options.folder === undefined ? undefined : resolve(options.folder);
  const common: Record<string, string> = {
    ...((options.isolated ?? true) && {
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
      "Cross-Origin-Resource-Policy": "same-origin",
    }),
    "Cache-Control": "no-store",
    ...options.headers,
  };
  const server = createServer(async (request, response) => {
    const asked = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const path = asked.endsWith("/") ? `${asked}index.html` : asked;
    const body = await find(path);
    response.writeHead(body === undefined ? 404 : 200, {
      ...common,
      "Content-Type": contentTypes[extname(path)] ?? "application/octet-stream",
    });
    response.end(body);
  });
  async function find(path: string): Promise<string | Uint8Array | undefined> {
    const page = options.pages?.[path];
    if (page !== undefined || folder === undefined) return page;
    const file = join(folder, normalize(path));
    if (!file.startsWith(folder + sep) || !existsSync(file) || !(await stat(file)).isFile()) return undefined;
    return readFile(file);
  }
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((closed) => {
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
}

export const blankPage = '<!doctype html><html lang="en"><meta charset="utf-8"><title>dlx</title><body></body></html>';

/**
 * A page of the browser at `url`; what the page's console and uncaught errors say is collected in `messages`. `first` runs
 * in the page before its own scripts.
 */
export async function openPage(
  browser: Browser,
  url: string,
  first: () => void = () => {},
): Promise<{ page: Page; messages: string[] }> {
  const page = await browser.newPage();
  // The test's own limit counts.
  page.setDefaultTimeout(0);
  await page.addInitScript(first);
  const messages: string[] = [];
  page.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => messages.push(`uncaught: ${error.message}`));
  await page.goto(url);
  return { page, messages };
}

/** A suite with a browser: `browser()` gives it inside tests. Skipped, and reported by `test/run.ts`, where none runs. */
export function describeBrowser(name: string, body: (browser: () => Browser) => void): void {
  describe.skipIf(unsupportedReason() !== undefined)(name, () => {
    let browser: Browser | undefined;
    beforeAll(async () => {
      browser = await launchChromium();
    });
    afterAll(async () => {
      await browser?.close();
    });
    body(() => {
      if (!browser) throw new Error("the browser exists inside tests only");
      return browser;
    });
  });
}
