/**
 * Trains the separable network and its ordinary twin on the same digits and prints how they compare.
 *
 *     npx tsx examples/separable/run.ts
 */
import { compareOnDigits, comparisonTable } from "../support/compare.ts";
import { isMain } from "../support/program.ts";

export const compare = (steps: number, limit?: number) =>
  compareOnDigits(import.meta.url, {
    nets: [
      ["Separable", "separable_net"],
      ["Ordinary", "ordinary_net"],
    ],
    steps,
    ...(limit !== undefined && { limit }),
  });

if (isMain(import.meta.url)) console.log(comparisonTable(await compare(500)));
