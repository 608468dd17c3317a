/** What commands need of the compiler, and programs made ready to run. */
import { parse } from "../../grammar/parse.ts";
import { DlxError } from "../../runtime/errors.ts";
import type { Manifest } from "../../runtime/plan.ts";
import type { LoadOptions, Session } from "../../runtime/session.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { fromProblem } from "../diagnostics/problem.ts";
import type { Program } from "../elaborate/program.ts";
import { UsageError } from "./failure.ts";
import { packagePath } from "./place.ts";
import { readSource } from "./source.ts";
import type { Terminal } from "./terminal.ts";

/** The flags that every compiling command shares, as commander gives them. */
export interface ProgramFlags {
  readonly set?: Readonly<Record<string, string>>;
  readonly size?: Readonly<Record<string, number>>;
  readonly block?: string;
  readonly model?: string;
  readonly json?: boolean;
}
export interface Wanted extends ProgramFlags {
  /** Values of N that calls are built for; 1 is always among them. */
  readonly batches?: readonly number[];
  /** Which train blocks come along. */
  readonly train: "none" | "all" | "block";
  readonly targets: readonly ("wasm" | "webgpu")[];
}
export interface Compiled {
  readonly diagnostics: readonly Diagnostic[];
  readonly program: Program;
  readonly manifest: Manifest;
  readonly wasm: Uint8Array | undefined;
  readonly relaxed: Uint8Array | undefined;
  readonly wgsl: string | undefined;
  /** What each entry launches, in words. */
  readonly notes: { readonly wasm: readonly (readonly string[])[]; readonly webgpu: readonly (readonly string[])[] };
}

/** Everything that is wrong with a file, and warnings. */
export async function checkFile(file: string, _flags: ProgramFlags): Promise<readonly Diagnostic[]> {
  const source = await readSource(file);
  return parse(source).problems.map((problem) => fromProblem(problem, source));
}

export async function elaborateFile(
  _file: string,
  _wanted: Omit<Wanted, "targets">,
  _terminal: Terminal,
): Promise<Program> {
  throw new UsageError("this command is not there yet");
}

export async function compileFile(_file: string, _wanted: Wanted, _terminal: Terminal): Promise<Compiled> {
  throw new UsageError("this command is not there yet");
}

/** The train block that is meant: the one named, or the only one. */
export function onlyBlock({ manifest }: Compiled, named: string | undefined): string {
  const blocks = [...new Set(manifest.entries.filter(({ kind }) => kind === "step").map(({ of }) => of))];
  const [first, ...others] = blocks;
  if (named !== undefined && blocks.includes(named)) return named;
  if (named !== undefined)
    throw new UsageError(`there is no train block ${named}; there is ${blocks.join(", ") || "none"}`);
  if (first === undefined) throw new UsageError("the file has no train block");
  if (others.length > 0) throw new UsageError(`say which train block: --block ${blocks.join(" or ")}`);
  return first;
}

/** A session in this process. */
export async function openCompiled(compiled: Compiled, options: LoadOptions): Promise<Session> {
  const { openWasm, openSession } = await import("../../runtime/bundle.ts");
  const { createWebGPUDevice } = await import("../../runtime/webgpu/device.ts");
  const { nodeGpu } = await import("../../runtime/node/gpu.ts");
  const { manifest, wasm, relaxed, wgsl } = compiled;
  const files = new Map([
    [manifest.wasm?.file, wasm],
    [manifest.wasm?.relaxed, relaxed],
  ]);
  const read = async (file: string) => {
    const bytes = files.get(file);
    if (!bytes) throw new DlxError("E0805", `the program has no file ${file}`);
    return bytes;
  };
  return openSession(
    {
      manifest,
      read,
      open: {
        ...(wasm ? { cpu: (wanted: LoadOptions) => openWasm(manifest, read, wanted) } : {}),
        ...(wgsl === undefined ? {} : { webgpu: async () => createWebGPUDevice(await nodeGpu(), manifest, wgsl) }),
      },
    },
    options,
  );
}

/** The files of the bundle's folder. */
export async function bundleFiles(
  compiled: Compiled,
  { weights, singleFile }: { readonly weights: Uint8Array | undefined; readonly singleFile: boolean },
): Promise<ReadonlyMap<string, Uint8Array>> {
  const { bundle } = await import("../bundle/bundle.ts");
  return bundle({ ...compiled, weights }, { runtime: packagePath("runtime/bundle.ts"), singleFile });
}
