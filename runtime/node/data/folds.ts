/** k-fold cross-validation: every row is held out once. */
import { createHash } from "node:crypto";
import { DlxError } from "../../errors.ts";
import { permutation, seedWords } from "../../rng.ts";
import type { Part } from "./column.ts";

/** Rows to train on and rows held out, of the same columns. */
export interface Split {
  readonly train: Part;
  readonly held: Part;
}

/** Apart from the streams of programs, of epochs and of what is held out to the end. */
const foldStream = 0xfffffffd;

/**
 * `count` splits of a part: its rows in a seeded order, cut into folds whose sizes differ by one at most, each held out in
 * its turn. Throws E0615.
 */
export function foldsOf({ columns, rows }: Part, count: number, seed: number): Split[] {
  if (count < 2 || count > rows.length)
    throw new DlxError(
      "E0615",
      `--folds ${count}: there are ${rows.length} rows to train on, which make 2 to ${rows.length} folds`,
    );
  const order = permutation(seedWords(seed), foldStream, 0, rows.length).map((position) => rows[position]!);
  const begin = (fold: number) => Math.floor((fold * rows.length) / count);
  return Array.from({ length: count }, (_, fold) => {
    const held = order.slice(begin(fold), begin(fold + 1)).sort();
    const train = new Uint32Array(rows.length - held.length);
    train.set(order.subarray(0, begin(fold)));
    train.set(order.subarray(begin(fold + 1)), begin(fold));
    return { train: { columns, rows: train.sort() }, held: { columns, rows: held } };
  });
}

/** Of every value in every row of a part: two parts with the same digest train the same. */
export function digestOf({ columns, rows }: Part): string {
  const hash = createHash("sha256");
  for (const column of columns) {
    hash.update(JSON.stringify([column.name, column.shape, column.pixels, rows.length]));
    for (const position of rows) {
      const { buffer, byteOffset, byteLength } = column.row(position);
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
  return hash.digest("hex");
}
