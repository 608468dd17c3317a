/**
 * `npm run demo`: LeNet from source to a bundle that predicts. Trains on 8,000 real digits, evaluates on 2,000 held out,
 * builds the bundle and lets the bundle, which imports nothing of dlx, predict them.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Digits, writeDigits } from "./digits.ts";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const work = join(root, ".cache", "demo");
const path = (name: string) => relative(root, join(work, name));
const PIXELS = 28 * 28;

function dlx(...parameters: string[]): string {
  console.log(`\n$ npx dlx ${parameters.join(" ")}`);
  return execFileSync(process.execPath, [join(root, "compiler", "cli", "dlx.mjs"), ...parameters], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 1 << 28,
  });
}

/** Two pixels a character, side by side digits, each with what the network says below it. */
function show(digits: Digits, predictions: readonly number[], chosen: readonly number[]): string {
  const shades = " .:-=+*#%@";
  const lines: string[] = [];
  for (let row = 0; row < 28; row += 2) {
    lines.push(
      chosen
        .map((digit) => {
          let line = "";
          for (let column = 0; column < 28; column++) {
            const at = digit * PIXELS + row * 28 + column;
            const value = ((digits.images[at] ?? 0) + (digits.images[at + 28] ?? 0)) / 2;
            line += shades[Math.min(9, Math.floor((value / 256) * 10))];
          }
          return line;
        })
        .join(""),
    );
  }
  lines.push(chosen.map((digit) => `      ${predictions[digit]}  (label ${digits.labels[digit]})`.padEnd(28)).join(""));
  return lines.join("\n");
}

function argmax(values: Float32Array): number {
  let best = 0;
  for (let k = 1; k < values.length; k++) if ((values[k] ?? 0) > (values[best] ?? 0)) best = k;
  return best;
}

interface Bundle {
  load(): Promise<{
    device: string;
    predict(inputs: { image: Float32Array }): Promise<{ output: Float32Array }>;
    dispose(): void;
  }>;
}

const started = Date.now();
rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
const digits = writeDigits(join(work, "digits"));
console.log(`Wrote ${8000} digits to train on and ${digits.labels.length} held out to ${path("digits")}.`);

const model = "examples/lenet/model.dlx";
const data = `idx:${path("digits")}`;
const weights = path("run/weights.safetensors");
dlx(
  ...["train", model, "--data", data, "--epochs", "40", "--batch", "32", "--device", "cpu", "--out", path("run")],
  ...["--set", "steps=10000", "--set", "augment=true", "--set", "peak=0.02", "--set", "decay=2e-4"],
);
const evaluation = JSON.parse(
  dlx("eval", model, "--device", "cpu", "--set", "decay=2e-4", "--weights", weights, "--data", data, "--json"),
);
console.log(`held-out accuracy ${(100 * evaluation.accuracy).toFixed(2)}%, loss ${evaluation.loss.toFixed(4)}`);
dlx("build", model, "--batch", "1,64", "--train", "--weights", weights, "--out", path("bundle"));

// What the trainer predicts, to hold against the bundle.
const images = Float32Array.from(digits.images, (byte) => byte / 255);
const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${digits.labels.length}, 1, 28, 28), }`;
const padded = `${header.padEnd(128 - 10 - 1)}\n`;
writeFileSync(
  join(work, "held-out.npy"),
  Buffer.concat([
    Buffer.from("\x93NUMPY\x01\x00", "latin1"),
    Buffer.from([padded.length, 0]),
    Buffer.from(padded),
    Buffer.from(images.buffer),
  ]),
);
dlx(
  "predict",
  model,
  "--device",
  "cpu",
  "--weights",
  weights,
  "--input",
  path("held-out.npy"),
  "--output",
  path("predicted.npy"),
);
const npy = readFileSync(join(work, "predicted.npy"));
const trained = new Float32Array(Uint8Array.from(npy.subarray(10 + npy.readUInt16LE(8))).buffer);

console.log(`\nimport { load } from "./${path("bundle")}/index.js"`);
const bundle: Bundle = await import(pathToFileURL(join(work, "bundle", "index.js")).href);
const net = await bundle.load();
const { output } = await net.predict({ image: images });
let apart = 0;
for (let k = 0; k < output.length; k++)
  apart = Math.max(apart, Math.abs((output[k] ?? 0) - (trained[k] ?? Number.NaN)));
const predictions = Array.from(digits.labels, (_, k) => argmax(output.subarray(10 * k, 10 * k + 10)));
const right = predictions.filter((digit, k) => digit === digits.labels[k]).length;
net.dispose();

const wrong = predictions.flatMap((digit, k) => (digit === digits.labels[k] ? [] : [k]));
console.log(show(digits, predictions, [0, 1, 2, 3]));
if (wrong.length > 0) console.log(`\nAnd some it gets wrong:\n${show(digits, predictions, wrong.slice(0, 4))}`);
console.log(
  `\nThe bundle (${net.device}) names ${right} of ${digits.labels.length} held-out digits rightly: ${((100 * right) / digits.labels.length).toFixed(2)}%.` +
    `\nLargest difference from the trainer's own predictions: ${apart}. Took ${((Date.now() - started) / 1000).toFixed(0)} s.`,
);
if (!(apart <= 1e-5)) throw new Error("the bundle does not predict what the trainer predicts");
