/**
 * Trains the three networks on the same digits and prints how they compare.
 *
 *     npx tsx examples/all_convolutional/run.ts
 */
import { compareOnDigits } from "../support/compare.ts";
import { isMain, million, percent, table, whole } from "../support/program.ts";

export const compare = (steps: number, limit?: number) =>
  compareOnDigits(import.meta.url, {
    nets: [
      ["Pooled", "pooled"],
      ["Strided", "strided"],
      ["AllConvolutional", "all_convolutional"],
    ],
    steps,
    ...(limit !== undefined && { limit }),
  });

if (isMain(import.meta.url))
  console.log(
    table(
      ["", "parameters", "FLOPs an image", "held out"],
      (await compare(500)).map(({ model, parameters, flops, accuracies }) => [
        model,
        whole(parameters),
        million(flops),
        ...accuracies.map(percent),
      ]),
    ),
  );
