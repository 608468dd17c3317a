/** `docs/performance.md` from the results. What stands between the marks of the page is written by hand and kept. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Measured, tolerance } from "./contenders.ts";
import { examplesSection, readExamples } from "./example-results.ts";
import { percent, table, three } from "./format.ts";
import type { Results, Row } from "./results.ts";
import { type Bar, type Variant, type Workload, workloads } from "./workloads.ts";

const file = join(import.meta.dirname, "../../docs/performance.md");
const marks = ["<!-- by hand -->", "<!-- end of what is written by hand -->"] as const;

export interface Verdict {
  readonly bar: string;
  readonly reached: string;
  /** The same of the least times: what other work on the machine has least to do with. */
  readonly least: string;
  readonly met: boolean;
}

const found = (row: Row, name: Measured["name"]) => {
  const measured = row.contenders.find((each) => each.name === name);
  return measured?.failure === undefined ? measured : undefined;
};

const peakOf = ({ peak }: Row, variant: Measured["name"]) => (variant.includes("plain") ? peak?.plain : peak?.relaxed);

/** How a bar stands; undefined where one of the two could not be measured. */
export function judge(row: Row, bar: Bar): Verdict | undefined {
  const ours = found(row, bar.of);
  if (ours?.median === undefined || ours.minimum === undefined) return undefined;
  if ("ofPeak" in bar) {
    const peak = peakOf(row, bar.of);
    if (!peak) return undefined;
    const share = row.flops / ours.median / 1e6 / peak.median;
    const least = row.flops / ours.minimum / 1e6 / peak.best;
    const text = `>= ${percent(bar.ofPeak)} of the peak`;
    return { bar: text, reached: percent(share), least: percent(least), met: share >= bar.ofPeak };
  }
  const others = bar.against.flatMap((name) => found(row, name) ?? []);
  const [best] = others.toSorted((a, b) => (a.median ?? 0) - (b.median ?? 0));
  if (best?.median === undefined || best.minimum === undefined) return undefined;
  const ratio = ours.median / best.median;
  const least = three(ours.minimum / best.minimum);
  return { bar: `<= ${three(bar.ratio)} x ${best.name}`, reached: three(ratio), least, met: ratio <= bar.ratio };
}

const measuredOf = ({ rows }: Results): (readonly [Workload, Row])[] =>
  workloads.flatMap((workload) => {
    const row = rows.find((each) => each.workload === workload.name);
    return row ? [[workload, row] as const] : [];
  });

function bars(results: Results): string {
  const lines = measuredOf(results).flatMap(([workload, row]) =>
    workload.bars.map((bar) => {
      const verdict = judge(row, bar);
      if (!verdict) return [workload.name, bar.of, "", "", "", "not measured"];
      return [workload.name, bar.of, verdict.bar, verdict.reached, verdict.least, verdict.met ? "met" : "**missed**"];
    }),
  );
  return table(["workload", "ours", "bar", "measured", "of minima", ""], lines);
}

const sentence = (name: string, of: Variant, { bar, reached }: Verdict) =>
  `- ${name}, ${of}: ${reached} where the bar is ${bar.replace("<=", "at most").replace(">=", "at least")}.`;

function missed(results: Results): string {
  const sentences = measuredOf(results).flatMap(([workload, row]) =>
    workload.bars.flatMap((bar) => {
      const verdict = judge(row, bar);
      return verdict && !verdict.met ? [sentence(workload.name, bar.of, verdict)] : [];
    }),
  );
  return sentences.length > 0
    ? `These bars are missed:\n\n${sentences.join("\n")}`
    : "No bar that was measured is missed.";
}

const time = (measured: Measured | undefined) => {
  if (!measured) return "";
  if (measured.failure !== undefined) return measured.failure.startsWith("not installed") ? "missing" : "failed";
  return `${three(measured.median ?? 0)} (${three(measured.minimum ?? 0)})`;
};

function times(results: Results): string {
  const rows = measuredOf(results);
  const names = [...new Set(rows.flatMap(([, row]) => row.contenders.map(({ name }) => name)))];
  const of = (row: Row, name: Measured["name"]) => time(row.contenders.find((each) => each.name === name));
  return table(
    ["workload", ...names],
    rows.map(([workload, row]) => [workload.name, ...names.map((name) => of(row, name))]),
  );
}

function work(results: Results): string {
  const lines = measuredOf(results)
    .filter(([workload]) => !(workload.mode !== "kernel" && workload.start))
    .map(([workload, row]) => {
      const rate = (variant: Variant) => {
        const median = found(row, variant)?.median;
        if (median === undefined) return ["", ""];
        const speed = row.flops / median / 1e6;
        const peak = peakOf(row, variant)?.median;
        return [speed.toFixed(1), peak === undefined ? "" : percent(speed / peak)];
      };
      const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(2);
      const memory = [mebibytes(row.persistentBytes), mebibytes(row.arenaBytes)];
      return [workload.name, (row.flops / 1e6).toFixed(1), ...rate("dlx plain"), ...rate("dlx"), ...memory];
    });
  const rates = ["GFLOP/s plain", "of peak", "GFLOP/s relaxed", "of peak"];
  return table(["workload", "MFLOP", ...rates, "weights, state MiB", "arena MiB"], lines);
}

function sizes({ sizes: measured }: Results): string {
  const lines = measured.map(({ name, most, plain, relaxed, bundle }) => {
    const fits = plain.gzip <= most && relaxed.gzip <= most;
    const pair = ({ raw, gzip }: { raw: number; gzip: number }) => [String(raw), String(gzip)];
    return [name, ...pair(plain), ...pair(relaxed), ...pair(bundle), String(most), fits ? "met" : "**missed**"];
  });
  const columns = ["plain", "gz", "relaxed", "gz", "all that loads", "gz", "bar for a module, gz", ""];
  return table(["program", ...columns], lines);
}

/** A fact of all rows, or each value with how many rows have it. */
function shared(rows: readonly Row[], fact: (row: Row) => string): string {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(fact(row), (counts.get(fact(row)) ?? 0) + 1);
  return [...counts].map(([text, count]) => (counts.size > 1 ? `${text} (${count} rows)` : text)).join("; ");
}

function versions(rows: readonly Row[]): string {
  const known = new Map(
    rows.flatMap(({ contenders }) =>
      contenders.flatMap(({ name, version }) => (version === undefined ? [] : [[name, version] as const])),
    ),
  );
  known.delete("empty Node");
  return [...known].map(([name, version]) => `${name} ${version}`).join(", ");
}

function failures(results: Results): string {
  const lines = measuredOf(results).flatMap(([workload, row]) =>
    row.contenders.flatMap(({ name, failure }) =>
      failure === undefined ? [] : [`- ${workload.name}, ${name}: ${failure.split("\n")[0]}`],
    ),
  );
  return lines.length > 0 ? `\nCould not take part, or did not agree:\n\n${lines.join("\n")}\n` : "";
}

function byHand(): string {
  const before = existsSync(file) ? readFileSync(file, "utf8") : "";
  const [from, to] = [before.indexOf(marks[0]), before.indexOf(marks[1])];
  return from < 0 || to < from ? "\n\n" : before.slice(from + marks[0].length, to);
}

export function writePage(results: Results): void {
  const rows = measuredOf(results).map(([, row]) => row);
  const peak = (kind: "plain" | "relaxed") => {
    const speeds = rows.flatMap((row) => row.peak?.[kind] ?? []);
    const [least = 0, most = 0] = [Math.min, Math.max].map((of) => of(...speeds.map(({ median }) => median)));
    const best = Math.max(...speeds.map((speed) => speed.best));
    return `${three(best)} GFLOP/s at best, medians of the rows ${three(least)} to ${three(most)},`;
  };
  const text = `# Performance

Written by \`npm run bench\`, which measures; \`npm run bench -- LeNet\` measures the rows with that word and leaves the others
as they are. Peers: \`npm ci --prefix test/bench --ignore-scripts\`, and PyTorch for Python.

- Machine: ${shared(rows, ({ machine }) => machine)}
- Node: ${shared(rows, ({ node }) => node)}; ${versions(rows)}
- Date: ${shared(rows, ({ date }) => date)}
- Measured peak of one core, in registers: ${peak("plain")} with SIMD128 multiplications and additions;
  ${peak("relaxed")} with the fused multiply-add of relaxed SIMD. It takes its turn among the
  contenders of each row, in samples that last as long as a step of dlx; shares are median of median, and least time of least

Every contender is a process of its own, on one thread unless its name says otherwise, with the same weights and inputs from
files. After at least 25 steps of warm-up (4 or 5 where one takes longer than 100 ms) rounds are interleaved; the tables give
the median and, in brackets, the minimum. Losses of the first three steps, or predictions, agree with those of dlx plain
within ${tolerance} of the largest value; who does not agree has no time here. Networks are called as users call them: inputs come from the
caller's arrays and results go there. Single operations work on inputs that lie ready (onnxruntime copies its own at every call).
TensorFlow.js lacks two gradients on its wasm backend, which are written for it in \`test/bench/peers\`. \`dlx\` uses relaxed SIMD,
\`dlx plain\` does not.

## Bars

Time of ours over time of the peer, or share of the peak, of medians of one run; beside it the same of the minima.

${bars(results)}

${missed(results)}

${marks[0]}${byHand()}${marks[1]}

${examplesSection(readExamples())}## Milliseconds

${times(results)}
${failures(results)}
## Work and memory of dlx

Floating-point operations are those of the program as written, before optimisation, a multiplication and an addition being two; any
other function of floats is one, an exponential as well as a comparison. A fast algorithm for convolutions does fewer and may seem to
exceed the peak. Memory is what the plan reserves.

${work(results)}

## Size

Bytes of kernel modules, and of all that a page loads for one of them, without weights.

${sizes(results)}
`;
  writeFileSync(file, text);
}
