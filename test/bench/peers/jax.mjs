/**
 * jax-js on its wasm backend, jitted as a whole. Images are in NHWC and a convolution is a product with the gathered patches:
 * measured here, `lax.convGeneralDilated` is seven times slower.
 */
import { defaultDevice, init, jit, lax, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { readers } from "./job.mjs";

const rates = { momentum: 0.01, adam: 0.001 };
const mean = (x, axes) => np.mean(x, axes, { keepdims: true });

/** x minus its mean over `axes`, over its standard deviation. */
function standardized(x, axes) {
  const centred = x.ref.sub(mean(x, axes));
  const variance = mean(centred.ref.mul(centred.ref), axes);
  return centred.div(np.sqrt(variance.add(1e-5)));
}

/** [n, oh, ow, in] patches with `weight`, [kernel height, kernel width, in, out]. */
function convolution(x, weight, stride, padding) {
  const [n, h, w, c] = x.shape;
  const [kh, kw, , out] = weight.shape;
  const around = [padding, padding];
  const [oh, ow] = [Math.floor((h + 2 * padding - kh) / stride) + 1, Math.floor((w + 2 * padding - kw) / stride) + 1];
  const padded = padding > 0 ? np.pad(x, [[0, 0], around, around, [0, 0]]) : x;
  const patches = [];
  for (let p = 0; p < kh; p++)
    for (let q = 0; q < kw; q++) {
      const part = padded.ref.slice([], [p, p + oh * stride], [q, q + ow * stride], []);
      patches.push(stride === 1 ? part : part.reshape([n, oh, stride, ow, stride, c]).slice([], [], 0, [], 0, []));
    }
  padded.dispose();
  const gathered = patches.length > 1 ? np.concatenate(patches, 3) : patches[0];
  const columns = gathered.reshape([n * oh * ow, kh * kw * c]);
  return np.matmul(columns, weight.reshape([kh * kw * c, out])).reshape([n, oh, ow, out]);
}

/** Filters as [height, width, in, out]; a matrix behind `flatten` takes its columns in the order of NHWC. */
function laidOut(operations, weights) {
  const arrays = weights.map(arrayOf);
  let channels;
  for (const { op, weight, x } of operations) {
    const given = arrays[weight];
    if (op === "conv2d") {
      channels = given.shape[0];
      arrays[weight] = np.transpose(given, [2, 3, 1, 0]);
    } else if (op === "dense" && operations[x - 1]?.op === "flatten") {
      const [out, width] = given.shape;
      const split = given.reshape([out, channels, width / channels]);
      arrays[weight] = np.transpose(split, [0, 2, 1]).reshape([out, width]);
    }
  }
  return arrays;
}

/** What the network makes of an image, from weights whose references it takes. Training leaves out the running statistics. */
function network(operations, training) {
  const counts = readers(operations);
  return (p, image) => {
    const left = [...counts];
    const values = [image];
    const take = (k) => (--left[k] > 0 ? values[k].ref : values[k]);
    for (const { op, x, y, weight, bias, stride, padding, kernel } of operations) {
      const input = take(x);
      switch (op) {
        case "conv2d": {
          const z = convolution(input, p[weight], stride, padding);
          values.push(bias === undefined ? z : z.add(p[bias]));
          break;
        }
        case "batch_norm": {
          const [gamma, beta, centre, variance] = p.slice(weight, weight + 4);
          if (training) {
            tree.dispose([centre, variance]);
            values.push(standardized(input, [0, 1, 2]).mul(gamma).add(beta));
          } else {
            const scale = gamma.div(np.sqrt(variance.add(1e-5)));
            values.push(input.sub(centre).mul(scale).add(beta));
          }
          break;
        }
        case "dense":
          values.push(np.matmul(input, np.transpose(p[weight])).add(p[bias]));
          break;
        case "relu":
          values.push(nn.relu(input));
          break;
        case "flatten":
          values.push(input.reshape([input.shape[0], -1]));
          break;
        case "global_avg_pool":
          values.push(np.mean(input, [1, 2]));
          break;
        case "max_pool":
          values.push(maxPool(input, kernel, stride, padding));
          break;
        case "add":
          values.push(input.add(take(y)));
          break;
        default:
          throw new Error(op);
      }
    }
    return values.at(-1);
  };
}

/** Windows side by side are a reshape, which is several times faster than the general case. */
function maxPool(x, kernel, stride, padding) {
  const [n, h, w, c] = x.shape;
  if (kernel === stride && padding === 0)
    return np.max(x.reshape([n, h / kernel, kernel, w / kernel, kernel, c]), [2, 4]);
  const around = [padding, padding];
  // Behind relu, where zeros are the least.
  const padded = np.pad(np.transpose(x, [0, 3, 1, 2]), [[0, 0], [0, 0], around, around]);
  const pooled = lax.reduceWindow(padded, (window) => np.max(window), [kernel, kernel], [stride, stride]);
  return np.transpose(pooled, [0, 2, 3, 1]);
}

const kernels = {
  matmul: (a, b) => np.matmul(a, b),
  chain: (x) => np.maximum(x.ref.mul(1.5).add(0.25), 0).mul(x.ref).sub(x).mul(0.5),
  softmax: (x) => nn.softmax(x, -1),
  layer_norm: (x, gamma, beta) => standardized(x, [-1]).mul(gamma).add(beta),
};

/** New weights and optimizer state; `state` is `{m, v, t}` for adam and `{m}` for momentum. */
const updates = {
  momentum(p, g, { m }) {
    const next = tree.map((a, b) => a.mul(0.9).add(b), m, g);
    return [tree.map((a, b) => a.sub(b.mul(rates.momentum)), p, tree.ref(next)), { m: next }];
  },
  adam(p, g, { m, v, t }) {
    const count = t.add(1);
    const first = tree.map((a, b) => a.mul(0.9).add(b.mul(0.1)), m, tree.ref(g));
    const second = tree.map((a, b) => a.mul(0.999).add(b.ref.mul(b).mul(0.001)), v, g);
    const one = np.array(1).sub(np.power(0.9, count.ref));
    const two = np.array(1).sub(np.power(0.999, count.ref));
    const next = tree.map(
      (w, a, b) =>
        w.sub(
          a
            .div(one.ref)
            .mul(rates.adam)
            .div(np.sqrt(b.div(two.ref)).add(1e-8)),
        ),
      p,
      tree.ref(first),
      tree.ref(second),
    );
    tree.dispose([one, two]);
    return [next, { m: first, v: second, t: count }];
  },
};

const arrayOf = ({ data, shape }) => np.array(data).reshape(shape);

export async function prepare({ mode, operations, optimizer, kernel, inputs, weights }) {
  await init("wasm");
  defaultDevice("wasm");
  if (mode === "kernel") {
    const run = jit(kernels[kernel]);
    const given = inputs.map(arrayOf);
    let result;
    return {
      async step() {
        result?.dispose();
        result = run(...given.map((each) => each.ref));
        await result.blockUntilReady();
      },
      output: () => result.ref.data(),
    };
  }
  const [image, label] = inputs;
  let p = laidOut(operations, weights);
  // What a caller holds is in this layout.
  const nhwc = image.shape.length === 4 ? np.transpose(arrayOf(image), [0, 2, 3, 1]) : arrayOf(image);
  const { shape } = nhwc;
  const pixels = await nhwc.data();
  const imageOf = () => np.array(pixels).reshape(shape);
  if (mode === "predict") {
    const run = jit(network(operations, false));
    return { step: async () => run(tree.ref(p), imageOf()).data() };
  }
  const forward = network(operations, true);
  const lossOf = (p, x, target) => {
    const rows = x.shape[0];
    return nn
      .logSoftmax(forward(p, x))
      .mul(target)
      .sum()
      .mul(-1 / rows);
  };
  const update = jit((p, state, x, target) => {
    const [loss, g] = valueAndGrad(lossOf)(tree.ref(p), x, target);
    const [next, nextState] = updates[optimizer](p, g, state);
    return [loss, next, nextState];
  });
  const zeros = () => p.map((each) => np.zeros(each.shape));
  let state = optimizer === "adam" ? { m: zeros(), v: zeros(), t: np.array(0) } : { m: zeros() };
  const rows = label.shape[0];
  const oneHot = new Float32Array(rows * 10);
  for (let k = 0; k < rows; k++) oneHot[k * 10 + label.data[k]] = 1;
  return {
    async step() {
      const [loss, next, nextState] = update(p, state, imageOf(), np.array(oneHot).reshape([rows, 10]));
      p = next;
      state = nextState;
      for (const leaf of p) await leaf.blockUntilReady();
      return (await loss.data())[0];
    },
  };
}
