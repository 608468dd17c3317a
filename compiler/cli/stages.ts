/** Every stage of compilation as text, entry by entry: `dlx ir`. */
import type { Location } from "../../runtime/plan.ts";
import type { Compiled } from "../compile.ts";
import type { Program, ProgramEntry } from "../elaborate/program.ts";
import { printGraph } from "../graph/print.ts";
import type { Dispatch, Kernel } from "../kernel/ir.ts";
import { printKernel } from "../kernel/print.ts";
import type { KernelOptions } from "../pipeline.ts";
import { optimizeProgram, planned } from "../pipeline.ts";
import type { Target } from "../schedule/group.ts";
import { launchesOf, type PlannedEntry } from "../schedule/plan.ts";
import { UsageError } from "./failure.ts";
import { type MemoryRow, memoryRow } from "./memory-table.ts";

export type Stage = "graph" | "backward" | "optimized" | "kernels" | "plan" | "wgsl" | "wat" | "host";

/** A piece of a stage: an entry's, or the whole file's where the stage is not divided. */
export interface Piece {
  readonly entry: string | null;
  readonly text: string;
  /** Of stage `plan`. */
  readonly memory?: Omit<MemoryRow, "entry">;
}

/** The entries whose text is asked for: the one named, or those that the stage is about. */
function chooseEntries(program: Program, stage: Stage, named: string | undefined): readonly ProgramEntry[] {
  const { entries } = program;
  if (named !== undefined) {
    const found = entries.filter((entry) => entry.name === named);
    if (found.length === 0)
      throw new UsageError(`there is no entry ${named}; there is ${entries.map(({ name }) => name).join(", ")}`);
    return found;
  }
  if (stage === "graph") return entries.filter(({ kind }) => kind === "predict" || kind === "call");
  // Steps, and functions that ask for a gradient.
  if (stage === "backward") return entries.filter(({ graph }) => (graph.derivatives?.length ?? 0) > 0);
  return entries;
}

const place = ({ space, chunk, offset, bytes }: Location) =>
  `${space}${chunk > 0 ? chunk : ""}[${offset}..${offset + bytes}]`;

const heading = ({ label, origin }: Dispatch<Location>) =>
  `${label}${origin ? ` (${origin.file}:${origin.line})` : ""}`;

/** Stages before code: they need no compiled program. */
export function programStage(
  program: Program,
  stage: Stage,
  target: Target,
  named: string | undefined,
  options: KernelOptions = {},
): Piece[] {
  const chosen = chooseEntries(program, stage, named);
  switch (stage) {
    case "graph":
    case "backward":
      return chosen.map(({ name, graph }) => ({ entry: name, text: printGraph(graph) }));
    case "optimized": {
      const { entries } = optimizeProgram({ ...program, entries: chosen }, false);
      return entries.map(({ name, graph }) => ({ entry: name, text: printGraph(graph) }));
    }
    case "kernels":
    case "plan": {
      // The whole program is planned, chosen entries are shown: addresses are those of the whole.
      const { plan, entries, prepare } = planned(optimizeProgram(program, false), target, options);
      const shown = new Set<Kernel | Dispatch<Location>["names"]>();
      const print = (dispatch: Dispatch<Location>): string => {
        const { kernel, names } = dispatch;
        const naming = (name: string): string => names?.get(name) ?? name;
        const title = `// ${heading(dispatch)}\n`;
        if (stage === "plan") return `${title}${naming(kernel.name)} ${dispatch.buffers.map(place).join(" ")}\n`;
        if (shown.has(names ?? kernel)) return `${title}// ${naming(kernel.name)}, as above\n`;
        shown.add(names ?? kernel);
        return `${title}${printKernel(kernel, naming)}`;
      };
      const piece = (planned: PlannedEntry): Piece => {
        const { name } = planned;
        const text = launchesOf(planned.steps).map(print).join("\n");
        if (stage !== "plan") return { entry: name, text };
        const { peak, lowerBound, ratio } = memoryRow(planned);
        const heading = `peak ${peak} bytes, lower bound ${lowerBound}, ratio ${ratio.toFixed(3)}\n`;
        return { entry: name, memory: { peak, lowerBound, ratio }, text: heading + text };
      };
      const wanted = entries.map((entry) => chosen.some(({ name }) => name === entry?.name));
      const needed = new Set(plan.entries.flatMap((entry, k) => (entry && wanted[k] ? entry.prepare : [])));
      return [
        ...prepare.flatMap((steps, k) => (needed.has(k) ? [piece({ name: `prepare ${k}`, ...steps })] : [])),
        ...entries.flatMap((entry, k) => (entry && wanted[k] ? [piece(entry)] : [])),
      ];
    }
    default:
      throw new UsageError(`--stage ${stage} is a stage of code`);
  }
}

/** Code. */
export async function codeStage(compiled: Compiled, stage: Stage): Promise<Piece[]> {
  const { wasm, wgsl, manifest, notes } = compiled;
  switch (stage) {
    case "wgsl":
      return [{ entry: null, text: wgsl ?? "" }];
    case "wat":
      return [{ entry: null, text: wasm ? await disassemble(wasm) : "" }];
    case "host": {
      const { printHost } = await import("../codegen/host/host.ts");
      return [{ entry: null, text: printHost(manifest, { notes }).implementation }];
    }
    default:
      throw new UsageError(`--stage ${stage} is no stage of code`);
  }
}

/** Through `wabt`, which only a checkout has: disassembling is for those who work on dlx. */
async function disassemble(wasm: Uint8Array): Promise<string> {
  const library = await import("wabt").catch(() => {
    throw new UsageError("--stage wat needs the package wabt: npm install --no-save wabt");
  });
  const wabt = await library.default();
  const module = wabt.readWasm(wasm, { simd: true, relaxed_simd: true, threads: true, readDebugNames: true });
  try {
    return module.toText({ foldExprs: true, inlineExport: true });
  } finally {
    module.destroy();
  }
}
