/** `--tune`: what measurements on this machine say about kernels, kept for the next build. */
import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { cpus, homedir } from "node:os";
import { dirname, join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { relaxedSimd } from "../../runtime/bundle.ts";
import { writeAtomically } from "../../runtime/node/files.ts";
import type { Choice, Way } from "../schedule/options.ts";
import { race } from "../tune/race.ts";
import { trialOf } from "../tune/trial.ts";
import type { ChoiceList, Finding, Findings } from "../tune/tune.ts";
import { chooserOf, tune } from "../tune/tune.ts";
import { InterruptedError } from "./failure.ts";
import { version } from "./place.ts";
import { progressBar } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** A chooser that knows the fastest way of each of the choices, measuring what no earlier build has. */
export async function tuned(
  choices: ReturnType<ChoiceList["entries"]>,
  terminal: Terminal,
  { json = false }: { readonly json?: boolean },
): Promise<(choice: Choice) => Way | undefined> {
  const relaxed = relaxedSimd(false);
  const path = cachePath(process.env, process.platform);
  const findings = await FoundInFile.read(path, relaxed, (text) => terminal.note(`${text}\n`));
  const controller = new AbortController();
  const release = terminal.onInterrupt(() => controller.abort());
  const progress = progressBar(terminal, json ? undefined : "kernels");
  const measure = (choice: Choice): readonly number[] | undefined => {
    const trial = trialOf(choice, relaxed);
    return trial && race(trial.runs, trial.refill, () => performance.now());
  };
  // Engines begin with baseline code, which says nothing of what comes later.
  setFlagsFromString("--no-liftoff");
  try {
    await tune(
      choices.map(({ choice }) => choice),
      { measure, findings, onProgress: (done, total) => progress.update(done, total, {}), signal: controller.signal },
    );
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    throw new InterruptedError("Stopped while measuring: nothing is built, what was measured is kept.");
  } finally {
    setFlagsFromString("--liftoff");
    progress.stop();
    release();
    await findings.write();
  }
  if (!json && choices.length > 0) terminal.note(summaryOf(choices, findings));
  return chooserOf(findings);
}

/** How much of the kernels' time measuring has saved. */
export function summaryOf(choices: ReturnType<ChoiceList["entries"]>, findings: Findings): string {
  const found = choices.flatMap(({ choice, count }) => {
    const finding = findings.get(choice);
    return finding ? [{ choice, count, finding }] : [];
  });
  const other = found.filter(({ choice, finding }) => finding.way !== choice.usual.name);
  const sum = (of: (finding: Finding) => number): number =>
    found.reduce((total, { count, finding }) => total + count * of(finding), 0);
  const [usual, fastest] = [sum((finding) => finding.usual), sum((finding) => finding.fastest)];
  const gain = usual > 0 ? (100 * (usual - fastest)) / usual : 0;
  const milliseconds = (value: number): string => `${Number(value.toPrecision(3))} ms`;
  return `Tuned: ${other.length} of ${found.length} kernels run otherwise than the cost model says; they take ${milliseconds(fastest)} together instead of ${milliseconds(usual)} (${gain.toFixed(1)}% less).\n`;
}

/** In the folder where the system keeps what can be made anew. */
export function cachePath(environment: Readonly<Record<string, string | undefined>>, platform: string): string {
  const { XDG_CACHE_HOME: chosen, LOCALAPPDATA: local } = environment;
  const usual = platform === "darwin" ? join(homedir(), "Library", "Caches") : join(homedir(), ".cache");
  return join(chosen || (platform === "win32" && local) || usual, "dlx", "tuning.json");
}

interface CacheFile {
  readonly format: 1;
  readonly findings: Readonly<Record<string, Finding>>;
}

/** Findings of this compiler on this processor. A file that cannot be read, or is not what it should be, is none. */
export class FoundInFile implements Findings {
  readonly #path: string;
  readonly #machine: string;
  readonly #note: (text: string) => void;
  readonly #found: Map<string, Finding>;
  #changed = false;

  private constructor(path: string, relaxed: boolean, note: (text: string) => void, found: Map<string, Finding>) {
    this.#path = path;
    this.#machine = [version, process.versions.v8, cpus()[0]?.model, relaxed ? "relaxed" : "plain"].join("\n");
    this.#note = note;
    this.#found = found;
  }

  static async read(path: string, relaxed: boolean, note: (text: string) => void): Promise<FoundInFile> {
    return new FoundInFile(path, relaxed, note, new Map(Object.entries(await readCache(path, note))));
  }

  get(choice: Choice): Finding | undefined {
    return this.#found.get(this.#keyOf(choice));
  }
  set(choice: Choice, finding: Finding): void {
    this.#found.set(this.#keyOf(choice), finding);
    this.#changed = true;
  }

  /** With what another build has written meanwhile. */
  async write(): Promise<void> {
    if (!this.#changed) return;
    const others = await readCache(this.#path, () => {});
    const file: CacheFile = { format: 1, findings: { ...others, ...Object.fromEntries(this.#found) } };
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      await writeAtomically(this.#path, `${JSON.stringify(file)}\n`);
    } catch (error) {
      this.#note(`Measurements are not kept: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** A choice is another one where there are other ways. */
  #keyOf({ key, ways }: Choice): string {
    const text = [this.#machine, key, ...ways.map(({ name }) => name)].join("\n");
    return createHash("sha256").update(text).digest("hex");
  }
}

async function readCache(path: string, note: (text: string) => void): Promise<CacheFile["findings"]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return {};
  }
  try {
    const file: unknown = JSON.parse(text);
    if (isCacheFile(file)) return file.findings;
  } catch {}
  note(`${path} is not a file of measurements: everything is measured anew`);
  return {};
}

function isCacheFile(value: unknown): value is CacheFile {
  if (!isRecord(value) || value.format !== 1 || !isRecord(value.findings)) return false;
  return Object.values(value.findings).every(
    (finding) =>
      isRecord(finding) &&
      typeof finding.way === "string" &&
      typeof finding.usual === "number" &&
      typeof finding.fastest === "number",
  );
}
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
