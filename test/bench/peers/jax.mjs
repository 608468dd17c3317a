/** LeNet's training step in jax-js on its wasm backend, jitted as a whole. */
import { defaultDevice, init, jit, lax, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";

const pool = (x) => {
  const [n, c, h, w] = x.shape;
  return np.max(x.reshape([n, c, h / 2, 2, w / 2, 2]), [3, 5]);
};
const affine = (x, weight, bias) => np.matmul(x, np.transpose(weight)).add(bias);
const bias = (y, b) => y.add(b.reshape([1, b.shape[0], 1, 1]));

function loss(p, image, target) {
  const squares = Object.values(p).map((w) => w.ref.mul(w.ref).sum());
  let h = nn.relu(
    bias(
      lax.convGeneralDilated(
        image,
        p.conv1w.ref,
        [1, 1],
        [
          [2, 2],
          [2, 2],
        ],
      ),
      p.conv1b.ref,
    ),
  );
  h = pool(h);
  h = pool(nn.relu(bias(lax.convGeneralDilated(h, p.conv2w.ref, [1, 1], "VALID"), p.conv2b.ref)));
  h = h.reshape([h.shape[0], 400]);
  h = nn.relu(affine(h, p.dense1w.ref, p.dense1b.ref));
  h = nn.relu(affine(h, p.dense2w.ref, p.dense2b.ref));
  const logits = affine(h, p.dense3w.ref, p.dense3b.ref);
  const nll = nn
    .logSoftmax(logits)
    .mul(target)
    .sum()
    .mul(-1 / image.shape[0]);
  tree.dispose(p);
  return squares
    .reduce((a, b) => a.add(b))
    .mul(1e-4)
    .add(nll);
}

export async function prepare(weights, images, labels) {
  await init("wasm");
  defaultDevice("wasm");
  const batch = labels.length;
  let params = Object.fromEntries(
    Object.entries(weights).map(([k, { data, shape }]) => [k, np.array(data).reshape(shape)]),
  );
  let velocity = Object.fromEntries(Object.entries(weights).map(([k, { shape }]) => [k, np.zeros(shape)]));
  const image = np.array(images).reshape([batch, 1, 28, 28]);
  const target = nn.oneHot(np.array(Int32Array.from(labels), { dtype: np.int32 }), 10);
  const update = jit((p, v, x, t) => {
    const [value, g] = valueAndGrad(loss)(tree.ref(p), x, t);
    const nextVelocity = tree.map((a, b) => a.mul(0.9).add(b), v, g);
    const nextParams = tree.map((a, b) => a.sub(b.mul(0.01)), p, tree.ref(nextVelocity));
    return [value, nextParams, nextVelocity];
  });
  return {
    name: "jax-js wasm",
    async step() {
      const [value, p, v] = update(params, velocity, image.ref, target.ref);
      params = p;
      velocity = v;
      for (const leaf of Object.values(params)) await leaf.blockUntilReady();
      return (await value.data())[0];
    },
  };
}
