/** What the tests of bundles share: a program's bundle on WebAssembly in this process, inputs, errors. */
import { join } from "node:path";
import { expect } from "vitest";
import { type BundleModule, type BundleSpec, bundleFiles, importBundle, writeBundle } from "../support/bundle.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
let count = 0;
export async function build(source: string, spec: BundleSpec = {}): Promise<{ path: string; module: BundleModule }> {
  const path = writeBundle(
    join(folder.path, `bundle${count++}`),
    await bundleFiles(source, { relaxed: false, targets: ["wasm"], ...spec }),
  );
  return { path, module: await importBundle(path) };
}
export const error = (code: string, message: RegExp) =>
  expect.objectContaining({ name: "DlxError", code, message: expect.stringMatching(message) });
export const wave = (length: number, by = 1) => Float32Array.from({ length }, (_, k) => Math.sin(by * k));
export const labels = (length: number, classes: number) => Int32Array.from({ length }, (_, k) => k % classes);
