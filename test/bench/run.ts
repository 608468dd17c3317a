/**
 * dlx beside its peers, and `docs/performance.md`: `npm run bench [-- FILTER...]`. A filter is a part of a row's name; `sizes`
 * means the sizes of modules.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { compileSource, filesOf } from "../support/bundle.ts";
import { compete, type Measured, startUp } from "./contenders.ts";
import { judge, writePage } from "./page.ts";
import { prepareWorkload } from "./prepare.ts";
import { type ModuleSize, machine, type Results, type Row, readResults, writeResults } from "./results.ts";
import { moduleSizes, type Workload, workloads } from "./workloads.ts";

const effort = { rounds: Number(process.env.ROUNDS ?? 7), milliseconds: 150 };

async function measure(workload: Workload, folder: string): Promise<Row> {
  const prepared = await prepareWorkload(workload, folder);
  const starts = workload.mode !== "kernel" && workload.start === true;
  const measured = starts
    ? { contenders: startUp(workload, folder, 2 * effort.rounds) }
    : await compete(workload, folder, effort);
  return {
    workload: workload.name,
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    node: process.version,
    flops: prepared.flops,
    persistentBytes: prepared.persistentBytes,
    arenaBytes: prepared.arenaBytes,
    ...measured,
  };
}

function show(workload: Workload, row: Row): void {
  console.log(`\n${workload.name}`);
  for (const [name, { median, best }] of Object.entries(row.peak ?? {}))
    console.log(`  peak ${name}: ${median.toFixed(1)} GFLOP/s, at best ${best.toFixed(1)}`);
  const number = (value = Number.NaN) => value.toFixed(3).padStart(10);
  const line = ({ name, median, minimum, failure = "" }: Measured) =>
    `  ${name.padEnd(20)} ${number(median)} ${number(minimum)}  ${failure.split("\n")[0]}`;
  for (const contender of row.contenders) console.log(line(contender));
  for (const bar of workload.bars) {
    const verdict = judge(row, bar);
    if (verdict)
      console.log(
        `  ${verdict.met ? "met" : "MISSED"}: ${bar.of} ${verdict.reached} (${verdict.least} of minima), bar ${verdict.bar}`,
      );
  }
}

async function measureSize({ name, model, train, most }: (typeof moduleSizes)[number]): Promise<ModuleSize> {
  const file = `${model}.dlx`;
  const source = { file, text: readFileSync(join(import.meta.dirname, "models", file), "utf8") };
  const compiled = compileSource(source, { targets: ["wasm"], ...(train ? {} : { blocks: [] }) });
  const size = (bytes: Uint8Array | undefined) => ({
    raw: bytes?.length ?? 0,
    gzip: bytes ? gzipSync(bytes, { level: 9 }).length : 0,
  });
  const files = await filesOf(compiled);
  const loaded = ["index.js", "runtime.js", "kernels.wasm"].map((each) => size(files.get(each)));
  const total = (part: "raw" | "gzip") => loaded.reduce((sum, each) => sum + each[part], 0);
  return {
    name,
    most,
    plain: size(compiled.wasm),
    relaxed: size(compiled.relaxed),
    bundle: { raw: total("raw"), gzip: total("gzip") },
  };
}

const filters = process.argv.slice(2);
const wanted = (name: string) => filters.length === 0 || filters.some((filter) => name.includes(filter));
let results: Results = readResults();
if (wanted("sizes")) {
  const sizes: ModuleSize[] = [];
  for (const each of moduleSizes) sizes.push(await measureSize(each));
  for (const { name, plain, relaxed } of sizes) console.log(`${name}: ${plain.gzip} and ${relaxed.gzip} bytes gzipped`);
  results = { ...results, sizes };
}
const folder = mkdtempSync(join(tmpdir(), "dlx-bench-"));
try {
  for (const [k, workload] of workloads.entries()) {
    if (!wanted(workload.name)) continue;
    const row = await measure(workload, join(folder, String(k)));
    show(workload, row);
    results = { ...results, rows: [...results.rows.filter((each) => each.workload !== workload.name), row] };
    writeResults(results);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
writeResults(results);
writePage(results);
process.exit(0);
