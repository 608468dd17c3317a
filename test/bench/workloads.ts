/** What is measured: the workloads, who takes part, and how fast dlx has to be. */
import type { networks } from "./networks.ts";

export type PeerName =
  | "PyTorch"
  | "onnxruntime-node"
  | "onnxruntime-web"
  | "TensorFlow.js"
  | "TensorFlow.js cpu"
  | "jax-js";
export const variants = ["dlx", "dlx plain", "dlx 2 threads", "dlx winograd", "dlx winograd plain"] as const;
export type Variant = (typeof variants)[number];
/** What one core can do at most, measured in turn with the others. */
export const peaks = ["peak", "peak plain"] as const;
export type Peak = (typeof peaks)[number];

/** A bound on one contender's time over another's, or on its share of the measured peak. */
export type Bar =
  | { readonly of: Variant; readonly against: readonly (PeerName | Variant | "empty Node")[]; readonly ratio: number }
  | { readonly of: Variant; readonly ofPeak: number };

interface Common {
  readonly name: string;
  /** Of `models/`, without the ending. */
  readonly model: string;
  readonly variants: readonly Variant[];
  readonly peers: readonly PeerName[];
  readonly bars: readonly Bar[];
}
export interface NetworkWorkload extends Common {
  readonly mode: "train" | "predict";
  readonly network: keyof typeof networks;
  readonly batch: number;
  readonly block?: string;
  readonly optimizer?: "momentum" | "adam";
  /** Whole processes are measured, from their start to the first result. */
  readonly start?: boolean;
}
export interface KernelWorkload extends Common {
  readonly mode: "kernel";
}
export type Workload = NetworkWorkload | KernelWorkload;

/** The bars of a whole step: fused multiply-add, and 1.4 times as much without it. */
const whole = (peer: PeerName, ratio: number): Bar[] => [
  { of: "dlx", against: [peer], ratio },
  { of: "dlx plain", against: [peer], ratio: 1.4 * ratio },
];
const threads: Bar = { of: "dlx 2 threads", against: ["dlx"], ratio: 1 / 1.7 };

const winograd: readonly Bar[] = [
  { of: "dlx winograd", against: ["PyTorch"], ratio: 1.4 },
  { of: "dlx winograd plain", against: ["PyTorch"], ratio: 1.4 * 1.4 },
];

const both: readonly Variant[] = ["dlx", "dlx plain", "dlx 2 threads"];
const teachers: readonly PeerName[] = ["PyTorch", "TensorFlow.js", "jax-js"];
const predictors: readonly PeerName[] = ["PyTorch", "onnxruntime-node", "onnxruntime-web", "TensorFlow.js", "jax-js"];

const train = (
  title: string,
  network: NetworkWorkload["network"],
  batch: number,
  bars: readonly Bar[],
  more: Partial<NetworkWorkload> = {},
): Workload => ({
  name: `train ${title}, batch ${batch}${more.block ? `, ${more.optimizer ?? "momentum"}` : ""}`,
  mode: "train",
  model: network,
  network,
  batch,
  optimizer: "momentum",
  variants: both,
  peers: teachers,
  bars,
  ...more,
});
const predict = (
  title: string,
  network: NetworkWorkload["network"],
  batch: number,
  bars: readonly Bar[],
  more: Partial<NetworkWorkload> = {},
): Workload => ({
  name: more.start ? "start of process to first LeNet prediction" : `predict ${title}, batch ${batch}`,
  mode: "predict",
  model: network,
  network,
  batch,
  variants: both,
  peers: predictors,
  bars,
  ...more,
});
const kernel = (name: string, model: string, bars: readonly Bar[]): Workload => ({
  name,
  mode: "kernel",
  model,
  variants: ["dlx", "dlx plain"],
  peers: predictors,
  bars,
});

const mlp = "MLP 784-512-256-10";
const small: Partial<NetworkWorkload> = { peers: [...predictors, "TensorFlow.js cpu"] };
const single = (peers: readonly PeerName[], ratio: number): Bar[] => [{ of: "dlx", against: peers, ratio }];

export const workloads: readonly Workload[] = [
  train(mlp, "mlp", 64, whole("jax-js", 0.6), { block: "momentum_fit" }),
  train(mlp, "mlp", 64, whole("jax-js", 0.6), { block: "adam_fit", optimizer: "adam" }),
  train("LeNet", "lenet", 64, whole("PyTorch", 0.75)),
  train("LeNet", "lenet", 8, whole("PyTorch", 0.35)),
  train("ResNet-20", "resnet20", 32, [...whole("PyTorch", 1.75), ...winograd, threads], {
    variants: [...both, "dlx winograd", "dlx winograd plain"],
  }),
  predict(mlp, "mlp", 1, whole("onnxruntime-web", 0.8), small),
  predict(mlp, "mlp", 64, whole("TensorFlow.js", 0.6), small),
  predict("LeNet", "lenet", 1, whole("onnxruntime-web", 0.45), small),
  predict("LeNet", "lenet", 64, whole("TensorFlow.js", 0.5), small),
  predict("ResNet-20", "resnet20", 1, whole("TensorFlow.js", 0.5)),
  predict("ResNet-20", "resnet20", 32, whole("TensorFlow.js", 0.5)),
  predict("ResNet-18 224 x 224", "resnet18", 1, [...whole("TensorFlow.js", 0.45), threads]),
  kernel("matmul 1024 x 1024 x 1024", "matmul", [
    { of: "dlx plain", ofPeak: 0.85 },
    { of: "dlx", ofPeak: 0.8 },
  ]),
  kernel("chain of 6 elementwise operations, 4M floats", "chain", single(["jax-js"], 0.5)),
  kernel("softmax [4096, 1000]", "softmax", single(["TensorFlow.js"], 0.5)),
  kernel("layer_norm [4096, 1024]", "layer_norm", single(["onnxruntime-web", "TensorFlow.js", "jax-js"], 0.15)),
  predict("LeNet", "lenet", 1, [{ of: "dlx plain", against: ["empty Node"], ratio: 1.5 }], {
    start: true,
    variants: ["dlx", "dlx plain"],
  }),
];

/** Bytes of a kernel module, gzipped, at most. */
export const moduleSizes = [
  { name: "LeNet, prediction", model: "lenet", train: false, most: 12 * 1024 },
  { name: "LeNet with training", model: "lenet", train: true, most: 25 * 1024 },
];
