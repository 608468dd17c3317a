/** The directory of a bundle, as a map of files: the caller writes them. */
import { createHash } from "node:crypto";
import { build, type StdinOptions } from "esbuild";
import type { Manifest } from "../../runtime/plan.ts";
import { type HostOptions, printHost, RUNTIME, RUNTIME_TYPES } from "../codegen/host/host.ts";
import { invariant } from "../invariant.ts";

export interface BundleParts {
  /** Its `file` and `sha256` fields are filled in here. */
  readonly manifest: Manifest;
  readonly wasm: Uint8Array | undefined;
  readonly relaxed: Uint8Array | undefined;
  readonly wgsl: string | undefined;
  /** A safetensors file to ship. */
  readonly weights: Uint8Array | undefined;
  readonly notes: HostOptions["notes"];
}
export interface BundleOptions {
  /** Path of `runtime/bundle.ts`, which esbuild reads. */
  readonly runtime: string;
  /** Everything in `index.js`. */
  readonly singleFile?: boolean;
}

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

export async function bundle(parts: BundleParts, options: BundleOptions): Promise<Map<string, Uint8Array>> {
  const encoder = new TextEncoder();
  const assets = new Map<string, Uint8Array>();
  if (parts.wasm) assets.set("kernels.wasm", parts.wasm);
  if (parts.relaxed) assets.set("kernels.relaxed.wasm", parts.relaxed);
  if (parts.wgsl !== undefined) assets.set("kernels.wgsl", encoder.encode(parts.wgsl));
  if (parts.weights) assets.set("weights.safetensors", parts.weights);
  const hash = (file: string) => sha256(assets.get(file) ?? "");
  const { manifest } = parts;
  invariant(
    !manifest.wasm === !parts.wasm && !manifest.webgpu === (parts.wgsl === undefined),
    "plan and code of a target come together",
  );
  const complete: Manifest = {
    ...manifest,
    wasm: manifest.wasm && {
      file: "kernels.wasm",
      sha256: hash("kernels.wasm"),
      plan: manifest.wasm.plan,
      memoryFlags: manifest.wasm.memoryFlags,
      ...(parts.relaxed && { relaxed: "kernels.relaxed.wasm" }),
    },
    webgpu: manifest.webgpu && { file: "kernels.wgsl", sha256: hash("kernels.wgsl"), plan: manifest.webgpu.plan },
    weights: parts.weights ? { file: "weights.safetensors", sha256: hash("weights.safetensors") } : null,
  };
  const inline = options.singleFile
    ? Object.fromEntries([...assets].map(([file, bytes]) => [file, Buffer.from(bytes).toString("base64")]))
    : undefined;
  const { implementation, declarations } = printHost(complete, { notes: parts.notes, ...(inline && { inline }) });

  const [code, runtime] = await Promise.all([
    script({ contents: implementation, loader: "ts", sourcefile: "index.ts" }, options.runtime),
    script({ contents: `export * from "${RUNTIME}";`, loader: "ts" }, options.runtime),
  ]);

  const files = new Map<string, Uint8Array>([
    ["index.js", code],
    ["index.d.ts", encoder.encode(declarations)],
    ["index.ts", encoder.encode(implementation)],
    ["runtime.js", runtime],
    ["runtime.d.ts", encoder.encode(RUNTIME_TYPES)],
    ["manifest.json", encoder.encode(describe(complete, options.singleFile ? new Map() : assets, code))],
  ]);
  if (!options.singleFile) for (const [file, bytes] of assets) files.set(file, bytes);
  return files;
}

/** One minified module, the run-time parts included. */
async function script(stdin: StdinOptions, runtime: string): Promise<Uint8Array> {
  const built = await build({
    stdin,
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "neutral",
    legalComments: "none",
    logLevel: "silent",
    plugins: [
      {
        name: "runtime",
        setup: (plugin) => plugin.onResolve({ filter: /^\.\/runtime\.js$/ }, () => ({ path: runtime })),
      },
    ],
  });
  const code = built.outputFiles[0]?.contents;
  invariant(code, "esbuild makes one file");
  return code;
}

/** What other tools want to know: sizes, hashes, shapes, versions. The plan itself stands in `index.js`. */
function describe(manifest: Manifest, assets: ReadonlyMap<string, Uint8Array>, code: Uint8Array): string {
  const file = (bytes: Uint8Array) => ({ bytes: bytes.length, sha256: sha256(bytes) });
  const memory = (plan: { readonly persistent: readonly number[]; readonly arena: readonly number[] } | undefined) =>
    plan && {
      persistentBytes: plan.persistent.reduce((a, b) => a + b, 0),
      arenaBytes: plan.arena.reduce((a, b) => a + b, 0),
    };
  const description = {
    format: manifest.format,
    compiler: manifest.compiler,
    source: manifest.source,
    main: manifest.main,
    separable: manifest.separable,
    files: Object.fromEntries([
      ["index.js", file(code)],
      ...[...assets].map(([name, bytes]) => [name, file(bytes)] as const),
    ]),
    persistent: manifest.persistent,
    entries: manifest.entries,
    memory: { wasm: memory(manifest.wasm?.plan), webgpu: memory(manifest.webgpu?.plan) },
  };
  return `${JSON.stringify(description, null, 2)}\n`;
}
