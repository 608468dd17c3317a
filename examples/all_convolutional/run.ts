/**
 * Trains the three networks on the same digits and prints how they compare.
 *
 *     npx tsx examples/all_convolutional/run.ts
 */
import { compareOnDigits, comparisonTable } from "../support/compare.ts";
import { isMain } from "../support/program.ts";

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

if (isMain(import.meta.url)) console.log(comparisonTable(await compare(500)));
