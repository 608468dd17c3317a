/**
 * Trains both networks on the same digits and prints how they compare.
 *
 *     npx tsx examples/dnn_vs_cnn/run.ts
 */
import { digitRows, digits, moved } from "../support/digits.ts";
import { evaluate, isMain, learn, million, openExample, percent, table, whole } from "../support/program.ts";

const nets = [
  ["Dense", "dense_net"],
  ["Convolutional", "convolutional_net"],
] as const;

export interface Row {
  readonly model: string;
  readonly parameters: number;
  readonly flops: number;
  /** Of the digits trained on, held out, and held out and moved by two pixels. */
  readonly accuracies: readonly [number, number, number];
}

/** Both networks after so many steps, judged on at most `limit` digits of each kind. */
export async function compare(steps: number, limit?: number): Promise<Row[]> {
  const { train, held } = digits();
  const example = await openExample(import.meta.url, { set: { steps } });
  const rows: Row[] = [];
  for (const [model, block] of nets) {
    await learn(example, block, digitRows(train), steps);
    const accuracy = async (part: typeof held) =>
      (await evaluate(example, block, digitRows(part, limit))).accuracy ?? Number.NaN;
    const accuracies = [await accuracy(train), await accuracy(held), await accuracy(moved(held, 2))] as const;
    rows.push({ model, ...example.cost(model), accuracies });
  }
  example.session.dispose();
  return rows;
}

if (isMain(import.meta.url))
  console.log(
    table(
      ["", "parameters", "FLOPs an image", "digits trained on", "held out", "held out, moved by 2 pixels"],
      (await compare(2000)).map(({ model, parameters, flops, accuracies }) => [
        model,
        whole(parameters),
        million(flops),
        ...accuracies.map(percent),
      ]),
    ),
  );
