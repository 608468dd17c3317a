/** What was measured, kept between runs: a run replaces the rows that it measures. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import type { Competition, Measured } from "./contenders.ts";

export interface Row {
  readonly workload: string;
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  /** None where whole processes are measured. */
  readonly peak?: Competition["peak"];
  readonly flops: number;
  readonly persistentBytes: number;
  readonly arenaBytes: number;
  readonly contenders: readonly Measured[];
}
export interface ModuleSize {
  readonly name: string;
  readonly most: number;
  /** Bytes of the kernel modules. */
  readonly plain: { readonly raw: number; readonly gzip: number };
  readonly relaxed: { readonly raw: number; readonly gzip: number };
  /** Of all that a page loads: host, runtime, manifest, one module; without weights. */
  readonly bundle: { readonly raw: number; readonly gzip: number };
}
export interface Results {
  readonly rows: readonly Row[];
  readonly sizes: readonly ModuleSize[];
}

const file = join(import.meta.dirname, "results.json");

export function readResults(): Results {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { rows: [], sizes: [] };
}

/** Three digits say more than enough. */
export const rounded = (_: string, value: unknown) =>
  typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;

export function writeResults(results: Results): void {
  writeFileSync(file, `${JSON.stringify(results, rounded, 2)}\n`);
}

export function machine(): string {
  const [first] = cpus();
  return `${first?.model.trim() ?? "unknown processor"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
}
