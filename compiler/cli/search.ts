/** `dlx train --search`: which settings of a program do best on rows that it did not see. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DlxError } from "../../runtime/errors.ts";
import { escapeHtml } from "../../runtime/node/chart.ts";
import { digestOf, foldsOf } from "../../runtime/node/data/folds.ts";
import type { DataSet } from "../../runtime/node/data/open.ts";
import { readBytes, writeAtomically } from "../../runtime/node/files.ts";
import { mainLoss } from "../../runtime/node/fit.ts";
import { formatPage } from "../../runtime/node/report.ts";
import { Journal } from "../../runtime/node/search/journal.ts";
import { type Prepared, search, type Trial } from "../../runtime/node/search/search.ts";
import { type Dimension, parseDimension, trialsOf, type Values } from "../../runtime/node/search/space.ts";
import type { LoadOptions, Session } from "../../runtime/session.ts";
import { suggest } from "../diagnostics/suggest.ts";
import { version } from "./place.ts";
import { progressBar } from "./progress.ts";
import { table } from "./summary-table.ts";
import { stopSignal, type Terminal } from "./terminal.ts";
import {
  blockOnly,
  compileFile,
  knobsOf,
  onlyBlock,
  openCompiled,
  type ProgramFlags,
  searchable,
  settingsWith,
  sourceDigest,
} from "./toolchain.ts";

/** What training and searching share. */
export interface SearchFlags extends ProgramFlags {
  readonly data: string;
  readonly out: string;
  readonly epochs?: number;
  readonly limit?: number;
  readonly batch?: number;
  readonly device: LoadOptions["device"];
  readonly seed?: number;
  readonly threads?: number;
  readonly weights?: string;
  readonly search?: Readonly<Record<string, string>>;
  readonly folds?: number;
  readonly trials?: number;
  readonly by?: string;
  readonly searchOnly?: boolean;
}

export interface SearchOutcome {
  /** Undefined where every trial diverged. */
  readonly best: Values | undefined;
  readonly interrupted: boolean;
  readonly json: unknown;
}

/** The searched names, checked against the program and the other flags. Throws E0615. */
function spaceOf(
  wanted: Readonly<Record<string, string>>,
  set: Values,
  { domains }: Awaited<ReturnType<typeof searchable>>,
): Dimension[] {
  return Object.entries(wanted).map(([name, text]) => {
    const domain = domains.get(name);
    if (domain === undefined) {
      const near = suggest(name, domains.keys());
      throw new DlxError(
        "E0615",
        `--search ${name}: there is nothing of that name to set${near ? `; did you mean ${near}?` : `; there is ${[...domains.keys()].join(", ") || "nothing at all"}`}`,
      );
    }
    if (Object.hasOwn(set, name)) throw new DlxError("E0615", `--search ${name}: it is set to ${set[name]} as well`);
    return parseDimension(name, text, domain);
  });
}

/** `NAME`, `NAME:min` or `NAME:max`; without it the loss. Throws E0615. */
function measureOf(text: string | undefined, session: Session, block: string) {
  const scalars = (session.signature[`${block}.step`]?.outputs ?? []).filter(({ shape }) => shape.length === 0);
  const [metric = mainLoss(session, block) ?? "", mode = "min"] = text?.split(":") ?? [];
  if (mode !== "min" && mode !== "max")
    throw new DlxError("E0615", `--by ${text}: expected NAME, NAME:min or NAME:max`);
  if (!scalars.some(({ name }) => name === metric))
    throw new DlxError(
      "E0615",
      `--by ${text ?? "the loss"}: the block reports ${scalars.map(({ name }) => name).join(", ") || "no number"}`,
    );
  return { metric, mode } as const;
}

const settingText = (values: Values) =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
const round = (value: number) => String(Number(value.toPrecision(4)));

/** Best first: settings, then mean and spread of every result. */
function tableOf(trials: readonly Trial[], names: readonly string[]): string[][] {
  const measures = [...new Set(trials.flatMap(({ mean }) => Object.keys(mean)))];
  const rows = trials.map(({ values, mean, spread, diverged }, k) => [
    String(k + 1),
    ...names.map((name) => values[name] ?? ""),
    ...measures.map((name, column) =>
      diverged === undefined ? `${round(mean[name]!)} ± ${round(spread[name]!)}` : column === 0 ? "diverged" : "",
    ),
  ]);
  return [["", ...names, ...measures], ...rows];
}

function pageOf(title: string, facts: string, [head = [], ...rows]: readonly string[][]): string {
  const line = (cell: "th" | "td") => (cells: readonly string[]) =>
    `<tr>${cells.map((text) => `<${cell}>${escapeHtml(text)}`).join("")}`;
  return formatPage(
    title,
    `<p>${escapeHtml(facts)}</p>\n<table>${line("th")(head)}\n${rows.map(line("td")).join("\n")}</table>`,
  );
}

export async function runSearch(
  terminal: Terminal,
  file: string,
  flags: SearchFlags & { readonly search: Readonly<Record<string, string>> },
  data: DataSet,
): Promise<SearchOutcome> {
  const { seed = 0, folds: count = 5, json, out, epochs, limit } = flags;
  const set = settingsWith(flags.set, flags.batch);
  const program = await searchable(file, flags.block);
  const space = spaceOf(flags.search, set, program);
  const folds = foldsOf(data.train, count, seed);
  const weights = flags.weights === undefined ? undefined : await readBytes(flags.weights);

  let open: (Omit<Prepared, "knobs"> & { readonly configuration: string }) | undefined;
  const configurationOf = (values: Values) =>
    JSON.stringify(Object.entries(values).filter(([name]) => !program.knobs.has(name)));
  const prepare = async (values: Values): Promise<Prepared> => {
    const settings = { ...set, ...values };
    const configuration = configurationOf(values);
    if (open?.configuration !== configuration) {
      open?.session.dispose();
      const compiled = await compileFile(
        file,
        blockOnly(flags, settings, [...new Set(folds.map(({ held }) => held.rows.length))]),
        // What there is to warn of is said once.
        open ? { ...terminal, note: () => {} } : terminal,
      );
      const block = onlyBlock(compiled);
      const slots = compiled.manifest.entries.find(({ kind, of }) => kind === "step" && of === block)?.inputs ?? [];
      const session = await openCompiled(compiled, {
        device: flags.device,
        seed,
        threads: flags.threads ?? 1,
        weights: weights ?? "random",
        weightsFile: flags.weights,
        relaxedSimd: true,
      });
      open = { session, block, slots, configuration, initial: await session.saveState() };
    }
    return { ...open, knobs: knobsOf(open.slots, settings) };
  };

  // Trials of one configuration come together, so that it is compiled once.
  const drawn = trialsOf(space, flags.trials, seed);
  const configurations = [...new Set(drawn.map(configurationOf))];
  const trials = configurations.flatMap((one) => drawn.filter((values) => configurationOf(values) === one));
  const { signal, release } = stopSignal(terminal);
  const progress = progressBar(terminal, json ? undefined : "folds");
  try {
    const first = await prepare(trials[0] ?? {});
    const by = measureOf(flags.by, first.session, first.block);
    const identity = {
      ...{ version, source: await sourceDigest(file), data: digestOf(data.train), mapping: [...data.mapping] },
      ...{ folds: count, seed, epochs, limit, set, size: flags.size, block: first.block, by: by.metric },
      weights: weights && createHash("sha256").update(weights).digest("hex"),
      device: first.session.device,
    };
    const journal = await Journal.open(join(out, "trials.jsonl"), identity);
    const known = trials.flatMap((values) => folds.filter((_, fold) => journal.known(values, fold))).length;
    if (known > 0 && !json) terminal.note(`${known} of ${trials.length * count} folds are done already\n`);
    let ran = 0;
    const result = await search({
      ...{ trials, folds, mapping: data.mapping, journal, prepare, epochs, limit, seed, by, signal },
      onFold: ({ done, folds: all, trial }) => {
        progress.update(done, all, trial?.mean ?? {});
        if (!trial) return;
        ran++;
        if (json || terminal.interactive) return;
        const { mean, spread, diverged } = trial;
        const found = diverged ?? `${by.metric} ${round(mean[by.metric]!)} ± ${round(spread[by.metric]!)}`;
        terminal.note(`${ran}/${trials.length} ${settingText(trial.values)}: ${found}\n`);
      },
    });
    progress.stop();
    const rows = tableOf(result.trials, Object.keys(flags.search));
    const facts = `${result.trials.length} of ${trials.length} trials, means and standard deviations over ${count} folds of ${data.train.rows.length} rows, best ${by.metric} first, seed ${seed}`;
    await writeAtomically(join(out, "search.html"), pageOf(`${file}: ${first.block}, searched`, facts, rows));
    if (!json) terminal.out(`${table(rows)}${facts}\n`);
    const winner = result.trials[0];
    const best = winner && winner.diverged === undefined ? winner.values : undefined;
    if (result.interrupted)
      terminal.note(
        `Stopped; ${join(out, "trials.jsonl")} has what is done, and the same command goes on from there.\n`,
      );
    else if (best && !json)
      terminal.note(
        `Best: ${Object.entries(best)
          .map(([name, value]) => `--set ${name}=${value}`)
          .join(" ")}\n`,
      );
    return { best, interrupted: result.interrupted, json: { trials: result.trials, best, by } };
  } finally {
    progress.stop();
    release();
    open?.session.dispose();
  }
}
