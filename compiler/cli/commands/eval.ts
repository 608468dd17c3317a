import { bindRows } from "../../../runtime/node/data/column.ts";
import { openData } from "../../../runtime/node/data/open.ts";
import { evaluateRows, oneBatch } from "../../../runtime/node/evaluate.ts";
import { readBytes } from "../../../runtime/node/files.ts";
import type { LoadOptions } from "../../../runtime/session.ts";
import { type ExitCode, UsageError } from "../failure.ts";
import { progressBar } from "../progress.ts";
import { compare, comparisonText, type QuantiseFlag, quantiseFor, sizesText } from "../quantise.ts";
import { type Terminal, toJsonText } from "../terminal.ts";
import {
  blockOnly,
  compileFile,
  knobsOf,
  onlyBlock,
  openCompiled,
  type ProgramFlags,
  refuseWithoutData,
  settingsWith,
} from "../toolchain.ts";

interface Flags extends ProgramFlags, QuantiseFlag {
  readonly weights: string;
  readonly data?: string;
  readonly batch?: number;
  readonly device: LoadOptions["device"];
  readonly threads?: number;
}

export async function run(terminal: Terminal, [file = ""]: string[], flags: Flags): Promise<ExitCode> {
  const weights = await readBytes(flags.weights);
  const data = flags.data === undefined ? undefined : await openData(flags.data);
  const set = settingsWith(flags.set, flags.batch);
  const compiled = await compileFile(file, blockOnly(flags, set, data ? [data.held.rows.length] : []), terminal);
  const block = onlyBlock(compiled);
  const entry = compiled.manifest.entries.find(({ kind, of }) => kind === "evaluate" && of === block);
  if (!entry) throw new UsageError(`${block} has nothing to evaluate`);
  if (!data) refuseWithoutData(block, entry.inputs);
  const quantised = quantiseFor(compiled, weights, flags);
  const named = data && bindRows(data.held, entry.inputs, data.mapping);
  const knobs = knobsOf(entry.inputs, set);
  const evaluate = async (file: Uint8Array) => {
    const session = await openCompiled(compiled, {
      device: flags.device,
      threads: flags.threads ?? 1,
      weights: file,
      weightsFile: flags.weights,
      relaxedSimd: true,
      onProgress: ({ message }) => terminal.note(`${message}\n`),
    });
    const progress = progressBar(terminal, flags.json ? undefined : "rows");
    try {
      const trained = session.train[block];
      if (!trained) throw new UsageError(`there is no train block ${block}`);
      const held = named ?? oneBatch(trained);
      const found = await evaluateRows(trained, held, knobs, (done) => progress.update(done, held.count, {}));
      return { ...found, of: held.count, batch: trained.batch };
    } finally {
      progress.stop();
      session.dispose();
    }
  };
  const { values, rows, of, batch } = await evaluate(weights);
  const comparison = quantised && compare(values, (await evaluate(quantised.file)).values);
  if (flags.json)
    terminal.out(
      toJsonText({ ...values, rows, ...(comparison && { quantised: { ...comparison, weights: quantised.bytes } }) }),
    );
  else if (comparison) terminal.out(comparisonText(values, comparison) + sizesText(quantised));
  else for (const [name, value] of Object.entries(values)) terminal.out(`${name} ${Number(value.toPrecision(6))}\n`);
  if (rows < of)
    terminal.note(
      `${rows} of ${of} rows make whole batches of ${batch}; the others were left out. Choose --batch so that it divides ${of}.\n`,
    );
  return 0;
}
