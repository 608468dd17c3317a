/**
 * Trains LeNet, takes nine of ten weights or half of the channels away, trains the rest on, and stores each in eight bits.
 *
 *     npx tsx examples/compress/run.ts
 */
import { gzipSync } from "node:zlib";
import type { Outputs } from "../../runtime/call.ts";
import { quantiseWeights } from "../../runtime/quantise.ts";
import { decodeAs, readSafetensors, writeSafetensors } from "../../runtime/safetensors.ts";
import type { HostTensor } from "../../runtime/tensor.ts";
import type { Rows } from "../../runtime/train-loop.ts";
import { digitRows, digits } from "../support/digits.ts";
import {
  type Example,
  evaluate,
  isMain,
  learn,
  million,
  openExample,
  percent,
  table,
  whole,
} from "../support/program.ts";

export interface Variant {
  readonly name: string;
  /** Weights that are not 0. */
  readonly weights: number;
  /** Floating point operations for one image. */
  readonly flops: number;
  readonly bytes: number;
  /** The file's, compressed. */
  readonly gzipped: number;
  /** Held-out accuracy before it was trained on, and now. */
  readonly before?: number;
  readonly accuracy: number;
}

type Weights = Readonly<Record<string, HostTensor>>;

function weightsOf(file: Uint8Array): Weights {
  const entries = [...readSafetensors(file).tensors].map(([name, stored]): [string, HostTensor] => [
    name,
    { dtype: "f32", shape: stored.shape, data: decodeAs("f32", stored, name) },
  ]);
  return Object.fromEntries(entries);
}

/** Layers, each with the configuration that says how many channels it has. */
const layers = { conv2d_1: "first", conv2d_2: "second", dense_1: "third", dense_2: "fourth", dense_3: "" };

/** Weights of a network with fewer channels: those that `kept` has a 1 for, of each layer but the last. */
function thinned(weights: Weights, kept: Outputs): Weights {
  const result: Record<string, HostTensor> = {};
  // Of what comes in: one channel, which stays.
  let columns = [0];
  let channels = 1;
  for (const [layer, name] of Object.entries(layers)) {
    const [weight, bias] = [weights[`LeNet.${layer}.weight`], weights[`LeNet.${layer}.bias`]];
    if (!weight || !bias) throw new Error(`there is no layer ${layer}`);
    const mask = kept[name];
    const rows = [...bias.data.keys()].filter((row) => !(mask instanceof Float32Array) || mask[row] === 1);
    // Of one channel: a kernel, or the pixels of a flattened image.
    const size = weight.data.length / bias.data.length / channels;
    const taken = rows.flatMap((row) =>
      columns.flatMap((column) => {
        const at = (row * channels + column) * size;
        return [...weight.data.subarray(at, at + size)];
      }),
    );
    const [, inputs = 1, ...kernel] = weight.shape;
    const shape = [rows.length, (inputs / channels) * columns.length, ...kernel];
    result[`LeNet.${layer}.weight`] = { dtype: "f32", shape, data: Float32Array.from(taken) };
    const biases = rows.map((row) => bias.data[row] ?? Number.NaN);
    result[`LeNet.${layer}.bias`] = { dtype: "f32", shape: [rows.length], data: Float32Array.from(biases) };
    columns = rows;
    channels = bias.data.length;
  }
  return result;
}

/** What a network is as float32 and as int8; `before` is its accuracy before it was trained on. */
async function variants(name: string, example: Example, held: Rows, before?: number): Promise<Variant[]> {
  const { session, manifest } = example;
  const file = await session.saveWeights();
  const quantised = quantiseWeights(manifest, file);
  const { flops } = example.cost("LeNet");
  const variant = async (type: "float32" | "int8", stored: Uint8Array): Promise<Variant> => {
    await session.loadWeights(stored);
    const weights = Object.values(weightsOf(await session.saveWeights()));
    return {
      name: `${name}, ${type}`,
      weights: weights.reduce((count, { data }) => count + data.filter((weight) => weight !== 0).length, 0),
      flops,
      bytes: quantised.bytes[type],
      gzipped: gzipSync(stored, { level: 9 }).length,
      ...(before !== undefined && type === "float32" && { before }),
      accuracy: (await evaluate(example, "whole", held)).accuracy ?? Number.NaN,
    };
  };
  return [await variant("float32", file), await variant("int8", quantised.file)];
}

/** Three networks, each as float32 and as int8; with `limit` judged on so many digits. */
export async function compressed(steps: number, limit?: number): Promise<Variant[]> {
  const parts = digits();
  const [rows, held] = [digitRows(parts.train), digitRows(parts.held, limit)];
  const accuracyOf = async (example: Example) => (await evaluate(example, "whole", held)).accuracy;
  const trainedOn = async (name: string, example: Example, weights: Weights) => {
    await example.session.loadWeights(writeSafetensors(Object.entries(weights)));
    const before = await accuracyOf(example);
    await learn(example, "rest", rows, steps);
    const result = await variants(name, example, held, before);
    example.session.dispose();
    return result;
  };

  const example = await openExample(import.meta.url, { set: { steps } });
  const { session } = example;
  await learn(example, "whole", rows, steps);
  const file = await session.saveWeights();
  const all = await variants("whole", example, held);
  const weights = weightsOf(file);

  await session.loadWeights(file);
  const few = thinned(weights, (await session.call.kept?.()) ?? {});
  const extents = Object.entries(layers).flatMap(([layer, name]) =>
    name === "" ? [] : [[name, few[`LeNet.${layer}.bias`]?.data.length ?? 0] as const],
  );
  const set = { steps, ...Object.fromEntries(extents) };
  const thin = await trainedOn("half of the channels", await openExample(import.meta.url, { set }), few);

  const sparse = Object.entries((await session.call.pruned?.()) ?? {}).map(([name, data]): [string, HostTensor] => {
    const { shape = [] } = weights[`LeNet.${name}`] ?? {};
    if (!(data instanceof Float32Array)) throw new Error(`${name} is no tensor`);
    return [`LeNet.${name}`, { dtype: "f32", shape, data }];
  });
  return [...all, ...(await trainedOn("a tenth of the weights", example, Object.fromEntries(sparse))), ...thin];
}

if (isMain(import.meta.url)) {
  const found = await compressed(3000);
  const [{ accuracy: most } = { accuracy: Number.NaN }] = found;
  console.log(
    table(
      [
        "",
        "weights not 0",
        "FLOPs an image",
        "bytes",
        "gzipped",
        "before training on",
        "held out",
        "against the whole",
      ],
      found.map(({ name, weights, flops, bytes, gzipped, before, accuracy }) => [
        name,
        whole(weights),
        million(flops),
        whole(bytes),
        whole(gzipped),
        before === undefined ? "" : percent(before),
        percent(accuracy),
        `${accuracy < most ? "" : "+"}${(100 * (accuracy - most)).toFixed(2)}`,
      ]),
    ),
  );
}
