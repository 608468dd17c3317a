// One life of the LeNet bundle, the same in Node and in a page: drawn weights, predictions at several batch sizes, twenty
// steps of training, an exported function. Answers plain data.
export async function liveLeNet(load, device) {
  const net = await load({ device, weights: "random", seed: 7 });
  const drawn = await digest(tensorsOf(await net.saveWeights()));
  const { images, labels } = digits(100);
  const predictions = {};
  const predict = async (count) => [...(await net.predict({ image: images.slice(0, count * 784) })).output];
  for (const count of [1, 3, 64, 100]) predictions[count] = await predict(count);
  const { batch } = net.train.lenet;
  const losses = [];
  for (let step = 0; step < 20; step++) {
    const from = (step * batch) % 12;
    const image = images.slice(from * 784, (from + batch) * 784);
    const { loss } = await net.trainStep({ image, label: labels.slice(from, from + batch), peak: 0.1 });
    losses.push(loss);
  }
  const evaluated = await net.evaluate({ image: images.slice(0, 12 * 784), label: labels.slice(0, 12) });
  const trained = await predict(3);
  const { output } = await net.call.saliency({ image: images.slice(0, 784), class: 3 });
  const result = { device: net.device, drawn, predictions, losses, evaluated, trained, saliency: [...output] };
  net.dispose();
  return result;
}

/** The data of a safetensors file: its header says on which device it was made. */
const tensorsOf = (file) => file.slice(8 + new DataView(file.buffer, file.byteOffset).getUint32(0, true));

async function digest(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Ten kinds of blots, each with its own two strokes and some noise. */
function digits(count) {
  const images = new Float32Array(count * 784);
  const labels = new Int32Array(count);
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  for (let n = 0; n < count; n++) {
    const digit = n % 10;
    labels[n] = digit;
    for (let y = 0; y < 28; y++)
      for (let x = 0; x < 28; x++) {
        const across = Math.abs(y - 4 - 2 * digit) < 2;
        const along = Math.abs(x - 24 + 2 * digit) < 2;
        images[n * 784 + y * 28 + x] = (across || along ? 0.8 : 0) + 0.2 * random();
      }
  }
  return { images, labels };
}

/** A few steps of a classifier of points, whatever its only train block and main model are called. */
export async function livePoints(load, device) {
  const net = await load({ device, weights: "random", seed: 2 });
  const x = Float32Array.from({ length: 32 }, (_, k) => Math.sin(1.7 * k));
  const label = Int32Array.from({ length: 16 }, (_, k) => k % 3);
  const losses = [];
  for (let step = 0; step < 5; step++) losses.push((await net.trainStep({ x, label })).loss);
  const { output } = await net.predict({ x: x.slice(0, 10) });
  const { device: got } = net;
  net.dispose();
  return { device: got, losses, output: [...output] };
}

/** What the shipped weights say of four small images in two channels. */
export async function livePredictions(load, device) {
  const net = await load({ device });
  const { output } = await net.predict({ x: Float32Array.from({ length: 4 * 72 }, (_, k) => Math.sin(1.3 * k)) });
  net.dispose();
  return [...output];
}
