/** `metrics.jsonl`: one line a step and one an evaluation, in the order in which they happened. */
import { appendFile } from "node:fs/promises";
import type { Outputs } from "../call.ts";
import { exists, fileError, readBytes, writeAtomically } from "./files.ts";

export interface MetricLine {
  readonly kind: "step" | "evaluation";
  /** Steps made when it was measured. */
  readonly step: number;
  readonly epoch: number;
  readonly values: Readonly<Record<string, number>>;
}

/** The results that are single numbers. */
export function scalarResults(outputs: Outputs): Record<string, number> {
  return Object.fromEntries(
    Object.entries(outputs).flatMap(([name, value]) =>
      typeof value === "number" || typeof value === "boolean" ? [[name, Number(value)]] : [],
    ),
  );
}

/** JSON has no NaN and no infinities; a run that diverges has to be seen all the same. */
export const jsonLine = (line: unknown): string =>
  `${JSON.stringify(line, (_, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value))}\n`;

function parse(text: string): MetricLine | undefined {
  try {
    const line = JSON.parse(text);
    const { kind, step, epoch } = line;
    if ((kind !== "step" && kind !== "evaluation") || typeof step !== "number" || typeof epoch !== "number")
      return undefined;
    const values = Object.entries(line.values).map(([name, value]) => [name, Number(value)]);
    return { kind, step, epoch, values: Object.fromEntries(values) };
  } catch {
    return undefined;
  }
}

export class Metrics {
  readonly path: string;
  readonly lines: MetricLine[];
  private pending: string[] = [];
  private constructor(path: string, lines: MetricLine[]) {
    this.path = path;
    this.lines = lines;
  }
  /** Begins a file, or continues one after `step`: later lines, and one that a crash cut short, are dropped. */
  static async open(path: string, step: number): Promise<Metrics> {
    const text = step > 0 && (await exists(path)) ? new TextDecoder().decode(await readBytes(path)) : "";
    const lines = text
      .split("\n")
      .flatMap((line) => parse(line) ?? [])
      .filter((line) => line.step <= step);
    await writeAtomically(path, lines.map(jsonLine).join(""));
    return new Metrics(path, lines);
  }
  add(line: MetricLine): void {
    this.lines.push(line);
    this.pending.push(jsonLine(line));
  }
  async flush(): Promise<void> {
    const text = this.pending.join("");
    this.pending = [];
    try {
      if (text) await appendFile(this.path, text);
    } catch (error) {
      throw fileError("write", this.path, error);
    }
  }
}
