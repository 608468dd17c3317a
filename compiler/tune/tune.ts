/** Takes among the ways of making kernels those that are fastest on this machine. */
import type { Choice, Way } from "../schedule/options.ts";

export interface Finding {
  readonly way: string;
  /** Milliseconds of the way that the cost model takes, and of the fastest. */
  readonly usual: number;
  readonly fastest: number;
}
/** What was found earlier: by choice, wherever that is kept. */
export interface Findings {
  get(choice: Choice): Finding | undefined;
  set(choice: Choice, finding: Finding): void;
}

export interface TuneOptions {
  /** Milliseconds of each way; undefined where they cannot be measured. */
  readonly measure: (choice: Choice) => readonly number[] | undefined;
  readonly findings: Findings;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Less than that is noise: the cost model's way stays. */
const worthwhile = 0.97;

/** The choices that a build meets, each once, with how often it meets them. */
export class ChoiceList {
  readonly #choices = new Map<string, { readonly choice: Choice; count: number }>();

  readonly collect = (choice: Choice): undefined => {
    const known = this.#choices.get(choice.key);
    if (known) known.count++;
    else this.#choices.set(choice.key, { choice, count: 1 });
  };
  entries(): readonly { readonly choice: Choice; readonly count: number }[] {
    return [...this.#choices.values()];
  }
}

/** Measures what is not known. Between two choices other work of the process has its turn. Rejects when aborted. */
export async function tune(choices: readonly Choice[], options: TuneOptions): Promise<void> {
  const { measure, findings, onProgress, signal } = options;
  const unknown = choices.filter((choice) => findings.get(choice) === undefined);
  for (const [done, choice] of unknown.entries()) {
    onProgress?.(done, unknown.length);
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    const times = measure(choice);
    if (times) findings.set(choice, decide(choice, times));
  }
  onProgress?.(unknown.length, unknown.length);
}

function decide({ ways, usual }: Choice, times: readonly number[]): Finding {
  const own = times[ways.indexOf(usual)]!;
  const fastest = Math.min(...times);
  const isBetter = fastest < worthwhile * own;
  return {
    way: (isBetter ? ways[times.indexOf(fastest)]! : usual).name,
    usual: own,
    fastest: isBetter ? fastest : own,
  };
}

/** What a build asks. */
export function chooserOf(findings: Findings): (choice: Choice) => Way | undefined {
  return (choice) => {
    const found = findings.get(choice);
    return choice.ways.find(({ name }) => name === found?.way);
  };
}
