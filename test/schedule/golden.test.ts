/** How many kernels a program becomes, and what each computes: what fusion did, and what it left. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { fileLoader } from "../../compiler/cli/library.ts";
import { elaborateSource } from "../../compiler/compile.ts";
import { optimizeEntry } from "../../compiler/pipeline.ts";
import { describeSchedule } from "../../compiler/schedule/describe.ts";
import { schedule } from "../../compiler/schedule/schedule.ts";
import { expectGolden } from "../support/golden.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

function kernelsOf(text: string, entryName: string, folder = root): string {
  const { program, diagnostics } = elaborateSource({ file: "model.dlx", text }, fileLoader(folder));
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const entry = program?.entries.find(({ name }) => name === entryName);
  expect(entry, `${program?.entries.map(({ name }) => name)}`).toBeDefined();
  return describeSchedule(schedule(optimizeEntry(entry!, true), "cpu"));
}

/** A function of arguments, and its gradient, as one entry each. */
const programs: Readonly<Record<string, { readonly text: string; readonly entry: string }>> = {
  "batch-norm": {
    entry: "adjoint",
    text: `import nn
export fn adjoint(x: f32[8, 16, 6, 6], gamma: f32[16], beta: f32[16], dy: f32[8, 16, 6, 6])
  -> (dx: f32[8, 16, 6, 6], dgamma: f32[16], dbeta: f32[16]) {
  let f = (x, gamma, beta) => {
    let m[c] = mean[n, i, j] x[n, c, i, j]
    let v[c] = mean[n, i, j] (x[n, c, i, j] - m[c])^2
    let y[n, c, i, j] = gamma[c] * (x[n, c, i, j] - m[c]) / sqrt(v[c] + 1e-5) + beta[c]
    sum(y * dy)
  }
  (dx: grad(f, argument: 0)(x, gamma, beta), dgamma: grad(f, argument: 1)(x, gamma, beta), dbeta: grad(f, argument: 2)(x, gamma, beta))
}`,
  },
  "softmax-cross-entropy": {
    entry: "both",
    text: `import loss
export fn both(logits: f32[64, 10], label: i32[64]) -> (loss: f32, gradient: f32[64, 10]) =
  (loss: cross_entropy(logits, label), gradient: grad(x => cross_entropy(x, label))(logits))`,
  },
  attention: {
    entry: "adjoint",
    text: `import nn
export fn adjoint(q: f32[2, 4, 32, 16], k: f32[2, 4, 32, 16], v: f32[2, 4, 32, 16]) -> (y: f32, dq: f32[2, 4, 32, 16], dk: f32[2, 4, 32, 16], dv: f32[2, 4, 32, 16]) {
  let attend = (q, k, v) => {
    let score[n, h, i, j] = sum[e] q[n, h, i, e] * k[n, h, j, e] / sqrt(16.0)
    let seen[n, h, i, j] = select(j > i, -inf, score[n, h, i, j])
    let share = softmax(seen)
    let mixed[n, h, i, e] = sum[j] share[n, h, i, j] * v[n, h, j, e]
    sum(mixed * mixed)
  }
  (y: attend(q, k, v), dq: grad(attend, argument: 0)(q, k, v), dk: grad(attend, argument: 1)(q, k, v), dv: grad(attend, argument: 2)(q, k, v))
}`,
  },
};

for (const [name, { text, entry }] of Object.entries(programs))
  test(`kernels of ${name}`, () => expectGolden(`kernels/${name}.txt`, kernelsOf(text, entry)));

test("kernels of LeNet's training step", () => {
  const folder = join(root, "examples/lenet");
  expectGolden(
    "kernels/lenet-step.txt",
    kernelsOf(readFileSync(join(folder, "model.dlx"), "utf8"), "lenet.step", folder),
  );
});
