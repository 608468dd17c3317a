import { parse } from "../../../grammar/parse.ts";
import { type ExitCode, UsageError } from "../failure.ts";
import { readSource } from "../source.ts";
import { type Terminal, toJsonText } from "../terminal.ts";
import type { ProgramFlags } from "../toolchain.ts";

interface Flags extends ProgramFlags {
  readonly stage: string;
  readonly entry?: string;
  readonly batch?: readonly number[];
}

export async function run(terminal: Terminal, [file = ""]: string[], flags: Flags): Promise<ExitCode> {
  if (flags.stage === "ast") {
    const { imports, declarations } = parse(await readSource(file)).module;
    terminal.out(
      flags.json ? toJsonText({ imports, declarations }) : `${JSON.stringify({ imports, declarations }, null, 1)}\n`,
    );
    return 0;
  }
  throw new UsageError(`--stage ${flags.stage} is not there yet`);
}
