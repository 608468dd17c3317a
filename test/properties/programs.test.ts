/**
 * Random programs, from text to devices: they print and parse, every pass keeps the normal form and the meaning, gradients
 * agree with differences, and WebAssembly and WGSL compute what the float64 reference computes.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { fileLoader } from "../../compiler/cli/library.ts";
import { type Compiled, compile } from "../../compiler/compile.ts";
import type { ProgramEntry } from "../../compiler/elaborate/program.ts";
import { describeFailure, gradcheck } from "../../compiler/gradcheck/gradcheck.ts";
import { drawFrom, randomInputs } from "../../compiler/gradcheck/inputs.ts";
import type { Tensor } from "../../compiler/graph/graph.ts";
import { optimizeEntry } from "../../compiler/pipeline.ts";
import { evaluate, type Values } from "../../compiler/reference/evaluate.ts";
import { parse, print } from "../../grammar/parse.ts";
import type { Device, Elements } from "../../runtime/device.ts";
import { allocate, elementCount } from "../../runtime/tensor.ts";
import { createWasmDevice } from "../../runtime/wasm/device.ts";
import { createWebGPUDevice } from "../../runtime/webgpu/device.ts";
import { describeWebGPU } from "../support/dawn.ts";
import { randomProgram } from "./random-program.ts";

const SEED = 11;
const deep = Boolean(process.env.DLX_DEEP);

function compiled(source: string, targets: ("wasm" | "webgpu")[]): Compiled {
  const result = compile({ file: "random.dlx", text: source }, fileLoader("random.dlx"), {
    targets,
    verify: true,
    batches: [2],
    relaxed: false,
  });
  if (!result.compiled) throw new Error(result.diagnostics.map(({ message }) => message).join("\n"));
  return result.compiled;
}

function expectClose(what: string, got: ArrayLike<number>, want: ArrayLike<number>, relative: number): void {
  // A gradient that is 0 in truth (a bias in front of batch_norm) is rounding in float32: an absolute floor.
  const scale = Math.max(0.1, ...Array.from(want, Math.abs));
  for (let k = 0; k < want.length; k++) {
    const error = Math.abs((got[k] ?? Number.NaN) - (want[k] ?? Number.NaN));
    if (!(error <= relative * scale))
      expect.fail(`${what}[${k}]: got ${got[k]}, reference ${want[k]} (greatest ${scale})`);
  }
}

/** Every entry on a device, from the same inputs and slots as the reference. */
async function compareDevice(
  device: Device,
  { program, manifest }: Compiled,
  relative: number,
  kinds: readonly string[],
): Promise<void> {
  const isResult = (role: string) => role === "result" || role === "loss" || role === "metric";
  for (const [k, entry] of program.entries.entries()) {
    if (!kinds.includes(entry.kind)) continue;
    const inputs = randomInputs(program, entry, SEED, drawFrom(SEED, 0));
    const want = evaluate(entry.graph, inputs);
    const given = (
      path: string,
      dtype: "f32" | "f16" | "i32" | "u32" | "bool" | "u8",
      shape: readonly number[],
    ): Elements => {
      const input = entry.graph.inputs.find((candidate) => candidate.path === path);
      const values = allocate(dtype, elementCount(shape));
      if (input) values.set(inputs.get(input.tensor) ?? []);
      return values;
    };
    for (const [slot, { path, dtype, shape }] of manifest.persistent.entries())
      device.writeSlot(slot, given(path, dtype, shape));
    const results = await device.run(
      k,
      entry.inputs.map(({ name, dtype, shape }) => given(name, dtype, shape)),
    );
    let result = 0;
    for (const { tensor, role, path } of entry.graph.outputs) {
      const expected = want.get(tensor) ?? new Float64Array(0);
      if (isResult(role)) expectClose(`${entry.name}: ${path}`, results[result++] ?? [], expected, relative);
      else {
        const slot = manifest.persistent.findIndex((candidate) => candidate.path === path && candidate.role === role);
        expectClose(`${entry.name}: ${path}`, await device.readSlot(slot), expected, relative);
      }
    }
  }
}

function expectOptimizedTheSame(entry: ProgramEntry, inputs: ReadonlyMap<Tensor, Values>): void {
  const before = evaluate(entry.graph, inputs);
  const graph = optimizeEntry(entry, true);
  const renamed = new Map(
    graph.inputs.map(({ tensor, path }) => [
      tensor,
      inputs.get(entry.graph.inputs.find((input) => input.path === path)?.tensor ?? tensor) ?? new Float64Array(0),
    ]),
  );
  const after = evaluate(graph, renamed);
  entry.graph.outputs.forEach(({ tensor, path }, k) => {
    const now = graph.outputs[k]?.tensor;
    expectClose(`optimised ${entry.name}: ${path}`, (now && after.get(now)) ?? [], before.get(tensor) ?? [], 1e-8);
  });
}

test("on WebAssembly, optimised, differentiated, printed", { timeout: 3_600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(randomProgram, async ({ source }) => {
      const printed = print(parse({ file: "random.dlx", text: source }).module);
      expect(print(parse({ file: "random.dlx", text: printed }).module)).toBe(printed);
      const all = compiled(printed, ["wasm"]);
      const wasm = all.wasm;
      if (!wasm) throw new Error("no module");
      for (const entry of all.program.entries)
        expectOptimizedTheSame(entry, randomInputs(all.program, entry, SEED, drawFrom(SEED, 0)));
      await compareDevice(await createWasmDevice(all.manifest, wasm as Uint8Array<ArrayBuffer>), all, 2e-4, [
        "predict",
        "step",
        "evaluate",
        "initialize",
      ]);
      expect(gradcheck(all.program, { runs: 1, seed: SEED }).failures.map(describeFailure)).toEqual([]);
    }),
    { numRuns: deep ? 1500 : 40 },
  );
});

test("a weight that meets only padding has the gradient 0", async () => {
  // Found by the programs above: both places of the second convolution lie outside of its 2 x 2 input.
  const all = compiled(
    `import nn
import loss
import optim

model M(x: f32[N, 1, 3, 3]) -> f32[N, 2] =
  x |> conv2d(1, kernel: 3, stride: 3, padding: 2) |> conv2d(1, kernel: 1, stride: 3, padding: 1) |> flatten |> dense(2)

train t(batch: int = 2)(x: f32[batch, 1, 3, 3], label: i32[batch]) {
  minimize loss = cross_entropy(M(x), label) over M.params using sgd(lr: 0.1)
}
`,
    ["wasm"],
  );
  await compareDevice(await createWasmDevice(all.manifest, all.wasm as Uint8Array<ArrayBuffer>), all, 1e-4, ["step"]);
});

describeWebGPU("random programs on WebGPU", (context) => {
  test("compute what the reference computes", { timeout: 3_600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(randomProgram, async ({ source }) => {
        const all = compiled(source, ["webgpu"]);
        const device = await createWebGPUDevice(context().gpu, all.manifest, all.wgsl ?? "");
        try {
          await compareDevice(device, all, 1e-3, ["predict", "step"]);
        } finally {
          device.dispose();
        }
      }),
      { numRuns: deep ? 100 : 5 },
    );
  });
});
