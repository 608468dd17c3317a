/** Classifiers of one example beside each other: the same digits in the same order, the same number of steps. */
import { digitRows, digits, type Part } from "./digits.ts";
import { evaluate, learn, million, openExample, percent, table, whole } from "./program.ts";

export interface Compared {
  readonly model: string;
  readonly parameters: number;
  /** Floating point operations for one image. */
  readonly flops: number;
  /** Of each part that they are judged on. */
  readonly accuracies: readonly number[];
}

export interface Comparison {
  /** Models, each with the train block that trains it. */
  readonly nets: readonly (readonly [model: string, block: string])[];
  readonly steps: number;
  /** What they are judged on; by default what is held out. */
  readonly parts?: (digits: { readonly train: Part; readonly held: Part }) => readonly Part[];
  /** Judges on the first so many of each part. */
  readonly limit?: number;
}

/** `folder`: the `import.meta.url` of the example's script. */
export async function compareOnDigits(
  folder: string,
  { nets, steps, parts = ({ held }) => [held], limit }: Comparison,
): Promise<Compared[]> {
  const all = digits();
  const example = await openExample(folder, { set: { steps } });
  const compared: Compared[] = [];
  for (const [model, block] of nets) {
    await learn(example, block, digitRows(all.train), steps);
    const accuracies: number[] = [];
    for (const part of parts(all))
      accuracies.push((await evaluate(example, block, digitRows(part, limit))).accuracy ?? Number.NaN);
    compared.push({ model, ...example.cost(model), accuracies });
  }
  example.session.dispose();
  return compared;
}

/** A line a network; `parts` names what they were judged on. */
export const comparisonTable = (compared: readonly Compared[], parts: readonly string[] = ["held out"]): string =>
  table(
    ["", "parameters", "FLOPs an image", ...parts],
    compared.map(({ model, parameters, flops, accuracies }) => [
      model,
      whole(parameters),
      million(flops),
      ...accuracies.map(percent),
    ]),
  );
