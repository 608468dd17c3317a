/** `trials.jsonl`: a line for each fold as it is done, and one for each trial. It only grows, so that no search loses another's. */
import { createHash } from "node:crypto";
import { appendFile } from "node:fs/promises";
import { exists, fileError, readBytes, writeAtomically } from "../files.ts";
import { jsonLine } from "../metrics.ts";
import type { Values } from "./space.ts";

/** What came of one fold: held-out loss and metrics; what diverged has a loss that is no number. */
export type Results = Readonly<Record<string, number>>;

interface FoldLine {
  readonly kind: "fold";
  /** Of everything that the results depend on beside the trial's values. */
  readonly run: string;
  readonly values: Values;
  readonly fold: number;
  readonly results: Results;
}
export interface TrialLine {
  readonly kind: "trial";
  readonly run: string;
  readonly values: Values;
  readonly mean: Results;
  readonly spread: Results;
  readonly diverged?: string;
}

const keyOf = (values: Values, fold: number) => JSON.stringify([Object.entries(values).sort(), fold]);

function parse(text: string): FoldLine | undefined {
  try {
    const line = JSON.parse(text);
    if (line.kind !== "fold") return undefined;
    const results = Object.entries(line.results).map(([name, value]) => [name, Number(value)]);
    return { ...line, results: Object.fromEntries(results) };
  } catch {
    return undefined;
  }
}

export class Journal {
  readonly path: string;
  readonly run: string;
  readonly #folds: Map<string, Results>;
  private constructor(path: string, run: string, folds: Map<string, Results>) {
    this.path = path;
    this.run = run;
    this.#folds = folds;
  }
  /** Opens or begins a file. Of the folds in it those count that were run with the same `identity`. */
  static async open(path: string, identity: unknown): Promise<Journal> {
    const run = createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 16);
    const text = (await exists(path)) ? new TextDecoder().decode(await readBytes(path)) : "";
    // A crash may have cut the last line short: the next one must not continue it.
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (whole !== text || text === "") await writeAtomically(path, whole);
    const folds = whole.split("\n").flatMap((line) => {
      const found = parse(line);
      return found?.run === run ? [[keyOf(found.values, found.fold), found.results] as const] : [];
    });
    return new Journal(path, run, new Map(folds));
  }
  /** What is known of a fold, counted from 0. */
  known(values: Values, fold: number): Results | undefined {
    return this.#folds.get(keyOf(values, fold));
  }
  async addFold(values: Values, fold: number, results: Results): Promise<void> {
    this.#folds.set(keyOf(values, fold), results);
    await this.#append({ kind: "fold", run: this.run, values, fold, results });
  }
  async addTrial(line: Omit<TrialLine, "kind" | "run">): Promise<void> {
    await this.#append({ kind: "trial", run: this.run, ...line });
  }
  async #append(line: FoldLine | TrialLine): Promise<void> {
    try {
      await appendFile(this.path, jsonLine(line));
    } catch (error) {
      throw fileError("write", this.path, error);
    }
  }
}
