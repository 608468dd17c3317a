/** What the tests of bundles share: a program's bundle on WebAssembly in this process, inputs, errors. */
import { join } from "node:path";
import { expect } from "vitest";
import { type BundleModule, type BundleSpec, bundleFiles, importBundle, writeBundle } from "../support/bundle.ts";
import { temporaryFolder } from "../support/folder.ts";

/** Makes bundles in a folder that lasts as long as the tests of a file. */
export function builder() {
  const { path: folder } = temporaryFolder();
  let count = 0;
  return async (source: string, spec: BundleSpec = {}): Promise<{ path: string; module: BundleModule }> => {
    const files = await bundleFiles(source, { relaxed: false, targets: ["wasm"], ...spec });
    const path = writeBundle(join(folder, `bundle${count++}`), files);
    return { path, module: await importBundle(path) };
  };
}
export const error = (code: string, message: RegExp) =>
  expect.objectContaining({ name: "DlxError", code, message: expect.stringMatching(message) });
export const wave = (length: number, by = 1) => Float32Array.from({ length }, (_, k) => Math.sin(by * k));
export const labels = (length: number, classes: number) => Int32Array.from({ length }, (_, k) => k % classes);
