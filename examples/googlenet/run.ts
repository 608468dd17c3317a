/**
 * One prediction of the whole network, and a narrow one trained on digits.
 *
 *     npx tsx examples/googlenet/run.ts
 */
import { predictOnce, trainNarrow } from "../support/deep.ts";
import { isMain, percent, whole } from "../support/program.ts";

export const narrow = (steps: number, limit?: number) =>
  trainNarrow(
    import.meta.url,
    { model: "GoogLeNet", block: "googlenet", set: { width: 8, batch: 40, steps }, steps },
    limit,
  );

if (isMain(import.meta.url)) {
  const scores = await predictOnce(import.meta.url, "GoogLeNet");
  console.log(
    `GoogLeNet: ${whole(scores.length)} scores of one image, from ${Math.min(...scores).toFixed(2)} to ${Math.max(...scores).toFixed(2)}`,
  );
  const { parameters, accuracy } = await narrow(600);
  console.log(`width 8, 600 steps: ${whole(parameters)} parameters, ${percent(accuracy)} of the held-out digits`);
}
