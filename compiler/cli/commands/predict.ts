import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { DlxError } from "../../../runtime/errors.ts";
import { fileError, readBytes } from "../../../runtime/node/files.ts";
import { formatResults, jsonOf, readInputs, resultsOf, writeResults } from "../../../runtime/node/values.ts";
import type { Entry } from "../../../runtime/plan.ts";
import type { LoadOptions, Session } from "../../../runtime/session.ts";
import { type ExitCode, isDlxError, UsageError } from "../failure.ts";
import { type Terminal, toJsonText } from "../terminal.ts";
import { compileFile, namesOf, type OpenOptions, openCompiled, type ProgramFlags, targetsOf } from "../toolchain.ts";

interface Flags extends ProgramFlags {
  readonly weights?: string;
  readonly input: string;
  readonly output?: string;
  readonly batch?: number;
  readonly device: LoadOptions["device"];
  readonly threads?: number;
  readonly explain?: string;
  readonly class?: number;
  readonly layer?: string;
}

const needsWeights = () => new UsageError("say which weights: --weights FILE (dlx train writes one)");

const sayWhich = (models: readonly string[]) =>
  new UsageError(`say which model: --model ${models.join(" or ") || "(there is none)"}`);

async function loadOptions(terminal: Terminal, flags: Flags): Promise<OpenOptions> {
  return {
    device: flags.device,
    threads: flags.threads ?? 1,
    ...(flags.weights === undefined ? {} : { weights: await readBytes(flags.weights), weightsFile: flags.weights }),
    onProgress: ({ message }) => terminal.note(`${message}\n`),
  };
}

/** A program is compiled; a bundle (its folder) is loaded as its users load it. */
async function open(
  terminal: Terminal,
  file: string,
  flags: Flags,
): Promise<{ session: Session; entries: readonly Entry[]; main: string | null }> {
  const options = await loadOptions(terminal, flags);
  const found = await stat(file).catch((error) => {
    throw fileError("read", file, error);
  });
  if (found.isDirectory()) {
    const path = join(file, "manifest.json");
    const text = new TextDecoder().decode(await readBytes(path));
    try {
      const manifest = JSON.parse(text);
      const bundle = await import(pathToFileURL(resolve(file, "index.js")).href);
      return { session: await bundle.load(options), ...manifest };
    } catch (error) {
      if (isDlxError(error)) throw error;
      const what = error instanceof Error ? error.message : String(error);
      throw new DlxError("E0805", `${file} is not a whole bundle: ${what}`, { cause: error });
    }
  }
  if (flags.weights === undefined) throw needsWeights();
  const compiled = await compileFile(
    file,
    {
      ...flags,
      batches: [flags.batch ?? 32],
      train: "none",
      models: flags.model === undefined ? "main" : [flags.model],
      calls: [],
      targets: targetsOf(flags.device),
    },
    terminal,
  );
  const { entries, main } = compiled.manifest;
  const name = flags.model ?? main;
  if (!entries.some(({ kind, of }) => kind === "predict" && of === name)) throw sayWhich(await namesOf(file, "model"));
  return { session: await openCompiled(compiled, options), entries, main };
}

export async function run(terminal: Terminal, [file = ""]: string[], flags: Flags): Promise<ExitCode> {
  if (flags.explain !== undefined) {
    const { explainImage } = await import("../explanation.ts");
    const options = await loadOptions(terminal, flags);
    if (options.weights === undefined) throw needsWeights();
    const targets = targetsOf(flags.device);
    return explainImage(terminal, file, { ...flags, explain: flags.explain }, { targets }, options);
  }
  if (flags.class !== undefined || flags.layer !== undefined)
    throw new UsageError("--class and --layer say what to explain: they go with --explain");
  const { session, entries, main } = await open(terminal, file, flags);
  try {
    const name = flags.model ?? main;
    const entry = entries.findLast(({ kind, of }) => kind === "predict" && of === name);
    const model = session.models[name ?? ""];
    if (!entry || !model || name === null) throw sayWhich(Object.keys(session.models));
    const inputs = await readInputs(flags.input, entry.inputs, entry.batch !== undefined);
    const results = resultsOf(await model.predict(inputs), entry.outputs);
    if (flags.output !== undefined) await writeResults(flags.output, results);
    if (flags.json) terminal.out(toJsonText(jsonOf(results)));
    else if (flags.output === undefined) terminal.out(formatResults(results));
    return 0;
  } finally {
    session.dispose();
  }
}
