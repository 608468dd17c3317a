/** The command line: which commands there are and what they take. What they do is loaded when one is called. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { mostThreads } from "../../runtime/plan.ts";
import { readBytes } from "../diagnostics/bytes.ts";
import { type ExitCode, reportFailure } from "./failure.ts";
import { version } from "./place.ts";
import type { Terminal } from "./terminal.ts";

type Action<Flags> = (terminal: Terminal, positional: string[], flags: Flags) => Promise<ExitCode>;

/** A whole number of at least `least`. */
const count =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    if (!/^\d+$/.test(text) || Number(text) < least || Number(text) > most) {
      const limit = most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : "";
      throw new InvalidArgumentError(`Expected a whole number from ${least}${limit}.`);
    }
    return Number(text);
  };
const counts = (text: string): number[] => text.split(",").map(count(1));
const pair = (text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> => {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("Expected name=value.");
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) };
};
const searched = (text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> => {
  const [name = ""] = text.split("=");
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} is searched already.`);
  return pair(text, before);
};
const size = (text: string, before: Readonly<Record<string, number>> = {}): Record<string, number> => {
  const [name = "", value = ""] = text.split("=");
  if (!/^\w+$/.test(name)) throw new InvalidArgumentError("Expected DIMENSION=NUMBER.");
  return { ...before, [name]: count(1)(value) };
};
const memory = (text: string): number => {
  const bytes = readBytes(text);
  if (bytes === undefined) throw new InvalidArgumentError("Expected a size such as 64M, 1.5G or 500000.");
  return bytes;
};
const targets = (text: string): string[] => {
  const chosen = text.split(",");
  if (!chosen.every((target) => target === "wasm" || target === "webgpu"))
    throw new InvalidArgumentError("Expected wasm, webgpu or both with a comma.");
  return chosen;
};

const option = {
  batchSizes: new Option("--batch <sizes>", "sizes of N to build, as in 1,32").argParser(counts),
  batch: new Option("--batch <rows>", "rows of a step: --set batch=ROWS").argParser(count(1)),
  rows: new Option("--batch <rows>", "the value of N").argParser(count(1)),
  size: new Option("--size <dimension=number>", "another free dimension, as in T=128; repeatable").argParser(size),
  set: new Option("--set <name=value>", "fill in a configuration list; repeatable").argParser(pair),
  block: new Option("--block <name>", "which train block"),
  model: new Option("--model <name>", "which model"),
  device: new Option("--device <device>", "where to run").choices(["auto", "cpu", "webgpu"]).default("auto"),
  seed: new Option("--seed <number>", "from which everything random follows").argParser(count(0)),
  threads: new Option("--threads <count>", "threads of the CPU").argParser(count(1, mostThreads)),
  weights: new Option("--weights <file>", "weights in safetensors"),
  quantise: new Option(
    "--quantise <type>",
    "weights of rank 2 and more in eight bits, a scale for each channel",
  ).choices(["int8"]),
  data: new Option(
    "--data <spec>",
    "idx:DIR, images:DIR, csv:FILE, npy:X,Y, npz:FILE, safetensors:FILE, text:FILE,HELD, synthetic:NAME",
  ),
  winograd: new Option("--winograd", "3x3 convolutions by Winograd's transforms while training too"),
  noWinograd: new Option("--no-winograd", "3x3 convolutions as they are written, everywhere"),
  maxMemory: new Option(
    "--max-memory <size>",
    "as in 64M: compute values again where keeping them would take more",
  ).argParser(memory),
  output: new Option("--output <file>", "where the result goes: .npy, .csv, .safetensors, .json, .png"),
};
const stages = ["ast", "graph", "backward", "optimized", "kernels", "plan", "wgsl", "wat", "host"];

/** Commands that are not there yet: better said than not known. */
const later = {
  doctor: "the field's sanity checks of a training",
  graph: "the network as a picture",
  import: "a model from ONNX",
  export: "a model to ONNX or PyTorch",
  new: "a project to start from",
  lsp: "the language server",
};

export async function main(parameters: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = 0;
  const json = parameters.includes("--json");
  const program = new Command("dlx")
    .description("A compiler for neural networks: .dlx in, one ES module that predicts and trains out.")
    .version(version, "-V, --version")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.note(text),
    })
    .showHelpAfterError("(add --help for what it takes)")
    .helpCommand(false);

  const command = <Flags extends object>(
    usage: string,
    description: string,
    options: readonly Option[],
    load: () => Promise<{ run: Action<Flags> }>,
  ) => {
    const declared = program.command(usage).description(description);
    for (const each of options) declared.addOption(each);
    declared.option("--json", "for machines");
    declared.action(async () => {
      const positional = declared.processedArgs.flat().filter((text): text is string => typeof text === "string");
      const { run } = await load();
      code = await run(terminal, positional, declared.opts<Flags>());
    });
    return declared;
  };

  command(
    "check <files...>",
    "names, kinds, shapes and lints",
    [option.set, option.size],
    () => import("./commands/check.ts"),
  );
  command(
    "fmt <files...>",
    "format in place (- is standard input)",
    [new Option("--check", "change nothing; exit with 1 if a file is not formatted")],
    () => import("./commands/fmt.ts"),
  );
  command("explain [code]", "what a diagnostic means, with an example", [], () => import("./commands/explain.ts"));
  command(
    "summary <file>",
    "layers, shapes, parameters, FLOPs, memory",
    [option.rows, option.size, option.model, option.set],
    () => import("./commands/summary.ts"),
  );
  command(
    "ir <file>",
    "any stage of compilation as text",
    [
      new Option("--stage <name>", "which stage").choices(stages).makeOptionMandatory(),
      new Option("--entry <name>", "which entry, as in lenet.step"),
      new Option("--target <target>", "whose kernels and plan").choices(["wasm", "webgpu"]).default("wasm"),
      option.batchSizes,
      option.size,
      option.set,
      option.block,
      option.model,
      option.winograd,
      option.noWinograd,
    ],
    () => import("./commands/ir.ts"),
  );
  command(
    "train <file>",
    "train, into a folder",
    [
      option.data,
      new Option("--out <folder>", "for weights, checkpoints, metrics and report").makeOptionMandatory(),
      option.block,
      new Option("--epochs <count>", "passes over the data").argParser(count(1)),
      option.batch,
      option.device,
      option.seed,
      option.threads,
      new Option("--limit <steps>", "steps at most").argParser(count(1)),
      new Option("--resume", "continue the run in the folder"),
      new Option("--weights <file>", "start from these weights"),
      new Option(
        "--plateau <knob>",
        "scale it down when held-out loss stops falling, as in rate,factor=0.5,patience=3",
      ),
      new Option("--patience <evaluations>", "stop when so many in a row found no smaller held-out loss").argParser(
        count(1),
      ),
      new Option(
        "--search <name=values>",
        "try LOW..HIGH, LOW..HIGH:log or A,B,C by cross-validation, then train with the best; repeatable",
      ).argParser(searched),
      new Option("--folds <count>", "parts of the rows, each held out once in every trial (default: 5)").argParser(
        count(0),
      ),
      new Option("--trials <count>", "how many settings are tried").argParser(count(1)),
      new Option("--by <metric>", "what trials are compared by: NAME or NAME:max (default: the loss)"),
      new Option("--search-only", "do not train with the best"),
      option.maxMemory,
      option.set,
      option.size,
      option.winograd,
      option.noWinograd,
    ],
    () => import("./commands/train.ts"),
  );
  command(
    "eval <file>",
    "loss and metrics on held-out data",
    [
      new Option("--weights <file>", "weights in safetensors").makeOptionMandatory(),
      new Option("--data <spec>", "as for train"),
      option.quantise,
      option.block,
      option.batch,
      option.device,
      option.threads,
      option.set,
      option.size,
      option.winograd,
      option.noWinograd,
    ],
    () => import("./commands/eval.ts"),
  );
  command(
    "predict <file>",
    "what a model says about an input (FILE is a program or a bundle)",
    [
      option.weights,
      new Option("--input <file>", "an image, .npy, .csv or .safetensors").makeOptionMandatory(),
      option.output,
      new Option("--explain <method>", "draw what the network looks at over its image, into --output").choices([
        "gradcam",
        "saliency",
        "smoothgrad",
        "integrated",
        "guided",
      ]),
      new Option("--class <number>", "which class to explain (default: the predicted one)").argParser(count(0)),
      new Option("--layer <path>", "whose output gradcam looks at, as in ResNet20.features (default: the last images)"),
      option.model,
      option.rows,
      option.device,
      option.threads,
      option.set,
      option.size,
      option.winograd,
      option.noWinograd,
    ],
    () => import("./commands/predict.ts"),
  );
  command(
    "run <file> <name>",
    "call an `export fn`",
    [
      option.weights,
      new Option("--input <name=value>", "a file or a number; repeatable").argParser(pair),
      option.output,
      option.rows,
      option.device,
      option.threads,
      option.seed,
      option.set,
      option.size,
      option.winograd,
      option.noWinograd,
    ],
    () => import("./commands/run.ts"),
  );
  command(
    "build <file>",
    "make the bundle",
    [
      new Option("--out <folder>", "where it goes").makeOptionMandatory(),
      option.batchSizes,
      new Option("--train", "include the train blocks"),
      option.block,
      option.model,
      new Option("--target <targets>", "wasm, webgpu or both")
        .argParser(targets)
        .default(["wasm", "webgpu"], "wasm,webgpu"),
      option.weights,
      option.quantise,
      new Option("--single-file", "everything in index.js"),
      new Option("--tune", "measure on this machine which kernels are fastest; the results are kept"),
      option.maxMemory,
      option.set,
      option.size,
      option.winograd,
      option.noWinograd,
    ],
    () => import("./commands/build.ts"),
  );
  command(
    "gradcheck <file>",
    "every gradient against central differences",
    [
      new Option("--runs <count>", "points for each gradient (default: up to 10 in 20 seconds)").argParser(count(1)),
      option.seed,
      option.block,
      option.set,
      option.batch,
      option.size,
    ],
    () => import("./commands/gradcheck.ts"),
  );
  command(
    "bench <file>",
    "how fast it is here, kernel by kernel",
    [
      option.block,
      option.model,
      new Option("--batch <rows>", "rows of a step, and the value of N").argParser(count(1)),
      new Option("--plain", "without the fused multiply-add of relaxed SIMD"),
      option.threads,
      option.set,
      option.size,
    ],
    () => import("./commands/bench.ts"),
  );
  for (const [name, description] of Object.entries(later))
    program
      .command(`${name} [arguments...]`, { hidden: true })
      .description(description)
      .allowUnknownOption()
      .action(() => {
        throw new CommanderError(2, "dlx.later", `error: \`dlx ${name}\` (${description}) is not there yet`);
      });

  try {
    if (parameters.length === 0) {
      terminal.note(program.helpInformation());
      return 2;
    }
    await program.parseAsync([...parameters], { from: "user" });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportFailure(error, terminal, { json, command: parameters });
    if (error.code === "dlx.later") terminal.note(`${error.message}\n`);
    // Help and version were asked for; everything else is wrong usage, already said.
    return error.exitCode === 0 ? 0 : 2;
  }
}
