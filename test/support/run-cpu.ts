/** Runs a graph end to end on WebAssembly: schedule, plan, encode, instantiate. */

import { encodeModule } from "../../compiler/codegen/wasm/module.ts";
import type { Program, ProgramEntry } from "../../compiler/elaborate/program.ts";
import type { Graph, OutputRole } from "../../compiler/graph/graph.ts";
import { add, apply, i32, mul, sub, variable } from "../../compiler/kernel/build.ts";
import { interpretKernel } from "../../compiler/kernel/interpret.ts";
import type { Kernel, Statement } from "../../compiler/kernel/ir.ts";
import { verifyKernel } from "../../compiler/kernel/verify.ts";
import { fuseSlices } from "../../compiler/schedule/fuse-slices.ts";
import { hoist } from "../../compiler/schedule/hoist.ts";
import { dispatchesOf } from "../../compiler/schedule/liveness.ts";
import type { ScheduleOptions } from "../../compiler/schedule/options.ts";
import type { PlannedTarget } from "../../compiler/schedule/plan.ts";
import { callsOf, launchesOf, planTarget } from "../../compiler/schedule/plan.ts";
import type { Schedule } from "../../compiler/schedule/program.ts";
import { schedule } from "../../compiler/schedule/schedule.ts";
import { constantBytes } from "../../runtime/base64.ts";
import type { DTypeName, Location, OutputSlot, PersistentRole, TargetPlan } from "../../runtime/plan.ts";
import { wasmSections } from "../../runtime/plan.ts";

const isResult = (role: OutputRole): role is OutputSlot["role"] =>
  role === "result" || role === "loss" || role === "metric";

/** A program of one entry around a graph. */
export function programOf(graph: Graph): Program {
  const persistent = new Map<string, Program["persistent"][number]>();
  for (const { tensor, role, path } of [...graph.inputs, ...graph.outputs]) {
    if (role === "argument" || role === "knob" || isResult(role)) continue;
    const slot = { path, role: role satisfies PersistentRole, dtype: tensor.type.dtype, shape: tensor.type.shape };
    persistent.set(`${role} ${path}`, slot);
  }
  const entry: ProgramEntry = {
    name: "test",
    kind: "call",
    of: "test",
    inputs: graph.inputs
      .filter(({ role }) => role === "argument" || role === "knob")
      .map(({ tensor, path }) => ({ name: path, dtype: tensor.type.dtype, shape: tensor.type.shape })),
    graph,
  };
  return { main: null, persistent: [...persistent.values()], entries: [entry] };
}

/** A kernel in which every loop that threads share begins with its last iteration. */
export function backwards(kernel: Kernel): Kernel {
  const body = kernel.body.map((s): Statement => {
    if (s.kind !== "for" || !s.outer) return s;
    const count = apply("raw_div", "i32", add(sub(s.to, s.from), s.step - 1), i32(s.step));
    const name = `${s.name}_left`;
    const last = sub(sub(count, 1), variable(name, "i32"));
    const value = add(s.from, mul(last, s.step));
    return { ...s, name, from: i32(0), to: count, step: 1, body: [{ kind: "let", name: s.name, value }, ...s.body] };
  });
  return { ...kernel, body };
}

export interface Interpretation {
  readonly options?: ScheduleOptions;
  readonly kernel?: (kernel: Kernel) => Kernel;
}

/** Runs a graph's kernels in the interpreter of the loop IR, which refuses what leaves a buffer. */
export function interpretOnCpu(
  graph: Graph,
  values: readonly (readonly number[])[],
  { options, kernel: changed = (kernel) => kernel }: Interpretation = {},
): number[][] {
  const program = programOf(graph);
  const { plan, entries, prepare } = planTarget(program, [fuseSlices(hoist(schedule(graph, "cpu", options)))], "cpu");
  const spaces = { persistent: new ArrayBuffer(plan.persistent[0] ?? 0), arena: new ArrayBuffer(plan.arena[0] ?? 0) };
  for (const constant of plan.constants)
    new Uint8Array(spaces.persistent, constant.at.offset, constant.at.bytes).set(constantBytes(constant));
  const { inputs, outputs } = placesOf(graph, program, plan);
  for (const { steps } of [...prepare, entries[0]!]) {
    for (const [k, { dtype, at }] of inputs.entries()) elementsAt(spaces[at.space], dtype, at).set(values[k]!);
    for (const { kernel, buffers, scalars } of launchesOf(steps)) {
      const memory = buffers.map((at, k) => elementsAt(spaces[at.space], kernel.buffers[k]!.type, at));
      interpretKernel(changed(kernel), memory, scalars);
    }
  }
  return outputs.map(({ dtype, at }) => [...elementsAt(spaces[at.space], dtype, at)]);
}

function elementsAt(buffer: ArrayBuffer | SharedArrayBuffer, dtype: DTypeName, { offset, bytes }: Location) {
  const count = bytes / 4;
  if (dtype === "f32" || dtype === "f16") return new Float32Array(buffer, offset, count);
  if (dtype === "i32" || dtype === "u8") return new Int32Array(buffer, offset, count);
  return new Uint32Array(buffer, offset, count);
}

export function placesOf(graph: Graph, program: Program, plan: TargetPlan) {
  const slotAt = (role: string, path: string): Location | undefined =>
    plan.slots[program.persistent.findIndex((slot) => slot.role === role && slot.path === path)];
  const of = (kind: "inputs" | "outputs") => {
    let count = 0;
    return graph[kind].map(({ tensor, role, path }) => ({
      dtype: tensor.type.dtype,
      at: slotAt(role, path) ?? plan.entries[0]![kind][count++]!,
    }));
  };
  return { inputs: of("inputs"), outputs: of("outputs") };
}

/** Typed arrays over what a plan places in a memory. */
export function viewsOf(plan: TargetPlan, memory: WebAssembly.Memory) {
  const { arena } = wasmSections(plan);
  return (dtype: DTypeName, at: Location) =>
    elementsAt(memory.buffer, dtype, at.space === "arena" ? { ...at, offset: arena + at.offset } : at);
}

export interface CpuProgram {
  readonly schedule: Schedule;
  readonly planned: PlannedTarget;
  /** The values of all outputs after one run; one input each, in the graph's order. */
  run(inputs: readonly (readonly number[])[]): number[][];
  /** Runs without touching inputs or outputs. */
  again(): void;
}

export function compileForCpu(graph: Graph, options?: ScheduleOptions): CpuProgram {
  const program = programOf(graph);
  const scheduled = fuseSlices(hoist(schedule(graph, "cpu", options)));
  for (const { kernel } of dispatchesOf([...scheduled.once, ...scheduled.steps])) verifyKernel(kernel);
  const planned = planTarget(program, [scheduled], "cpu");
  const { plan } = planned;
  const persistentBytes = plan.persistent[0] ?? 0;
  const memoryBytes = wasmSections(plan).end;
  const entry = planned.entries[0]!;
  const prepare = planned.prepare.map(({ steps }, k) => ({ name: `prepare ${k}`, steps: callsOf(steps, plan) }));
  const { bytes } = encodeModule({
    entries: [{ name: entry.name, steps: callsOf(entry.steps, plan) }, ...prepare],
    memoryBytes,
    relaxed: false,
    names: true,
  });
  const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil(memoryBytes / 65536)), maximum: 65536 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)), { env: { memory } });
  const [call, ...preparations] = [entry, ...prepare].map((_, k) => instance.exports[`entry${k}`] as () => void);
  const view = viewsOf(plan, memory);
  for (const constant of plan.constants)
    new Uint8Array(memory.buffer, constant.at.offset, constant.at.bytes).set(constantBytes(constant));
  const { inputs, outputs } = placesOf(graph, program, plan);
  return {
    schedule: scheduled,
    planned,
    run(values) {
      // Whatever was left in memory must not matter.
      for (const part of [...preparations, call!]) {
        new Uint32Array(memory.buffer, persistentBytes, (plan.arena[0] ?? 0) / 4).fill(0x7fc12345);
        for (const [k, { dtype, at }] of inputs.entries()) view(dtype, at).set(values[k]!);
        part();
      }
      return outputs.map(({ dtype, at }) => [...view(dtype, at)]);
    },
    again: call!,
  };
}

export function runOnCpu(graph: Graph, inputs: readonly (readonly number[])[]): number[][] {
  return compileForCpu(graph).run(inputs);
}
