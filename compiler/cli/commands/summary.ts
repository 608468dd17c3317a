import { type ExitCode, UsageError } from "../failure.ts";
import type { Terminal } from "../terminal.ts";

export async function run(_terminal: Terminal, _files: string[], _flags: object): Promise<ExitCode> {
  throw new UsageError("this command is not there yet");
}
