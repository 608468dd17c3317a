import type { Inputs } from "../../../runtime/call.ts";
import { readBytes } from "../../../runtime/node/files.ts";
import { formatResults, jsonOf, readInput, resultsOf, writeResults } from "../../../runtime/node/values.ts";
import type { LoadOptions } from "../../../runtime/session.ts";
import { suggest } from "../../diagnostics/suggest.ts";
import { type ExitCode, UsageError } from "../failure.ts";
import { type Terminal, toJsonText } from "../terminal.ts";
import { compileFile, namesOf, openCompiled, type ProgramFlags, targetsOf } from "../toolchain.ts";

interface Flags extends ProgramFlags {
  readonly weights?: string;
  readonly input?: Readonly<Record<string, string>>;
  readonly output?: string;
  readonly batch?: number;
  readonly device: LoadOptions["device"];
  readonly threads?: number;
  readonly seed?: number;
}

export async function run(terminal: Terminal, [file = "", name = ""]: string[], flags: Flags): Promise<ExitCode> {
  const weights = flags.weights === undefined ? "random" : await readBytes(flags.weights);
  const batches = flags.batch === undefined ? {} : { batches: [flags.batch] };
  const compiled = await compileFile(
    file,
    { ...flags, ...batches, train: "none", models: [], calls: [name], targets: targetsOf(flags.device) },
    terminal,
  );
  const entry = compiled.manifest.entries.findLast(({ kind, of }) => kind === "call" && of === name);
  if (!entry) {
    const names = await namesOf(file, "fn");
    const near = suggest(name, names);
    throw new UsageError(
      `${file} has no \`export fn ${name}\`${near ? `; did you mean ${near}?` : names.length > 0 ? `; it has ${names.join(", ")}` : ""}`,
    );
  }
  if (weights === "random" && compiled.manifest.persistent.some(({ role }) => role === "parameter"))
    terminal.note("Without --weights the parameters are random ones.\n");
  const inputs: Inputs[] = [];
  for (const [input, text] of Object.entries(flags.input ?? {})) {
    const slot = entry.inputs.find((each) => each.name === input);
    if (!slot)
      throw new UsageError(
        `${name} has no input ${input}; it takes ${entry.inputs.map((each) => each.name).join(", ") || "none"}`,
      );
    inputs.push(await readInput(slot, text, entry.batch !== undefined && slot.shape[0] === entry.batch));
  }
  const session = await openCompiled(compiled, {
    device: flags.device,
    threads: flags.threads ?? 1,
    weights,
    weightsFile: flags.weights,
    seed: flags.seed ?? 0,
    onProgress: ({ message }) => terminal.note(`${message}\n`),
  });
  try {
    const outputs = (await session.call[name]?.(Object.assign({}, ...inputs))) ?? {};
    const results = resultsOf(outputs, entry.outputs);
    if (flags.output !== undefined) await writeResults(flags.output, results);
    if (flags.json) terminal.out(toJsonText(jsonOf(results)));
    else if (flags.output === undefined) terminal.out(formatResults(results));
    return 0;
  } finally {
    session.dispose();
  }
}
