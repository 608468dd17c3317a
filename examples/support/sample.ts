/** Text from a character model that scores, at every place of a window, the character that comes next. */
import { readFileSync } from "node:fs";
import { randomKey, seedWords, threefry2x32 } from "../../runtime/rng.ts";
import { predict } from "./predict.ts";
import { openExample } from "./program.ts";

export interface Sampling {
  readonly model: string;
  /** A safetensors file. */
  readonly weights: string;
  /** Characters of a window: T of the model. */
  readonly context: number;
  readonly prompt: string;
  /** Characters to add. */
  readonly length: number;
  /** Scores are divided by it: below 1 likely characters are more likely than the model says. */
  readonly temperature: number;
}

/** A number by its share of the sum of exp(score / temperature). */
function draw(scores: Float32Array, temperature: number, uniform: number): number {
  const most = Math.max(...scores);
  const shares = Array.from(scores, (score) => Math.exp((score - most) / temperature));
  let left = uniform * shares.reduce((sum, share) => sum + share, 0);
  for (const [at, share] of shares.entries()) {
    left -= share;
    if (left < 0) return at;
  }
  return shares.length - 1;
}

/**
 * The prompt and what follows it. The model sees the last `context` characters, from the window's left end on: what stands to
 * the right of the last one changes nothing there. `folder` is that of `openExample`.
 */
export async function sample(folder: string, wanted: Sampling, seed = 0): Promise<string> {
  const { model, context, temperature } = wanted;
  const { session } = await openExample(folder, { models: [model], blocks: [], calls: [] });
  await session.loadWeights(readFileSync(wanted.weights), { file: wanted.weights });
  const key = randomKey(seedWords(seed), 0, 0, 0);
  let text = wanted.prompt;
  for (let count = 0; count < wanted.length; count++) {
    const seen = Buffer.from(text, "latin1").subarray(-context);
    const id = new Int32Array(context);
    id.set(seen);
    const scores = await predict(session, model, { id });
    const classes = scores.length / context;
    const last = scores.subarray((seen.length - 1) * classes, seen.length * classes);
    text += String.fromCharCode(draw(last, temperature, threefry2x32(key, [count, 0])[0] / 2 ** 32));
  }
  session.dispose();
  return text;
}
