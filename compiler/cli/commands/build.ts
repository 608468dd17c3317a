import { join } from "node:path";
import { readBytes, writableFolder, writeAtomically } from "../../../runtime/node/files.ts";
import { compileBundle } from "../carried.ts";
import { type ExitCode, UsageError } from "../failure.ts";
import { type QuantiseFlag, quantiseFor, sizesText } from "../quantise.ts";
import { type Terminal, toJsonText } from "../terminal.ts";
import { bundleFiles, checkWeights, choicesOf, type ProgramFlags, type Wanted } from "../toolchain.ts";

interface Flags extends ProgramFlags, QuantiseFlag {
  readonly out: string;
  readonly batch?: readonly number[];
  readonly train?: boolean;
  readonly target: readonly ("wasm" | "webgpu")[];
  readonly weights?: string;
  readonly singleFile?: boolean;
  readonly tune?: boolean;
}

export async function run(terminal: Terminal, [file = ""]: string[], flags: Flags): Promise<ExitCode> {
  if (flags.quantise !== undefined && flags.weights === undefined)
    throw new UsageError("--quantise is of weights: say which with --weights FILE");
  await writableFolder(flags.out);
  const weights = flags.weights === undefined ? undefined : await readBytes(flags.weights);
  const train = flags.block !== undefined ? "block" : flags.train ? "all" : "none";
  const wanted = { ...flags, ...(flags.batch ? { batches: flags.batch } : {}), train, targets: flags.target } as const;
  const choose = flags.tune ? await tunedChooser(file, wanted, terminal) : undefined;
  const given = weights && flags.weights !== undefined ? { name: flags.weights, bytes: weights } : undefined;
  const compiled = await compileBundle(file, { ...wanted, ...(choose && { choose }) }, given, terminal);
  if (weights && flags.weights !== undefined) checkWeights(compiled, weights, flags.weights);
  const quantised = weights && quantiseFor(compiled, weights, flags);
  const files = await bundleFiles(compiled, {
    weights: quantised?.file ?? weights,
    singleFile: flags.singleFile === true,
  });
  for (const [name, bytes] of files) await writeAtomically(join(flags.out, name), bytes);
  const sizes = Object.fromEntries([...files].map(([name, bytes]) => [name, bytes.length]));
  const { recomputed } = compiled;
  if (flags.json)
    terminal.out(
      toJsonText({
        out: flags.out,
        files: sizes,
        ...(flags.maxMemory && { recomputed }),
        ...(quantised && { weights: quantised.bytes }),
      }),
    );
  else {
    for (const [name, size] of Object.entries(sizes))
      terminal.out(`${String(size).padStart(10)}  ${join(flags.out, name)}\n`);
    if (quantised) terminal.out(sizesText(quantised));
  }
  return 0;
}

/** The kernels' ways by measurement; undefined where the program has errors, which compiling it will tell. */
async function tunedChooser(file: string, wanted: Wanted, terminal: Terminal): Promise<Wanted["choose"]> {
  if (!wanted.targets.includes("wasm")) throw new UsageError("--tune measures WebAssembly, which --target leaves out");
  const { tuned } = await import("../tuning.ts");
  return tuned(await choicesOf(file, wanted), terminal, wanted);
}
