/**
 * A large network on few digits: how far what it learns holds for others, without and with dropout and weight decay.
 *
 *     npx tsx examples/overfitting/run.ts
 */
import { seedWords } from "../../runtime/rng.ts";
import { shuffled } from "../../runtime/train-loop.ts";
import { digitRows, digits } from "../support/digits.ts";
import { evaluate, isMain, openExample, percent, table } from "../support/program.ts";

export interface Fitted {
  readonly name: string;
  /** The loss of the first step, penalty included. */
  readonly first: number;
  /** Cross entropy and accuracy on what was trained on, and on what was not. */
  readonly trained: Readonly<Record<string, number>>;
  readonly held: Readonly<Record<string, number>>;
}

const ways = [
  { name: "nothing", rate: 0, decay: 0 },
  { name: "dropout 0.5", rate: 0.5, decay: 0 },
  { name: "weight decay 0.002", rate: 0, decay: 0.002 },
  { name: "both", rate: 0.5, decay: 0.002 },
];

export async function fits(examples: number, epochs: number, limit?: number): Promise<Fitted[]> {
  const { train, held } = digits();
  const rows = digitRows(train, examples);
  const fitted: Fitted[] = [];
  for (const { name, rate, decay } of ways) {
    const example = await openExample(import.meta.url, { set: { rate }, blocks: ["fit"] });
    const block = example.session.train.fit;
    if (!block) throw new Error("there is no block fit");
    let first = Number.NaN;
    for (let epoch = 0; epoch < epochs; epoch++)
      for await (const batch of shuffled(rows, block.batch ?? 1, seedWords(0), epoch)) {
        const { loss } = await block.step({ ...batch, decay });
        if (Number.isNaN(first) && typeof loss === "number") first = loss;
      }
    fitted.push({
      name,
      first,
      trained: await evaluate(example, "fit", rows),
      held: await evaluate(example, "fit", digitRows(held, limit)),
    });
    example.session.dispose();
  }
  return fitted;
}

if (isMain(import.meta.url))
  console.log(
    table(
      ["500 digits", "first loss", "cross entropy", "accuracy", "held-out cross entropy", "held-out accuracy"],
      (await fits(500, 60)).map(({ name, first, trained, held }) => [
        name,
        first.toFixed(3),
        (trained.fit ?? Number.NaN).toFixed(4),
        percent(trained.accuracy ?? Number.NaN),
        (held.fit ?? Number.NaN).toFixed(4),
        percent(held.accuracy ?? Number.NaN),
      ]),
    ),
  );
