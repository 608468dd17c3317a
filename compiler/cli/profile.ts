/** Where the time of an entry goes: every kernel measured alone, in place, and the whole. */
import { threadFile } from "../../runtime/node/thread.ts";
import { type Location, unusedBytes, wasmSections } from "../../runtime/plan.ts";
import { startThreads } from "../../runtime/wasm/threads.ts";
import type { CallStep } from "../codegen/wasm/calls.ts";
import type { EncodedModule } from "../codegen/wasm/encode.ts";
import { encodeModule, memoryPages } from "../codegen/wasm/module.ts";
import type { Program } from "../elaborate/program.ts";
import { flopsOf } from "../kernel/work.ts";
import { type KernelOptions, optimizeProgram, planned } from "../pipeline.ts";
import { callsOf, type PlacedStep } from "../schedule/plan.ts";
import { instantiate, leastTime } from "./peak.ts";

/** Work and time of one launch, of a repeat of launches, or of a whole entry. */
export interface Measurement {
  readonly milliseconds: number;
  readonly flops: number;
  /** Bytes of the buffers it reads and writes, each once. */
  readonly bytes: number;
}
export interface KernelProfile extends Measurement {
  /** What it computes: the names of its results. */
  readonly label: string;
  readonly file: string | null;
  readonly line: number | null;
}
export interface EntryProfile extends Measurement {
  readonly entry: string;
  readonly kernels: readonly KernelProfile[];
}
export interface ProfileOptions extends KernelOptions {
  readonly relaxed: boolean;
  readonly threads: number;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Profiles of the chosen entries. Memory and plan are those of the program of these entries alone. */
export async function profile(program: Program, options: ProfileOptions): Promise<EntryProfile[]> {
  const { plan, entries } = planned(optimizeProgram(program, false), "cpu", options);
  const memoryBytes = wasmSections(plan, options.threads).end;
  const total = entries.reduce((sum, entry) => sum + (entry?.steps.length ?? 0), 0);
  // Enough for a kernel of a millisecond, and not much more than seconds for a program of a hundred.
  const effort = Math.max(15, Math.min(60, 2000 / total));
  let done = 0;
  const profiles: EntryProfile[] = [];
  for (const entry of entries) {
    if (!entry) continue;
    const calls: readonly CallStep[] = callsOf(entry.steps, plan);
    const encoded = encodeModule({
      entries: [{ name: entry.name, steps: calls }, ...calls.map((call) => ({ name: "", steps: [call] }))],
      memoryBytes,
      relaxed: options.relaxed,
    });
    const { memory, entry: exported, end } = await instantiateOn(options.threads, encoded, memoryBytes);
    // Numbers of an ordinary size; as integers they are clamped wherever they address something.
    const values = Float32Array.from({ length: memoryBytes / 4 }, (_, k) => (((k * 7919) % 1009) / 1009 - 0.5) / 5);
    // What a step does to its own inputs, time and again, would end in subnormal numbers or worse.
    const refresh = () => new Float32Array(memory.buffer, unusedBytes).set(values.subarray(unusedBytes / 4));
    const time = (k: number) => leastTime(exported(`entry${k}`), effort, refresh);
    const kernels = entry.steps.map((step, k): KernelProfile => {
      options.onProgress?.(done++, total);
      return { ...describe(step), milliseconds: time(k + 1) };
    });
    const sum = (of: "flops" | "bytes") => kernels.reduce((all, kernel) => all + kernel[of], 0);
    profiles.push({ entry: entry.name, milliseconds: time(0), flops: sum("flops"), bytes: sum("bytes"), kernels });
    end();
  }
  return profiles;
}

/** A module on so many threads; `end` ends all but this one. */
async function instantiateOn(threads: number, { bytes, memoryFlags }: EncodedModule, memoryBytes: number) {
  if (threads === 1) return { ...instantiate(bytes, memoryBytes), end: () => {} };
  const pages = memoryPages(memoryBytes);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const code = new Uint8Array(bytes);
  code[memoryFlags] = 3;
  const module = new WebAssembly.Module(code);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  // One that is lost is noticed by those that wait for it: the call fails.
  const end = await startThreads({ module, memory, threads }, threadFile, () => {});
  Object.assign(exports.threads as WebAssembly.Global, { value: threads });
  return { memory, entry: (name: string) => exports[name] as () => void, end };
}

function describe(step: PlacedStep): Omit<KernelProfile, "milliseconds"> {
  if (step.kind === "repeat") {
    const inside = step.steps.map(describe);
    const sum = (of: "flops" | "bytes") => step.length * inside.reduce((all, kernel) => all + kernel[of], 0);
    const [first] = inside;
    const others = inside.length > 1 ? ` and ${inside.length - 1} more` : "";
    return {
      label: `${step.length} times ${first?.label ?? "nothing"}${others}`,
      file: first?.file ?? null,
      line: first?.line ?? null,
      flops: sum("flops"),
      bytes: sum("bytes"),
    };
  }
  const { kernel, buffers, scalars, label, origin } = step.dispatch;
  return {
    label,
    file: origin?.file ?? null,
    line: origin?.line ?? null,
    flops: flopsOf(kernel, scalars),
    bytes: bytesOf(buffers),
  };
}

/** A buffer that a kernel is given twice counts once. */
function bytesOf(buffers: readonly Location[]): number {
  const seen = new Map(buffers.map((at) => [`${at.space} ${at.chunk} ${at.offset}`, at.bytes]));
  return [...seen.values()].reduce((sum, bytes) => sum + bytes, 0);
}
