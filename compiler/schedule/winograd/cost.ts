/** What Winograd's transforms cost, in the contraction's unit: multiply-adds of four lanes. */
import { readsOf } from "../../graph/traverse.ts";
import type { BuildContext } from "../group.ts";
import type { WinogradPlan } from "./plan.ts";
import { weightElements } from "./plan.ts";

/** Transformed weights beyond so many elements come from memory, every time. */
const nearElements = 2 ** 21;

export function costOf(plan: WinogradPlan, context: BuildContext): number {
  const { sliding, points, images, groups, tileRows, tileColumns, channels, column, pairs, transform } = plan;
  const tiles = groups * images * tileRows * tileColumns;
  const products = points * Math.ceil(tiles / 4) * 4 * 2 * pairs * (channels + 4);
  const input = (tiles * column * points * transform.size) / 4;
  const output = tiles * 2 * pairs * points * transform.size;
  const fixed = readsOf(sliding.weights.body).every(({ tensor }) => context.fixed(tensor));
  const weights = fixed ? 0 : groups * 2 * pairs * channels * points * 6;
  const elements = weightElements(plan);
  const waiting = elements > nearElements ? 0.9 * elements : 0;
  return products + input + output + weights + waiting;
}
