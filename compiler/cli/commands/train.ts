import { join, resolve } from "node:path";
import { type DataSet, openData, withoutData } from "../../../runtime/node/data/open.ts";
import { exists, readBytes, writableFolder } from "../../../runtime/node/files.ts";
import { DivergedError } from "../../../runtime/node/fit.ts";
import { checkpointName, train } from "../../../runtime/node/training.ts";
import { compileWith, completed } from "../carried.ts";
import { type ExitCode, UsageError } from "../failure.ts";
import { plateauOf } from "../plateau.ts";
import { progressBar } from "../progress.ts";
import { runSearch, type SearchFlags } from "../search.ts";
import { stopSignal, type Terminal, toJsonText } from "../terminal.ts";
import { blockOnly, knobsOf, onlyBlock, openCompiled, refuseWithoutData, settingsWith } from "../toolchain.ts";

interface Flags extends Omit<SearchFlags, "data"> {
  readonly data?: string;
  readonly resume?: boolean;
  readonly plateau?: string;
  readonly patience?: number;
}

export async function run(terminal: Terminal, [file = ""]: string[], flags: Flags): Promise<ExitCode> {
  if (flags.resume && flags.weights)
    throw new UsageError("--resume continues with the checkpoint's weights: drop --weights");
  if (flags.patience !== undefined && flags.epochs === undefined)
    throw new UsageError("--patience ends training early: say with --epochs when it ends at the latest");
  refuseTogether(flags);
  // What would otherwise be found out after minutes comes first.
  await writableFolder(flags.out);
  const data = flags.data === undefined ? withoutData(stepsAlone(flags)) : await openData(flags.data);
  const { search, data: named } = flags;
  if (!search || named === undefined) return trainOnce(terminal, file, flags, data, {});
  const found = await runSearch(terminal, file, { ...flags, search, data: named }, data);
  if (!found.interrupted && !flags.searchOnly && found.best)
    return trainOnce(terminal, file, { ...flags, set: { ...flags.set, ...found.best } }, data, { search: found.json });
  const lost = found.best === undefined && !found.interrupted;
  if (lost && !flags.json) throw new DivergedError(everyTrial);
  const error = lost && { error: { code: "E0806", message: everyTrial } };
  if (flags.json) terminal.out(toJsonText({ interrupted: found.interrupted, search: found.json, ...error }));
  return lost ? 1 : 0;
}

/** How long to train where there is no data to pass over. */
function stepsAlone({ limit, ...flags }: Flags): number {
  const ofPasses = (["search", "epochs", "plateau", "patience"] as const).find((name) => flags[name] !== undefined);
  if (ofPasses) throw new UsageError(`--${ofPasses} is about rows of data: name them with --data`);
  if (limit !== undefined) return limit;
  throw new UsageError("say with --data what to train on, or, for a block without inputs, with --limit how many steps");
}

const everyTrial = "every trial diverged: search smaller learning rates";

/** What a search has no place for, and what has no place without one. */
function refuseTogether(flags: Flags): void {
  const given = (names: readonly ("resume" | "plateau" | "patience" | "folds" | "trials" | "by" | "searchOnly")[]) =>
    names.find((name) => flags[name] !== undefined);
  const extra = given(flags.search ? ["resume", "plateau", "patience"] : ["folds", "trials", "by", "searchOnly"]);
  if (!extra) return;
  const option = `--${extra === "searchOnly" ? "search-only" : extra}`;
  if (!flags.search) throw new UsageError(`${option} belongs to a search: say with --search what is searched`);
  throw new UsageError(
    extra === "resume"
      ? "a search goes on by itself where it was stopped: drop --resume"
      : `${option} is for one training: search first (--search-only), then train with what was found`,
  );
}

/** One training; `extra` comes along in the JSON. */
async function trainOnce(
  terminal: Terminal,
  file: string,
  flags: Flags,
  data: DataSet,
  extra: Readonly<Record<string, unknown>>,
): Promise<ExitCode> {
  const { out, resume = false, seed = 0, json } = flags;
  const start = flags.weights ?? (resume ? join(out, checkpointName) : undefined);
  const there = start !== undefined && (!resume || (await exists(start)));
  const weights = there ? { name: start, bytes: await readBytes(start) } : undefined;
  const set = settingsWith(flags.set, flags.batch);
  const compiled = await compileWith(file, blockOnly(flags, set, [data.held.rows.length]), weights, terminal);
  const block = onlyBlock(compiled);
  const entry = compiled.manifest.entries.find(({ kind, of }) => kind === "step" && of === block);
  const slots = entry?.inputs ?? [];
  if (flags.data === undefined) refuseWithoutData(block, slots);
  const knobs = knobsOf(slots, set);
  const plateau = flags.plateau !== undefined && entry ? plateauOf(flags.plateau, entry, knobs) : undefined;
  const message = (text: string) => terminal.note(`${text}\n`);
  if (data.classes.length > 0 && !json) message(`Classes: ${classList(data.classes)}`);
  const session = await openCompiled(compiled, {
    device: flags.device,
    seed,
    threads: flags.threads ?? 1,
    weights: weights && !resume ? await completed(compiled, weights, seed, terminal) : "random",
    weightsFile: flags.weights,
    relaxedSimd: true,
    onProgress: ({ message: text }) => message(text),
  });
  const { signal, release } = stopSignal(terminal);
  const progress = progressBar(terminal, json ? undefined : "steps");
  try {
    const summary = await train({
      session,
      block,
      slots,
      knobs,
      data,
      out,
      title: `${file}: ${block}`,
      seed,
      resume,
      ...(flags.epochs === undefined ? {} : { epochs: flags.epochs }),
      ...(flags.limit === undefined ? {} : { limit: flags.limit }),
      ...(plateau && { plateau }),
      ...(flags.patience === undefined ? {} : { patience: flags.patience }),
      signal,
      onStep: ({ step, steps, epoch, values }) => progress.update(step, steps, { epoch: epoch + 1, ...values }),
      onMessage: message,
    });
    progress.stop();
    const result = {
      ...extra,
      step: summary.step,
      interrupted: summary.interrupted,
      device: session.device,
      training: summary.training,
      heldOut: summary.heldOut,
      out: resolve(out),
    };
    if (json) terminal.out(toJsonText(result));
    else {
      const shown = (values: Readonly<Record<string, number>>) =>
        Object.entries(values)
          .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
          .join(", ");
      const passes = flags.data === undefined ? "" : ` (${summary.epochs.toFixed(1)} epochs)`;
      terminal.out(`${summary.step} steps${passes} on ${session.device}: ${shown(summary.training)}\n`);
      if (Object.keys(summary.heldOut).length > 0) terminal.out(`held out: ${shown(summary.heldOut)}\n`);
    }
    if (summary.interrupted)
      message(
        `Stopped after step ${summary.step}; ${out}/${checkpointName} has it all. Continue with the same command and --resume.`,
      );
    else if (!json) message(`Wrote ${out}/weights.safetensors and ${out}/report.html`);
    return 0;
  } finally {
    progress.stop();
    release();
    session.dispose();
  }
}

/** Which number stands for which class; long lists are cut. */
function classList(classes: readonly string[]): string {
  const shown = classes.slice(0, 20).map((name, number) => `${number} ${name}`);
  return shown.join(", ") + (classes.length > shown.length ? `, .. (${classes.length})` : "");
}
