/**
 * How fast the steps of the examples are beside ResNet-20's, for each operation, and their part of `docs/performance.md`:
 * `npm run bench:examples [-- FILTER...]`. A filter is a part of `EXAMPLE BLOCK`; rows that are not measured stay as they were.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { openCompiled } from "../../compiler/cli/toolchain.ts";
import type { CompileOptions } from "../../compiler/compile.ts";
import { graphFlops } from "../../compiler/graph/flops.ts";
import { optimizeEntry } from "../../compiler/pipeline.ts";
import { parse } from "../../grammar/parse.ts";
import type { Inputs } from "../../runtime/call.ts";
import { compileSource, exampleSource, root } from "../support/bundle.ts";
import { type ExampleRow, readExamples, writeExamples } from "./example-results.ts";
import { writePage } from "./page.ts";
import { generator, inputOf } from "./prepare.ts";
import { readResults } from "./results.ts";

const ROUNDS = Number(process.env.ROUNDS ?? 7);
/** Milliseconds that a round gives to each of the two, if a step is not longer. */
const SHARE = 120;

/** Batches at which a step of the networks for large images ends within two seconds. */
const batches: Readonly<Record<string, number>> = { googlenet: 4, resnet: 2, vgg: 1 };

interface Measured {
  readonly flops: number;
  readonly optimizedFlops: number;
  readonly batch: number | undefined;
  /** One step after the other, as many as `milliseconds` have room for; the mean of each few, in milliseconds. */
  times(milliseconds: number): Promise<number[]>;
  dispose(): void;
}

async function open(example: string, block: string, set: CompileOptions["set"] = {}): Promise<Measured> {
  const only = { set, blocks: [block], models: [], calls: [] };
  const compiled = compileSource(exampleSource(example), { ...only, targets: ["wasm"] });
  const entry = compiled.program.entries.find(({ kind }) => kind === "step");
  const session = await openCompiled(compiled, { device: "cpu", weights: "random", relaxedSimd: true });
  const training = session.train[block];
  if (!entry || !training) throw new Error(`${example} has no train block ${block}`);
  const uniform = generator();
  const inputs: Inputs = Object.fromEntries(
    entry.inputs.flatMap((slot) =>
      slot.default === undefined ? [[slot.name, inputOf(slot, uniform).data.map(Math.abs)]] : [],
    ),
  );
  const run = async (count: number) => {
    const start = performance.now();
    for (let k = 0; k < count; k++) await training.step(inputs);
    return (performance.now() - start) / count;
  };
  let step = await run(2);
  // Trained on one batch for long, a network is sure of it, its gradients are subnormal numbers, and those are slow.
  const start = await session.saveState();
  // Until the engine's optimising tier is done; a long step needs few of them.
  for (const end = performance.now() + 400; performance.now() < end; ) step = await run(Math.ceil(5 / step));
  return {
    flops: graphFlops(entry.graph),
    optimizedFlops: graphFlops(optimizeEntry(entry, false)),
    batch: training.batch,
    async times(milliseconds) {
      await session.loadState(start);
      const samples: number[] = [];
      const end = performance.now() + milliseconds;
      do samples.push(await run(Math.ceil(2 / step)));
      while (performance.now() + step / 2 < end);
      return samples;
    },
    dispose: () => session.dispose(),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}

async function measure(example: string, block: string, reference: Measured): Promise<ExampleRow> {
  const batch = batches[example];
  const subject = await open(example, block, batch === undefined ? {} : { batch });
  const rounds: { readonly own: readonly number[]; readonly other: readonly number[] }[] = [];
  for (let round = 0; round < ROUNDS; round++)
    rounds.push({ own: await subject.times(SHARE), other: await reference.times(SHARE) });
  subject.dispose();
  const [own, other] = [rounds.flatMap((round) => round.own), rounds.flatMap((round) => round.other)];
  const faster = (mine: number, its: number) => subject.flops / mine / (reference.flops / its);
  return {
    example,
    block,
    ...(subject.batch !== undefined && { batch: subject.batch }),
    date: new Date().toISOString().slice(0, 10),
    flops: subject.flops,
    optimizedFlops: subject.optimizedFlops,
    median: median(own),
    minimum: Math.min(...own),
    ratio: median(rounds.map((round) => faster(median(round.own), median(round.other)))),
    least: faster(Math.min(...own), Math.min(...other)),
    reference: median(other),
  };
}

/** The train blocks of an example's file, in its order. */
const blocksOf = (example: string) =>
  parse(exampleSource(example)).module.declarations.flatMap((one) => (one.kind === "train" ? [one.name.text] : []));

const filters = process.argv.slice(2);
const folders = readdirSync(join(root, "examples"));
const all = folders
  .filter((folder) => existsSync(join(root, "examples", folder, "model.dlx")))
  .flatMap((example) => blocksOf(example).map((block) => ({ example, block })));
const named = ({ example, block }: { readonly example: string; readonly block: string }) => `${example} ${block}`;
const wanted = all.filter((each) => filters.length === 0 || filters.some((filter) => named(each).includes(filter)));
const reference = await open("resnet20", "resnet20", { batch: 32 });
for (const each of wanted) {
  const row = await measure(each.example, each.block, reference);
  console.log(
    `${named(row).padEnd(36)} ${row.median.toFixed(4).padStart(10)} ms ${(row.flops / row.median / 1e6).toFixed(2).padStart(7)} GFLOP/s  ${row.ratio.toFixed(2)} of ResNet-20's (${row.least.toFixed(2)} of minima)`,
  );
  // Of blocks that are no longer there, none.
  const others = readExamples().filter((other) => all.some((one) => named(one) === named(other)));
  writeExamples([...others.filter((other) => named(other) !== named(row)), row]);
}
reference.dispose();
writePage(readResults());
