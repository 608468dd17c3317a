/**
 * LeNet's training step in TensorFlow.js on its wasm backend. That backend lacks the gradients of a convolution's filter and
 * of max-pooling; both are written here, against its own heap.
 */
import { createRequire } from "node:module";
import { dirname } from "node:path";

// Through CommonJS: these packages' ES modules leave out the extensions that Node asks for.
const require = createRequire(import.meta.url);
const tf = require("@tensorflow/tfjs");
const { setThreadsCount, setWasmPaths } = require("@tensorflow/tfjs-backend-wasm");

/** Gathers the patches of NHWC images into one matrix, whose product with dy is the filter's gradient. */
function filterGradient({ inputs: { x, dy }, backend, attrs: { strides, pad, filterShape } }) {
  const [kh, kw, inChannels, outChannels] = filterShape;
  const stride = typeof strides === "number" ? strides : strides[0];
  if (stride !== 1 || typeof pad !== "number") throw new Error("only stride 1 with a number for padding is written");
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
            const row = i + p - pad;
            const column = j + q - pad;
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

export async function prepare(weights, images, labels) {
  setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  setThreadsCount(1);
  await tf.setBackend("wasm");
  await tf.ready();
  for (const [kernelName, kernelFunc] of Object.entries(written)) {
    if (!tf.getKernel(kernelName, "wasm")) tf.registerKernel({ kernelName, backendName: "wasm", kernelFunc });
  }
  const batch = labels.length;
  const variables = Object.fromEntries(
    Object.entries(weights).map(([name, { data, shape }]) => {
      const tensor = tf.tensor(data, shape);
      const laidOut =
        shape.length === 4 ? tf.transpose(tensor, [2, 3, 1, 0]) : shape.length === 2 ? tf.transpose(tensor) : tensor;
      return [name, tf.variable(laidOut)];
    }),
  );
  const p = variables;
  const image = tf.transpose(tf.tensor(images, [batch, 1, 28, 28]), [0, 2, 3, 1]);
  const target = tf.cast(tf.oneHot(tf.tensor1d(labels, "int32"), 10), "float32");
  const loss = () => {
    let h = tf.maxPool(tf.relu(tf.add(tf.conv2d(image, p.conv1w, 1, 2), p.conv1b)), 2, 2, 0);
    h = tf.maxPool(tf.relu(tf.add(tf.conv2d(h, p.conv2w, 1, 0), p.conv2b)), 2, 2, 0);
    h = tf.reshape(tf.transpose(h, [0, 3, 1, 2]), [batch, 400]);
    h = tf.relu(tf.add(tf.matMul(h, p.dense1w), p.dense1b));
    h = tf.relu(tf.add(tf.matMul(h, p.dense2w), p.dense2b));
    const logits = tf.add(tf.matMul(h, p.dense3w), p.dense3b);
    const nll = tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), target), 1)));
    const squares = Object.values(p).map((w) => tf.sum(tf.square(w)));
    return tf.add(nll, tf.mul(1e-4, tf.addN(squares)));
  };
  const velocity = Object.fromEntries(Object.entries(p).map(([name, v]) => [name, tf.zerosLike(v)]));
  return {
    name: "TensorFlow.js wasm",
    async step() {
      const { value, grads } = tf.variableGrads(loss);
      tf.tidy(() => {
        for (const [name, variable] of Object.entries(p)) {
          const next = tf.keep(tf.add(tf.mul(velocity[name], 0.9), grads[variable.name]));
          velocity[name].dispose();
          velocity[name] = next;
          variable.assign(tf.sub(variable, tf.mul(next, 0.01)));
        }
      });
      tf.dispose(grads);
      const result = value.dataSync()[0];
      value.dispose();
      return result;
    },
  };
}
