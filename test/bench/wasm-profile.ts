/**
 * Where the time of one entry goes: every launch measured alone, in place, and the whole entry.
 * `npx tsx test/bench/wasm-profile.ts examples/lenet/model.dlx lenet.step [--relaxed] [--set batch=64]`
 */
import { dirname, resolve } from "node:path";
import { fileLoader } from "../../compiler/cli/library.ts";
import { readSource } from "../../compiler/cli/source.ts";
import type { CallStep } from "../../compiler/codegen/wasm/calls.ts";
import { encodeModule, memoryPages } from "../../compiler/codegen/wasm/module.ts";
import { elaborateSource } from "../../compiler/compile.ts";
import { printKernel } from "../../compiler/kernel/print.ts";
import { optimizeProgram, planned } from "../../compiler/pipeline.ts";
import type { PlacedStep } from "../../compiler/schedule/plan.ts";
import { callsOf } from "../../compiler/schedule/plan.ts";
import { wasmSections } from "../../runtime/plan.ts";
import { disassemble, enableRelaxed } from "../codegen/wasm/run.ts";

const [file = "examples/lenet/model.dlx", wanted = "lenet.step"] = process.argv
  .slice(2)
  .filter((a) => !a.startsWith("--"));
const relaxed = process.argv.includes("--relaxed");
const show = process.argv.find((argument) => argument.startsWith("--show="))?.slice(7);
enableRelaxed();

const batch = Number(process.argv.find((argument) => argument.startsWith("--batch="))?.slice(8) ?? 64);
const started = performance.now();
const source = await readSource(file);
const { program, diagnostics } = elaborateSource(source, fileLoader(dirname(resolve(file))), { set: { batch } });
if (!program) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
const elaborated = performance.now();
const entry = program.entries.find(({ name }) => name === wanted);
if (!entry) throw new Error(`entries: ${program.entries.map(({ name }) => name).join(", ")}`);
const optimized = optimizeProgram({ ...program, entries: [entry] }, false);
const optimizedAt = performance.now();
const { plan, entries } = planned(optimized, "cpu");
const plannedAt = performance.now();
const memoryBytes = wasmSections(plan).end;
const steps = entries[0]!.steps;

const labels = (some: readonly PlacedStep[]): string[] =>
  some.map((step) =>
    step.kind === "repeat" ? `${step.length} times (${labels(step.steps).length} steps)` : step.dispatch.label,
  );
const calls: CallStep[] = callsOf(steps, plan);
const { bytes } = encodeModule({
  entries: [{ name: wanted, steps: calls }, ...calls.map((call, k) => ({ name: `step${k}`, steps: [call] }))],
  memoryBytes,
  relaxed,
  names: true,
});
const encodedAt = performance.now();
const one = encodeModule({ entries: [{ name: wanted, steps: calls }], memoryBytes, relaxed });
console.log(
  `elaborate ${(elaborated - started).toFixed(0)} ms, optimize ${(optimizedAt - elaborated).toFixed(0)}, schedule ${(plannedAt - optimizedAt).toFixed(0)}, encode ${(encodedAt - plannedAt).toFixed(0)}; module ${one.bytes.length} bytes, memory ${(memoryBytes / 2 ** 20).toFixed(1)} MiB`,
);
if (show) {
  for (const [k, step] of steps.entries())
    if (step.kind === "launch" && step.dispatch.label.includes(show)) {
      console.log(k, printKernel(step.dispatch.kernel));
      if (process.argv.includes("--wat"))
        console.log(
          disassemble(
            encodeModule({ entries: [{ name: "e", steps: [calls[k]!] }], memoryBytes, relaxed, names: true }).bytes,
          ),
        );
    }
}

const memory = new WebAssembly.Memory({ initial: memoryPages(memoryBytes), maximum: 65536 });
/** Numbers of an ordinary size; as integers they are clamped wherever they address something. */
const values = Float32Array.from({ length: memory.buffer.byteLength / 4 }, () => (Math.random() - 0.5) / 5);
const fill = (): void => {
  new Float32Array(memory.buffer).set(values);
};
const instance = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(bytes)), { env: { memory } });
const entryAt = (k: number): (() => void) => {
  const run = instance.exports[`entry${k}`];
  if (typeof run !== "function") throw new Error("no entry");
  return () => run();
};

function best(run: () => void): number {
  fill();
  for (const end = performance.now() + 60; performance.now() < end; ) run();
  let least = Number.POSITIVE_INFINITY;
  for (const end = performance.now() + 100; performance.now() < end; ) {
    // What a step does to its own inputs, time and again, would end in subnormal numbers or worse.
    fill();
    const start = performance.now();
    let count = 0;
    while (performance.now() - start < 1) {
      run();
      count++;
    }
    least = Math.min(least, (performance.now() - start) / count);
  }
  return least;
}

const times = calls.map((_, k) => best(entryAt(k + 1)));
const sum = times.reduce((a, b) => a + b, 0);
for (const [k, label] of labels(steps).entries())
  console.log(`${times[k]!.toFixed(3).padStart(9)} ms ${((100 * times[k]!) / sum).toFixed(0).padStart(3)}%  ${label}`);
console.log(`${sum.toFixed(3).padStart(9)} ms together; the entry as a whole ${best(entryAt(0)).toFixed(3)} ms`);
