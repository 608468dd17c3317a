import { parse } from "../../../grammar/parse.ts";
import type { ExitCode } from "../failure.ts";
import { readSource } from "../source.ts";
import { codeStage, type Piece, programStage, type Stage } from "../stages.ts";
import { type Terminal, toJsonText } from "../terminal.ts";
import { compileFile, elaborateFile, type ProgramFlags } from "../toolchain.ts";

interface Flags extends ProgramFlags {
  readonly stage: "ast" | Stage;
  readonly target: "wasm" | "webgpu";
  readonly entry?: string;
  readonly batch?: readonly number[];
}

async function piecesOf(file: string, { stage, ...flags }: Flags, terminal: Terminal): Promise<Piece[]> {
  const wanted = { ...flags, batches: flags.batch ?? [], train: "all" } as const;
  switch (stage) {
    case "ast": {
      const { imports, declarations } = parse(await readSource(file)).module;
      return [{ entry: null, text: `${JSON.stringify({ imports, declarations }, null, 1)}\n` }];
    }
    case "wgsl":
    case "wat":
    case "host": {
      const targets = { wgsl: ["webgpu"], wat: ["wasm"], host: ["wasm", "webgpu"] } as const;
      return codeStage(await compileFile(file, { ...wanted, targets: targets[stage] }, terminal), stage);
    }
    default: {
      const program = await elaborateFile(file, wanted, terminal);
      return programStage(program, stage, flags.target === "wasm" ? "cpu" : "gpu", flags.entry, flags);
    }
  }
}

export async function run(terminal: Terminal, [file = ""]: string[], flags: Flags): Promise<ExitCode> {
  const pieces = await piecesOf(file, flags, terminal);
  if (flags.json) terminal.out(toJsonText({ stage: flags.stage, pieces }));
  else
    for (const { entry, text } of pieces)
      terminal.out(entry === null || pieces.length === 1 ? text : `// ---- ${entry}\n${text}\n`);
  return 0;
}
