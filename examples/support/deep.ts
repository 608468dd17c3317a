/** What the deep networks for large images do in their examples: one prediction at full size, and training as narrow ones. */
import type { Rows } from "../../runtime/train-loop.ts";
import { digits, type Part, PIXELS, SIDE } from "./digits.ts";
import { evaluate, learn, openExample, rowsOf } from "./program.ts";

export const LARGER = 32;

/** Digits in the middle of 32 x 32 pixels, in three equal channels. */
function framed({ image, label }: Part, limit = label.length): Rows {
  const border = (LARGER - SIDE) / 2;
  const large = new Float32Array(limit * 3 * LARGER * LARGER);
  for (let plane = 0; plane < 3 * limit; plane++)
    for (let row = 0; row < SIDE; row++) {
      const from = Math.floor(plane / 3) * PIXELS + row * SIDE;
      large.set(image.subarray(from, from + SIDE), (plane * LARGER + row + border) * LARGER + border);
    }
  return rowsOf(limit, { image: large, label: label.subarray(0, limit) });
}

/** The scores that a model of full size with random weights gives to one image of 224 x 224. */
export async function predictOnce(folder: string, model: string): Promise<Float32Array> {
  const { session } = await openExample(folder, { models: [model], blocks: [], calls: [] });
  const image = Float32Array.from({ length: 3 * 224 * 224 }, (_, k) => Math.sin(k));
  const output = (await session.models[model]?.predict({ image }))?.output;
  session.dispose();
  if (!(output instanceof Float32Array)) throw new Error(`${model} answers no scores`);
  return output;
}

export interface Narrow {
  readonly parameters: number;
  readonly accuracy: number;
}

/** The model as `set` makes it, trained on digits for so many steps, judged on at most `limit` held-out ones. */
export async function trainNarrow(
  folder: string,
  { model, block, set, steps }: { model: string; block: string; set: Readonly<Record<string, number>>; steps: number },
  limit?: number,
): Promise<Narrow> {
  const { train, held } = digits();
  const example = await openExample(folder, {
    set: { ...set, classes: 10, size: LARGER },
    models: [model],
    blocks: [block],
  });
  await learn(example, block, framed(train), steps);
  const { accuracy = Number.NaN } = await evaluate(example, block, framed(held, limit));
  const { parameters } = example.cost(model);
  example.session.dispose();
  return { parameters, accuracy };
}
