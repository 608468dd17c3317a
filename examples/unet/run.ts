/**
 * Trains the U-Net on generated shapes and shows what it makes of one that it has not seen.
 *
 *     npx tsx examples/unet/run.ts
 */
import { evaluate, isMain, learn, openExample, percent, table, whole } from "../support/program.ts";
import { SIDE, shapeRows, shapes } from "./shapes.ts";

export interface Segmentation {
  readonly parameters: number;
  /** Share of pixels, and each kind's intersection over union, on images that were not trained on. */
  readonly scores: Readonly<Record<string, number>>;
  /** One image that was not trained on: what its pixels are, and what the network says. */
  readonly label: Int32Array;
  readonly found: Int32Array;
}

export async function segment(steps: number, heldOut: number): Promise<Segmentation> {
  const example = await openExample(import.meta.url, { set: { steps } });
  await learn(example, "unet", shapeRows(1600, 1), steps);
  const scores = await evaluate(example, "unet", shapeRows(heldOut, 2));
  const { image, label } = shapes(1, 4);
  const { output } = await example.session.predict({ image });
  if (!(output instanceof Float32Array)) throw new Error("UNet answers one tensor");
  const pixels = SIDE * SIDE;
  const found = Int32Array.from({ length: pixels }, (_, pixel) => {
    const scoresHere = [0, 1, 2, 3].map((kind) => output[kind * pixels + pixel] ?? Number.NaN);
    return scoresHere.indexOf(Math.max(...scoresHere));
  });
  const { parameters } = example.cost("UNet");
  example.session.dispose();
  return { parameters, scores, label, found };
}

/** Rows of both beside each other, two lines of pixels in one of text. */
function draw(label: Int32Array, found: Int32Array): string {
  const line = (kinds: Int32Array, row: number) =>
    Array.from(kinds.subarray(row * SIDE, (row + 1) * SIDE), (kind) => ".o#^"[kind]).join("");
  return Array.from({ length: SIDE / 2 }, (_, k) => `${line(label, 2 * k)}   ${line(found, 2 * k)}`).join("\n");
}

if (isMain(import.meta.url)) {
  const { parameters, scores, label, found } = await segment(400, 400);
  const { accuracy = 0, disk = 0, square = 0, triangle = 0 } = scores;
  console.log(
    table(
      ["parameters", "pixels named rightly", "IoU of disks", "of squares", "of triangles"],
      [[whole(parameters), ...[accuracy, disk, square, triangle].map(percent)]],
    ),
  );
  console.log(`\n${draw(label, found)}`);
}
