import { describeFailure, gradcheck } from "../../gradcheck/gradcheck.ts";
import type { ExitCode } from "../failure.ts";
import { progressBar } from "../progress.ts";
import { type Terminal, toJsonText } from "../terminal.ts";
import { elaborateFile, hasBatch, type ProgramFlags, settingsWith } from "../toolchain.ts";

interface Flags extends ProgramFlags {
  readonly runs?: number;
  readonly batch?: number;
  readonly seed?: number;
}

export async function run(terminal: Terminal, [file = ""]: string[], flags: Flags): Promise<ExitCode> {
  // Two rows show everything that a batch can get wrong.
  const batch = flags.batch ?? ((await hasBatch(file)) && flags.set?.batch === undefined ? 2 : undefined);
  const set = settingsWith(flags.set, batch);
  const program = await elaborateFile(file, { ...flags, set, train: flags.block ? "block" : "all" }, terminal);
  const progress = progressBar(terminal, flags.json ? undefined : "points");
  let done = 0;
  const runs = flags.runs ?? 10;
  const report = gradcheck(program, {
    runs,
    ...(flags.runs === undefined && { seconds: 20 }),
    seed: flags.seed ?? 0,
    onRun: () => progress.update(++done, runs * program.entries.length, {}),
  });
  progress.stop();
  const { agreed, worst, rough, failures } = report;
  if (flags.json)
    terminal.out(
      toJsonText({
        agreed,
        worst,
        rough,
        failures: failures.map((failure) => ({ entry: failure.entry, text: describeFailure(failure) })),
      }),
    );
  else {
    for (const failure of failures) terminal.out(`${describeFailure(failure)}\n`);
    for (const name of rough) terminal.note(`${name}: every direction tried crossed a kink; nothing can be said\n`);
    terminal.out(
      `${agreed} gradients agree (largest relative error ${worst.toExponential(1)}), ${failures.length} do not\n`,
    );
  }
  return failures.length > 0 ? 1 : 0;
}
