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

/**
 * Time and attention: a scan, gathers and their adjoint, layer_norm, a masked softmax, dropout. Plain momentum: the key's
 * bias has gradient 0, and Adam would turn its rounding into steps.
 */
const sequences = `import nn
import loss
import optim

model Reader(id: i32[N, 6]) -> f32[N, 6, 11] {
  let token = embedding(11, 8)
  let x = token(id)
  let y = x + (x |> layer_norm |> attention(2) |> dropout(0.25))
  let (output: z, hidden: h) = y |> lstm(8)
  let final = z + h[:, _, :] |> layer_norm
  let logits[n, t, v] = sum[d] final[n, t, d] * token.weight[v, d]
  logits
}
train reader(batch: int = 3)(id: i32[batch, 6], target: i32[batch, 6]) {
  let logits = reshape(Reader(id), [batch * 6, 11])
  minimize loss = cross_entropy(logits, reshape(target, [batch * 6])) over Reader.params using momentum(lr: 0.1)
}
`;

function compileProgram(name: string, set: Record<string, string>): Compiled {
  const file = join(root, "examples", name === "sequences" ? "lenet" : name, "model.dlx");
  const text = name === "sequences" ? sequences : readFileSync(file, "utf8");
  const { compiled, diagnostics } = compile({ file, text }, fileLoader(file), {
    set,
    calls: [],
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
  ["sequences", {}, 2],
  ["resnet20", { batch: "2" }, 1],
] as const;

describeWebGPU("training: WebGPU = WebAssembly", (context) => {
  test.each([["lenet", { batch: "4" }, 2], ...(process.env.DLX_DEEP ? deep : [])] as const)(
    "%s",
    async (name, set, steps) => {
      const compiled = compileProgram(name, set);
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
  );
});
