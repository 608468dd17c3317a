/** What a step of each example's training takes, kept between runs as the other results are, and its part of the page. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { percent, table, three } from "./format.ts";
import { rounded } from "./results.ts";

export interface ExampleRow {
  readonly example: string;
  readonly block: string;
  /** Rows of a step; none where the block draws its own. */
  readonly batch?: number;
  readonly date: string;
  /** Floating-point operations of a step, as `dlx summary` counts them. */
  readonly flops: number;
  /** The same, of the program after optimisation. */
  readonly optimizedFlops: number;
  /** Milliseconds of a step. */
  readonly median: number;
  readonly minimum: number;
  /** Operations in a second, over those of ResNet-20 in the same round: the median of all rounds. */
  readonly ratio: number;
  /** The same of the least times. */
  readonly least: number;
  /** Milliseconds of ResNet-20's step in the same rounds, median. */
  readonly reference: number;
}

/** The share of ResNet-20's speed below which a reason has to stand in the part of the page that is written by hand. */
export const wanted = 0.5;

const file = join(import.meta.dirname, "examples.json");

export const readExamples = (): readonly ExampleRow[] =>
  existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];

export function writeExamples(rows: readonly ExampleRow[]): void {
  const named = ({ example, block }: ExampleRow) => `${example} ${block}`;
  const sorted = rows.toSorted((a, b) => (named(a) < named(b) ? -1 : 1));
  writeFileSync(file, `${JSON.stringify(sorted, rounded, 2)}\n`);
}

/** Of the page; empty where nothing was measured. */
export function examplesSection(rows: readonly ExampleRow[]): string {
  if (rows.length === 0) return "";
  const references = rows.map(({ reference }) => reference);
  const lines = rows.map(({ example, block, batch, flops, optimizedFlops, median, minimum, ratio, least }) => [
    example,
    block,
    String(batch ?? ""),
    flops < 1e5 ? (flops / 1e6).toFixed(5) : three(flops / 1e6),
    percent(optimizedFlops / flops),
    `${three(median)} (${three(minimum)})`,
    three(flops / median / 1e6),
    ratio < wanted ? `**${ratio.toFixed(2)}**` : ratio.toFixed(2),
    least.toFixed(2),
  ]);
  const head = ["example", "train block", "batch", "MFLOP", "left", "ms", "GFLOP/s", "of ResNet-20's", "of minima"];
  return `## Steps of the examples

Every train block of \`examples/\` (\`npm run bench:examples\`, or \`-- char_rnn\` for one), its weights and inputs random, one thread,
relaxed SIMD, called as users call it, at the declared batch but for the networks for large images. ResNet-20 at batch 32 takes
turns with each; its convolutions are computed as they are written (Winograd's way is for steps only where it is asked for), in
${three(Math.min(...references))} to ${three(Math.max(...references))} ms. MFLOP are of the program as written, of which optimisation leaves the part in the next column. The last
two columns are operations as written in a second, over ResNet-20's: the median of rounds, and of the least times. What is below
a half has its reason above.

${table(head, lines)}

`;
}
