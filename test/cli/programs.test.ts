import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatNpy, parseNpy } from "../../runtime/node/data/npy.ts";
import { readSafetensors } from "../../runtime/safetensors.ts";
import { cpu, pointsProgram } from "../support/points-program.ts";
import { dlx } from "../support/terminal.ts";

const { folder, write, text: program, file, at } = pointsProgram();
const convolution = write(
  "look.dlx",
  `import nn
import loss
import optim

model Look(x: f32[N, 8, 8, 8]) -> f32[N, 8, 8, 8] = x |> conv2d(8, kernel: 3, padding: 1)

train look(batch: int = 2)(x: f32[batch, 8, 8, 8]) {
  minimize loss = mse(Look(x), x) over Look.params using sgd(lr: 0.1)
}
`,
);
const data = "synthetic:spirals,rows=200";

/** Trained once for the tests that only look. */
const trained = dlx(["train", file, "--data", data, "--epochs", "4", "--out", at("run"), "--json", ...cpu]);
const weights = ["--weights", at("run", "weights.safetensors")];

describe("train", () => {
  test("leaves weights, metrics and report, and says how it went", async () => {
    const { code, out, notes } = await trained;
    expect(notes).toBe("");
    expect(code).toBe(0);
    const result = JSON.parse(out);
    expect(result).toMatchObject({ step: 44, interrupted: false, device: "cpu", out: at("run") });
    expect(result.heldOut.accuracy).toBeGreaterThan(0.4);
    expect(readdirSync(at("run")).sort()).toEqual([
      "checkpoint.safetensors",
      "metrics.jsonl",
      "report.html",
      "weights.safetensors",
    ]);
    const { tensors, metadata } = readSafetensors(readFileSync(at("run", "weights.safetensors")));
    expect([...tensors.keys()].sort()).toEqual([
      "Net.dense_1.bias",
      "Net.dense_1.weight",
      "Net.dense_2.bias",
      "Net.dense_2.weight",
    ]);
    expect(metadata.compiler).toMatch(/^\d+\.\d+/);
    expect(metadata.source).toMatch(/^[0-9a-f]{64}$/);
  });
  test("is the same run every time, and another one with another seed", async () => {
    const run = async (out: string, ...more: string[]) => {
      expect((await dlx(["train", file, "--data", data, "--limit", "5", "--out", at(out), ...cpu, ...more])).code).toBe(
        0,
      );
      return readFileSync(at(out, "weights.safetensors"));
    };
    const first = await run("first");
    expect((await run("second")).equals(first)).toBe(true);
    expect((await run("third", "--seed", "1")).equals(first)).toBe(false);
  });
  test("--batch and knobs are taken", async () => {
    const run = async (...more: string[]) =>
      JSON.parse(
        (await dlx(["train", file, "--data", data, "--epochs", "1", "--out", at("knob"), "--json", ...cpu, ...more]))
          .out,
      );
    expect(await run("--batch", "60")).toMatchObject({ step: 3 });
    const [slow, still] = [await run("--set", "rate=0.01"), await run("--set", "rate=0")];
    expect(slow.heldOut.loss).not.toBe(still.heldOut.loss);
    await run("--set", "rate=0.01", "--epochs", "3", "--plateau", "rate,metric=loss,mode=max,factor=0.5,patience=0");
    const lines = readFileSync(at("knob", "metrics.jsonl"), "utf8").trimEnd().split("\n");
    const falling = lines.flatMap((line) => JSON.parse(line).values.rate ?? []);
    expect([falling[0], falling.at(-1)]).toEqual([0.01, 0.005]);
  });
  test("resumes bit for bit", async () => {
    const run = (out: string, ...more: string[]) =>
      dlx(["train", file, "--data", data, "--out", at(out), ...cpu, ...more]);
    await run("whole", "--limit", "17");
    await run("parts", "--limit", "6");
    expect((await run("parts", "--limit", "17", "--resume")).notes).not.toContain("differ");
    for (const name of ["checkpoint.safetensors", "weights.safetensors"])
      expect(readFileSync(at("parts", name)).equals(readFileSync(at("whole", name))), name).toBe(true);
  });
  test.each([
    [["--set", "widht=4"], /--set widht: net has nothing of that name to set; did you mean width\?/],
    [["--size", "T=4"], /--size T: the file has no dimension of that name/],
    [["--block", "gan"], /there is no train block gan; there is net/],
    [["--set", "rate=fast"], /--set rate=fast: expected a number/],
    [["--plateau", "speed"], /--plateau speed: the block has no input speed with a default; it has rate/],
    [["--plateau", "rate,metric=f1"], /metric is one of loss, accuracy/],
    [["--plateau", "rate,factor=2"], /factor is a number between 0 and 1/],
    [["--plateau", "rate,speed=2"], /options are metric, mode, factor, patience, min/],
    [["--resume"], /nothing to resume/],
  ])("%j", async (more, message) => {
    const { code, notes } = await dlx(["train", file, "--data", data, "--out", at("refused"), ...cpu, ...more]);
    expect(notes).toMatch(message);
    expect(code).toBe(more[0] === "--resume" ? 1 : 2);
    expect(existsSync(at("refused", "weights.safetensors"))).toBe(false);
  });
  test("a program with errors says them and trains nothing", async () => {
    const broken = write("broken.dlx", program.replace("dense(3)", "dens(3)").replace("./scale.dlx", "./scale.dlx"));
    const { code, notes } = await dlx(["train", broken, "--data", data, "--out", at("broken"), ...cpu]);
    expect(code).toBe(1);
    expect(notes).toMatch(/^error\[E02\d\d\].*dens/);
  });
  test("data that do not fit name what was expected and what came", async () => {
    const { code, notes } = await dlx(["train", file, "--data", "synthetic:parity", "--out", at("unfit"), ...cpu]);
    expect(code).toBe(1);
    expect(notes).toMatch(/^error\[E0613\]: input `x` takes f32\[N, 2\], but synthetic:parity \(x\) has rows of \[8\]/);
  });
});

test("an import outside of the project is not followed", async () => {
  mkdirSync(at("inner"));
  writeFileSync(at("inner", "net.dlx"), program.replace("./scale.dlx", "../scale.dlx"));
  const { code, notes } = await dlx(["check", at("inner", "net.dlx")]);
  expect(code).toBe(1);
  expect(notes).toMatch(/error\[E0209\]/);
});

describe("eval", () => {
  test("counts every held-out row, whatever the batch", async () => {
    await trained;
    const run = async (...more: string[]) =>
      JSON.parse((await dlx(["eval", file, "--data", data, "--json", ...weights, ...cpu, ...more])).out);
    const found = await run();
    expect(found.rows).toBe(20);
    const other = await run("--batch", "7");
    expect(other.accuracy).toBeCloseTo(found.accuracy, 6);
    expect(other.loss).toBeCloseTo(found.loss, 5);
  });
});

test("a folder that cannot be made is said so", async () => {
  const { code, notes } = await dlx(["train", file, "--data", data, "--limit", "1", "--out", "/proc/nothing", ...cpu]);
  expect(code).toBe(1);
  expect(notes).toMatch(/^error\[E0614\]: cannot write to \/proc\/nothing/);
});

test("in a file of several models each goes with weights of its own", async () => {
  const several = write(
    "several.dlx",
    `import nn
import loss
import optim

model Small(x: f32[N, 2]) -> f32[N, 3] = x |> dense(3)
model Large(x: f32[N, 2]) -> f32[N, 3] = x |> dense(16) |> relu |> dense(3)

train small(batch: int = 16)(x: f32[batch, 2], label: i32[batch]) {
  minimize loss = cross_entropy(Small(x), label) over Small.params using sgd(lr: 0.1)
}

export fn biggest() -> f32 = max(abs(Small.dense_1.weight))
`,
  );
  const run = (...words: string[]) => dlx([...words, ...cpu]);
  const started = await run("train", several, "--data", data, "--limit", "1", "--out", at("several"));
  expect(started.code).toBe(0);
  const own = ["--weights", at("several", "weights.safetensors")];
  const stored = readSafetensors(readFileSync(at("several", "weights.safetensors"))).tensors;
  expect([...stored.keys()].sort()).toEqual(["Small.dense_1.bias", "Small.dense_1.weight"]);
  const input = write("one.csv", "x1,x2\n0.5,-0.5\n");
  for (const words of [
    ["predict", several, "--model", "Small", "--input", input],
    ["eval", several, "--data", data],
    ["run", several, "biggest"],
  ])
    expect(await run(...words, ...own)).toMatchObject({ code: 0 });
  expect((await dlx(["build", several, "--model", "Small", "--out", at("one-of-two"), ...own])).code).toBe(0);
  expect((await run("predict", at("one-of-two"), "--input", input)).code).toBe(0);
  const unnamed = await run("predict", several, "--input", input, ...own);
  expect(unnamed).toMatchObject({ code: 2, notes: "error: say which model: --model Small or Large\n" });
  const strange = await run("predict", several, "--model", "Smal", "--input", input, ...own);
  expect(strange).toMatchObject({ code: 2, notes: "error: there is no model Smal; did you mean Small?\n" });
  const unfit = await dlx(["build", several, "--model", "Large", "--out", at("unfit"), ...own]);
  expect(unfit.code).toBe(1);
  expect(unfit.notes).toMatch(/^error\[E070[23]\]: .*weights.safetensors: `Large.dense_1.weight`/);
  expect(existsSync(at("unfit", "index.js"))).toBe(false);
});

describe("predict, run and build agree", () => {
  const points = Float32Array.of(0.1, 0.2, -0.3, 0.4, 0.5, -0.6);
  const input = write("points.npy", formatNpy(points, [3, 2]));
  const csv = write("points.csv", "0.1,0.2\n-0.3,0.4\n0.5,-0.6\n");

  test("from npy and csv, to npy, csv, safetensors and JSON", async () => {
    await trained;
    const predict = async (from: string, ...more: string[]) => {
      const result = await dlx(["predict", file, "--input", from, ...weights, ...cpu, ...more]);
      expect(result.notes).toBe("");
      return result.out;
    };
    const { output } = JSON.parse(await predict(input, "--json"));
    expect(output.shape).toEqual([3, 3]);
    expect(JSON.parse(await predict(csv, "--json")).output).toEqual(output);
    await predict(input, "--output", at("y.npy"));
    const npy = parseNpy(readFileSync(at("y.npy")), "y.npy");
    expect(npy.shape).toEqual([3, 3]);
    expect([...npy.data]).toEqual(output.data);
    await predict(input, "--output", at("y.csv"));
    expect(readFileSync(at("y.csv"), "utf8").split("\n").slice(0, 2)).toEqual([
      "output.0,output.1,output.2",
      output.data.slice(0, 3).join(","),
    ]);
    await predict(input, "--output", at("y.safetensors"));
    expect(readSafetensors(readFileSync(at("y.safetensors"))).tensors.get("output")?.shape).toEqual([3, 3]);
    expect(await predict(input)).toMatch(/^output \[3, 3\]\n/);
  });
  test("a bundle, whole and in one file, from a folder of its own", async () => {
    await trained;
    const direct = JSON.parse((await dlx(["predict", file, "--input", input, "--json", ...weights, ...cpu])).out);
    for (const [name, more] of [
      ["bundle", []],
      ["single", ["--single-file"]],
    ] as const) {
      const { code, notes } = await dlx([
        "build",
        file,
        "--out",
        at(name),
        "--train",
        "--batch",
        "1,4",
        ...weights,
        ...more,
      ]);
      expect([code, notes]).toEqual([0, ""]);
      const viaCli = await dlx(["predict", at(name), "--input", input, "--json", ...cpu]);
      // The bundle takes the three rows in one run of four: other kernels, which may differ in the last bits.
      const near = (values: readonly number[]) =>
        values.forEach((value, k) => {
          expect(value).toBeCloseTo(direct.output.data[k], 5);
        });
      near(JSON.parse(viaCli.out).output.data);
      const { load } = await import(pathToFileURL(at(name, "index.js")).href);
      const net = await load({ device: "cpu" });
      near([...(await net.predict({ x: points })).output]);
      const slope = await net.call.slope({ x: points.slice(0, 2), class: 1 });
      expect(slope.output).toHaveLength(2);
      const before = await net.evaluate({ x: points, label: Int32Array.of(0, 1, 2) });
      expect(before.loss).toBeTypeOf("number");
      const step = await net.trainStep({ x: new Float32Array(32).fill(0.5), label: new Int32Array(16) });
      expect(Object.keys(step)).toEqual(["loss", "accuracy"]);
      await expect(
        net.trainStep({ x: new Float32Array(32), label: new Int32Array(16).fill(99) }),
      ).rejects.toMatchObject({ code: "E0605" });
      net.dispose();
    }
  });
  describe("--tune", () => {
    const { XDG_CACHE_HOME } = process.env;
    beforeAll(() => {
      process.env.XDG_CACHE_HOME = at("cache");
    });
    afterAll(() => {
      if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
    });
    const build = (out: string, more: readonly string[] = [], options = {}) =>
      dlx(["build", file, "--out", at(out), "--tune", ...more], options);

    test("stopped, leaves what it measured and no bundle", async () => {
      const onInterrupt = (handler: () => void) => {
        setTimeout(handler, 0);
        return () => {};
      };
      const { code, notes } = await build("stopped", [], { onInterrupt });
      expect([code, notes]).toEqual([130, "Stopped while measuring: nothing is built, what was measured is kept.\n"]);
      expect(readdirSync(at("stopped"))).toEqual([]);
      expect(readdirSync(at("cache", "dlx"))).toEqual(["tuning.json"]);
    });
    test("makes a bundle that computes the same, and measures once", async () => {
      await trained;
      const first = await build("tuned", weights);
      expect([first.code, first.notes]).toEqual([
        0,
        expect.stringMatching(/^Tuned: \d+ of \d+ kernels .* less\)\.\n$/),
      ]);
      const kept = readFileSync(at("cache", "dlx", "tuning.json"), "utf8");
      const second = await build("tuned-again", weights);
      expect(second).toEqual({ ...first, out: first.out.replaceAll(at("tuned"), at("tuned-again")) });
      expect(readFileSync(at("cache", "dlx", "tuning.json"), "utf8")).toBe(kept);
      const predict = async (program: readonly string[]) =>
        JSON.parse((await dlx(["predict", ...program, "--input", input, "--json", ...cpu])).out).output.data;
      const plain = await predict([file, ...weights]);
      for (const [k, value] of (await predict([at("tuned")])).entries()) expect(value).toBeCloseTo(plain[k], 5);
    });
    test("has nothing to measure without WebAssembly", async () => {
      expect(await build("webgpu", ["--target", "webgpu"])).toMatchObject({ code: 2 });
    });
    test("leaves errors of the program to the compiler", async () => {
      const wrong = write("wrong.dlx", "model Net(x: f32[N, 2]) -> f32[N, 3] = x |> nothing\n");
      const { code, notes } = await dlx(["build", wrong, "--out", at("wrong"), "--tune"]);
      expect([code, notes]).toEqual([1, expect.stringMatching(/^error\[E\d+\]/)]);
    });
  });
  test("an `export fn`", async () => {
    await trained;
    const run = (...more: string[]) => dlx(["run", file, "slope", ...weights, ...cpu, "--json", ...more]);
    const x = write("one.npy", formatNpy(points.slice(0, 2), [2]));
    const { output } = JSON.parse((await run("--input", `x=${x}`, "--input", "class=1")).out);
    expect(output.shape).toEqual([2]);
    expect(JSON.parse((await run("--input", `x=${x}`)).out).error.message).toMatch(/input `class` \(i32\) is missing/);
    expect(JSON.parse((await run("--input", "y=1")).out).error.message).toMatch(/no input y; it takes x, class/);
    expect(JSON.parse((await run("--input", `x=${x}`, "--input", "class=7")).out).error).toMatchObject({
      code: "E0605",
    });
    expect((await dlx(["run", file, "slop", ...weights])).notes).toMatch(/no `export fn slop`; did you mean slope\?/);
  });
  test.each([
    [at("points.txt"), /there is no such file|expected an image/],
    [write("points.txt", "x"), /expected an image \(.png, .jpg\), .npy/],
    [write("wide.npy", formatNpy(points, [2, 3])), /`x` takes f32\[N, 2\], but .*wide.npy has rows of \[3\]/],
  ])("%s is refused", async (path, message) => {
    await trained;
    const { code, notes } = await dlx(["predict", file, "--input", path, ...weights, ...cpu]);
    expect(notes).toMatch(message);
    expect(code).toBe(1);
  });
});

describe("looking inside", () => {
  test("summary", async () => {
    const { models, training, memory } = JSON.parse((await dlx(["summary", file, "--json", "--batch", "4"])).out);
    expect(models).toMatchObject([{ model: "Net", batch: 4, parameters: 51 }]);
    expect(training).toMatchObject([{ block: "net", batch: 16 }]);
    const step = memory.entries.find(({ entry }: { entry: string }) => entry === "net.step");
    expect(step.ratio).toBe(step.peak / step.lowerBound);
    expect(memory.arena).toBeGreaterThanOrEqual(step.peak);
    const { out } = await dlx(["summary", file]);
    expect(out).toMatch(/Net\.dense_1 +\[1, 8\] +24/);
    expect(out).toMatch(/memory on the CPU +peak +lower bound +ratio\nNet@1 +\d+B +\d+B +1\.0/);
  });
  test.each([["resnet18", 11_689_512]])(
    "the parameters of %s are those of its paper's implementations",
    async (name, parameters) => {
      const { out } = await dlx(["summary", `test/bench/models/${name}.dlx`, "--json"]);
      expect(JSON.parse(out).models).toMatchObject([{ parameters }]);
    },
  );
  test("a program that may not take so much memory", async () => {
    const out = join(folder, "small");
    const { code, notes } = await dlx(["build", file, "--train", "--max-memory", "1K", "--out", out]);
    expect(code).toBe(1);
    expect(notes).toMatch(/error\[E0521\]: `\S+` takes [\d.]+ KiB of \w+ memory at least, but 1 KiB are allowed/);
    expect(existsSync(join(out, "index.js"))).toBe(false);
    expect((await dlx(["build", file, "--max-memory", "64X", "--out", out])).notes).toMatch(
      /Expected a size such as 64M/,
    );
  });
  test("a program that no device can hold", async () => {
    const out = join(folder, "large");
    const { code, notes } = await dlx(["build", file, "--batch", "400000000", "--out", out]);
    expect(code).toBe(1);
    expect(notes).toMatch(
      /error\[E0522\]: `Net@400000000` takes [\d.]+ GiB of WebAssembly memory, where there are at most 4 GiB/,
    );
    expect(notes).toMatch(/f32\[400000000, \d+\]/);
    expect(existsSync(join(out, "index.js"))).toBe(false);
  });
  test.each(["ast", "graph", "backward", "optimized", "kernels", "plan", "wgsl", "wat", "host"])(
    "ir --stage %s",
    async (stage) => {
      const { code, out, notes } = await dlx(["ir", file, "--stage", stage]);
      expect([code, notes]).toEqual([0, ""]);
      expect(out.length).toBeGreaterThan(200);
    },
  );
  test("one entry of a stage", async () => {
    expect((await dlx(["ir", file, "--stage", "optimized", "--entry", "slope"])).out).toMatch(/^input %x: f32\[2\]/);
    expect((await dlx(["ir", file, "--stage", "optimized", "--entry", "net"])).notes).toMatch(
      /no entry net; there is Net@1/,
    );
  });
  test.each([
    ["Look@1", [], true],
    ["look.evaluate", [], true],
    ["look.step", [], false],
    ["look.step", ["--winograd"], true],
    ["Look@1", ["--no-winograd"], false],
  ])("%s with %j: convolutions through Winograd's transforms: %s", async (entry, flags, expected) => {
    const { code, out } = await dlx(["ir", convolution, "--stage", "plan", "--entry", entry, ...flags]);
    expect(code).toBe(0);
    expect(out.includes("transformed weights of")).toBe(expected);
  });
  test("gradcheck", async () => {
    const { code, out } = await dlx(["gradcheck", file, "--runs", "2", "--batch", "3", "--json"]);
    expect(code).toBe(0);
    const report = JSON.parse(out);
    expect(report.agreed).toBeGreaterThan(0);
    expect(report.failures).toEqual([]);
  });
});
