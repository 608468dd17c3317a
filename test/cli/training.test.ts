/** How a training ends other than by being done, and that every held-out row counts. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readSafetensors, writeSafetensors } from "../../runtime/safetensors.ts";
import { temporaryFolder } from "../support/folder.ts";
import { dlx } from "../support/terminal.ts";

const { path: folder, write } = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);
const cpu = ["--device", "cpu"];

const file = write(
  "line.dlx",
  `import nn
import loss
import optim

model Line(x: f32[N, 4]) -> f32[N, 1] = x |> dense(1)

train line(batch: int = 16)(x: f32[batch, 4], y: f32[batch, 1], rate: f32 = 0.1) where batch % 2 == 0 {
  minimize loss = mse(Line(x), y) over Line.params using sgd(lr: rate)
}
`,
);
const train = (out: string, ...more: string[]) =>
  dlx(["train", file, "--data", "synthetic:linear,rows=200", "--out", at(out), ...cpu, ...more]);
const lines = (out: string): { kind: string; step: number; values: Record<string, number> }[] =>
  readFileSync(at(out, "metrics.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
const metadata = (out: string) => readSafetensors(readFileSync(at(out, "checkpoint.safetensors"))).metadata;

describe("a block without inputs", () => {
  const alone = write(
    "valley.dlx",
    "import optim\n\nmodel At() -> f32[2] {\n  param place: f32[2] = 1\n  place\n}\n\ntrain valley(batch: int = 4)(rate: f32 = 0.1) {\n  let p = At()\n  minimize height = p[0]^2 + 3 * p[1]^2 + 0 * mean(normal([batch])) over At.params using sgd(lr: rate)\n}\n",
  );
  const run = (...more: string[]) => dlx(["train", alone, "--out", at("alone"), ...cpu, ...more]);

  test("trains for --limit steps, goes on, and is evaluated, without --data", async () => {
    const first = await run("--limit", "20", "--json");
    const { step, training, heldOut } = JSON.parse(first.out);
    expect([first.code, step]).toEqual([0, 20]);
    expect(heldOut.height).toBeLessThan(training.height);
    const more = await run("--limit", "30", "--resume");
    expect([more.code, more.notes]).toEqual([0, expect.not.stringContaining("error")]);
    expect(more.out).toMatch(/^30 steps on cpu: height [\d.e-]+\nheld out: height [\d.e-]+\n$/);
    const weights = ["--weights", at("alone", "weights.safetensors")];
    const found = await dlx(["eval", alone, ...weights, ...cpu, "--json"]);
    expect(JSON.parse(found.out).height).toBeCloseTo(0.8 ** 60 + 3 * 0.4 ** 60, 6);
  });

  test("a block with inputs says which it reads", async () => {
    const { code, notes } = await dlx(["train", file, "--limit", "3", "--out", at("nothing"), ...cpu]);
    expect([code, notes]).toEqual([2, expect.stringContaining("line reads `x`, `y`: say with --data where from")]);
  });
});

describe("a training that diverges", () => {
  test("ends at the step, says which and why, and keeps the last finite state", async () => {
    const { code, notes } = await train("high", "--epochs", "20", "--set", "rate=6");
    expect(code).toBe(1);
    expect(notes).toMatch(
      /^error\[E0806\]: `loss` is (infinite|NaN) at step \d+; at step \d+ it was [\d.e+]+\. Most often the learning rate is too high/m,
    );
    const step = Number(/at step (\d+);/.exec(notes)?.[1]);
    const kept = Number(/checkpoint\.safetensors is of step (\d+)/.exec(notes)?.[1]);
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(step);
    expect(metadata("high").step).toBe(String(kept));
    const last = lines("high").at(-1);
    expect([last?.step, Number.isFinite(Number(last?.values.loss))]).toEqual([step, false]);
    expect(existsSync(at("high", "weights.safetensors"))).toBe(false);
    expect(existsSync(at("high", "report.html"))).toBe(true);
    // From there on it goes with another rate.
    const { code: resumed } = await train("high", "--epochs", "20", "--set", "rate=0.01", "--resume");
    expect(resumed).toBe(0);
    expect(metadata("high").step).toBe("220");
  });
  test("from the first step on has other causes", async () => {
    const rows = (name: string, width: number) =>
      [name, { dtype: "f32", shape: [40, width], data: new Float32Array(40 * width).fill(1e30) }] as const;
    const data = write("huge.safetensors", writeSafetensors([rows("x", 4), rows("y", 1)]));
    const { code, notes } = await train("first", "--data", `safetensors:${data}`);
    expect([code, notes]).toEqual([1, expect.stringMatching(/`loss` is infinite at step 1, the first: look for NaN/)]);
  });
});

describe("--patience", () => {
  const noisy = ["--data", "synthetic:linear,rows=200,noise=0.5", "--epochs", "60", "--set", "rate=0.2"];
  const wait = ["--patience", "3", "--json"];
  const losses = (out: string) => lines(out).flatMap(({ kind, values }) => (kind === "evaluation" ? values.loss! : []));

  test("ends when the held-out loss has stopped falling, and writes the weights of its least", async () => {
    const { code, out, notes } = await train("patient", ...noisy, ...wait);
    expect(code).toBe(0);
    const found = losses("patient");
    const least = Math.min(...found);
    expect(found.length).toBeLessThan(60);
    expect(found.indexOf(least)).toBe(found.length - 4);
    expect(JSON.parse(out)).toMatchObject({ step: 11 * found.length, interrupted: false, heldOut: { loss: least } });
    expect(notes).toMatch(/loss has not been better than [\d.]+ in 3 evaluations: weights\.safetensors is from then/);
    const weights = ["--weights", at("patient", "weights.safetensors")];
    const evaluated = await dlx(["eval", file, ...noisy.slice(0, 2), ...weights, ...cpu, "--json"]);
    expect(JSON.parse(evaluated.out).loss).toBeCloseTo(least, 6);
  });
  test("resumed, goes on waiting", async () => {
    await train("patient", ...noisy, ...wait);
    await train("parts", ...noisy, ...wait, "--limit", "40");
    await train("parts", ...noisy, ...wait, "--resume");
    for (const name of ["weights.safetensors", "metrics.jsonl"]) {
      const read = (out: string) => readFileSync(at(out, name), "utf8");
      // A limit within an epoch is one more evaluation.
      const same = (text: string) => text.split("\n").filter((line) => !line.includes('"evaluation","step":40,'));
      expect(same(read("parts")), name).toEqual(same(read("patient")));
    }
    const done = losses("parts").length;
    const { code } = await train("parts", ...noisy, ...wait, "--resume");
    expect([code, losses("parts").length]).toEqual([0, done]);
  });
  test("needs something to wait for, and an end", async () => {
    const without = await train("unending", "--patience", "3");
    expect([without.code, without.notes]).toEqual([2, expect.stringMatching(/say with --epochs when it ends/)]);
  });
});

test("rows that neither the batch nor a single row makes up are evaluated with a size of their own", async () => {
  await train("rest", "--limit", "3");
  const evaluate = async (rows: number) => {
    const data = ["--data", `synthetic:linear,rows=${rows},split=1`];
    const { out, notes } = await dlx([
      ...["eval", file, "--weights", at("rest", "weights.safetensors"), ...data, ...cpu, "--json"],
    ]);
    return { rows: JSON.parse(out).rows, notes };
  };
  expect(await evaluate(38)).toEqual({ rows: 38, notes: "" });
  expect(await evaluate(6)).toEqual({ rows: 6, notes: "" });
  // Where the block refuses that size too, it is said.
  expect(await evaluate(37)).toEqual({ rows: 32, notes: expect.stringMatching(/32 of 37 rows/) });
});
