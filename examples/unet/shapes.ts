/** Images of 32 x 32 with disks, squares and triangles on noisy ground, some behind others, and what each pixel belongs to. */
import type { Rows } from "../../runtime/train-loop.ts";
import { Draws } from "../support/draws.ts";
import { rowsOf } from "../support/program.ts";

export const SIDE = 32;
export const kinds = ["ground", "disk", "square", "triangle"] as const;

/** Whether a shape of that size around (0, 0) covers (x, y), with y downwards. */
function covers(kind: number, size: number, x: number, y: number): boolean {
  if (kind === 1) return x * x + y * y <= size * size;
  if (kind === 2) return Math.abs(x) <= 0.9 * size && Math.abs(y) <= 0.9 * size;
  return y <= 0.8 * size && y >= -size && Math.abs(x) <= (y + size) * 0.6;
}

/** Two to four shapes an image; all shades and sizes are drawn alike, so that form alone tells the kinds apart. */
export function shapes(count: number, seed: number): { readonly image: Float32Array; readonly label: Int32Array } {
  const draws = new Draws(seed);
  const image = new Float32Array(count * SIDE * SIDE);
  const label = new Int32Array(count * SIDE * SIDE);
  for (let k = 0; k < count; k++) {
    const at = k * SIDE * SIDE;
    const ground = 0.1 + 0.3 * draws.uniform();
    image.fill(ground, at, at + SIDE * SIDE);
    const shapesHere = 2 + draws.below(3);
    for (let shape = 0; shape < shapesHere; shape++) {
      const kind = 1 + draws.below(3);
      const size = 4 + 4 * draws.uniform();
      const [x, y] = [4 + 24 * draws.uniform(), 4 + 24 * draws.uniform()];
      const shade = 0.5 + 0.5 * draws.uniform();
      for (let row = 0; row < SIDE; row++)
        for (let column = 0; column < SIDE; column++)
          if (covers(kind, size, column - x, row - y)) {
            image[at + row * SIDE + column] = shade;
            label[at + row * SIDE + column] = kind;
          }
    }
    for (let pixel = at; pixel < at + SIDE * SIDE; pixel++)
      image[pixel] = (image[pixel] ?? 0) + 0.3 * (draws.uniform() - 0.5);
  }
  return { image, label };
}

export const shapeRows = (count: number, seed: number): Rows => rowsOf(count, { ...shapes(count, seed) });
