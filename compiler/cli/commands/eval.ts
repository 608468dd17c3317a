import { bindRows } from "../../../runtime/node/data/column.ts";
import { openData } from "../../../runtime/node/data/open.ts";
import { evaluateRows } from "../../../runtime/node/evaluate.ts";
import { readBytes } from "../../../runtime/node/files.ts";
import type { LoadOptions } from "../../../runtime/session.ts";
import { type ExitCode, UsageError } from "../failure.ts";
import { progressBar } from "../progress.ts";
import { type Terminal, toJsonText } from "../terminal.ts";
import {
  compileFile,
  knobsOf,
  onlyBlock,
  openCompiled,
  type ProgramFlags,
  settingsWith,
  targetsOf,
} from "../toolchain.ts";

interface Flags extends ProgramFlags {
  readonly weights: string;
  readonly data: string;
  readonly batch?: number;
  readonly device: LoadOptions["device"];
  readonly threads?: number;
}

export async function run(terminal: Terminal, [file = ""]: string[], flags: Flags): Promise<ExitCode> {
  const weights = await readBytes(flags.weights);
  const data = await openData(flags.data);
  const set = settingsWith(flags.set, flags.batch);
  const compiled = await compileFile(
    file,
    { ...flags, set, train: "block", targets: targetsOf(flags.device), evaluated: [data.held.rows.length] },
    terminal,
  );
  const block = onlyBlock(compiled);
  const entry = compiled.manifest.entries.find(({ kind, of }) => kind === "evaluate" && of === block);
  if (!entry) throw new UsageError(`${block} has nothing to evaluate`);
  const session = await openCompiled(compiled, {
    device: flags.device,
    threads: flags.threads ?? 1,
    weights,
    relaxedSimd: true,
    onProgress: ({ message }) => terminal.note(`${message}\n`),
  });
  const progress = progressBar(terminal, flags.json ? undefined : "rows");
  try {
    const held = bindRows(data.held, entry.inputs, data.mapping);
    const trained = session.train[block];
    if (!trained) throw new UsageError(`there is no train block ${block}`);
    const { values, rows } = await evaluateRows(trained, held, knobsOf(entry.inputs, set), (done) =>
      progress.update(done, held.count, {}),
    );
    progress.stop();
    if (flags.json) terminal.out(toJsonText({ ...values, rows }));
    else for (const [name, value] of Object.entries(values)) terminal.out(`${name} ${Number(value.toPrecision(6))}\n`);
    if (rows < held.count)
      terminal.note(
        `${rows} of ${held.count} rows make whole batches of ${trained.batch}; the others were left out. Choose --batch so that it divides ${held.count}.\n`,
      );
    return 0;
  } finally {
    progress.stop();
    session.dispose();
  }
}
