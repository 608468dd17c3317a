/**
 * What the scripts of the examples share: an example's program in this process. It runs on the CPU without fused multiply-add, so
 * that the tables in the READMEs come out the same on every machine.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fileLoader } from "../../compiler/cli/library.ts";
import { summaries } from "../../compiler/cli/summary-table.ts";
import { openCompiled } from "../../compiler/cli/toolchain.ts";
import { type CompileOptions, compile } from "../../compiler/compile.ts";
import { evaluateRows } from "../../runtime/node/evaluate.ts";
import { scalarResults } from "../../runtime/node/metrics.ts";
import type { Manifest } from "../../runtime/plan.ts";
import { seedWords } from "../../runtime/rng.ts";
import type { Session, TrainBlock } from "../../runtime/session.ts";
import type { TypedArray } from "../../runtime/tensor.ts";
import { type Rows, shuffled } from "../../runtime/train-loop.ts";

export interface Example {
  readonly session: Session;
  readonly manifest: Manifest;
  /** Weights of a model, and floating point operations for one row. */
  cost(model: string): { readonly parameters: number; readonly flops: number };
}

/** `folder`: the `import.meta.url` of a script beside the `model.dlx` that is meant. */
export async function openExample(
  folder: string,
  options: Pick<CompileOptions, "set" | "blocks" | "models" | "batches" | "calls" | "evaluations">,
  seed = 0,
): Promise<Example> {
  const file = fileURLToPath(new URL("model.dlx", folder));
  const source = { file, text: readFileSync(file, "utf8") };
  const { compiled, diagnostics } = compile(source, fileLoader(file), {
    evaluations: [1],
    ...options,
    targets: ["wasm"],
    relaxed: false,
  });
  if (!compiled) throw new Error(diagnostics.map(({ code, message }) => `${code}: ${message}`).join("\n"));
  const session = await openCompiled(compiled, { device: "cpu", weights: "random", seed });
  return {
    session,
    manifest: compiled.manifest,
    cost(model) {
      const summary = summaries(compiled.program, undefined).find((one) => one.model === model && one.batch === 1);
      if (!summary) throw new Error(`there is no model ${model}`);
      return { parameters: summary.parameters, flops: summary.flops };
    },
  };
}

/** Arrays whose rows belong together: the elements of a row are the array's length by `count`. */
export function rowsOf(count: number, columns: Readonly<Record<string, Float32Array | Int32Array>>): Rows {
  return {
    count,
    read(positions) {
      const pick = (column: Float32Array | Int32Array): TypedArray => {
        const size = column.length / count;
        const picked = new (column instanceof Float32Array ? Float32Array : Int32Array)(positions.length * size);
        positions.forEach((row, k) => {
          picked.set(column.subarray(row * size, (row + 1) * size), k * size);
        });
        return picked;
      };
      return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, pick(column)]));
    },
  };
}

function blockOf({ session }: Example, name: string): TrainBlock {
  const block = session.train[name];
  if (!block) throw new Error(`there is no train block ${name}`);
  return block;
}

/** So many steps on rows in a seeded order; answers the last step's results. */
export async function learn(
  example: Example,
  name: string,
  rows: Rows,
  steps: number,
): Promise<Readonly<Record<string, number>>> {
  const block = blockOf(example, name);
  const epochs = Math.ceil(steps / Math.floor(rows.count / (block.batch ?? 1)));
  const batches = (epoch: number) => shuffled(rows, block.batch ?? 1, seedWords(0), epoch);
  return scalarResults(await block.fit(batches, { epochs, limit: steps }));
}

/** Loss and metrics of a train block over all rows. */
export async function evaluate(example: Example, name: string, rows: Rows): Promise<Readonly<Record<string, number>>> {
  return (await evaluateRows(blockOf(example, name), rows, {})).values;
}

/** A table in Markdown: the first column to the left, the others to the right. */
export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [row(head), row(head.map((_, k) => (k === 0 ? "---" : "---:"))), ...lines.map(row)].join("\n");
}

export const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;
export const whole = (count: number): string => count.toLocaleString("en-US");
/** 1,234,000 as 1.23 M. */
export const million = (count: number): string => `${(count / 1e6).toFixed(2)} M`;

/** Whether a script is what Node was started with. */
export const isMain = (url: string): boolean => process.argv[1] === fileURLToPath(url);
