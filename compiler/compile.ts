/** The library's face: source to diagnostics, to a program of graphs, to code. Touches no files: a loader brings modules. */
import { createHash } from "node:crypto";
import type { Source } from "../grammar/span.ts";
import type { Manifest } from "../runtime/plan.ts";
import type { Diagnostic } from "./diagnostics/index.ts";
import { type CheckOptions, check } from "./elaborate/check.ts";
import { type Elaborated, type ElaborateOptions, elaborate } from "./elaborate/elaborate.ts";
import { type Loaded, loadModules, type ModuleLoader } from "./elaborate/modules.ts";
import type { Program, ProgramEntry } from "./elaborate/program.ts";
import { type Generated, generate, type PipelineOptions } from "./pipeline.ts";
import { MemoryError } from "./schedule/budget.ts";
import { memoryDiagnostic } from "./schedule/memory-diagnostic.ts";

export interface CompileOptions extends ElaborateOptions, Partial<PipelineOptions> {
  /** Further values of `batch` that train blocks are evaluated with, where they can be: `lenet.evaluate@1`. */
  readonly evaluations?: readonly number[];
  /**
   * Numbers of rows that will be evaluated: where a block cannot be evaluated with `evaluations`, what its batch leaves of
   * these rows is built, where it can be.
   */
  readonly evaluated?: readonly number[];
  /** The compiler's version, for the manifest. */
  readonly version?: string;
}
export interface Compiled extends Omit<Generated, "manifest"> {
  readonly manifest: Manifest;
  /** The program before optimisation, with its derivatives. */
  readonly program: Program;
}
export interface CompileResult {
  readonly diagnostics: readonly Diagnostic[];
  /** Undefined where something is wrong. */
  readonly compiled: Compiled | undefined;
}

/** Parses and elaborates a file with its imports. */
export function elaborateSource(source: Source, loader: ModuleLoader, options: ElaborateOptions = {}): Elaborated {
  return elaborateLoaded(loadModules(source, loader), options);
}

function elaborateLoaded(loaded: Loaded, options: ElaborateOptions): Elaborated {
  if (hasErrors(loaded.diagnostics)) return { program: undefined, diagnostics: loaded.diagnostics };
  const elaborated = elaborate(loaded, options);
  return { ...elaborated, diagnostics: [...loaded.diagnostics, ...elaborated.diagnostics] };
}

/** Everything that is wrong with a file, and warnings: every declaration, over open sizes. No graph is built. */
export function checkSource(source: Source, loader: ModuleLoader, options: CheckOptions = {}): readonly Diagnostic[] {
  const loaded = loadModules(source, loader);
  return hasErrors(loaded.diagnostics) ? loaded.diagnostics : [...loaded.diagnostics, ...check(loaded, options)];
}

/** Everything up to code for the targets asked for (default: both, with fused multiply-add beside plain WebAssembly). */
export function compile(source: Source, loader: ModuleLoader, options: CompileOptions = {}): CompileResult {
  // Whether rows are independent is seen on a graph with more than one of them.
  const wanted = new Set([1, ...(options.batches ?? [])]);
  const probing = wanted.size === 1;
  const batches = [...wanted, ...(probing ? [PROBE] : [])];
  const loaded = loadModules(source, loader);
  const { program: probed, diagnostics } = elaborateLoaded(loaded, { ...options, batches });
  if (!probed) return { diagnostics, compiled: undefined };
  const isProbe = ({ kind, of, batch }: Program["entries"][number]) =>
    probing &&
    (kind === "predict" || kind === "call") &&
    batch === PROBE &&
    probed.entries.some((other) => other.kind === kind && other.of === of && other.batch === 1);
  const entries = [
    ...probed.entries.filter((entry) => !isProbe(entry)),
    ...furtherEvaluations(loaded, options, probed),
  ];
  const program: Program = { ...probed, entries };
  const generated = attempt(source, () =>
    generate(program, {
      targets: options.targets ?? ["wasm", "webgpu"],
      relaxed: options.relaxed ?? true,
      verify: options.verify ?? false,
      probe: probed,
      ...(options.winograd !== undefined && { winograd: options.winograd }),
      ...(options.choose && { choose: options.choose }),
      ...(options.maxMemory !== undefined && { maxMemory: options.maxMemory }),
    }),
  );
  if ("code" in generated) return { diagnostics: [...diagnostics, generated], compiled: undefined };
  const manifest: Manifest = {
    ...generated.manifest,
    compiler: options.version ?? "",
    source: { file: source.file, sha256: createHash("sha256").update(source.text).digest("hex") },
  };
  return { diagnostics, compiled: { ...generated, manifest, program } };
}

/** What `run` makes, or what is wrong if no memory holds it. */
function attempt<Result>(source: Source, run: () => Result): Result | Diagnostic {
  try {
    return run();
  } catch (error) {
    if (error instanceof MemoryError) return memoryDiagnostic(error.problem, source);
    throw error;
  }
}

const PROBE = 3;

/** Evaluations of what a step's batch does not divide. A block that does not exist with such a batch goes without. */
function furtherEvaluations(loaded: Loaded, options: CompileOptions, program: Program): Program["entries"] {
  const built = program.entries.filter(({ kind, batch }) => kind === "evaluate" && batch !== undefined);
  const { evaluations = [], evaluated = [] } = options;
  const found = evaluations.flatMap((batch) => evaluationsOf(built, batch, loaded, options));
  const without = built.filter(
    ({ of, batch }) => !evaluations.includes(batch ?? 0) && !found.some((entry) => entry.of === of),
  );
  const rests = new Map<number, ProgramEntry[]>();
  for (const entry of without)
    for (const rest of new Set(evaluated.map((rows) => rows % (entry.batch ?? 1))))
      if (rest > 0) rests.set(rest, [...(rests.get(rest) ?? []), entry]);
  return [...found, ...[...rests].flatMap(([rest, entries]) => evaluationsOf(entries, rest, loaded, options))];
}

/** Evaluations of the same blocks with another batch, of those that exist with it. */
function evaluationsOf(
  built: readonly ProgramEntry[],
  batch: number,
  loaded: Loaded,
  options: CompileOptions,
): Program["entries"] {
  const blocks = built.flatMap((entry) => (entry.batch === batch ? [] : [entry.of]));
  if (blocks.length === 0) return [];
  const set = { ...options.set, batch };
  const wanted = { ...options, set, blocks, models: [], calls: [], steps: false };
  return (elaborate(loaded, wanted).program?.entries ?? []).flatMap((entry) =>
    entry.kind === "evaluate" && entry.batch === batch && built.some((other) => addsUp(entry, other))
      ? [{ ...entry, name: `${entry.name}@${batch}` }]
      : [],
  );
}

/** Whether two evaluations of one block give parts of the same sums: none may be as long as its batch. */
function addsUp(a: ProgramEntry, b: ProgramEntry): boolean {
  const shapes = ({ graph }: ProgramEntry) =>
    graph.outputs.flatMap(({ role, tensor }) => (role === "total" ? [tensor.type.shape.join()] : []));
  return a.of === b.of && shapes(a).join(";") === shapes(b).join(";");
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === "error");
}
