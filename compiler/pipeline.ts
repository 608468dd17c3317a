/** The whole way from an elaborated program to code, on one screen. Each phase is a function from value to value. */
import type { DispatchPlan, Manifest, OutputSlot, TargetPlan } from "../runtime/plan.ts";
import { wasmSections } from "../runtime/plan.ts";
import type { EncodedModule } from "./codegen/wasm/encode.ts";
import { KernelLibrary } from "./codegen/wasm/library.ts";
import { encodeModule } from "./codegen/wasm/module.ts";
import { WgslProgram } from "./codegen/wgsl/module.ts";
import type { Program, ProgramEntry } from "./elaborate/program.ts";
import type { Graph } from "./graph/graph.ts";
import { isSeparable } from "./graph/separable.ts";
import { verify } from "./graph/verify.ts";
import { optimize } from "./optimize/passes.ts";
import { checkLimits } from "./schedule/budget.ts";
import { Builds } from "./schedule/builds.ts";
import { fuseSlices } from "./schedule/fuse-slices.ts";
import type { Target } from "./schedule/group.ts";
import { hoist } from "./schedule/hoist.ts";
import type { ScheduleOptions } from "./schedule/options.ts";
import { callsOf, launchesOf, type PlacedStep, type PlannedTarget, planTarget } from "./schedule/plan.ts";
import { isPersistent } from "./schedule/prepare.ts";
import type { Schedule } from "./schedule/program.ts";
import { planWithin, type Recomputation } from "./schedule/recompute/within.ts";
import { schedule } from "./schedule/schedule.ts";

/** What a build decides about kernels, for all entries; what is left out depends on what an entry is for. */
export interface KernelOptions extends Partial<ScheduleOptions> {
  /** Bytes that the program may take on each target, weights included. */
  readonly maxMemory?: number;
}

export interface PipelineOptions extends KernelOptions {
  readonly targets: readonly ("wasm" | "webgpu")[];
  /** A second module with fused multiply-add. */
  readonly relaxed: boolean;
  /** Check the normal form after every pass. */
  readonly verify: boolean;
  /** The program with a batch above 1 in it, from which `separable` is read. */
  readonly probe: Program;
}
export interface Generated {
  readonly manifest: Omit<Manifest, "compiler" | "source">;
  readonly wasm: Uint8Array | undefined;
  readonly relaxed: Uint8Array | undefined;
  readonly wgsl: string | undefined;
  /** What each entry launches, in words: `conv2d_1, relu (model.dlx:9)`. */
  readonly notes: { readonly wasm: readonly (readonly string[])[]; readonly webgpu: readonly (readonly string[])[] };
  /** What is computed again so that the program takes no more than `maxMemory`. */
  readonly recomputed: readonly Recomputation[];
}

export function generate(elaborated: Program, options: PipelineOptions): Generated {
  const program = optimizeProgram(elaborated, options.verify);
  const targetsCpu = options.targets.includes("wasm");
  // Even where WebAssembly is no target it draws the initial values.
  const onCpu = (entry: ProgramEntry) => targetsCpu || entry.kind === "initialize";
  const cpu = targetsCpu || program.entries.some(onCpu) ? planned(program, "cpu", options, onCpu) : undefined;
  const withRelaxed = targetsCpu && options.relaxed;
  const gpu = options.targets.includes("webgpu") ? planned(program, "gpu", options) : undefined;
  const wgsl = gpu && new WgslProgram();
  const library = new KernelLibrary();
  const plain = cpu && encode(program, cpu, false, library);
  const relaxed = cpu && withRelaxed ? encode(program, cpu, true, library) : undefined;
  return {
    manifest: {
      format: 1,
      main: program.main,
      persistent: program.persistent,
      entries: program.entries.map(({ graph, ...entry }) => ({ ...entry, outputs: outputsOf(graph) })),
      separable: separableCalls(options.probe),
      wasm: cpu
        ? {
            file: "kernels.wasm",
            ...(withRelaxed && { relaxed: "kernels.relaxed.wasm" }),
            sha256: "",
            plan: cpu.plan,
            memoryFlags: [plain, relaxed].flatMap((module) => module?.memoryFlags ?? []),
          }
        : null,
      webgpu: gpu && wgsl ? { file: "kernels.wgsl", sha256: "", plan: withDispatches(gpu, wgsl) } : null,
      weights: null,
    },
    wasm: plain?.bytes,
    relaxed: relaxed?.bytes,
    wgsl: wgsl?.text(),
    notes: { wasm: notes(cpu), webgpu: notes(gpu) },
    recomputed: [...(cpu?.recomputed ?? []), ...(gpu?.recomputed ?? [])],
  };
}

export function optimizeProgram(program: Program, check: boolean): Program {
  return { ...program, entries: program.entries.map((entry) => ({ ...entry, graph: optimizeEntry(entry, check) })) };
}

export function optimizeEntry({ graph }: Pick<ProgramEntry, "graph">, check: boolean): Graph {
  if (check) verify(graph, "elaborate");
  return optimize(graph, (after, pass) => {
    if (check) verify(after, pass.name);
  });
}

/** `initialize` entries draw weights, always on the CPU, so that they are the same bits everywhere. */
function isFor(target: Target, entry: ProgramEntry): boolean {
  return target === "cpu" || entry.kind !== "initialize";
}

/**
 * Steps compute what is written, unless `winograd` is asked for; what is asked of a trained model, its predictions and its
 * evaluation, may round a little more, unless that is forbidden. Weights are drawn the same everywhere.
 */
function scheduleOptions({ kind }: ProgramEntry, { winograd, choose }: KernelOptions): ScheduleOptions {
  return { winograd: kind !== "initialize" && (winograd ?? kind !== "step"), ...(choose && { choose }) };
}

export function planned(
  program: Program,
  target: Target,
  options: KernelOptions = {},
  wanted: (entry: ProgramEntry) => boolean = () => true,
): PlannedTarget & { readonly recomputed: readonly Recomputation[] } {
  const { schedules, scheduled } = schedulesOf(program, target, options, wanted);
  if (options.maxMemory !== undefined) return planWithin(program, schedules, target, options.maxMemory, scheduled);
  const whole = planTarget(program, schedules, target);
  checkLimits(program.entries, schedules, target, whole);
  return { ...whole, recomputed: [] };
}

/** The plan, also of what no device can hold: to say how much that would take. */
export function plannedAnySize(program: Program, target: Target): PlannedTarget {
  return planTarget(program, schedulesOf(program, target, {}, () => true).schedules, target);
}

function schedulesOf(
  program: Program,
  target: Target,
  options: KernelOptions,
  wanted: (entry: ProgramEntry) => boolean,
) {
  const builds = new Builds();
  const scheduled = (entry: ProgramEntry, graph: Graph): Schedule => {
    const made = schedule(graph, target, scheduleOptions(entry, options), builds);
    // What runs once has nothing to keep.
    if (entry.kind === "initialize") return made;
    return target === "cpu" ? fuseSlices(hoist(made)) : hoist(made);
  };
  const schedules = program.entries.map((entry): Schedule | null =>
    isFor(target, entry) && wanted(entry) ? scheduled(entry, entry.graph) : null,
  );
  return { schedules, scheduled };
}

/** Initial weights are the same bits in both modules, since which one is loaded depends on the machine. */
function encode(
  program: Program,
  { plan, entries, prepare }: PlannedTarget,
  relaxed: boolean,
  library: KernelLibrary,
): EncodedModule {
  return encodeModule({
    entries: [
      ...entries.map((entry, k) => ({
        name: entry?.name ?? "",
        steps: entry ? callsOf(entry.steps, plan) : [],
        exact: program.entries[k]?.kind === "initialize",
      })),
      ...prepare.map(({ steps }, k) => ({ name: `prepare ${k}`, steps: callsOf(steps, plan) })),
    ],
    memoryBytes: wasmSections(plan).end,
    relaxed,
    library,
  });
}

function withDispatches({ plan, entries, prepare }: PlannedTarget, wgsl: WgslProgram): TargetPlan {
  const dispatches = (steps: readonly PlacedStep[]) =>
    launchesOf(steps).map((launch): DispatchPlan => wgsl.add(launch));
  return {
    ...plan,
    prepare: plan.prepare.map((one, k) => ({ ...one, dispatches: dispatches(prepare[k]?.steps ?? []) })),
    entries: plan.entries.map((entry, k) => entry && { ...entry, dispatches: dispatches(entries[k]?.steps ?? []) }),
  };
}

function notes(target: PlannedTarget | undefined): string[][] {
  const words = (steps: readonly PlacedStep[], indent: string): string[] =>
    steps.flatMap((step) => {
      if (step.kind === "repeat") return [`${indent}${step.length} times:`, ...words(step.steps, `${indent}  `)];
      const { label, origin } = step.dispatch;
      return [`${indent}${label}${origin ? ` (${origin.file}:${origin.line})` : ""}`];
    });
  return target?.entries.map((entry) => words(entry?.steps ?? [], "")) ?? [];
}

function outputsOf(graph: Graph): OutputSlot[] {
  return graph.outputs.flatMap(({ tensor, role, path }) =>
    isPersistent(role) ? [] : [{ name: path, role, ...tensor.type }],
  );
}

/** Shown on the graph of a size above 1: at 1 the batch axis carries no index. */
function separableCalls({ entries }: Program): string[] {
  const probes = entries.filter(({ kind, batch = 1 }) => (kind === "predict" || kind === "call") && batch > 1);
  const rowwise = probes.filter(({ graph, inputs }) => {
    const batched = inputs.flatMap((input) => (input.batched ? [input.name] : []));
    return isSeparable(graph, new Set(batched));
  });
  return [...new Set(rowwise.map(({ of }) => of))];
}
