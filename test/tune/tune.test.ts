/** Choosing kernels by measurement: the race, what is kept, and that every way computes the same. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cachePath, FoundInFile, summaryOf } from "../../compiler/cli/tuning.ts";
import { readGraph } from "../../compiler/graph/read.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import type { Choice, ScheduleOptions } from "../../compiler/schedule/options.ts";
import { plainOptions } from "../../compiler/schedule/options.ts";
import { schedule } from "../../compiler/schedule/schedule.ts";
import { race } from "../../compiler/tune/race.ts";
import { trialOf } from "../../compiler/tune/trial.ts";
import { ChoiceList, chooserOf, type Finding, type Findings, tune } from "../../compiler/tune/tune.ts";
import { expectClose } from "../support/compare.ts";
import { temporaryFolder } from "../support/folder.ts";
import { compileForCpu } from "../support/run-cpu.ts";

describe("a race", () => {
  /** Each run of the k-th function takes `durations[k]` milliseconds, and now and then more. */
  function lane(durations: readonly number[], noise: (run: number) => number = () => 0) {
    let now = 0;
    let count = 0;
    const counts = durations.map(() => 0);
    const runs = durations.map((duration, k) => () => {
      counts[k]!++;
      now += duration + noise(count++);
    });
    return {
      counts,
      least: race(
        runs,
        () => {},
        () => now,
      ),
      elapsed: () => now,
    };
  }

  test("tells the least time of a run, whatever else the machine does", () => {
    const { least } = lane([0.5, 0.4, 0.6], (run) => (run % 7 === 0 ? 3 : 0));
    // A round of at least 2 ms is 4 or 5 runs, of which one in seven is disturbed.
    expect(least[1]).toBeCloseTo(0.4);
    expect(least[0]).toBeCloseTo(0.5);
  });
  test("goes on without those that cannot win", () => {
    const { counts } = lane([10, 100]);
    expect(counts[1]).toBe(2);
    expect(counts[0]).toBeGreaterThan(10);
  });
  test("of slow functions ends soon", () => {
    const { elapsed, counts } = lane([700, 750, 2000]);
    expect(counts).toEqual([4, 4, 2]);
    expect(elapsed()).toBeLessThan(10_000);
  });
});

const conv = `input %x: f32[2,3,9,9] argument x
input %w: f32[5,3,3,3] parameter w
input %b: f32[5] parameter b
%y: f32[2,5,9,9] = sum[n<2, o<5, i<9, j<9 | c<3, p<3, q<3] %x[n, c, i + p - 1, j + q - 1 else 0] * %w[o, c, p, q]
%z: f32[2,5,9,9] = map[n<2, o<5, i<9, j<9] max(%y[n, o, i, j] + %b[o], 0)
%g: f32[5,3,3,3] = sum[o<5, c<3, p<3, q<3 | n<2, i<9, j<9] %z[n, o, i, j] * %x[n, c, i + p - 1, j + q - 1 else 0]
output %g result g
output %z result z`;
const again = conv.replaceAll("%x", "%image").replaceAll("%z", "%relu");

function choicesOf(text: string): readonly { readonly choice: Choice; readonly count: number }[] {
  const list = new ChoiceList();
  schedule(readGraph(text), "cpu", { ...plainOptions, choose: list.collect });
  return list.entries();
}

describe("the choices of a program", () => {
  test("are equal where only names differ", () => {
    const keys = (text: string) => choicesOf(text).map(({ choice }) => choice.key);
    expect(keys(conv)).toEqual(keys(again));
    expect(keys(conv)).toHaveLength(2);
    expect(keys(conv.replaceAll("j + q - 1", "j + q"))).not.toEqual(keys(conv));
    expect(keys(conv.replaceAll("f32[5]", "f32[7]"))).not.toEqual(keys(conv));
  });
  test("all compute the same", () => {
    const graph = readGraph(conv);
    const inputs = graph.inputs.map(({ tensor }) =>
      Array.from({ length: tensor.type.shape.reduce((a, b) => a * b, 1) }, (_, k) => Math.fround(Math.sin(k * 0.7))),
    );
    const want = evaluateOutputs(graph, inputs);
    const most = Math.max(...choicesOf(conv).map(({ choice }) => choice.ways.length));
    expect(most).toBeGreaterThan(2);
    const kernels = new Set<string>();
    for (let k = 0; k < most; k++) {
      const choose: ScheduleOptions["choose"] = ({ ways }) => ways[k % ways.length];
      const program = compileForCpu(graph, { ...plainOptions, choose });
      kernels.add(JSON.stringify(program.schedule.steps));
      expectClose(graph, program.run(inputs), want);
    }
    expect(kernels.size).toBe(most);
  });
  test("are tried in memory of their own", () => {
    for (const { choice } of choicesOf(conv)) {
      const trial = trialOf(choice, false);
      expect(trial?.runs).toHaveLength(choice.ways.length);
      trial?.refill();
      for (const run of trial?.runs ?? []) run();
    }
  });
  test("of operands that no memory holds are left to the cost model", () => {
    const large = `input %a: f32[30000,30000] argument a
input %b: f32[30000,30000] argument b
%y: f32[30000,30000] = sum[i<30000, j<30000 | k<30000] %a[i, k] * %b[k, j]
output %y result y`;
    expect(choicesOf(large).map(({ choice }) => trialOf(choice, false))).toEqual([undefined]);
  });
});

describe("tuning", () => {
  const inMemory = (): Findings & { readonly found: Map<string, Finding> } => {
    const found = new Map<string, Finding>();
    return { found, get: ({ key }) => found.get(key), set: ({ key }, finding) => void found.set(key, finding) };
  };
  const choices = choicesOf(conv).map(({ choice }) => choice);
  /** The n-th way takes n milliseconds, the cost model's own as many as are given. */
  const measured = (own: number) => (choice: Choice) =>
    choice.ways.map((way, k) => (way === choice.usual ? own : k + 1));

  test("takes the fastest, measures nothing twice, and stays with the cost model for less than 3 per cent", async () => {
    const findings = inMemory();
    const progress: string[] = [];
    const onProgress = (done: number, total: number) => progress.push(`${done}/${total}`);
    await tune(choices, { measure: measured(100), findings, onProgress });
    expect(progress).toEqual(["0/2", "1/2", "2/2"]);
    for (const choice of choices) {
      const fastest = choice.ways.find((way) => way !== choice.usual)!;
      expect(chooserOf(findings)(choice)).toBe(fastest);
    }
    await tune(choices, { measure: () => expect.fail("known already"), findings });

    const close = inMemory();
    const best = (choice: Choice) => 1 + choice.ways.findIndex((way) => way !== choice.usual);
    await tune(choices, { measure: (choice) => measured(1.02 * best(choice))(choice), findings: close });
    for (const choice of choices) expect(chooserOf(close)(choice)).toBe(choice.usual);
  });
  test("says what it gained", async () => {
    const findings = inMemory();
    await tune(choices, { measure: measured(4), findings });
    const counted = choices.map((choice) => ({ choice, count: 3 }));
    expect(summaryOf(counted, findings)).toMatch(
      /^Tuned: 2 of 2 kernels run otherwise .* [36.]+ ms together instead of 24 ms \([\d.]+% less\)\.\n$/,
    );
  });
  test("stops between two choices and keeps what it has", async () => {
    const findings = inMemory();
    const controller = new AbortController();
    const measure = (choice: Choice) => {
      controller.abort();
      return measured(1)(choice);
    };
    await expect(tune(choices, { measure, findings, signal: controller.signal })).rejects.toThrow(/abort/i);
    expect(findings.found.size).toBe(1);
  });
});

describe("the file of measurements", () => {
  const folder = temporaryFolder();
  const [first, second] = choicesOf(conv).map(({ choice }) => choice);
  const finding: Finding = { way: "some way", usual: 2, fastest: 1 };
  const notes: string[] = [];
  const open = (path: string, relaxed = false) => FoundInFile.read(path, relaxed, (text) => notes.push(text));

  test("lies where the system keeps what can be made anew", () => {
    expect(cachePath({ XDG_CACHE_HOME: "/x" }, "linux")).toBe(join("/x", "dlx", "tuning.json"));
    expect(cachePath({}, "linux")).toMatch(/\.cache.dlx.tuning\.json$/);
    expect(cachePath({}, "darwin")).toMatch(/Library.Caches.dlx.tuning\.json$/);
    expect(cachePath({ LOCALAPPDATA: "/l" }, "win32")).toBe(join("/l", "dlx", "tuning.json"));
  });
  test("gives back what it was given, to the same kind of module", async () => {
    const path = join(folder.path, "deep", "tuning.json");
    const [one, other] = [await open(path), await open(path)];
    one.set(first!, finding);
    await one.write();
    // Written meanwhile: both are kept.
    other.set(second!, finding);
    await other.write();
    const later = await open(path);
    expect([later.get(first!), later.get(second!)]).toEqual([finding, finding]);
    expect((await open(path, true)).get(first!)).toBeUndefined();
    expect(later.get({ ...first!, ways: first!.ways.slice(1) })).toBeUndefined();
    expect(readdirSync(join(folder.path, "deep"))).toEqual(["tuning.json"]);
    expect(notes).toEqual([]);
  });
  test.each([
    ["cut off", `{"format":1,"find`],
    ["of another format", `{"format":2,"findings":{}}`],
    ["with something else in it", `{"format":1,"findings":{"a":{"way":3}}}`],
    ["a list", "[]"],
  ])("is passed over with a word where it is %s", async (name, text) => {
    const path = folder.write(`${name}.json`, text);
    notes.length = 0;
    const findings = await open(path);
    expect(notes).toEqual([`${path} is not a file of measurements: everything is measured anew`]);
    findings.set(first!, finding);
    await findings.write();
    expect(JSON.parse(readFileSync(path, "utf8")).format).toBe(1);
    expect((await open(path)).get(first!)).toEqual(finding);
  });
  test("that cannot be written costs a word, not the build", async () => {
    const path = join(folder.path, "taken");
    mkdirSync(path);
    notes.length = 0;
    const findings = await open(path);
    findings.set(first!, finding);
    await findings.write();
    expect(notes).toEqual([expect.stringMatching(/^Measurements are not kept: /)]);
  });
});
