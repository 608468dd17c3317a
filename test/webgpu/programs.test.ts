/** Whole programs: a few training steps on WebGPU and on WebAssembly from the same weights come to the same place. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fileLoader } from "../../compiler/cli/library.ts";
import { type Compiled, compile } from "../../compiler/compile.ts";
import type { Device, Elements } from "../../runtime/device.ts";
import type { InputSlot } from "../../runtime/plan.ts";
import { allocate, elementCount } from "../../runtime/tensor.ts";
import { createWasmDevice } from "../../runtime/wasm/device.ts";
import { createWebGPUDevice } from "../../runtime/webgpu/device.ts";
import { generator } from "../scalar/sampling.ts";
import { describeWebGPU } from "../support/dawn.ts";

const root = join(import.meta.dirname, "../..");

function compileExample(name: string, set: Record<string, string>): Compiled {
  const file = join(root, "examples", name, "model.dlx");
  const { compiled, diagnostics } = compile({ file, text: readFileSync(file, "utf8") }, fileLoader(file), {
    set,
    calls: false,
    models: [],
    relaxed: false,
  });
  if (!compiled) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return compiled;
}

function valuesFor(input: InputSlot, random: () => number): Elements {
  const values = allocate(input.dtype, elementCount(input.shape));
  if (input.default !== undefined) return values.fill(input.default);
  const { min = 0, max = 2 } = input.bounds ?? {};
  for (let k = 0; k < values.length; k++)
    values[k] = input.dtype === "f32" ? random() * 2 - 1 : min + Math.floor(random() * (max - min + 1));
  return values;
}

/** Draws weights on the CPU, as a session does, and gives both devices the same. */
async function initialize(compiled: Compiled, cpu: Device, gpu: Device): Promise<void> {
  const { manifest } = compiled;
  for (const [slot, { role, dtype, shape, fill }] of manifest.persistent.entries()) {
    if (role === "seed") cpu.writeSlot(slot, Uint32Array.of(7, 0));
    else if (fill !== undefined) cpu.writeSlot(slot, allocate(dtype, elementCount(shape)).fill(fill));
  }
  for (const [entry, { kind }] of manifest.entries.entries()) if (kind === "initialize") await cpu.run(entry, []);
  for (const slot of manifest.persistent.keys()) gpu.writeSlot(slot, await cpu.readSlot(slot));
}

function expectNear(what: string, got: ArrayLike<number>, want: ArrayLike<number>, relative: number): void {
  const scale = Math.max(1e-3, ...Array.from(want, Math.abs));
  for (let k = 0; k < want.length; k++) {
    const error = Math.abs(got[k]! - want[k]!);
    if (!(error <= relative * scale)) expect.fail(`${what}[${k}]: WebGPU ${got[k]}, WebAssembly ${want[k]}`);
  }
}

const deep = [
  ["spirals", { batch: "16" }, 3],
  ["resnet20", { batch: "2" }, 1],
] as const;

describeWebGPU("training: WebGPU = WebAssembly", (context) => {
  test.each([["lenet", { batch: "4" }, 2], ...(process.env.DLX_DEEP ? deep : [])] as const)(
    "%s",
    async (name, set, steps) => {
      const compiled = compileExample(name, set);
      const { manifest, wasm, wgsl } = compiled;
      const cpu = await createWasmDevice(manifest, new Uint8Array(wasm!));
      const gpu = await createWebGPUDevice(context().gpu, manifest, wgsl!);
      try {
        await initialize(compiled, cpu, gpu);
        const random = generator(name);
        const entry = manifest.entries.findIndex(({ kind }) => kind === "step");
        const { inputs, outputs } = manifest.entries[entry]!;
        for (let step = 0; step < steps; step++) {
          const values = inputs.map((input) => valuesFor(input, random));
          const [want, got] = [await cpu.run(entry, values), await gpu.run(entry, values)];
          for (const [k, output] of outputs.entries()) expectNear(output.name, got[k]!, want[k]!, 1e-3);
        }
        for (const [slot, { path }] of manifest.persistent.entries())
          expectNear(path, await gpu.readSlot(slot), await cpu.readSlot(slot), 2e-3);
      } finally {
        gpu.dispose();
        cpu.dispose();
      }
    },
    600_000,
  );
});
