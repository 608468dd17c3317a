/** Loss and metrics over rows of a data set. */
import { chooseSizes } from "../call.ts";
import type { TrainBlock } from "../session.ts";
import { inOrder, type Rows } from "../train-loop.ts";
import { scalarResults } from "./metrics.ts";

/** How many of `count` rows the built evaluations can make up: what is left at the end may take sizes that were not built. */
export function evaluable({ evaluationSizes: sizes }: TrainBlock, count: number): number {
  const size = Math.max(0, ...sizes);
  const rest = size > 0 ? count % size : count;
  return size > 0 && chooseSizes(rest, sizes, false) ? count : count - rest;
}

/** What a block without inputs is evaluated on: nothing, as often as it counts rows. */
export function oneBatch({ evaluationSizes }: TrainBlock): Rows {
  return { count: Math.max(1, ...evaluationSizes), read: () => ({}) };
}

/** Loss and metrics over as many rows as the built evaluations can make up; answers how many. */
export async function evaluateRows(
  block: TrainBlock,
  rows: Rows,
  knobs: Readonly<Record<string, number>>,
  onBatch?: (rows: number) => void,
): Promise<{ values: Record<string, number>; rows: number }> {
  const size = Math.max(0, ...block.evaluationSizes);
  const count = evaluable(block, rows.count);
  if (count === 0) return { values: {}, rows: 0 };
  const batches = async function* () {
    let seen = 0;
    for await (const inputs of inOrder({ ...rows, count, read: (positions) => rows.read(positions) }, size)) {
      if (seen > 0) onBatch?.(seen);
      yield { ...inputs, ...knobs };
      seen = Math.min(seen + size, count);
    }
    onBatch?.(seen);
  };
  return { values: scalarResults(await block.evaluate(batches())), rows: count };
}
