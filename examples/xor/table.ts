/**
 * `npx tsx examples/xor/table.ts`: exclusive or without and with a non-linearity, from ten starts each.
 */
import { predict } from "../support/predict.ts";
import { evaluate, isMain, openExample, rowsOf, table } from "../support/program.ts";

const STEPS = 1500;
const SEEDS = 10;

const data = { x: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), y: Float32Array.of(0, 1, 1, 0) };

/** Trains from many starts; the output is that of the best one, as probabilities. */
export async function row(block: string, model: string, hidden: number, seeds: number): Promise<string[]> {
  let best = { loss: Number.POSITIVE_INFINITY, output: [] as number[] };
  let solved = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const example = await openExample(
      import.meta.url,
      { set: { hidden }, blocks: [block], models: [model], batches: [4] },
      seed,
    );
    await example.session.train[block]?.fit(Array.from({ length: STEPS }, () => data));
    const { loss = Number.NaN, right } = await evaluate(example, block, rowsOf(4, data));
    if (right === 1) solved++;
    if (loss < best.loss) {
      const logits = await predict(example.session, model, { x: data.x });
      best = { loss, output: Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit))) };
    }
    example.session.dispose();
  }
  return [
    model,
    String(hidden),
    ...best.output.map((p) => p.toFixed(3)),
    best.loss.toFixed(4),
    `${solved} of ${seeds}`,
  ];
}

if (isMain(import.meta.url)) {
  const lines: string[][] = [];
  for (const [block, model] of [
    ["linear", "Linear"],
    ["tanh_net", "Tanh"],
    ["relu_net", "Relu"],
  ] as const)
    for (const hidden of [2, 4, 8]) lines.push(await row(block, model, hidden, SEEDS));
  console.log(table(["model", "hidden", "0 xor 0", "0 xor 1", "1 xor 0", "1 xor 1", "best loss", "solved"], lines));
}
