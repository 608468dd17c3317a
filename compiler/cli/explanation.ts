/**
 * `dlx predict --explain`: what a network looks at, drawn over its image. The entry that computes it is a program as a user
 * would write it, with the user's file as a module: the rest of the compiler knows nothing of explanations.
 */
import { extname } from "node:path";
import type { Source } from "../../grammar/span.ts";
import { DlxError } from "../../runtime/errors.ts";
import { type Result, readInputs, resultsOf, writeResults } from "../../runtime/node/values.ts";
import type { InputSlot } from "../../runtime/plan.ts";
import type { ModuleLoader } from "../elaborate/modules.ts";
import type { Program } from "../elaborate/program.ts";
import { type ExitCode, UsageError } from "./failure.ts";
import { type Terminal, toJsonText } from "./terminal.ts";
import {
  compileFile,
  elaborateFile,
  type OpenOptions,
  openCompiled,
  type ProgramFlags,
  type Wanted,
} from "./toolchain.ts";

export interface ExplainFlags extends ProgramFlags {
  readonly explain: string;
  readonly input: string;
  readonly output?: string;
  readonly class?: number;
  readonly layer?: string;
}

/** Each as an expression of dlx over `image`, `class` and the network. */
const maps: Readonly<Record<string, (network: string, at: string) => string>> = {
  gradcam: (network, at) =>
    `{ let (a, rest) = cut(${network}, ${at})(image); explain.grad_cam(_ => a, rest, image, class) }`,
  saliency: (network) => `explain.saliency(${network}, image, class)`,
  smoothgrad: (network) => `explain.magnitude_map(explain.smooth_grad(${network}, image, class))`,
  integrated: (network) => `explain.magnitude_map(explain.integrated_gradients(${network}, image, class))`,
  guided: (network) => `explain.magnitude_map(explain.guided_backprop(${network}, image, class))`,
};

/** The last images inside of the network that still have places. */
const lastImages = "y => y.rank == 4 and y.shape[2] * y.shape[3] > 1";

interface Subject {
  readonly model: string;
  readonly image: InputSlot;
}

/** The model, if it takes one image to scores. Throws E0617. */
function subjectOf({ entries, main }: Program, flags: ExplainFlags): Subject {
  const names = [...new Set(entries.flatMap(({ kind, of }) => (kind === "predict" ? [of] : [])))];
  const model = flags.model ?? main ?? undefined;
  const entry = entries.find(({ kind, of, batch }) => kind === "predict" && of === model && (batch ?? 1) === 1);
  if (!entry || model === undefined)
    throw new UsageError(`say which model: --model ${names.join(" or ") || "(there is none)"}`);
  const [image, ...others] = entry.inputs;
  if (image?.dtype !== "f32" || image.shape.length !== 4 || image.shape[0] !== 1 || others.length > 0)
    throw new DlxError(
      "E0617",
      `${model} takes ${entry.inputs.map(({ name, dtype, shape }) => `${name}: ${dtype}[${shape.join(", ")}]`).join(", ")}; what can be drawn over is one image f32[N, C, H, W]`,
    );
  const [scores, ...more] = entry.graph.outputs;
  const [, classes] = scores?.tensor.type.shape ?? [];
  if (!scores || more.length > 0 || scores.tensor.type.shape.length !== 2 || classes === undefined)
    throw new DlxError(
      "E0617",
      `${model} gives ${entry.graph.outputs.map(({ path, tensor }) => `${path}: ${tensor.type.dtype}[${tensor.type.shape.join(", ")}]`).join(", ")}; what can be explained is a score of each class, f32[N, K]`,
    );
  if (flags.class !== undefined && flags.class >= classes)
    throw new DlxError("E0617", `--class ${flags.class}: ${model} has the classes 0 to ${classes - 1}`);
  return { model, image };
}

/** The program that explains: the prediction, the map and the picture of one image. */
function programOf({ model, image }: Subject, flags: ExplainFlags): string {
  const network = `network.${model}`;
  const at = flags.layer === undefined ? lastImages : JSON.stringify(flags.layer);
  return `import "./network.dlx"
import explain

export fn explanation(image: f32[${image.shape.join(", ")}]) {
  let score = ${network}(image)
  let predicted = argmax[k] score[0, k]
  let class = ${flags.class === undefined ? "predicted" : `i32(${flags.class})`}
  let map = ${maps[flags.explain]?.(network, at)}
  (picture: explain.overlay(image, map), map: map, class: class, predicted: predicted)
}
`;
}

/** Values from 0 to 1 as bytes, so that a picture is not stretched. */
const bytesOf = ({ data, ...result }: Result): Result => ({
  ...result,
  dtype: "u8",
  data: Uint8Array.from(data, (value) => Math.round(255 * Math.min(1, Math.max(0, value)))),
});

export async function explainImage(
  terminal: Terminal,
  file: string,
  flags: ExplainFlags,
  wanted: Pick<Wanted, "targets">,
  options: OpenOptions,
): Promise<ExitCode> {
  const { output } = flags;
  if (output === undefined) throw new UsageError("say where the picture goes: --output overlay.png");
  if (flags.layer !== undefined && flags.explain !== "gradcam")
    throw new UsageError("--layer is for --explain gradcam: the others explain the whole network");
  const only = { ...flags, train: "none" } as const;
  const subject = subjectOf(await elaborateFile(file, only, terminal), flags);
  const wrap = (source: Source, loader: ModuleLoader) => ({
    source: { file: `--explain ${flags.explain}`, text: programOf(subject, flags) },
    loader: {
      load: (path: string, quoted: boolean, from: Source) =>
        quoted && path === "./network.dlx" && from !== source ? [source] : loader.load(path, quoted, from),
    },
  });
  const compiled = await compileFile(file, { ...only, ...wanted }, terminal, wrap);
  const entry = compiled.manifest.entries.find(({ kind }) => kind === "call");
  const { [subject.image.name]: image = new Float32Array() } = await readInputs(flags.input, [subject.image], true);
  const session = await openCompiled(compiled, options);
  try {
    const outputs = (await session.call.explanation?.({ image })) ?? {};
    const results = resultsOf(outputs, entry?.outputs ?? []);
    const find = (name: string) => results.filter((result) => result.name === name);
    const isPicture = extname(output).toLowerCase() === ".png";
    await writeResults(output, isPicture ? find("picture").map(bytesOf) : find("map"));
    const [of, predicted] = ["class", "predicted"].map((name) => find(name)[0]?.data[0]);
    if (flags.json) terminal.out(toJsonText({ explain: flags.explain, class: of, predicted, output }));
    else
      terminal.out(
        `${flags.explain} of class ${of}${of === predicted ? "" : ` (predicted is ${predicted})`}: ${output}\n`,
      );
    return 0;
  } finally {
    session.dispose();
  }
}
