/** Steps of the examples' train blocks, in float32 on a device as in float64 in the reference. */
import { describe, expect, test } from "vitest";
import type { Compiled } from "../../compiler/compile.ts";
import { evaluateOutputs, type Values } from "../../compiler/reference/evaluate.ts";
import type { Device, Elements } from "../../runtime/device.ts";
import type { InputSlot, Manifest } from "../../runtime/plan.ts";
import { allocate, elementCount } from "../../runtime/tensor.ts";
import { createWasmDevice } from "../../runtime/wasm/device.ts";
import { createWebGPUDevice } from "../../runtime/webgpu/device.ts";
import { fillSlots } from "../../runtime/weights.ts";
import { generator } from "../scalar/sampling.ts";
import { compileSource, exampleSource } from "../support/bundle.ts";
import { describeWebGPU } from "../support/dawn.ts";

interface Example {
  readonly name: string;
  readonly batch: number;
  readonly steps: number;
}
const examples: readonly Example[] = [
  { name: "lenet", batch: 4, steps: 3 },
  { name: "spirals", batch: 16, steps: 6 },
  { name: "resnet20", batch: 2, steps: 1 },
];
/** Of the loss, and of each tensor's greatest magnitude. */
const tolerance = 1e-4;

function compileStep({ name, batch }: Example, target: "wasm" | "webgpu"): Compiled {
  const targets = target === "wasm" ? ([target] as const) : (["wasm", target] as const);
  return compileSource(exampleSource(name), { set: { batch }, targets, models: [], calls: [], relaxed: false });
}
function stepOf(manifest: Manifest): number {
  return manifest.entries.findIndex(({ kind }) => kind === "step");
}

function drawn(input: InputSlot, random: () => number): Elements {
  const values = allocate(input.dtype, elementCount(input.shape));
  if (input.default !== undefined) return values.fill(input.default);
  const { min = 0, max = 2 } = input.bounds ?? {};
  return values.map(() => (input.dtype === "f32" ? random() * 2 - 1 : min + Math.floor(random() * (max - min + 1))));
}
const batchesOf = ({ name, steps }: Example, manifest: Manifest): Elements[][] => {
  const random = generator(name);
  return Array.from({ length: steps }, () =>
    manifest.entries[stepOf(manifest)]!.inputs.map((input) => drawn(input, random)),
  );
};

/** Every slot's first value, drawn on the CPU. */
async function initialValues(device: Device): Promise<Elements[]> {
  const { persistent, entries } = device.manifest;
  fillSlots(device, [7, 0]);
  for (const [index, { kind }] of entries.entries()) if (kind === "initialize") await device.run(index, []);
  return Promise.all(persistent.map((_, slot) => device.readSlot(slot)));
}

interface Run {
  /** Loss and metrics of each step. */
  readonly results: readonly (readonly ArrayLike<number>[])[];
  readonly slots: readonly ArrayLike<number>[];
}

function runReference(compiled: Compiled, initial: readonly Elements[], batches: readonly Elements[][]): Run {
  const { manifest, program } = compiled;
  const { graph, inputs } = program.entries[stepOf(manifest)]!;
  const slotOf = (role: string, path: string) =>
    manifest.persistent.findIndex((slot) => slot.role === role && slot.path === path);
  const slots: Values[] = initial.map((values) => Float64Array.from(values));
  const results = batches.map((batch) => {
    const given = graph.inputs.map(({ role, path }) =>
      role === "argument" || role === "knob"
        ? batch[inputs.findIndex(({ name }) => name === path)]!
        : slots[slotOf(role, path)]!,
    );
    const outputs = evaluateOutputs(graph, given);
    const told: Values[] = [];
    for (const [k, { role, path }] of graph.outputs.entries()) {
      const slot = slotOf(role, path);
      if (slot >= 0) slots[slot] = outputs[k]!;
      else told.push(outputs[k]!);
    }
    return told;
  });
  return { results, slots };
}

async function runDevice(device: Device, initial: readonly Elements[], batches: readonly Elements[][]): Promise<Run> {
  for (const [slot, values] of initial.entries()) device.writeSlot(slot, values);
  const results: (readonly Elements[])[] = [];
  for (const batch of batches) results.push(await device.run(stepOf(device.manifest), batch));
  return { results, slots: await Promise.all(initial.map((_, slot) => device.readSlot(slot))) };
}

function expectNear(what: string, got: ArrayLike<number>, want: ArrayLike<number>): void {
  expect(got.length).toBe(want.length);
  let scale = 1e-3;
  for (let k = 0; k < want.length; k++) scale = Math.max(scale, Math.abs(want[k]!));
  for (let k = 0; k < want.length; k++)
    if (!(Math.abs(got[k]! - want[k]!) <= tolerance * scale))
      expect.fail(`${what}[${k}]: ${got[k]}, reference ${want[k]}`);
}
function expectSame({ manifest }: Compiled, got: Run, want: Run): void {
  const { outputs } = manifest.entries[stepOf(manifest)]!;
  for (const [step, results] of want.results.entries())
    for (const [k, values] of results.entries())
      expectNear(`step ${step}, ${outputs[k]?.name}`, got.results[step]![k]!, values);
  for (const [slot, { path }] of manifest.persistent.entries()) expectNear(path, got.slots[slot]!, want.slots[slot]!);
}

describe("training on WebAssembly = reference", () => {
  test.each(examples)("$name", async (example) => {
    const compiled = compileStep(example, "wasm");
    const device = await createWasmDevice(compiled.manifest, new Uint8Array(compiled.wasm!));
    const initial = await initialValues(device);
    const batches = batchesOf(example, compiled.manifest);
    expectSame(compiled, await runDevice(device, initial, batches), runReference(compiled, initial, batches));
  });
});

describeWebGPU("training on WebGPU = reference", (context) => {
  // A software driver takes a minute to compile ResNet's kernels.
  test.each(examples.filter(({ name }) => name === "spirals" || process.env.DLX_DEEP))("$name", async (example) => {
    const compiled = compileStep(example, "webgpu");
    const cpu = await createWasmDevice(compiled.manifest, new Uint8Array(compiled.wasm!));
    const initial = await initialValues(cpu);
    const batches = batchesOf(example, compiled.manifest);
    const device = await createWebGPUDevice(context().gpu, compiled.manifest, compiled.wgsl!);
    try {
      expectSame(compiled, await runDevice(device, initial, batches), runReference(compiled, initial, batches));
    } finally {
      device.dispose();
    }
  });
});
