/**
 * One prediction of the whole network, and a narrow one trained on digits.
 *
 *     npx tsx examples/vgg/run.ts
 */
import { predictOnce, trainNarrow } from "../support/deep.ts";
import { isMain, percent, whole } from "../support/program.ts";

export const narrow = (steps: number, limit?: number) =>
  trainNarrow(import.meta.url, { model: "VGG11", block: "vgg11", set: { width: 8, batch: 40 }, steps }, limit);

if (isMain(import.meta.url)) {
  const scores = await predictOnce(import.meta.url, "VGG11");
  console.log(
    `VGG11: ${whole(scores.length)} scores of one image, from ${Math.min(...scores).toFixed(2)} to ${Math.max(...scores).toFixed(2)}`,
  );
  const { parameters, accuracy } = await narrow(1000);
  console.log(`width 8, 1,000 steps: ${whole(parameters)} parameters, ${percent(accuracy)} of the held-out digits`);
}
