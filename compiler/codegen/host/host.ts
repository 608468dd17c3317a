/**
 * The TypeScript host of a program: what users import, typed by the model, with the plan as data and every dispatch
 * commented by the line of the source it comes from. esbuild makes `index.js` of it.
 */
import type { Manifest } from "../../../runtime/plan.ts";
import { interfaces } from "./interfaces.ts";
import { type Data, literal } from "./literal.ts";

/** The module that `index.ts` imports the run-time parts from: a file of the bundle, so that `index.ts` can be used too. */
export const RUNTIME = "./runtime.js";

/** `runtime.d.ts`: as much of it as `index.ts` uses. */
export const RUNTIME_TYPES = `/** What every dlx program runs on. */
export declare class DlxError extends Error {
  readonly code: string;
}
type Read = (file: string, signal?: AbortSignal) => Promise<Uint8Array>;
export type Manifest = unknown;
export declare function readFile(url: URL, signal?: AbortSignal): Promise<Uint8Array>;
export declare function openWasm(manifest: Manifest, read: Read, options: object, url?: string): Promise<object>;
export declare function serveDevice(open: (options: object) => Promise<object>): void;
export declare function openWebGpu(manifest: Manifest, read: Read, options: object): Promise<object>;
export declare function openSession<Net>(
  program: {
    readonly manifest: Manifest;
    readonly read: Read;
    readonly open: {
      readonly cpu?: (options: object) => Promise<object>;
      readonly draw?: (options: object) => Promise<object>;
      readonly webgpu?: (options: object) => Promise<object>;
    };
  },
  options: object,
): Promise<Net>;
`;

export interface HostOptions {
  /** What each entry launches, in order, one line a dispatch: `conv2d_1, relu (model.dlx:9)`. */
  readonly notes: { readonly wasm: readonly (readonly string[])[]; readonly webgpu: readonly (readonly string[])[] };
  /** `--single-file`: contents of every file the manifest names, as base64. */
  readonly inline?: Readonly<Record<string, string>>;
}

export interface HostSources {
  /** index.ts */
  readonly implementation: string;
  /** index.d.ts */
  readonly declarations: string;
}

export function printHost(manifest: Manifest, options: HostOptions): HostSources {
  const head = `// Made by dlx ${manifest.compiler} from ${manifest.source.file}. Changes here are lost when it is built again.\n`;
  const types = interfaces(manifest);
  return {
    implementation: `${head}${imports(manifest)}\n${types}\n${program(manifest, options)}${load(manifest, options)}`,
    declarations: `${head}${types}\n${declarations}`,
  };
}

const loadDoc = "Compiles the program for a device, reads its weights and is ready to run. Rejects with a `DlxError`.";

const declarations = `/** Everything that rejects does so with one of these; \`npx dlx explain CODE\` says more. */
export declare class DlxError extends Error {
  readonly code: string;
}

/** ${loadDoc} */
export declare function load(options?: LoadOptions): Promise<Net>;
`;

function imports(manifest: Manifest): string {
  const names = [
    ...["DlxError", "openSession", "readFile"],
    ...(manifest.wasm ? ["openWasm"] : []),
    ...(manifest.webgpu ? ["openWebGpu"] : []),
    ...(runs(manifest) ? ["serveDevice"] : []),
  ];
  return `import { ${names.join(", ")} } from "${RUNTIME}";\n\nexport { DlxError };\n`;
}

function program(manifest: Manifest, options: HostOptions): string {
  const plan = literal(JSON.parse(JSON.stringify(manifest)) as Data, commentsOf(manifest, options));
  const files = options.inline
    ? `/** Base64. */\nconst files: Readonly<Record<string, string>> = ${literal(options.inline)};\n`
    : "";
  return `/** Memory and launches: slots that outlive calls, and for each entry where its tensors lie. */
const manifest: import("${RUNTIME}").Manifest = ${plan};
${files}`;
}

function commentsOf({ entries }: Manifest, { notes }: HostOptions): (path: string) => readonly string[] {
  return (path) => {
    const entry = /^(wasm|webgpu)\.plan\.entries\.(\d+)$/.exec(path);
    if (entry) {
      const [, target, index] = entry;
      const name = entries[Number(index)]?.name ?? "";
      return [name, ...(target === "wasm" ? (notes.wasm[Number(index)] ?? []).map((note) => `  ${note}`) : [])];
    }
    const dispatch = /^webgpu\.plan\.entries\.(\d+)\.dispatches\.(\d+)$/.exec(path);
    const note = dispatch && notes.webgpu[Number(dispatch[1])]?.[Number(dispatch[2])];
    return note ? [note] : [];
  };
}

/** Whether WebAssembly carries more than the drawing of initial values. */
function runs({ wasm, entries }: Manifest): boolean {
  return wasm?.plan.entries.some((plan, k) => plan && entries[k]?.kind !== "initialize") ?? false;
}

function load(manifest: Manifest, { inline }: HostOptions): string {
  const read = inline
    ? `const read = async (file: string) => Uint8Array.from(atob(files[file] ?? ""), (character) => character.charCodeAt(0));`
    : `const read = (file: string, signal?: AbortSignal) => readFile(new URL(file, import.meta.url), signal);`;
  const serves = runs(manifest);
  const url = serves ? ", import.meta.url" : "";
  const open = [
    ...(manifest.wasm ? [`${serves ? "cpu" : "draw"}: (wanted) => openWasm(manifest, read, wanted${url})`] : []),
    ...(manifest.webgpu ? [`webgpu: (wanted) => openWebGpu(manifest, read, wanted)`] : []),
  ];
  const serve = `// In a worker that \`load\` made of this file.
serveDevice((wanted) => openWasm(manifest, read, wanted, import.meta.url));
`;
  return `${read}

/** ${loadDoc} */
export async function load(options: LoadOptions = {}): Promise<Net> {
  return openSession<Net>({ manifest, read, open: { ${open.join(", ")} } }, options);
}
${serves ? serve : ""}`;
}
