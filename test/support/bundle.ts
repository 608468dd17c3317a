/** Bundles in tests: compiled from an example or from text, written to a folder, loaded as their users load them. */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { bundle } from "../../compiler/bundle/bundle.ts";
import { fileLoader } from "../../compiler/cli/library.ts";
import { type Compiled, type CompileOptions, compile } from "../../compiler/compile.ts";
import type { Source } from "../../grammar/span.ts";
import type { LoadOptions, Session } from "../../runtime/session.ts";

export const root = join(import.meta.dirname, "../..");

export interface BundleSpec extends CompileOptions {
  readonly weights?: Uint8Array;
  readonly singleFile?: boolean;
}

/** The source of `examples/NAME/model.dlx`. */
export function exampleSource(name: string): Source {
  const file = join(root, "examples", name, "model.dlx");
  return { file: `examples/${name}/model.dlx`, text: readFileSync(file, "utf8") };
}

export function compileSource(source: Source, options: CompileOptions = {}): Compiled {
  const { compiled, diagnostics } = compile(source, fileLoader(join(root, "program.dlx")), options);
  if (!compiled) throw new Error(diagnostics.map(({ code, message }) => `${code}: ${message}`).join("\n"));
  return compiled;
}

/** The files of a bundle around a compiled program. */
export function filesOf(
  compiled: Compiled,
  { weights, singleFile = false }: Pick<BundleSpec, "weights" | "singleFile"> = {},
): Promise<Map<string, Uint8Array>> {
  return bundle({ ...compiled, weights }, { runtime: join(root, "runtime/bundle.ts"), singleFile });
}

/** Compiled and bundled; a text is a program of its own. */
export function bundleFiles(source: Source | string, spec: BundleSpec = {}): Promise<Map<string, Uint8Array>> {
  const { weights, singleFile, ...options } = spec;
  const compiled = compileSource(typeof source === "string" ? { file: "model.dlx", text: source } : source, options);
  return filesOf(compiled, { ...(weights && { weights }), ...(singleFile && { singleFile }) });
}

/** Writes the files and answers the folder. */
export function writeBundle(folder: string, files: ReadonlyMap<string, Uint8Array>): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  return folder;
}

/** A page's path for each file. */
export const pagesOf = (at: string, files: ReadonlyMap<string, Uint8Array>): Record<string, Uint8Array> =>
  Object.fromEntries([...files].map(([name, bytes]) => [`${at}/${name}`, bytes]));

export interface BundleModule {
  load(options?: LoadOptions): Promise<Session>;
  readonly DlxError: new (code: string, message: string) => Error & { code: string };
}

/** The module in this process. */
export function importBundle(folder: string): Promise<BundleModule> {
  return import(pathToFileURL(join(folder, "index.js")).href);
}

/** What a function of `bundle-lives.mjs` makes of a bundle, in a Node of its own that knows nothing of this checkout. */
export async function runBundle(folder: string, life: string, device: string): Promise<unknown> {
  const support = join(root, "test/support");
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      join(support, "run-bundle.mjs"),
      pathToFileURL(join(folder, "index.js")).href,
      pathToFileURL(join(support, "bundle-lives.mjs")).href,
      life,
      device,
    ],
    { maxBuffer: 1 << 26 },
  );
  return JSON.parse(stdout);
}
