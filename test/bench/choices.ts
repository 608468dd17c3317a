/**
 * Where the cost model takes another way than the fastest: every distinct choice of a program's kernels, measured.
 * `npx tsx test/bench/choices.ts examples/lenet/model.dlx [lenet.step] [--relaxed] [--set=batch=64] [--batch=32]`
 */
import { dirname, resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import { fileLoader } from "../../compiler/cli/library.ts";
import { readSource } from "../../compiler/cli/source.ts";
import { elaborateSource } from "../../compiler/compile.ts";
import { optimizeProgram, planned } from "../../compiler/pipeline.ts";
import { race } from "../../compiler/tune/race.ts";
import { trialOf } from "../../compiler/tune/trial.ts";
import { ChoiceList } from "../../compiler/tune/tune.ts";
import { enableRelaxed } from "../codegen/wasm/run.ts";

const [file = "examples/lenet/model.dlx", wanted] = process.argv.slice(2).filter((a) => !a.startsWith("--"));
const flag = (name: string): string | undefined =>
  process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
const relaxed = process.argv.includes("--relaxed");
enableRelaxed();
// Engines begin with baseline code, which says nothing of what comes later.
setFlagsFromString("--no-liftoff");

const [name = "", value = ""] = flag("set")?.split("=") ?? [];
const set = name === "" ? {} : { [name]: value };
const batches = flag("batch")?.split(",").map(Number) ?? [];
const source = await readSource(file);
const { program, diagnostics } = elaborateSource(source, fileLoader(dirname(resolve(file))), { set, batches });
if (!program) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
const entries = program.entries.filter((entry) => wanted === undefined || entry.name === wanted);
if (entries.length === 0) throw new Error(`entries: ${program.entries.map((entry) => entry.name).join(", ")}`);
const list = new ChoiceList();
planned(optimizeProgram({ ...program, entries }, false), "cpu", { choose: list.collect });
let [chosen, possible] = [0, 0];
for (const { choice, count } of list.entries()) {
  const trial = trialOf(choice, relaxed);
  if (!trial) continue;
  const times = race(trial.runs, trial.refill, () => performance.now());
  const usual = choice.ways.indexOf(choice.usual);
  const best = times.indexOf(Math.min(...times));
  chosen += count * times[usual]!;
  possible += count * times[best]!;
  const slower = 100 * (times[usual]! / times[best]! - 1);
  console.log(
    `${slower > 10 ? "!" : " "} ${choice.label} (${count}x): takes ${choice.usual.name}: ${times[usual]!.toFixed(3)} ms${best === usual ? ", the fastest" : `; +${slower.toFixed(0)}% over ${choice.ways[best]!.name}: ${times[best]!.toFixed(3)} ms`}`,
  );
}
console.log(`together ${chosen.toFixed(2)} ms, at best ${possible.toFixed(2)} ms`);
