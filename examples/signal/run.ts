/**
 * Sizes of activations and gradients through thirty layers, by initial variance, normalisation and activation; and a network
 * whose weights all begin at 0. Prints tables and writes charts beside this file.
 *
 *     npx tsx examples/signal/run.ts
 */
import { writeFileSync } from "node:fs";
import { chartFile, type Series } from "../../runtime/node/chart.ts";
import { digitRows, digits } from "../support/digits.ts";
import { evaluate, isMain, learn, openExample, percent, table } from "../support/program.ts";

export interface Signal {
  readonly name: string;
  /** The root of the mean square at layers 1, 2, .. */
  readonly activations: readonly number[];
  readonly gradients: readonly number[];
}

type Setting = Readonly<Record<string, string | number>>;

/** Of the first 64 digits, through a network as `set` makes it. */
async function signalOf(name: string, set: Setting): Promise<Signal> {
  const example = await openExample(import.meta.url, { set, blocks: ["signal"], models: [], evaluations: [] });
  const { train } = digits();
  const results = await example.session.train.signal?.step({
    image: train.image.subarray(0, 64 * 784),
    label: train.label.subarray(0, 64),
  });
  example.session.dispose();
  const { activations, slopes } = results ?? {};
  if (!(activations instanceof Float32Array && slopes instanceof Float32Array)) throw new Error("no signal");
  return { name, activations: [...activations], gradients: [...slopes] };
}

const norms = { none: "no normalisation", layer: "layer_norm", batch: "batch_norm" } as const;

/** `var = c / fan_in` for c = 1, 2, 3, without and with each normalisation. */
export async function byVariance(depth = 30): Promise<Signal[]> {
  const signals: Signal[] = [];
  for (const [norm, words] of Object.entries(norms))
    for (const c of [1, 2, 3]) signals.push(await signalOf(`c = ${c}, ${words}`, { c, norm, depth }));
  return signals;
}

/** The same depth with three activations, each with the variance that suits it best. */
export async function byActivation(depth = 30): Promise<Signal[]> {
  return [
    await signalOf("relu, c = 2", { activation: "relu", c: 2, depth }),
    await signalOf("tanh, c = 1", { activation: "tanh", c: 1, depth }),
    await signalOf("sigmoid, c = 1", { activation: "sigmoid", c: 1, depth }),
  ];
}

export interface Learned {
  readonly name: string;
  readonly loss: number;
  readonly accuracy: number;
}

/** Five layers after some steps, from usual weights and from zeros. */
export async function fromZeros(steps: number, limit?: number): Promise<Learned[]> {
  const { train, held } = digits();
  const learned: Learned[] = [];
  for (const [name, c] of [
    ["c = 2", 2],
    ["all weights 0", 0],
  ] as const) {
    const example = await openExample(import.meta.url, { set: { c, depth: 5 }, blocks: ["learn"], models: [] });
    await learn(example, "learn", digitRows(train), steps);
    const { loss = Number.NaN, accuracy = Number.NaN } = await evaluate(example, "learn", digitRows(held, limit));
    learned.push({ name, loss, accuracy });
    example.session.dispose();
  }
  return learned;
}

const layers = [1, 2, 5, 10, 20, 30];
const short = (value: number) => (value === 0 ? "0" : value.toExponential(1));
const sizes = (signals: readonly Signal[], of: "activations" | "gradients") =>
  table(
    ["", ...layers.map((layer) => `layer ${layer}`)],
    signals.map((signal) => [signal.name, ...layers.map((layer) => short(signal[of][layer - 1] ?? Number.NaN))]),
  );
const series = (signals: readonly Signal[], of: "activations" | "gradients"): Series[] =>
  signals.map((signal) => ({ name: signal.name, points: signal[of].map((size, k) => [k + 1, size] as const) }));

if (isMain(import.meta.url)) {
  const save = (file: string, title: string, signals: readonly Signal[], of: "activations" | "gradients") =>
    writeFileSync(
      new URL(file, import.meta.url),
      chartFile(title, series(signals, of), { logarithmic: true, x: "layer" }),
    );
  const variance = await byVariance();
  console.log(`Size of activations\n\n${sizes(variance, "activations")}\n`);
  console.log(`Size of the gradients by them\n\n${sizes(variance, "gradients")}\n`);
  save("activations.svg", "Size of activations by layer", variance, "activations");
  save("gradients.svg", "Size of gradients by layer", variance, "gradients");
  const activation = await byActivation();
  console.log(`Size of gradients by activation\n\n${sizes(activation, "gradients")}\n`);
  save("vanishing.svg", "Size of gradients by layer and activation", activation, "gradients");
  const zeros = await fromZeros(300);
  console.log(
    table(
      ["after 300 steps", "held-out loss", "held-out accuracy"],
      zeros.map(({ name, loss, accuracy }) => [name, loss.toFixed(4), percent(accuracy)]),
    ),
  );
}
