import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openData } from "../../runtime/node/data/open.ts";
import { formatReport } from "../../runtime/node/report.ts";
import { type TrainingOptions, train } from "../../runtime/node/training.ts";
import { readSafetensors } from "../../runtime/safetensors.ts";
import { openSession } from "../../runtime/session.ts";
import { lineManifest, lineParcel } from "../support/fake-device.ts";
import { temporaryFolder } from "../support/folder.ts";

const { path: folder } = temporaryFolder();
const error = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });
const slots = lineManifest.entries.find(({ kind }) => kind === "step")!.inputs;

async function run(
  out: string,
  options: Partial<TrainingOptions> & { data?: never; spec?: string } = {},
  manifest = lineManifest,
) {
  const messages: string[] = [];
  const session = await openSession(lineParcel(manifest), { seed: options.seed ?? 3 });
  const summary = await train({
    session,
    block: "line",
    slots,
    title: "line",
    out: join(folder, out),
    seed: 3,
    resume: false,
    onMessage: (message) => messages.push(message),
    ...options,
    data: await openData(options.spec ?? "synthetic:xor,rows=30,split=0.2"),
  });
  return { summary, messages };
}
const file = (out: string, name: string) => readFileSync(join(folder, out, name));
const lines = (out: string) =>
  String(file(out, "metrics.jsonl"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("a run leaves everything in its folder, and nothing else", async () => {
  const { summary } = await run("whole", { epochs: 2 });
  expect(readdirSync(join(folder, "whole")).sort()).toEqual([
    "checkpoint.safetensors",
    "metrics.jsonl",
    "report.html",
    "weights.safetensors",
  ]);
  expect(summary).toMatchObject({ step: 12, epochs: 2, interrupted: false });
  expect(lines("whole").map(({ kind, step }) => `${kind} ${step}`)).toEqual([
    ...[1, 2, 3, 4, 5, 6].map((step) => `step ${step}`),
    "evaluation 6",
    ...[7, 8, 9, 10, 11, 12].map((step) => `step ${step}`),
    "evaluation 12",
  ]);
  expect(summary.heldOut).toEqual(lines("whole").at(-1).values);
  expect(readSafetensors(file("whole", "checkpoint.safetensors")).metadata).toMatchObject({
    format: "dlx-checkpoint-1",
    block: "line",
    seed: "3",
    batch: "4",
    rows: "24",
    step: "12",
    epoch: "2",
    batchInEpoch: "0",
    device: "cpu",
    compiler: "0.0.0",
    source: "00",
  });
  const report = String(file("whole", "report.html"));
  expect(report).toContain("<polyline");
  expect(report).not.toMatch(/src=|href=|https?:/);
});

describe("resuming", () => {
  test.each([1, 5, 6, 8, 11])(
    "after an interruption at step %d everything is as if there had been none",
    async (stop) => {
      const controller = new AbortController();
      const onStep = ({ step }: { step: number }) => {
        if (step === stop) controller.abort();
      };
      const { summary } = await run(`stopped${stop}`, { epochs: 2, signal: controller.signal, onStep });
      expect(summary).toMatchObject({ step: stop, interrupted: true });
      await run("whole", { epochs: 2 });
      const { summary: rest, messages } = await run(`stopped${stop}`, { epochs: 2, resume: true });
      expect(rest).toMatchObject({ step: 12, interrupted: false });
      expect(messages).toEqual([]);
      for (const name of ["checkpoint.safetensors", "weights.safetensors", "metrics.jsonl"])
        expect(file(`stopped${stop}`, name).equals(file("whole", name)), name).toBe(true);
    },
  );
  test("lines after the checkpoint, whole or torn, are dropped", async () => {
    await run("torn", { limit: 4 });
    const path = join(folder, "torn", "metrics.jsonl");
    const kept = readFileSync(path, "utf8");
    writeFileSync(path, `${kept}{"kind":"step","step":5,"epoch":0,"values":{"loss":1}}\n{"kind":"st`);
    await run("torn", { limit: 4, resume: true });
    expect(readFileSync(path, "utf8")).toBe(kept);
  });
  test("a limit counts from the first run on", async () => {
    await run("limited", { limit: 4 });
    const { summary } = await run("limited", { limit: 7, resume: true });
    expect(summary.step).toBe(7);
    expect(
      lines("limited")
        .filter(({ kind }) => kind === "step")
        .map(({ step }) => step),
    ).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
  test("a checkpoint of another run is refused, one of another device warned of", async () => {
    await run("other", { limit: 2 });
    const resume = { limit: 4, resume: true } as const;
    await expect(run("other", { ...resume, seed: 4 })).rejects.toThrow(
      error("E0704", /was made with seed 3, this run has seed 4/),
    );
    await expect(run("other", { ...resume, spec: "synthetic:xor,rows=40,split=0.2" })).rejects.toThrow(
      error("E0704", /rows 24, this run has rows 32/),
    );
    await expect(run("nowhere", resume)).rejects.toThrow(
      error("E0704", /nothing to resume: .*nowhere.checkpoint.safetensors does not exist/),
    );
    mkdirSync(join(folder, "weights-only"));
    writeFileSync(join(folder, "weights-only", "checkpoint.safetensors"), file("other", "weights.safetensors"));
    await expect(run("weights-only", resume)).rejects.toThrow(error("E0704", /not a checkpoint of dlx/));
    writeFileSync(
      join(folder, "weights-only", "checkpoint.safetensors"),
      file("other", "checkpoint.safetensors").subarray(0, 100),
    );
    await expect(run("weights-only", resume)).rejects.toThrow(error("E0701", /not a well-formed/));
    const { messages } = await run("other", resume, {
      ...lineManifest,
      compiler: "0.0.1",
      source: { file: "line.dlx", sha256: "01" },
    });
    expect(messages).toEqual([
      "The checkpoint was made with another version of dlx (0.0.0, now 0.0.1): what follows may differ from an uninterrupted run",
      "The checkpoint was made with another source: what follows may differ from an uninterrupted run",
    ]);
  });
});

describe("a knob that is scaled when an evaluation is no better", () => {
  const plateau = {
    knob: "rate",
    start: 0.4,
    metric: "accuracy",
    mode: "max",
    factor: 0.5,
    patience: 0,
    lowest: 0.1,
  } as const;
  const rates = (out: string) => lines(out).flatMap(({ kind, values }) => (kind === "step" ? [values.rate] : []));

  test("after whole epochs, and not below its least", async () => {
    const { messages } = await run("plateau", { epochs: 6, plateau });
    const evaluations = lines("plateau").filter(({ kind }) => kind === "evaluation");
    let [rate, best] = [0.4, Number.NEGATIVE_INFINITY];
    const expected = evaluations.flatMap(({ values }) => {
      const epoch = new Array(6).fill(rate);
      if (values.accuracy > best) best = values.accuracy;
      else rate = Math.max(0.1, rate / 2);
      return epoch;
    });
    expect(rates("plateau")).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(1);
    expect(messages).toContain("accuracy has stopped getting better: rate is 0.2 now");
  });
  test.each([7, 12, 20])("resumed after step %d", async (stop) => {
    await run("plateau", { epochs: 6, plateau });
    const controller = new AbortController();
    const onStep = ({ step }: { step: number }) => {
      if (step === stop) controller.abort();
    };
    await run(`plateau${stop}`, { epochs: 6, plateau, signal: controller.signal, onStep });
    await run(`plateau${stop}`, { epochs: 6, plateau, resume: true });
    for (const name of ["checkpoint.safetensors", "metrics.jsonl"])
      expect(file(`plateau${stop}`, name).equals(file("plateau", name)), name).toBe(true);
  });
});

describe("what cannot work is said before the first step", () => {
  test("a folder that cannot be made", async () => {
    writeFileSync(join(folder, "in-the-way"), "");
    await expect(run("in-the-way")).rejects.toThrow(
      error("E0614", /cannot write to .*in-the-way: something of this name/),
    );
    await expect(run("in-the-way/deeper")).rejects.toThrow(error("E0614", /cannot write to/));
  });
  test("a folder that cannot be written to", async () => {
    mkdirSync(join(folder, "locked"));
    // Permissions do not bind the superuser: where tests run as one, this says nothing.
    if (process.getuid?.() === 0) return;
    chmodSync(join(folder, "locked"), 0o500);
    await expect(run("locked")).rejects.toThrow(error("E0614", /permission denied/));
  });
  test("too few rows", async () => {
    await expect(run("few", { spec: "synthetic:xor,rows=3,split=0" })).rejects.toThrow(
      error("E0613", /3 rows to train on, fewer than one batch of 4/),
    );
    expect(existsSync(join(folder, "few", "checkpoint.safetensors"))).toBe(false);
  });
});

test("starting over is said", async () => {
  await run("again", { limit: 1 });
  const { messages } = await run("again", { limit: 1 });
  expect(messages).toEqual([expect.stringMatching(/Starting over: the run in .*again is replaced/)]);
});

test("a report of a diverging run, with names that want escaping", () => {
  const values = { "<loss>": Number.NaN, accuracy: 1 };
  const report = formatReport({ title: "a & b", facts: [["seed", '"1"']] }, [
    { kind: "step", step: 1, epoch: 0, values },
  ]);
  expect(report).toContain("a &amp; b");
  expect(report).toContain("&quot;1&quot;");
  expect(report).not.toContain("<loss>");
  expect(report).not.toContain("NaN");
});
