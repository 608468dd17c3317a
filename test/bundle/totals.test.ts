/** Metrics of `total(..)` over many batches, the last one shorter: the metric of all rows, not a mean of metrics. */
import { describe, expect, test } from "vitest";
import { openCompiled } from "../../compiler/cli/toolchain.ts";
import { evaluateRows } from "../../runtime/node/evaluate.ts";
import { checkText } from "../elaborate/support.ts";
import { compileSource } from "../support/bundle.ts";

const text = `
/// Of the label 1.
fn f1(score: f32[N], label: i32[N]) -> f32 {
  let chosen = f32(score > 0)
  let right = total(sum(chosen * f32(label)))
  let (said, are) = total((sum(chosen), sum(label)))
  2 * right / (said + f32(are))
}
/// Tokens of id 0 count for nothing.
fn perplexity(logits: f32[N, V], target: i32[N]) -> f32 {
  let shift[n] = max[v] logits[n, v]
  let mass[n] = sum[v] exp(logits[n, v] - shift[n])
  let surprise[n] = select(target[n] == 0, 0, log(mass[n]) + shift[n] - logits[n, target[n]])
  exp(total(sum(surprise)) / total(sum(f32(target != 0))))
}
fn confusion(logits: f32[N, V], target: i32[N]) -> f32[V, V] {
  let best[n] = argmax[v] logits[n, v]
  let counts[a < V, b < V] = sum[n] select(target[n] == a and best[n] == b, 1.0, 0.0)
  total(counts)
}
model M(x: f32[N, 3]) -> f32[N, 3] {
  param w: f32[3] = s => 0.9 + 0.2 * f32(arange(3))
  x * w[_, :]
}
optimizer sgd(lr: f32)(w: f32[...S], g: f32[...S], step: i32) -> f32[...S] = w - lr * g
train t(batch: int = 8)(x: f32[batch, 3], label: i32[batch], rate: f32 = 0) {
  let y = M(x)
  minimize loss = sum(y^2) / batch over M.params using sgd(lr: rate)
  metric perplexity = perplexity(y, label)
  metric first = sum(y[:, 0]) / batch
  metric f1 = f1(y[:, 1], min(label, 1))
  metric confusion = confusion(y, label)
  metric scaled = sqrt(total(sum(x)) ^ 2 / total(batch)) * sum(M.params.w) + 0 * rms()
  metric rows = total(batch)
}
fn rms() = total(1)
`;
const source = { file: "totals.dlx", text };
const count = 21;
const x = Float32Array.from({ length: 3 * count }, (_, k) => Math.sin(k * 1.7) * 2);
const label = Int32Array.from({ length: count }, (_, n) => (n * 7 + (n >> 2)) % 3);
const rows = (from: number, to: number) => ({ x: x.slice(3 * from, 3 * to), label: label.slice(from, to) });
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** What the metrics are of some rows, written out. */
function expected(from: number, to: number) {
  const all = Array.from({ length: to - from }, (_, n) => n + from);
  const logits = all.map((n) => [0.9, 1.1, 1.3].map((w, k) => w * x[3 * n + k]!));
  const chosen = logits.map((row) => Number(row[1]! > 0));
  const is = all.map((n) => Math.min(label[n]!, 1));
  const counted = all.filter((n) => label[n] !== 0);
  const surprise = counted.map((n) => {
    const row = logits[n - from]!;
    return Math.log(sum(row.map(Math.exp))) - row[label[n]!]!;
  });
  const confusion = new Array<number>(9).fill(0);
  for (const n of all) {
    const row = logits[n - from]!;
    confusion[3 * label[n]! + row.indexOf(Math.max(...row))]!++;
  }
  return {
    loss: sum(logits.flat().map((y) => y * y)) / all.length,
    perplexity: Math.exp(sum(surprise) / counted.length),
    first: sum(logits.map((row) => row[0]!)) / all.length,
    f1: (2 * sum(chosen.map((c, k) => c * is[k]!))) / (sum(chosen) + sum(is)),
    confusion,
    scaled: (Math.abs(sum([...x.slice(3 * from, 3 * to)])) / Math.sqrt(all.length)) * 3.3,
    rows: all.length,
  };
}
function expectClose(got: Readonly<Record<string, unknown>>, want: Readonly<Record<string, number | number[]>>): void {
  expect(Object.keys(got)).toEqual(Object.keys(want));
  for (const [name, value] of Object.entries(want)) {
    const [a, b] = [got[name], value].map((one) => (typeof one === "number" ? [one] : Array.from(one as number[])));
    expect(a!.length, name).toBe(b!.length);
    for (const [k, element] of b!.entries()) expect(a![k]! / (element || 1), name).toBeCloseTo(element ? 1 : 0, 4);
  }
}

describe("totals", () => {
  const compiled = compileSource(source, { evaluations: [1, 2], targets: ["wasm"] });
  const open = () => openCompiled(compiled, { device: "cpu", weights: "random", seed: 1 });

  test("the program is free of errors where nothing is built", () => expect(checkText(text)).toEqual([]));

  test.each([
    ["one call", [rows(0, count)]],
    ["batches", [rows(0, 8), rows(8, 16), rows(16, count)]],
    ["single rows", Array.from({ length: count }, (_, n) => rows(n, n + 1))],
  ] as const)("%s", async (_, batches) => {
    const session = await open();
    const whole = expected(0, count);
    expectClose(await session.evaluate([...batches]), whole);
    session.dispose();
  });

  test("a step's are those of its batch", async () => {
    const session = await open();
    expectClose(await session.trainStep(rows(8, 16)), expected(8, 16));
    session.dispose();
  });

  test("rows of a data set; the types show no parts", async () => {
    const session = await open();
    const data = {
      count,
      read: (positions: Uint32Array) => rows(positions[0]!, positions.at(-1)! + 1),
    };
    const seen: number[] = [];
    const { values, rows: used } = await evaluateRows(session.train.t!, data, {}, (done) => seen.push(done));
    const { confusion: _, ...scalars } = expected(0, count);
    expectClose(values, scalars);
    expect([used, seen]).toEqual([count, [8, 16, 21]]);
    expect(session.signature["t.evaluate"]?.outputs.map(({ name }) => name)).toEqual(["loss", "first"]);
    expect(session.signature["t.closing"]).toBeUndefined();
    session.dispose();
  });

  test("a total as long as the batch has no other sizes", () => {
    const long = text.replace("metric rows = total(batch)", "metric rows = total(y[:, 0])");
    const { manifest } = compileSource({ file: "totals.dlx", text: long }, { evaluations: [1], targets: ["wasm"] });
    expect(manifest.entries.filter(({ kind }) => kind === "evaluate").map(({ name }) => name)).toEqual(["t.evaluate"]);
  });
});
