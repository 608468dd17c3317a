/** Runs launches and graphs on a GPU, through the same plan and device that a bundle uses. */
import { WgslProgram } from "../../compiler/codegen/wgsl/module.ts";
import type { Graph } from "../../compiler/graph/graph.ts";
import type { Dispatch } from "../../compiler/kernel/ir.ts";
import { verifyKernel } from "../../compiler/kernel/verify.ts";
import { hoist } from "../../compiler/schedule/hoist.ts";
import { dispatchesOf } from "../../compiler/schedule/liveness.ts";
import { launchesOf, planTarget } from "../../compiler/schedule/plan.ts";
import type { Schedule } from "../../compiler/schedule/program.ts";
import { schedule } from "../../compiler/schedule/schedule.ts";
import type { Device, Elements } from "../../runtime/device.ts";
import type { DTypeName, InputSlot, Location, Manifest, OutputSlot } from "../../runtime/plan.ts";
import { allocate } from "../../runtime/tensor.ts";
import { createWebGPUDevice } from "../../runtime/webgpu/device.ts";
import { programOf } from "./run-cpu.ts";

export interface PlacedTensor {
  readonly name: string;
  readonly dtype: DTypeName;
  readonly shape: readonly number[];
  readonly at: Location;
}

const digest = "0".repeat(64);

/** A manifest with one entry. */
export function manifestOf(spec: {
  readonly arena: readonly number[];
  readonly inputs: readonly PlacedTensor[];
  readonly outputs: readonly PlacedTensor[];
  readonly constants?: readonly { readonly at: Location; readonly data: string }[];
  readonly dispatches: readonly Dispatch<Location>[];
}): { manifest: Manifest; wgsl: string } {
  const program = new WgslProgram();
  const dispatches = spec.dispatches.map((dispatch) => program.add(dispatch));
  const slot = ({ name, dtype, shape }: PlacedTensor): InputSlot => ({ name, dtype, shape });
  const manifest: Manifest = {
    format: 1,
    compiler: "test",
    source: { file: "test.dlx", sha256: digest },
    main: null,
    persistent: [],
    entries: [
      {
        name: "test",
        kind: "call",
        of: "test",
        inputs: spec.inputs.map(slot),
        outputs: spec.outputs.map((output) => ({ ...slot(output), role: "result" })),
      },
    ],
    separable: [],
    wasm: null,
    webgpu: {
      file: "kernels.wgsl",
      sha256: digest,
      plan: {
        persistent: [],
        arena: spec.arena,
        constants: spec.constants ?? [],
        slots: [],
        prepare: [],
        entries: [
          {
            inputs: spec.inputs.map(({ at }) => at),
            outputs: spec.outputs.map(({ at }) => at),
            prepare: [],
            writes: [],
            dispatches,
          },
        ],
      },
    },
    weights: null,
  };
  return { manifest, wgsl: program.text() };
}

/** Lays buffers out one after the other, 256 bytes apart. */
export class Arena {
  #end = 0;
  place(elements: number): Location {
    const at: Location = { space: "arena", chunk: 0, offset: this.#end, bytes: elements * 4 };
    this.#end = Math.ceil((this.#end + at.bytes) / 256) * 256;
    return at;
  }
  get bytes(): number {
    return this.#end;
  }
}

export const dtypeOf = (values: Elements): DTypeName =>
  values instanceof Float32Array ? "f32" : values instanceof Int32Array ? "i32" : "u32";

export async function withDevice<T>(
  gpu: GPU,
  program: { manifest: Manifest; wgsl: string },
  use: (device: Device) => Promise<T>,
): Promise<T> {
  const device = await createWebGPUDevice(gpu, program.manifest, program.wgsl);
  try {
    return await use(device);
  } finally {
    device.dispose();
  }
}

/**
 * Runs one launch. Every buffer of the kernel is given by its initial content; what all of them hold afterwards comes
 * back.
 */
export async function runKernel(
  gpu: GPU,
  launch: Omit<Dispatch<Elements>, "origin" | "label">,
): Promise<readonly Elements[]> {
  const arena = new Arena();
  const tensors = launch.buffers.map((values, k): PlacedTensor => {
    const name = launch.kernel.buffers[k]?.name ?? `buffer${k}`;
    return { name, dtype: dtypeOf(values), shape: [values.length], at: arena.place(values.length) };
  });
  const program = manifestOf({
    arena: [arena.bytes],
    inputs: tensors,
    outputs: tensors,
    dispatches: [{ ...launch, buffers: tensors.map(({ at }) => at), origin: undefined, label: launch.kernel.name }],
  });
  return withDevice(gpu, program, (device) => device.run(0, launch.buffers));
}

export interface GPUProgram {
  readonly schedule: Schedule;
  readonly manifest: Manifest;
  readonly wgsl: string;
}

/** A graph as a program of one entry: scheduled, planned, printed, its kernels verified. */
export function compileForGPU(graph: Graph): GPUProgram {
  const program = programOf(graph);
  const scheduled = hoist(schedule(graph, "gpu"));
  for (const { kernel } of dispatchesOf([...scheduled.once, ...scheduled.steps])) verifyKernel(kernel);
  const { plan, entries, prepare } = planTarget(program, [scheduled], "gpu");
  const wgsl = new WgslProgram();
  const [dispatches = [], ...preparations] = [entries[0]!, ...prepare].map(({ steps }) =>
    launchesOf(steps).map((launch) => wgsl.add(launch)),
  );
  const outputs = graph.outputs.flatMap(({ tensor, role, path }): OutputSlot[] =>
    role === "result" || role === "loss" || role === "metric" ? [{ name: path, role, ...tensor.type }] : [],
  );
  const manifest: Manifest = {
    format: 1,
    compiler: "test",
    source: { file: "test.dlx", sha256: digest },
    main: null,
    persistent: program.persistent,
    entries: program.entries.map(({ graph: _, ...entry }) => ({ ...entry, outputs })),
    separable: [],
    wasm: null,
    webgpu: {
      file: "kernels.wgsl",
      sha256: digest,
      plan: {
        ...plan,
        prepare: plan.prepare.map((one, k) => ({ ...one, dispatches: preparations[k]! })),
        entries: plan.entries.map((entry) => entry && { ...entry, dispatches }),
      },
    },
    weights: null,
  };
  return { schedule: scheduled, manifest, wgsl: wgsl.text() };
}

/** Runs a graph end to end: one list of numbers an input, in the graph's order; the values of all outputs. */
export async function runOnGPU(
  gpu: GPU,
  graph: Graph,
  inputs: readonly (readonly number[])[],
): Promise<readonly (readonly number[])[]> {
  const program = compileForGPU(graph);
  const slotOf = (role: string, path: string): number =>
    program.manifest.persistent.findIndex((slot) => slot.role === role && slot.path === path);
  return withDevice(gpu, program, async (device) => {
    const given: Elements[] = [];
    for (const [k, { tensor, role, path }] of graph.inputs.entries()) {
      const values = allocate(tensor.type.dtype, inputs[k]!.length);
      values.set(inputs[k]!);
      const slot = slotOf(role, path);
      if (slot >= 0) device.writeSlot(slot, values);
      else given.push(values);
    }
    const results = [...(await device.run(0, given))];
    const all: number[][] = [];
    for (const { role, path } of graph.outputs) {
      const slot = slotOf(role, path);
      all.push([...(slot >= 0 ? await device.readSlot(slot) : results.shift()!)]);
    }
    return all;
  });
}
