/**
 * TensorFlow.js on its wasm or cpu backend, images in NHWC. The wasm backend lacks the gradients of a convolution's filter and
 * of max-pooling; both are written here, against its own heap.
 */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { readers } from "./job.mjs";

// Through CommonJS: these packages' ES modules leave out the extensions that Node asks for.
const require = createRequire(import.meta.url);
const tf = require("@tensorflow/tfjs");

/** Gathers the patches of NHWC images into one matrix, whose product with dy is the filter's gradient. */
function filterGradient({ inputs: { x, dy }, backend, attrs: { strides, pad, filterShape } }) {
  const [kh, kw, inChannels, outChannels] = filterShape;
  const stride = typeof strides === "number" ? strides : strides[0];
  if (typeof pad !== "number") throw new Error("only a number for padding is written");
  const [n, h, w] = x.shape;
  const [, oh, ow] = dy.shape;
  const width = kh * kw * inChannels;
  const patches = backend.makeOutput([n * oh * ow, width], "float32");
  const to = backend.typedArrayFromHeap(patches);
  const from = backend.typedArrayFromHeap(x);
  let at = 0;
  for (let image = 0; image < n; image++)
    for (let i = 0; i < oh; i++)
      for (let j = 0; j < ow; j++)
        for (let p = 0; p < kh; p++)
          for (let q = 0; q < kw; q++) {
            const row = i * stride + p - pad;
            const column = j * stride + q - pad;
            const inside = row >= 0 && row < h && column >= 0 && column < w;
            const base = ((image * h + row) * w + column) * inChannels;
            for (let c = 0; c < inChannels; c++) to[at++] = inside ? from[base + c] : 0;
          }
  const engine = tf.engine();
  const left = engine.makeTensorFromTensorInfo(patches);
  const product = tf.tidy(() =>
    tf.reshape(tf.matMul(left, tf.reshape(dy, [n * oh * ow, outChannels]), true), filterShape),
  );
  left.dispose();
  return product;
}

/** The gradient of 2 x 2 pooling in NHWC goes to each window's first maximum. */
function poolGradient({ inputs: { dy, input }, backend, attrs: { filterSize, strides } }) {
  const size = typeof filterSize === "number" ? filterSize : filterSize[0];
  if (size !== (typeof strides === "number" ? strides : strides[0]))
    throw new Error("only windows side by side are written");
  const [n, h, w, c] = input.shape;
  const dx = backend.makeOutput(input.shape, "float32");
  const to = backend.typedArrayFromHeap(dx).fill(0);
  const x = backend.typedArrayFromHeap(input);
  const g = backend.typedArrayFromHeap(dy);
  let at = 0;
  for (let image = 0; image < n; image++)
    for (let i = 0; i + size <= h; i += size)
      for (let j = 0; j + size <= w; j += size)
        for (let channel = 0; channel < c; channel++) {
          let best = -1;
          for (let p = 0; p < size; p++)
            for (let q = 0; q < size; q++) {
              const place = ((image * h + i + p) * w + j + q) * c + channel;
              if (best < 0 || x[place] > x[best]) best = place;
            }
          to[best] += g[at++];
        }
  return dx;
}
const written = { Conv2DBackpropFilter: filterGradient, MaxPoolGrad: poolGradient };

const optimizers = { momentum: () => tf.train.momentum(0.01, 0.9), adam: () => tf.train.adam(0.001, 0.9, 0.999, 1e-8) };

/** Filters as HWIO, matrices as [in, out]; a matrix behind `flatten` takes its rows in the order of NHWC. */
function laidOut(operations, weights) {
  const tensors = weights.map(({ data, shape }) => tf.tensor(data, shape));
  let channels;
  for (const { op, weight, x } of operations) {
    const given = tensors[weight];
    if (op === "conv2d") {
      channels = given.shape[0];
      tensors[weight] = tf.transpose(given, [2, 3, 1, 0]);
    } else if (op === "dense") {
      const [out, width] = given.shape;
      const flat = operations[x - 1]?.op === "flatten";
      const split = flat ? tf.reshape(given, [out, channels, width / channels]) : tf.reshape(given, [out, 1, width]);
      tensors[weight] = tf.reshape(tf.transpose(split, [2, 1, 0]), [width, out]);
    }
  }
  return tensors;
}

/**
 * The network as a function of an NHWC image: bias and relu in one kernel with what they follow. For prediction batch-norm is
 * folded into the convolution before it, as TensorFlow's converter does.
 */
function network(operations, p, training) {
  const counts = readers(operations);
  const steps = [];
  const follows = (k, op) => operations[k]?.op === op && operations[k].x === k && counts[k] === 1;
  for (let k = 0; k < operations.length; k++) {
    const { op, x, y, weight, bias, stride, padding, kernel } = operations[k];
    let [filter, offset] = [p[weight], p[bias]];
    if (op === "conv2d" && !training && follows(k + 1, "batch_norm")) {
      k++;
      const [gamma, beta, mean, variance] = p.slice(operations[k].weight, operations[k].weight + 4);
      const scale = tf.div(gamma, tf.sqrt(tf.add(variance, 1e-5)));
      filter = tf.mul(filter, scale);
      offset = tf.sub(beta, tf.mul(mean, scale));
    }
    const fuses = (op === "conv2d" || op === "dense") && follows(k + 1, "relu");
    if (fuses) k++;
    const activation = fuses ? "relu" : "linear";
    const run = {
      conv2d: (h) => tf.fused.conv2d({ x: h, filter, strides: stride, pad: padding, bias: offset, activation }),
      dense: (h) => tf.fused.matMul({ a: h, b: filter, bias: offset, activation }),
      batch_norm: (h) => {
        const moments = training ? tf.moments(h, [0, 1, 2]) : { mean: p[weight + 2], variance: p[weight + 3] };
        return tf.batchNorm(h, moments.mean, moments.variance, p[weight + 1], p[weight], 1e-5);
      },
      relu: tf.relu,
      flatten: (h) => tf.reshape(h, [h.shape[0], -1]),
      global_avg_pool: (h) => tf.mean(h, [1, 2]),
      max_pool: (h) => tf.maxPool(h, kernel, stride, padding),
      add: tf.add,
    }[op];
    steps.push({ run, x, y, result: k + 1 });
  }
  return (image) => {
    const values = [image];
    for (const { run, x, y, result } of steps)
      values[result] = y === undefined ? run(values[x]) : run(values[x], values[y]);
    return values[operations.length];
  };
}

const kernels = {
  matmul: (a, b) => tf.matMul(a, b),
  chain: (x) => tf.mul(tf.sub(tf.mul(tf.maximum(tf.add(tf.mul(x, 1.5), 0.25), 0), x), x), 0.5),
  softmax: (x) => tf.softmax(x),
  layer_norm: (x, gamma, beta) => {
    const { mean, variance } = tf.moments(x, -1, true);
    return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), gamma), beta);
  },
};

async function start(backend) {
  if (backend === "wasm") {
    const { setThreadsCount, setWasmPaths } = require("@tensorflow/tfjs-backend-wasm");
    setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
    setThreadsCount(1);
  }
  await tf.setBackend(backend);
  await tf.ready();
  for (const [kernelName, kernelFunc] of Object.entries(written)) {
    if (!tf.getKernel(kernelName, backend)) tf.registerKernel({ kernelName, backendName: backend, kernelFunc });
  }
}

export async function prepare({ mode, operations, optimizer, kernel, inputs, weights }, { backend }) {
  await start(backend);
  if (mode === "kernel") {
    const given = inputs.map(({ data, shape }) => tf.tensor(data, shape));
    let result;
    return {
      async step() {
        result?.dispose();
        result = tf.tidy(() => kernels[kernel](...given));
      },
      output: () => result.data(),
    };
  }
  const [{ shape, data }, label] = inputs;
  // What a caller of TensorFlow.js holds is in its layout.
  const nhwc = shape.length === 4 ? [shape[0], shape[2], shape[3], shape[1]] : shape;
  const pixels = tf.tidy(() =>
    shape.length === 4 ? tf.transpose(tf.tensor(data, shape), [0, 2, 3, 1]).dataSync() : data,
  );
  const imageOf = () => tf.tensor(pixels, nhwc);
  if (mode === "predict") {
    const run = network(operations, laidOut(operations, weights), false);
    return {
      async step() {
        const result = tf.tidy(() => run(imageOf()));
        const values = await result.data();
        result.dispose();
        return values;
      },
    };
  }
  const tensors = laidOut(operations, weights);
  const frozen = new Set(operations.flatMap(({ op, weight }) => (op === "batch_norm" ? [weight + 2, weight + 3] : [])));
  const p = tensors.map((tensor, k) => (frozen.has(k) ? tensor : tf.variable(tensor)));
  const run = network(operations, p, true);
  const optimiser = optimizers[optimizer]();
  return {
    async step() {
      const loss = tf.tidy(() =>
        optimiser.minimize(() => {
          const target = tf.oneHot(tf.tensor1d(label.data, "int32"), 10);
          return tf.losses.softmaxCrossEntropy(target, run(imageOf()));
        }, true),
      );
      const [value] = await loss.data();
      loss.dispose();
      return value;
    },
  };
}
