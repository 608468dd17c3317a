/** One graph on one thread of WebAssembly, timed in place. */
import { fileLoader } from "../../compiler/cli/library.ts";
import { instantiate, leastTime } from "../../compiler/cli/peak.ts";
import { encodeModule } from "../../compiler/codegen/wasm/module.ts";
import { elaborateSource } from "../../compiler/compile.ts";
import type { Graph } from "../../compiler/graph/graph.ts";
import { readGraph } from "../../compiler/graph/read.ts";
import { printKernel } from "../../compiler/kernel/print.ts";
import { optimizeEntry } from "../../compiler/pipeline.ts";
import { dispatchesOf } from "../../compiler/schedule/liveness.ts";
import { callsOf, planTarget } from "../../compiler/schedule/plan.ts";
import { schedule } from "../../compiler/schedule/schedule.ts";
import { wasmSections } from "../../runtime/plan.ts";
import { disassemble, enableRelaxed } from "../codegen/wasm/run.ts";
import { programOf } from "../support/run-cpu.ts";

enableRelaxed();
export const relaxed = process.argv.includes("--relaxed");
const show = process.argv.includes("--show");
const rounds = Number(process.argv.find((argument) => argument.startsWith("--ms="))?.slice(5) ?? 700);
export const filter = process.argv.slice(2).find((argument) => !argument.startsWith("--")) ?? "";

/** Milliseconds of a graph, given as text. */
export function measure(text: string): number {
  return measureGraph(readGraph(text));
}

/** Milliseconds of what `y` is in a program of one model with this body, over `x` of the shape. */
export function measureModel(shape: string, result: string, body: string): number {
  const text = `import nn\nmodel Test(x: f32[${shape}]) -> f32[${result}] = ${body}\n`;
  const { program, diagnostics } = elaborateSource({ file: "test.dlx", text }, fileLoader("."), { batches: [1] });
  if (!program) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return measureGraph(optimizeEntry(program.entries.find(({ kind }) => kind === "predict")!, false));
}

function measureGraph(graph: Graph): number {
  const program = programOf(graph);
  const scheduled = schedule(graph, "cpu");
  const { plan, entries } = planTarget(program, [scheduled], "cpu");
  if (show) for (const { kernel } of dispatchesOf(scheduled.steps)) console.log(printKernel(kernel));
  const memoryBytes = wasmSections(plan).end;
  const steps = callsOf(entries[0]!.steps, plan);
  const { bytes } = encodeModule({ entries: [{ name: "run", steps }], memoryBytes, relaxed, names: show });
  if (show) console.log(disassemble(bytes));
  const { memory, entry } = instantiate(bytes, memoryBytes);
  // Ordinary numbers: subnormal ones would be slow.
  new Float32Array(memory.buffer).fill(0.01);
  return leastTime(entry("entry0"), rounds);
}
