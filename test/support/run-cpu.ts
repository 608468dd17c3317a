/** Runs a graph end to end on WebAssembly: schedule, plan, encode, instantiate. */
import { encodeModule } from "../../compiler/codegen/wasm/module.ts";
import type { Program, ProgramEntry } from "../../compiler/elaborate/program.ts";
import type { Graph, OutputRole } from "../../compiler/graph/graph.ts";
import { verifyKernel } from "../../compiler/kernel/verify.ts";
import { dispatchesOf } from "../../compiler/schedule/liveness.ts";
import type { PlannedTarget } from "../../compiler/schedule/plan.ts";
import { callsOf, planTarget } from "../../compiler/schedule/plan.ts";
import type { Schedule } from "../../compiler/schedule/program.ts";
import { schedule } from "../../compiler/schedule/schedule.ts";
import type { DTypeName, Location, OutputSlot, PersistentRole } from "../../runtime/plan.ts";

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

export interface CpuProgram {
  readonly schedule: Schedule;
  readonly planned: PlannedTarget;
  /** The values of all outputs after one run; one input each, in the graph's order. */
  run(inputs: readonly (readonly number[])[]): number[][];
  /** Runs without touching inputs or outputs. */
  again(): void;
}

export function compileForCpu(graph: Graph): CpuProgram {
  const program = programOf(graph);
  const scheduled = schedule(graph, "cpu");
  for (const { kernel } of dispatchesOf(scheduled.steps)) verifyKernel(kernel);
  const planned = planTarget(program, [scheduled], "cpu");
  const { plan } = planned;
  const persistentBytes = plan.persistent[0] ?? 0;
  const memoryBytes = persistentBytes + (plan.arena[0] ?? 0);
  const entry = planned.entries[0]!;
  const { bytes } = encodeModule({
    entries: [{ name: entry.name, steps: callsOf(entry.steps, persistentBytes) }],
    memoryBytes,
    relaxed: false,
    names: true,
  });
  const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil(memoryBytes / 65536)), maximum: 65536 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)), { env: { memory } });
  const call = instance.exports["entry0"] as () => void;
  const view = (dtype: DTypeName, { space, offset, bytes: length }: Location) => {
    const at = space === "arena" ? persistentBytes + offset : offset;
    const count = length / 4;
    if (dtype === "f32" || dtype === "f16") return new Float32Array(memory.buffer, at, count);
    if (dtype === "i32" || dtype === "u8") return new Int32Array(memory.buffer, at, count);
    return new Uint32Array(memory.buffer, at, count);
  };
  for (const { at, data } of plan.constants)
    new Uint8Array(memory.buffer, at.offset, at.bytes).set(Buffer.from(data, "base64"));
  const slotAt = (role: string, path: string): Location | undefined =>
    plan.slots[program.persistent.findIndex((slot) => slot.role === role && slot.path === path)];
  const placeOf = (kind: "inputs" | "outputs") => {
    let count = 0;
    return graph[kind].map(({ tensor, role, path }) => {
      const at = slotAt(role, path) ?? plan.entries[0]![kind][count++]!;
      return { dtype: tensor.type.dtype, at };
    });
  };
  const inputs = placeOf("inputs");
  const outputs = placeOf("outputs");
  return {
    schedule: scheduled,
    planned,
    run(values) {
      // Whatever was left in memory must not matter.
      new Uint32Array(memory.buffer, persistentBytes, (plan.arena[0] ?? 0) / 4).fill(0x7fc12345);
      for (const [k, { dtype, at }] of inputs.entries()) view(dtype, at).set(values[k]!);
      call();
      return outputs.map(({ dtype, at }) => [...view(dtype, at)]);
    },
    again: call,
  };
}

export function runOnCpu(graph: Graph, inputs: readonly (readonly number[])[]): number[][] {
  return compileForCpu(graph).run(inputs);
}
