import type { Program } from "../../elaborate/program.ts";
import { optimizeProgram, plannedAnySize } from "../../pipeline.ts";
import type { ExitCode } from "../failure.ts";
import { memoryReport, memoryTable } from "../memory-table.ts";
import { short, summaries, table, trainingSummaries } from "../summary-table.ts";
import { type Terminal, toJsonText } from "../terminal.ts";
import { elaborateFile, type ProgramFlags } from "../toolchain.ts";

interface Flags extends ProgramFlags {
  readonly batch?: number;
}

export async function run(terminal: Terminal, [file = ""]: string[], flags: Flags): Promise<ExitCode> {
  const all = await elaborateFile(file, { ...flags, batches: [flags.batch ?? 1], train: "all" }, terminal);
  const program = flags.model === undefined ? all : about(flags.model, all);
  const models = summaries(program, flags.model);
  const training = trainingSummaries(program);
  const memory = memoryReport(plannedAnySize(optimizeProgram(program, false), "cpu"));
  if (flags.json) {
    terminal.out(toJsonText({ models, training, memory }));
    return 0;
  }
  for (const { model, batch, rows, ...total } of models) {
    terminal.out(`${model}${batch === undefined ? "" : ` at N = ${batch}`}\n\n`);
    const cells = (
      name: string,
      shape: string,
      { parameters, flops, activationBytes }: Omit<typeof total, "weights">,
    ) => [name, shape, String(parameters), short(flops), `${short(activationBytes)}B`];
    terminal.out(
      table([
        ["layer", "output", "parameters", "FLOPs", "memory"],
        ...rows.map((row) => cells(row.layer, `[${row.output.join(", ")}]`, row)),
        cells("total", "", total),
      ]),
    );
    terminal.out("\n");
  }
  for (const { block, batch, flops, persistentBytes } of training)
    terminal.out(
      `A step of ${block}${batch === undefined ? "" : ` on ${batch} rows`}: ${short(flops)}FLOP; ${short(persistentBytes)}B of weights and optimizer state\n`,
    );
  terminal.out(`\n${memoryTable(memory)}`);
  return 0;
}

/** What uses a model's weights, and what outlives its calls. */
function about(model: string, program: Program): Program {
  const uses = (path: string) => path.startsWith(`${model}.`);
  const entries = program.entries.filter(
    ({ of, graph }) => of === model || graph.inputs.some((input) => input.role !== "argument" && uses(input.path)),
  );
  const kept = new Set(entries.flatMap(({ graph }) => graph.inputs.map(({ path }) => path)));
  return { ...program, entries, persistent: program.persistent.filter(({ path }) => uses(path) || kept.has(path)) };
}
