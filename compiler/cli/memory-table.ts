/** How much memory each entry of a planned program takes, beside the least that any plan could. */
import { bytesText } from "../diagnostics/bytes.ts";
import { limits } from "../schedule/budget.ts";
import type { PlannedTarget } from "../schedule/plan.ts";
import type { Recomputation } from "../schedule/recompute/within.ts";
import { short, table } from "./summary-table.ts";

export interface MemoryRow {
  readonly entry: string;
  /** Bytes of the arena that the entry uses: everything but weights, states and constants. */
  readonly peak: number;
  /** Bytes that are in use at one time: no plan for the same order of kernels needs less. */
  readonly lowerBound: number;
  /** `peak / lowerBound`; 1 where both are 0. */
  readonly ratio: number;
}
export interface MemoryReport {
  readonly entries: readonly MemoryRow[];
  /** Bytes of weights, states, optimizer states and constants. */
  readonly persistent: number;
  /** The largest entry's peak: entries never run at once. */
  readonly arena: number;
}

const sum = (chunks: readonly number[]): number => chunks.reduce((total, bytes) => total + bytes, 0);

export function memoryRow({ name, arenaBytes, lowerBound }: NonNullable<PlannedTarget["entries"][number]>): MemoryRow {
  return { entry: name, peak: arenaBytes, lowerBound, ratio: lowerBound === 0 ? 1 : arenaBytes / lowerBound };
}

export function memoryReport({ plan, entries }: PlannedTarget): MemoryReport {
  return {
    entries: entries.flatMap((entry) => (entry === null ? [] : [memoryRow(entry)])),
    persistent: sum(plan.persistent),
    arena: sum(plan.arena),
  };
}

export function memoryTable({ entries, persistent, arena }: MemoryReport): string {
  const bytes = (count: number): string => `${short(count)}B`;
  const rows = entries.map(({ entry, peak, lowerBound, ratio }) => [
    entry,
    bytes(peak),
    bytes(lowerBound),
    ratio.toFixed(3),
  ]);
  return `${table([["memory on the CPU", "peak", "lower bound", "ratio"], ...rows])}${bytes(persistent)} of weights, states and constants beside them: ${bytes(persistent + arena)} in all${
    persistent + arena > limits.cpu
      ? `, more than the ${bytesText(limits.cpu)} of WebAssembly's memory: fewer rows (--batch) or --max-memory make it smaller`
      : ""
  }\n`;
}

const deviceName = { cpu: "the CPU", gpu: "the GPU" } as const;

/** What an entry computes again, line by line, what that frees and what it costs. */
export function recomputationText({ entry, target, before, after, repeated, flops }: Recomputation): string {
  const again = repeated.reduce((sum, value) => sum + value.flops, 0);
  const rows = repeated.map(({ name, origin, bytes, flops }) => [
    `  ${name}${origin ? ` (${origin.file}:${origin.line})` : ""}`,
    bytes === 0 ? "" : bytesText(bytes),
    `${short(flops)}FLOP`,
  ]);
  return `${entry} on ${deviceName[target]} computes again instead of keeping:
${table([["  value", "kept no longer", "cost"], ...rows])}${bytesText(before - after)} saved (${bytesText(before)} to ${bytesText(after)}) for ${short(again)}FLOP, ${((100 * again) / flops).toPrecision(2)}% of ${entry}
`;
}
