/**
 * Trains both networks on the same digits and prints how they compare.
 *
 *     npx tsx examples/dnn_vs_cnn/run.ts
 */
import { compareOnDigits, comparisonTable } from "../support/compare.ts";
import { moved } from "../support/digits.ts";
import { isMain } from "../support/program.ts";

export const compare = (steps: number, limit?: number) =>
  compareOnDigits(import.meta.url, {
    nets: [
      ["Dense", "dense_net"],
      ["Convolutional", "convolutional_net"],
    ],
    steps,
    parts: ({ train, held }) => [train, held, moved(held, 2)],
    ...(limit !== undefined && { limit }),
  });

if (isMain(import.meta.url))
  console.log(comparisonTable(await compare(2000), ["digits trained on", "held out", "held out, moved by 2 pixels"]));
