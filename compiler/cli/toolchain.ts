/** What commands need of the compiler, and programs made ready to run. */
import { createHash } from "node:crypto";
import type { Parameter, TwoListDeclaration, Type } from "../../grammar/ast.ts";
import { parse } from "../../grammar/parse.ts";
import type { Source } from "../../grammar/span.ts";
import { DlxError } from "../../runtime/errors.ts";
import type { Domain } from "../../runtime/node/search/space.ts";
import { threadFile } from "../../runtime/node/thread.ts";
import type { InputSlot } from "../../runtime/plan.ts";
import type { LoadOptions, Session } from "../../runtime/session.ts";
import { decodeSlots, isWeight } from "../../runtime/weights.ts";
import { type Compiled, type CompileOptions, checkSource, compile, elaborateSource } from "../compile.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { suggest } from "../diagnostics/suggest.ts";
import type { ElaborateOptions } from "../elaborate/elaborate.ts";
import type { ModuleLoader } from "../elaborate/modules.ts";
import { loadModules } from "../elaborate/modules.ts";
import type { Program } from "../elaborate/program.ts";
import { invariant } from "../invariant.ts";
import type { ScheduleOptions } from "../schedule/options.ts";
import { ChoiceList } from "../tune/tune.ts";
import { hasErrors, ProgramError, showDiagnostics, UsageError } from "./failure.ts";
import { fileLoader } from "./library.ts";
import { recomputationText } from "./memory-table.ts";
import { packagePath, version } from "./place.ts";
import { readSource } from "./source.ts";
import type { Terminal } from "./terminal.ts";

/** The flags that every compiling command shares, as commander gives them. */
export interface ProgramFlags {
  readonly set?: Readonly<Record<string, string>>;
  readonly size?: Readonly<Record<string, number>>;
  readonly block?: string;
  readonly model?: string;
  readonly json?: boolean;
  readonly winograd?: boolean;
  readonly maxMemory?: number;
}
export interface Wanted extends ProgramFlags {
  /** Values of N that calls are built for; 1 is always among them. */
  readonly batches?: readonly number[];
  /** Numbers of rows that will be evaluated. */
  readonly evaluated?: readonly number[];
  /** Which train blocks come along. */
  readonly train: "none" | "all" | "block";
  /** Which models and which `export fn`s come along: without these the model that flags name, or all, and every function. */
  readonly models?: ElaborateOptions["models"];
  readonly calls?: readonly string[];
  readonly targets: readonly ("wasm" | "webgpu")[];
  /** Takes the ways of kernels that a cost model would otherwise take. */
  readonly choose?: NonNullable<ScheduleOptions["choose"]>;
}
/** Everything that is wrong with a file, and warnings. */
export async function checkFile(file: string, { set = {}, size = {} }: ProgramFlags): Promise<readonly Diagnostic[]> {
  return checkSource(await readSource(file), fileLoader(file), { set, sizes: size });
}

/** Shows warnings; throws where there are errors. */
async function settle(diagnostics: readonly Diagnostic[], terminal: Terminal): Promise<void> {
  if (hasErrors(diagnostics)) throw new ProgramError(diagnostics);
  await showDiagnostics(diagnostics, terminal, false);
}

export async function elaborateFile(
  file: string,
  wanted: Omit<Wanted, "targets">,
  terminal: Terminal,
): Promise<Program> {
  const source = await readSource(file);
  const { program, diagnostics } = elaborateSource(source, fileLoader(file), choose(source, wanted));
  await settle(diagnostics, terminal);
  invariant(program, "a program without errors is elaborated");
  return program;
}

function compileOptions(source: Source, wanted: Wanted): CompileOptions {
  return {
    ...choose(source, wanted),
    targets: wanted.targets,
    // So that any number of rows can be evaluated.
    evaluations: [1],
    ...(wanted.evaluated && { evaluated: wanted.evaluated }),
    verify: process.env.DLX_VERIFY === "1",
    ...(wanted.winograd !== undefined && { winograd: wanted.winograd }),
    ...(wanted.choose && { choose: wanted.choose }),
    ...(wanted.maxMemory !== undefined && { maxMemory: wanted.maxMemory }),
    version,
  };
}

/** Every choice that a build meets; none where the program has errors. */
export async function choicesOf(file: string, wanted: Wanted): Promise<ReturnType<ChoiceList["entries"]>> {
  const source = await readSource(file);
  const list = new ChoiceList();
  const options = compileOptions(source, { ...wanted, targets: ["wasm"], choose: list.collect });
  compile(source, fileLoader(file), { ...options, relaxed: false });
  return list.entries();
}

/** `wrap` puts another program around the file's. */
export async function compileFile(
  file: string,
  wanted: Wanted,
  terminal: Terminal,
  wrap = (source: Source, loader: ModuleLoader) => ({ source, loader }),
): Promise<Compiled> {
  const own = await readSource(file);
  const { source, loader } = wrap(own, fileLoader(file));
  const { compiled, diagnostics } = compile(source, loader, compileOptions(own, wanted));
  await settle(diagnostics, terminal);
  invariant(compiled, "a program without errors is compiled");
  if (!wanted.json) for (const recomputation of compiled.recomputed) terminal.note(recomputationText(recomputation));
  return compiled;
}

/** `--batch` of the commands that train or evaluate: rows of a step. */
export function settingsWith(set: ProgramFlags["set"], batch: number | undefined): Readonly<Record<string, string>> {
  return { ...set, ...(batch === undefined ? {} : { batch: String(batch) }) };
}

/** Whether some train block is configured with a `batch`. */
export async function hasBatch(file: string): Promise<boolean> {
  const { declarations } = parse(await readSource(file)).module;
  return declarations.some(
    (declaration) =>
      declaration.kind === "train" && declaration.configuration.some(({ name }) => name.text === "batch"),
  );
}

/** The names of a file's models, or of its `export fn`s. */
export const namesOf = async (file: string, wanted: "model" | "fn"): Promise<string[]> =>
  namesIn(await readSource(file), wanted);

function namesIn(source: Source, wanted: "model" | "fn"): string[] {
  return parse(source).module.declarations.flatMap((declaration) =>
    declaration.kind === wanted && (declaration.kind === "model" || declaration.exported)
      ? [declaration.name.text]
      : [],
  );
}

/** What `--set` can name: configuration, and knobs, which need no compiling. */
function settable({ configuration, parameters }: TwoListDeclaration): string[] {
  return [...configuration, ...parameters.filter((parameter) => parameter.default)].map(({ name }) => name.text);
}

/** The values that `--set` gives to the knobs of an entry. Throws UsageError where one is no number. */
export function knobsOf(inputs: readonly InputSlot[], set: ProgramFlags["set"] = {}): Record<string, number> {
  return Object.fromEntries(
    inputs.flatMap(({ name, default: usual }) => {
      const text = set[name];
      if (usual === undefined || text === undefined) return [];
      if (text.trim() === "" || Number.isNaN(Number(text)))
        throw new UsageError(`--set ${name}=${text}: expected a number`);
      return [[name, Number(text)]];
    }),
  );
}

/** Throws UsageError where a block has inputs and no data was named. */
export function refuseWithoutData(block: string, inputs: readonly InputSlot[]): void {
  const read = inputs.flatMap((slot) => (slot.default === undefined ? [`\`${slot.name}\``] : []));
  if (read.length > 0) throw new UsageError(`${block} reads ${read.join(", ")}: say with --data where from`);
}

/** The configuration of a file's models, or of one. */
function modelConfiguration(source: Source, only: string | undefined): Parameter[] {
  return parse(source).module.declarations.flatMap((declaration) =>
    declaration.kind === "model" && (only === undefined || declaration.name.text === only)
      ? declaration.configuration
      : [],
  );
}

/** The train blocks of a file, as written. */
function blocksOf(source: Source): TwoListDeclaration[] {
  return parse(source).module.declarations.filter(
    (declaration): declaration is TwoListDeclaration => declaration.kind === "train",
  );
}

/** The options of the compiler that flags stand for. Throws UsageError where they name what the file does not have. */
function choose(source: Source, wanted: Omit<Wanted, "targets">): ElaborateOptions {
  const { set = {}, size: sizes = {}, batches = [], train, block, model, calls } = wanted;
  const models = wanted.models ?? (model === undefined ? undefined : [model]);
  const blocks = blocksOf(source);
  const chosen =
    train === "none" ? [] : train === "all" && block === undefined ? blocks : [pickBlock(blocks, block)].flat();
  // Without training a setting has no effect, but a slip of the pen is still one.
  const settings = new Set([
    ...(train === "none" ? blocks : chosen).flatMap(settable),
    ...modelConfiguration(source, train === "none" ? model : undefined).map(({ name }) => name.text),
  ]);
  for (const name of Object.keys(set))
    if (!settings.has(name)) {
      const near = suggest(name, settings);
      throw new UsageError(
        `--set ${name}: ${chosen.map((each) => each.name.text).join(", ") || "the file"} has nothing of that name to set${near ? `; did you mean ${near}?` : settings.size > 0 ? `; there is ${[...settings].join(", ")}` : ""}`,
      );
    }
  const all = namesIn(source, "model");
  if (model !== undefined && !all.includes(model) && parse(source).problems.length === 0) {
    const near = suggest(model, all);
    throw new UsageError(
      `there is no model ${model}${near ? `; did you mean ${near}?` : all.length > 0 ? `; there is ${all.join(", ")}` : ""}`,
    );
  }
  const words = new Set(source.text.match(/[A-Za-z_]\w*/g));
  for (const name of Object.keys(sizes))
    if (!words.has(name)) throw new UsageError(`--size ${name}: the file has no dimension of that name`);
  return {
    set,
    sizes,
    batches,
    blocks: chosen.map(({ name }) => name.text),
    ...(models === undefined ? {} : { models }),
    ...(calls === undefined ? {} : { calls }),
  };
}

/** The train block that is meant: the one named, or the only one. */
function pickBlock(blocks: readonly TwoListDeclaration[], named: string | undefined): TwoListDeclaration {
  const names = blocks.map(({ name }) => name.text);
  const [first, ...others] = blocks;
  const found = named === undefined ? first : blocks.find(({ name }) => name.text === named);
  if (!first) throw new UsageError("the file has no train block");
  if (!found) throw new UsageError(`there is no train block ${named}; there is ${names.join(", ")}`);
  if (named === undefined && others.length > 0)
    throw new UsageError(`say which train block: --block ${names.join(" or ")}`);
  return found;
}

/** What a search may vary, and what may stand for it; of these, the knobs of the train block need no compiling. */
export async function searchable(
  file: string,
  block: string | undefined,
): Promise<{ readonly domains: ReadonlyMap<string, Domain>; readonly knobs: ReadonlySet<string> }> {
  const source = await readSource(file);
  const { configuration, parameters } = pickBlock(blocksOf(source), block);
  const knobs = parameters.filter((parameter) => parameter.default);
  const all = [...modelConfiguration(source, undefined), ...configuration, ...knobs];
  return {
    domains: new Map(all.map(({ name, type }) => [name.text, domainOf(type)])),
    knobs: new Set(knobs.map(({ name }) => name.text)),
  };
}

/** What a `name: type` takes. */
function domainOf(type: Type | undefined): Domain {
  if (!type) return "either";
  const integers = ["int", "i32", "u32", "u8"];
  const reals = ["float", "f32", "f16"];
  const name =
    type.kind === "simple-type" ? type.name : type.kind === "tensor-type" && !type.axes?.length ? type.dtype : "";
  return integers.includes(name) ? "integer" : reals.includes(name) ? "real" : "other";
}

/** Of everything that a file and its imports say. */
export async function sourceDigest(file: string): Promise<string> {
  const source = await readSource(file);
  const hash = createHash("sha256").update(source.text);
  const loader = fileLoader(file);
  loadModules(source, {
    load(...where) {
      const sources = loader.load(...where);
      for (const { text } of sources ?? []) hash.update(`\0${text}`);
      return sources;
    },
  });
  return hash.digest("hex");
}

/** The train block of a program compiled with `train: "block"`. */
export function onlyBlock({ manifest }: Compiled): string {
  const entry = manifest.entries.find(({ kind }) => kind === "step");
  invariant(entry, "a program compiled for training has a step");
  return entry.of;
}

/** Throws E0701 to E0706 where a file's weights are not those of the program. */
export function checkWeights({ manifest }: Compiled, weights: Uint8Array, file: string): void {
  decodeSlots(manifest, isWeight, weights, { file });
}

export interface OpenOptions extends LoadOptions {
  /** What messages call the weights. */
  readonly weightsFile?: string | undefined;
}

/** A session in this process. */
export async function openCompiled(compiled: Compiled, options: OpenOptions): Promise<Session> {
  const { openWasm, openSession } = await import("../../runtime/bundle.ts");
  const { createWebGPUDevice } = await import("../../runtime/webgpu/device.ts");
  const { nodeGpu } = await import("../../runtime/node/gpu.ts");
  const { manifest, wasm, relaxed, wgsl } = compiled;
  const { weights, weightsFile } = options;
  if (weights instanceof Uint8Array && weightsFile !== undefined) checkWeights(compiled, weights, weightsFile);
  const files = new Map([
    [manifest.wasm?.file, wasm],
    [manifest.wasm?.relaxed, relaxed],
  ]);
  const read = async (file: string) => {
    const bytes = files.get(file);
    if (!bytes) throw new DlxError("E0805", `the program has no file ${file}`);
    return bytes;
  };
  // Dawn ends the process if its instance is collected while a device is in use; held, it keeps the process alive.
  let gpu: GPU | undefined;
  const openGpu = async (text: string) => {
    gpu = await nodeGpu();
    return createWebGPUDevice(gpu, manifest, text);
  };
  const session = await openSession(
    {
      manifest,
      read,
      open: {
        ...(wasm ? { cpu: (wanted: LoadOptions) => openWasm(manifest, read, wanted, threadFile) } : {}),
        ...(wgsl === undefined ? {} : { webgpu: () => openGpu(wgsl) }),
      },
    },
    options,
  );
  return {
    ...session,
    dispose: () => {
      session.dispose();
      gpu = undefined;
    },
  };
}

/** The files of the bundle's folder. */
export async function bundleFiles(
  compiled: Compiled,
  { weights, singleFile }: { readonly weights: Uint8Array | undefined; readonly singleFile: boolean },
): Promise<ReadonlyMap<string, Uint8Array>> {
  const { bundle } = await import("../bundle/bundle.ts");
  return bundle({ ...compiled, weights }, { runtime: packagePath("runtime/bundle.ts"), singleFile });
}

/** A program for the CPU alone compiles faster. The CPU's is always needed: it draws the first weights. */
export function targetsOf(device: LoadOptions["device"]): ("wasm" | "webgpu")[] {
  return device === "cpu" ? ["wasm"] : ["wasm", "webgpu"];
}

/** What training, evaluating and searching compile: one train block by itself, and its metrics over so many rows. */
export function blockOnly<F extends ProgramFlags & { readonly device: LoadOptions["device"] }>(
  flags: F,
  set: ProgramFlags["set"],
  evaluated: readonly number[],
) {
  const only = { train: "block", models: [], calls: [] } as const;
  return { ...flags, ...only, set, evaluated, targets: targetsOf(flags.device) };
}
