/**
 * LeNet's training step at batch 64 on one thread of WebAssembly, beside TensorFlow.js and jax-js: the same weights and
 * images, losses that have to agree, rounds interleaved, medians.
 *
 *     npm --prefix test/bench install --ignore-scripts && npm run bench:lenet
 */
import { readFileSync } from "node:fs";
import { fileLoader } from "../../compiler/cli/library.ts";
import { compile } from "../../compiler/compile.ts";
import { openWasm } from "../../runtime/bundle.ts";
import { writeSafetensors } from "../../runtime/safetensors.ts";
import { openSession } from "../../runtime/session.ts";

const BATCH = 64;
const WARMUP = 25;
const ROUNDS = Number(process.env.ROUNDS ?? 40);

interface Contender {
  readonly name: string;
  step(): Promise<number>;
}
type Weights = Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>;

let state = 1;
function uniform(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}
const shapes: Readonly<Record<string, readonly number[]>> = {
  conv1w: [6, 1, 5, 5],
  conv1b: [6],
  conv2w: [16, 6, 5, 5],
  conv2b: [16],
  dense1w: [120, 400],
  dense1b: [120],
  dense2w: [84, 120],
  dense2b: [84],
  dense3w: [10, 84],
  dense3b: [10],
};
const paths: Readonly<Record<string, string>> = {
  conv1w: "conv2d_1.weight",
  conv1b: "conv2d_1.bias",
  conv2w: "conv2d_2.weight",
  conv2b: "conv2d_2.bias",
  dense1w: "dense_1.weight",
  dense1b: "dense_1.bias",
  dense2w: "dense_2.weight",
  dense2b: "dense_2.bias",
  dense3w: "dense_3.weight",
  dense3b: "dense_3.bias",
};
const weights: Weights = Object.fromEntries(
  Object.entries(shapes).map(([name, shape]) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const bound = shape.length > 1 ? Math.sqrt((6 * (shape[0] ?? 1)) / count) : 0;
    return [name, { shape, data: Float32Array.from({ length: count }, () => bound * (2 * uniform() - 1)) }];
  }),
);
const images = Float32Array.from({ length: BATCH * 784 }, uniform);
const labels = Int32Array.from({ length: BATCH }, (_, k) => k % 10);

/** The same update as the peers': momentum 0.9, rate 0.01, 1e-4 times the sum of squares. */
const source = readFileSync(new URL("../../examples/lenet/model.dlx", import.meta.url), "utf8").replace(
  /using momentum\(.*\)/,
  "using momentum(lr: 0.01, beta: 0.9)",
);

async function ours(relaxed: boolean): Promise<Contender> {
  const file = "examples/lenet/model.dlx";
  const { compiled } = compile({ file, text: source }, fileLoader(file), { targets: ["wasm"] });
  if (!compiled) throw new Error("the example does not compile");
  const { manifest } = compiled;
  const read = async (name: string) =>
    (name === manifest.wasm?.relaxed ? compiled.relaxed : compiled.wasm) ?? new Uint8Array();
  const plain = {
    ...manifest,
    wasm: manifest.wasm && { ...manifest.wasm, ...(relaxed ? {} : { relaxed: undefined }) },
  };
  const stored = Object.entries(weights).map(
    ([name, { shape, data }]) => [`LeNet.${paths[name]}`, { dtype: "f32" as const, shape, data }] as const,
  );
  const net = await openSession(
    {
      manifest: plain as typeof manifest,
      read,
      open: { cpu: (options) => openWasm(plain as typeof manifest, read, options) },
    },
    { weights: writeSafetensors(stored), relaxedSimd: relaxed },
  );
  return {
    name: relaxed ? "dlx wasm, relaxed SIMD" : "dlx wasm",
    step: async () => Number((await net.trainStep({ image: images, label: labels })).loss),
  };
}

async function peer(name: string): Promise<Contender> {
  const module: { prepare(weights: Weights, images: Float32Array, labels: Int32Array): Promise<Contender> } =
    await import(`./peers/${name}.mjs`);
  return module.prepare(weights, images, labels);
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const contenders = [await ours(false), await ours(true), await peer("tensorflow"), await peer("jax")];
const losses = contenders.map((): number[] => []);
const times = contenders.map((): number[] => []);
for (let round = 0; round < WARMUP + ROUNDS; round++) {
  for (const [k, contender] of contenders.entries()) {
    // jax-js takes long enough that fewer rounds tell as much.
    if (k === 3 && round >= 5 && round % 8 !== 0) continue;
    const start = performance.now();
    const loss = await contender.step();
    if (round >= WARMUP || (k === 3 && round >= 3)) times[k]?.push(performance.now() - start);
    losses[k]?.push(loss);
  }
}
const reference = losses[2] ?? [];
for (const [k, list] of losses.entries()) {
  const apart = Math.max(...list.slice(0, 5).map((loss, step) => Math.abs(loss - (reference[step] ?? Number.NaN))));
  if (!(apart < 1e-3)) throw new Error(`${contenders[k]?.name}: losses differ by ${apart}`);
}
const base = median(times[0] ?? []);
console.log(`LeNet training step, batch ${BATCH}, one thread, Node ${process.version}\n`);
console.log("                          median ms   minimum   times dlx wasm");
for (const [k, contender] of contenders.entries()) {
  const list = times[k] ?? [];
  console.log(
    `${contender.name.padEnd(24)} ${median(list).toFixed(2).padStart(10)} ${Math.min(...list)
      .toFixed(2)
      .padStart(9)} ${(median(list) / base).toFixed(2).padStart(16)}`,
  );
}
process.exit(0);
