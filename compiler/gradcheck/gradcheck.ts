/**
 * Every gradient of a program against float64 central differences: random inputs and parameters, a random direction, and
 * for a gradient that is wrong the smallest case found.
 */
import type { Program, ProgramEntry } from "../elaborate/program.ts";
import type { Derivative, Tensor } from "../graph/graph.ts";
import { evaluate, type Values } from "../reference/evaluate.ts";
import { checkDerivative, type Mismatch } from "./derivative.ts";
import { drawFrom, randomInputs } from "./inputs.ts";
import { type SmallCase, shrink } from "./shrink.ts";

export interface GradcheckOptions {
  /** Points drawn for each entry. */
  readonly runs: number;
  readonly seed: number;
  /** No further point of an entry is begun after so long; the first one always is. */
  readonly seconds?: number;
  /** Called before each point. */
  readonly onRun?: (entry: string, run: number) => void;
}
export interface GradcheckFailure {
  /** `lenet.step`, `saliency`. */
  readonly entry: string;
  /** Where the program asks for the gradient. */
  readonly origin: Derivative["origin"];
  readonly outputs: readonly string[];
  readonly mismatch: Mismatch;
  /** Draws this point again: `--seed`. */
  readonly seed: number;
  readonly smallest: SmallCase | undefined;
}
export interface GradcheckReport {
  /** Comparisons that agreed. */
  readonly agreed: number;
  /** The largest relative error among them. */
  readonly worst: number;
  /** Gradients for which every direction crossed a branch. */
  readonly rough: readonly string[];
  readonly failures: readonly GradcheckFailure[];
}

export function gradcheck(
  program: Program,
  { runs, seed, seconds = Number.POSITIVE_INFINITY, onRun }: GradcheckOptions,
): GradcheckReport {
  const end = performance.now() + 1000 * seconds;
  let agreed = 0;
  let worst = 0;
  const rough: string[] = [];
  const failures: GradcheckFailure[] = [];
  for (const entry of program.entries) {
    const derivatives = entry.graph.derivatives ?? [];
    if (derivatives.length === 0) continue;
    const settled = new Set<Derivative>();
    for (let run = 0; run < runs && settled.size < derivatives.length; run++) {
      if (run > 0 && performance.now() > end) break;
      onRun?.(entry.name, run);
      const draw = drawFrom(seed + run, 0);
      const values = evaluate(entry.graph, randomInputs(program, entry, seed + run, draw));
      for (const derivative of derivatives) {
        if (settled.has(derivative)) continue;
        const verdict = checkDerivative(entry.graph, derivative, values, draw);
        if (verdict.kind === "agrees") {
          agreed++;
          worst = Math.max(worst, verdict.error);
        } else if (verdict.kind === "rough") rough.push(title(entry, derivative));
        else if (verdict.kind === "differs") {
          settled.add(derivative);
          failures.push(failure(entry, derivative, verdict.mismatch, values, seed + run));
        }
      }
    }
  }
  return { agreed, worst, rough, failures };
}

const title = (entry: ProgramEntry, { origin }: Derivative) =>
  origin ? `${entry.name} (${origin.file}:${origin.line})` : entry.name;

function failure(
  entry: ProgramEntry,
  derivative: Derivative,
  mismatch: Mismatch,
  values: ReadonlyMap<Tensor, Values>,
  seed: number,
): GradcheckFailure {
  return {
    entry: entry.name,
    origin: derivative.origin,
    outputs: derivative.outputs.map(({ tensor }) => tensor.name),
    mismatch,
    seed,
    smallest: shrink(entry.graph, derivative, values, drawFrom(seed, 1)),
  };
}

/** For people: what is wrong, where, and the smallest case. */
export function describeFailure({ entry, origin, outputs, mismatch, seed, smallest }: GradcheckFailure): string {
  const lines = [
    `The gradient of ${outputs.join(", ")} in ${entry}${origin ? ` (${origin.file}:${origin.line})` : ""} is wrong:`,
    `  along a random direction it promises ${mismatch.promised}, central differences measure ${mismatch.measured}  (--seed ${seed})`,
  ];
  if (smallest) {
    const { origin: place } = smallest;
    lines.push(
      `  smallest case${place ? ` (${place.file}:${place.line})` : ""}:`,
      ...smallest.node.split("\n").map((line) => `    ${line}`),
      `    promises ${smallest.mismatch.promised}, measures ${smallest.mismatch.measured}`,
    );
    const { row } = smallest;
    if (row) {
      lines.push(
        `  scalar function \`${row.name}\` at (${row.arguments.join(", ")}), by argument ${row.by + 1}: derivative ${row.promised}, differences ${row.measured}`,
      );
    }
  }
  return lines.join("\n");
}
