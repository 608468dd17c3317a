/**
 * Trains the separable network and its ordinary twin on the same digits and prints how they compare.
 *
 *     npx tsx examples/separable/run.ts
 */
import { compareOnDigits } from "../support/compare.ts";
import { isMain, million, percent, table, whole } from "../support/program.ts";

export const compare = (steps: number, limit?: number) =>
  compareOnDigits(import.meta.url, {
    nets: [
      ["Separable", "separable_net"],
      ["Ordinary", "ordinary_net"],
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
