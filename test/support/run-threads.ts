/** Runs a graph's kernels on real threads, every loop split that may be. */

import { KernelLibrary } from "../../compiler/codegen/wasm/library.ts";
import { encodeModule, memoryPages } from "../../compiler/codegen/wasm/module.ts";
import type { Graph } from "../../compiler/graph/graph.ts";
import { hoist } from "../../compiler/schedule/hoist.ts";
import type { ScheduleOptions } from "../../compiler/schedule/options.ts";
import { callsOf, planTarget } from "../../compiler/schedule/plan.ts";
import { schedule } from "../../compiler/schedule/schedule.ts";
import { constantBytes } from "../../runtime/base64.ts";
import { threadFile } from "../../runtime/node/thread.ts";
import { unusedBytes, wasmSections } from "../../runtime/plan.ts";
import { startThreads } from "../../runtime/wasm/threads.ts";
import { placesOf, programOf, viewsOf } from "./run-cpu.ts";

/** The outputs of a run on each number of threads. */
export async function runOnThreads(
  graph: Graph,
  values: readonly (readonly number[])[],
  counts: readonly number[],
  options?: ScheduleOptions,
): Promise<number[][][]> {
  const program = programOf(graph);
  const { plan, entries, prepare } = planTarget(program, [hoist(schedule(graph, "cpu", options))], "cpu");
  // What is prepared first, then the entry itself.
  const parts = [...prepare, entries[0]!];
  const { bytes, memoryFlags } = encodeModule({
    entries: parts.map(({ steps }, k) => ({ name: `part ${k}`, steps: callsOf(steps, plan) })),
    memoryBytes: wasmSections(plan).end,
    relaxed: false,
    library: new KernelLibrary(0),
  });
  bytes[memoryFlags] = 3;
  const module = await WebAssembly.compile(new Uint8Array(bytes));
  const results: number[][][] = [];
  for (const threads of counts) {
    const pages = memoryPages(wasmSections(plan, threads).end);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    // Whatever was left in memory must not matter.
    new Uint32Array(memory.buffer, unusedBytes).fill(0x7fc12345);
    const view = viewsOf(plan, memory);
    for (const constant of plan.constants)
      new Uint8Array(memory.buffer, constant.at.offset, constant.at.bytes).set(constantBytes(constant));
    const { inputs, outputs } = placesOf(graph, program, plan);
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
    let failure: string | undefined;
    const end = await startThreads({ module, memory, threads }, threadFile, (what) => {
      failure = what;
    });
    Object.assign(exports.threads as WebAssembly.Global, { value: threads });
    for (const part of parts.keys()) {
      for (const [k, { dtype, at }] of inputs.entries()) view(dtype, at).set(values[k]!);
      (exports[`entry${part}`] as () => void)();
    }
    if (failure !== undefined) throw new Error(failure);
    results.push(outputs.map(({ dtype, at }) => [...view(dtype, at)]));
    end();
  }
  return results;
}
