/** Metrics over a data set whose last batch is shorter: those of all rows, by formulas in float64. */
import { expect, test } from "vitest";
import { openCompiled } from "../../compiler/cli/toolchain.ts";
import { evaluateRows } from "../../runtime/node/evaluate.ts";
import { compileSource } from "../support/bundle.ts";
import { program } from "./rows.ts";

const classes = 4;
const count = 21;
const text = program(
  `model M(x: f32[N, ${classes}]) -> f32[N, ${classes}] {`,
  "  param shift: f32 = 0",
  "  x + shift",
  "}",
  `train t(batch: int = 8)(x: f32[batch, ${classes}], label: i32[batch]) {`,
  "  let logits = M(x)",
  "  let counts = confusion_matrix(logits, label)",
  "  metric accuracy = accuracy(logits, label)",
  "  metric top_2 = top_k_accuracy(logits, label, 2)",
  "  metric perplexity = perplexity(logits, label)",
  "  metric without_0 = perplexity(logits, label, ignore: [0])",
  "  metric precision_1 = precision(counts)[1]",
  "  metric recall_2 = recall(counts)[2]",
  "  metric macro_f1 = mean(f1(counts))",
  "}",
);
const x = Float32Array.from({ length: classes * count }, (_, k) => Math.fround(2 * Math.sin(1.7 * k)));
// The short batch is unlike the others.
const label = Int32Array.from({ length: count }, (_, n) => (n < 16 ? (n * 7 + (n >> 2)) % 3 : classes - 1 - (n % 2)));

function expected(): Readonly<Record<string, number>> {
  const all = Array.from({ length: count }, (_, n) => ({
    row: Array.from(x.slice(classes * n, classes * (n + 1))),
    is: label[n] ?? 0,
  }));
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const rank = (row: readonly number[], c: number) => row.filter((value) => value > (row[c] ?? 0)).length;
  const lost = ({ row, is }: (typeof all)[number]) => Math.log(mean(row.map(Math.exp)) * classes) - (row[is] ?? 0);
  const said = all.map(({ row }) => row.findIndex((_, c) => rank(row, c) === 0));
  const ofClass = (c: number) => ({
    right: all.filter(({ is }, n) => is === c && said[n] === c).length,
    taken: said.filter((one) => one === c).length,
    members: all.filter(({ is }) => is === c).length,
  });
  const f1 = (c: number) => {
    const { right, taken, members } = ofClass(c);
    return (2 * right) / (taken + members);
  };
  return {
    accuracy: mean(all.map(({ is }, n) => Number(said[n] === is))),
    top_2: mean(all.map(({ row, is }) => Number(rank(row, is) < 2))),
    perplexity: Math.exp(mean(all.map(lost))),
    without_0: Math.exp(mean(all.filter(({ is }) => is !== 0).map(lost))),
    precision_1: ofClass(1).right / ofClass(1).taken,
    recall_2: ofClass(2).right / ofClass(2).members,
    macro_f1: mean([0, 1, 2, 3].map(f1)),
  };
}

test("metrics are those of the whole set", async () => {
  const compiled = compileSource({ file: "metrics.dlx", text }, { evaluations: [1, 2], targets: ["wasm"] });
  const session = await openCompiled(compiled, { device: "cpu", weights: "random", seed: 1 });
  const rows = (from: number, to: number) => ({
    x: x.slice(classes * from, classes * to),
    label: label.slice(from, to),
  });
  const data = { count, read: (at: Uint32Array) => rows(at[0] ?? 0, (at.at(-1) ?? 0) + 1) };
  const { values } = await evaluateRows(session.train.t!, data, {}, () => {});
  session.dispose();
  const wanted = expected();
  expect(Object.keys(values)).toEqual(Object.keys(wanted));
  for (const [name, value] of Object.entries(wanted)) {
    expect(value, name).toBeGreaterThan(0);
    expect(values[name]! / value, name).toBeCloseTo(1, 5);
  }
});
