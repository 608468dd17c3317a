/** What users of a bundle rely on, sentence by sentence, on WebAssembly in this process. */
import { beforeAll, describe, expect, test, vi } from "vitest";
import type { Inputs } from "../../runtime/call.ts";
import { readSafetensors, writeSafetensors } from "../../runtime/safetensors.ts";
import type { LoadOptions, Session } from "../../runtime/session.ts";
import type { BundleModule } from "../support/bundle.ts";
import { builder, error, labels, wave } from "./support.ts";

const build = builder();

const classifier = `
import nn
import loss
import optim
model Points(x: f32[N, 2]) -> f32[N, 3] = x |> dense(8) |> batch_norm |> tanh |> dense(3)
train points(batch: int = 4)(x: f32[batch, 2], label: i32[batch], peak: f32 = 0.1) {
  let logits = Points(x)
  minimize loss = cross_entropy(logits, label) over Points.params using adam(lr: peak)
  state average: like(Points.params) = Points.params
  average := map((a, p) => 0.9 * a + 0.1 * p, average, Points.params)
  metric accuracy = accuracy(logits, label)
}
/// Rows one by one.
export fn doubled(x: f32[N, 2], by: f32 = 2) -> f32[N, 2] = x * by
/// Rows together.
export fn centred(x: f32[N, 2]) -> f32[N, 2] {
  let y[n, d] = x[n, d] - mean[m] x[m, d]
  y
}`;

describe("a program with a model, a train block and functions", () => {
  let module: BundleModule;
  let net: Session;
  const open = (options: LoadOptions = {}) => module.load({ device: "cpu", seed: 1, ...options });
  const batch = (shift = 0): Inputs => ({ x: wave(8).map((value) => value + shift), label: labels(4, 3) });
  beforeAll(async () => {
    ({ module } = await build(classifier, { batches: [1, 4], evaluations: [1] }));
    net = await open();
  });

  test("says what it is", () => {
    expect(net.device).toBe("cpu");
    expect(Object.keys(net.signature).sort()).toEqual([
      "Points@1",
      "Points@4",
      "centred@1",
      "centred@4",
      "doubled@1",
      "doubled@4",
      "initialize",
      "points.evaluate",
      "points.evaluate@1",
      "points.initialize",
      "points.step",
    ]);
    expect(net.signature["points.step"]?.inputs).toMatchObject([
      { name: "x", dtype: "f32", shape: [4, 2] },
      { name: "label", dtype: "i32", shape: [4], bounds: { min: 0, max: 2 } },
      { name: "peak", dtype: "f32", shape: [], default: 0.1 },
    ]);
    expect(net.parameters().map(({ path }) => path)).toEqual([
      "Points.dense_1.weight",
      "Points.dense_1.bias",
      "Points.batch_norm_1.gamma",
      "Points.batch_norm_1.beta",
      "Points.dense_2.weight",
      "Points.dense_2.bias",
    ]);
  });

  test.each([1, 2, 3, 4, 5, 9, 17])("predicts %d rows as one by one", async (rows) => {
    const x = wave(2 * rows, 0.7);
    const { output } = await net.predict({ x });
    expect(output).toBeInstanceOf(Float32Array);
    expect(output).toHaveLength(3 * rows);
    for (let row = 0; row < rows; row++) {
      const one = (await net.models.Points!.predict({ x: x.slice(2 * row, 2 * row + 2) })).output as Float32Array;
      for (const [k, value] of one.entries()) expect((output as Float32Array)[3 * row + k]).toBeCloseTo(value, 5);
    }
  });
  test("functions of rows take any number of them, others the built ones", async () => {
    expect((await net.call.doubled!({ x: wave(14) })).output).toEqual(wave(14).map((value) => 2 * value));
    expect((await net.call.doubled!({ x: wave(14), by: 3 })).output).toEqual(wave(14).map((value) => 3 * value));
    expect((await net.call.centred!({ x: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) })).output).toEqual(
      Float32Array.of(-3, -3, -1, -1, 1, 1, 3, 3),
    );
    await expect(net.call.centred!({ x: wave(6) })).rejects.toThrow(
      error("E0606", /centred: N = 3 was not built; N can be 1 or 4/),
    );
  });

  test("trains; the names are those of the source", async () => {
    const own = await open();
    const before = await own.evaluate(batch());
    expect(Object.keys(before)).toEqual(["loss", "accuracy"]);
    const first = await own.trainStep(batch());
    expect(first.loss).toBeTypeOf("number");
    const seen: number[] = [];
    const last = await own.train.points!.fit(
      Array.from({ length: 30 }, () => batch()),
      { epochs: 2, onStep: ({ step }) => seen.push(step) },
    );
    expect(seen).toEqual(Array.from({ length: 60 }, (_, k) => k + 2));
    expect(last.loss).toBeLessThan(0.5 * (first.loss as number));
    expect(await own.train.points!.stepsDone()).toBe(61);
    const still = await open();
    const [moved] = [await still.trainStep({ ...batch(), peak: 0 })];
    expect(moved.loss).toBe(first.loss);
    expect((await still.trainStep({ ...batch(), peak: 0 })).loss).toBe(first.loss);
    own.dispose();
    still.dispose();
  });
  test("evaluation is weighted by rows and changes nothing", async () => {
    const before = await net.saveState();
    const parts = [
      { x: wave(8), label: labels(4, 3) },
      { x: wave(6, 2), label: labels(3, 3) },
    ];
    const each: number[] = [];
    for (const { x, label } of parts)
      for (let row = 0; row < label.length; row++)
        each.push(
          (await net.evaluate({ x: x.slice(2 * row, 2 * row + 2), label: label.slice(row, row + 1) })).loss as number,
        );
    const mean = each.reduce((sum, loss) => sum + loss / each.length, 0);
    expect((await net.evaluate(parts)).loss).toBeCloseTo(mean, 5);
    const whole = {
      x: Float32Array.of(...parts[0]!.x, ...parts[1]!.x),
      label: Int32Array.of(...parts[0]!.label, ...parts[1]!.label),
    };
    expect((await net.evaluate(whole)).loss).toBeCloseTo(mean, 5);
    expect(await net.saveState()).toEqual(before);
  });
  test("a saved state resumes bit for bit; weights alone do not carry the optimizer", async () => {
    const [a, b, c] = [await open(), await open({ seed: 99 }), await open()];
    for (let step = 0; step < 3; step++) await a.trainStep(batch(step));
    await b.loadState(await a.saveState());
    await c.loadWeights(await a.saveWeights());
    for (const own of [a, b, c]) for (let step = 3; step < 6; step++) await own.trainStep(batch(step));
    expect(await b.saveState()).toEqual(await a.saveState());
    expect(await c.saveWeights()).not.toEqual(await a.saveWeights());
    const file = readSafetensors(await a.saveWeights());
    expect([...file.tensors.keys()]).toContain("Points.batch_norm_1.running_mean");
    expect([...file.tensors.keys()]).not.toContain("points/step/points.step");
    expect(file.metadata).toMatchObject({ device: "cpu simd128" });
    for (const own of [a, b, c]) own.dispose();
  });
  test("the seed decides the weights", async () => {
    const drawn = async (seed: number) => (await (await open({ seed })).saveWeights()).toString();
    expect(await drawn(5)).toBe(await drawn(5));
    expect(await drawn(5)).not.toBe(await drawn(6));
  });
  test("a block's own state starts from the weights that were given", async () => {
    const weights = await net.saveWeights();
    const own = await open({ seed: 3, weights });
    const state = readSafetensors(await own.saveState());
    const average = [...state.tensors].find(
      ([name]) => name.startsWith("points/") && name.includes("average.dense_1.weight"),
    );
    expect(average?.[1].bytes).toEqual(readSafetensors(weights).tensors.get("Points.dense_1.weight")?.bytes);
    own.dispose();
  });

  test("calls made at once queue, and work on what their inputs held then", async () => {
    const own = await open();
    const other = await open();
    const x = wave(8);
    const alone: unknown[] = [];
    for (let k = 0; k < 6; k++) {
      const inputs = { x: x.map((value) => value + k), label: labels(4, 3) };
      alone.push(k % 2 === 0 ? await other.trainStep(inputs) : await other.predict({ x: inputs.x }));
    }
    const buffer = x.slice();
    const together = Array.from({ length: 6 }, (_, k) => {
      buffer.set(x.map((value) => value + k));
      return k % 2 === 0 ? own.trainStep({ x: buffer, label: labels(4, 3) }) : own.predict({ x: buffer });
    });
    buffer.fill(Number.NaN);
    expect(await Promise.all(together)).toEqual(alone);
    own.dispose();
    other.dispose();
  });

  const refused: [what: string, call: (net: Session) => Promise<unknown>, code: string, message: RegExp][] = [
    ["length", (n) => n.predict({ x: wave(3) }), "E0604", /input `x`: expected f32\[N, 2\], got 3 elements/],
    [
      "dtype",
      (n) => n.predict({ x: new Float64Array(2) }),
      "E0603",
      /input `x`: expected a Float32Array .*got Float64Array\(2\)/,
    ],
    ["missing", (n) => n.trainStep({ x: wave(8) }), "E0601", /points.step: input `label` \(i32\[N\]\) is missing/],
    ["unknown", (n) => n.predict({ x: wave(2), y: wave(2) }), "E0602", /no input `y`; it takes x/],
    [
      "label 99",
      (n) => n.trainStep({ x: wave(8), label: Int32Array.of(0, 1, 99, 2) }),
      "E0605",
      /input `label`: element 2 is 99; expected 0 to 2/,
    ],
    ["rows", (n) => n.trainStep({ x: wave(8), label: labels(3, 3) }), "E0604", /`label`/],
    ["batch", (n) => n.trainStep({ x: wave(4), label: labels(2, 3) }), "E0606", /N = 2 was not built; N can be 4/],
    ["knob", (n) => n.trainStep({ ...batch(), peak: wave(2) }), "E0604", /input `peak`/],
    ["no data", (n) => n.evaluate([]), "E0601", /no batches/],
    ["no bytes", (n) => n.loadWeights(new Uint8Array(0)), "E0701", /has 0 bytes/],
    [
      "not safetensors",
      (n) => n.loadState(new TextEncoder().encode("not a file of tensors")),
      "E0701",
      /not a well-formed safetensors file/,
    ],
    ["a state that lacks", async (n) => n.loadState(await n.saveWeights()), "E0702", /is missing/],
    [
      "another shape",
      (n) =>
        n.loadWeights(writeSafetensors([["Points.dense_1.bias", { dtype: "f32", shape: [9], data: wave(9) }]]), {
          partial: true,
        }),
      "E0703",
      /`Points.dense_1.bias` is F32\[9\], this program's is f32\[8\]/,
    ],
  ];
  test.each(refused)("refuses: %s", async (_, call, code, message) => {
    const before = await net.saveState();
    await expect(call(net)).rejects.toThrow(error(code, message));
    await expect(call(net)).rejects.toBeInstanceOf(module.DlxError);
    expect(await net.saveState()).toEqual(before);
  });
  test("partial weights", async () => {
    const own = await open();
    const bias = Float32Array.of(1, 2, 3);
    const file = writeSafetensors([
      ["Points.dense_2.bias", { dtype: "f32", shape: [3], data: bias }],
      ["more", { dtype: "f32", shape: [1], data: wave(1) }],
    ]);
    await expect(own.loadWeights(file)).rejects.toThrow(
      error("E0702", /`Points.dense_1.weight` and \d more is missing; the file has `more`/),
    );
    const report = await own.loadWeights(file, { partial: true });
    expect(report).toMatchObject({ loaded: ["Points.dense_2.bias"], unexpected: ["more"] });
    expect(report.missing).toContain("Points.batch_norm_1.running_var");
    expect(readSafetensors(await own.saveWeights()).tensors.get("Points.dense_2.bias")?.bytes).toEqual(
      new Uint8Array(bias.buffer),
    );
    own.dispose();
  });

  const options: [string, LoadOptions | object, string, RegExp][] = [
    ["a device it was not built for", { device: "webgpu" }, "E0801", /not built for WebGPU/],
    ["no such device", { device: "gpu" }, "E0801", /not "gpu"/],
    ["a seed that is none", { seed: -1 }, "E0605", /non-negative integer, not -1/],
    ["weights that are none", { weights: "weights.safetensors" }, "E0603", /a URL, bytes/],
    ["weights that are not there", { weights: new URL("file:///nowhere/weights.safetensors") }, "E0805", /nowhere/],
    ["malformed weights", { weights: wave(8).buffer }, "E0701", /not a well-formed/],
    ["a signal that was sent", { signal: AbortSignal.abort() }, "E0803", /aborted/],
  ];
  test.each(options)("does not load: %s", async (_, wrong, code, message) => {
    await expect(module.load({ device: "cpu", ...wrong })).rejects.toThrow(error(code, message));
  });
  test("loading ends when it is aborted on the way", async () => {
    const controller = new AbortController();
    const loading = module.load({ device: "cpu", signal: controller.signal });
    controller.abort();
    await expect(loading).rejects.toThrow(error("E0803", /aborted/));
  });
  test("training ends when it is aborted", async () => {
    const own = await open();
    const controller = new AbortController();
    function* forever() {
      for (;;) yield batch();
    }
    const fitting = own.train.points!.fit(forever(), { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(fitting).rejects.toThrow(error("E0803", /aborted after step \d+/));
    expect((await own.trainStep(batch())).loss).toBeTypeOf("number");
    own.dispose();
  });
  test("a short last batch is left out, a short one before it is refused", async () => {
    const own = await open();
    const short = { x: wave(2), label: labels(1, 3) };
    await own.train.points!.fit([batch(), batch(), short]);
    expect(await own.train.points!.stepsDone()).toBe(2);
    await expect(own.train.points!.fit([short, batch()])).rejects.toThrow(error("E0606", /before the last one/));
    own.dispose();
  });
  test("in a worker everything is the same", async () => {
    const messages: string[] = [];
    const own = await open({ worker: true, onProgress: ({ message }) => messages.push(message) });
    const here = await open();
    expect(messages).toEqual([]);
    const results = (session: Session) =>
      Promise.all([
        session.trainStep(batch()),
        session.predict({ x: wave(10) }),
        session.evaluate(batch()),
        session.saveState(),
      ]);
    expect(await results(own)).toEqual(await results(here));
    await own.loadState(await here.saveState());
    expect(await results(own)).toEqual(await results(here));
    await expect(own.trainStep({ x: wave(8), label: Int32Array.of(0, 1, 99, 2) })).rejects.toThrow(
      error("E0605", /label/),
    );
    const running = own.predict({ x: wave(40) });
    own.dispose();
    await expect(running).rejects.toThrow(error("E0804", /disposed/));
    await expect(own.saveState()).rejects.toThrow(error("E0804", /disposed/));
    here.dispose();
    for (const threads of [0, -1, 1.5, 1000, Number.NaN])
      await expect(open({ threads })).rejects.toThrow(error("E0605", /threads/));
    expect(messages).toEqual([]);
  });
  test("a machine without SIMD is told so", async () => {
    const validate = vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
    await expect(open()).rejects.toThrow(error("E0801", /no SIMD/));
    validate.mockRestore();
  });
  test("nothing works after dispose", async () => {
    const own = await open();
    const running = own.predict({ x: wave(40) });
    own.dispose();
    own.dispose();
    await expect(running).rejects.toThrow(error("E0804", /disposed/));
    for (const call of [() => own.predict({ x: wave(2) }), () => own.saveState(), () => own.trainStep(batch())])
      await expect(call()).rejects.toThrow(error("E0804", /disposed/));
  });
});

describe("two players", () => {
  const players = `
import nn
import loss
import optim
model Maker(z: f32[N, 2]) -> f32[N, 2] = z |> dense(2)
export model Judge(x: f32[N, 2]) -> f32[N] = (x |> dense(4) |> tanh |> dense(1))[:, 0]
train judge(batch: int = 4)(x: f32[batch, 2]) {
  let made = Maker(normal([batch, 2]))
  minimize d_loss = mean(softplus(-Judge(x)) + softplus(Judge(stop_gradient(made)))) over Judge.params using sgd(lr: 0.1)
}
train make(batch: int = 4)() {
  minimize g_loss = mean(softplus(-Judge(Maker(normal([batch, 2]))))) over Maker.params using sgd(lr: 0.1)
}`;
  test("each trains what is its own; the exported model is the main one", async () => {
    const { module } = await build(players);
    const net = await module.load({ seed: 4 });
    expect(Object.keys(net.train)).toEqual(["judge", "make"]);
    expect((await net.predict({ x: wave(6) })).output).toHaveLength(3);
    const weights = async () => readSafetensors(await net.saveWeights()).tensors;
    const before = await weights();
    expect(Object.keys(await net.train.judge!.step({ x: wave(8) }))).toEqual(["d_loss"]);
    const between = await weights();
    expect(Object.keys(await net.train.make!.step({}))).toEqual(["g_loss"]);
    const after = await weights();
    for (const [name, { bytes }] of before) {
      expect(String(between.get(name)?.bytes) === String(bytes)).toBe(name.startsWith("Maker"));
      expect(String(after.get(name)?.bytes) === String(between.get(name)?.bytes)).toBe(name.startsWith("Judge"));
    }
    await expect(net.trainStep({ x: wave(8) })).rejects.toThrow(error("E0607", /use train.NAME/));
    await expect(net.evaluate({ x: wave(8) })).rejects.toThrow(error("E0607", /use train.NAME/));
  });
});
