import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseSizes, type Inputs } from "../../runtime/call.ts";
import { DlxError } from "../../runtime/errors.ts";
import { readSafetensors, writeSafetensors } from "../../runtime/safetensors.ts";
import { openSession } from "../../runtime/session.ts";
import { inOrder, type Rows, shuffled } from "../../runtime/train-loop.ts";
import { lineManifest, lineParcel } from "../support/fake-device.ts";

const open = async (options = {}, manifest = lineManifest) => {
  const parcel = lineParcel(manifest);
  const session = await openSession(parcel, options);
  return { session, device: parcel.opened[0]! };
};
const error = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });
const batch = (rows: number, label = 1): Inputs => ({
  x: Float32Array.from({ length: 2 * rows }, (_, i) => Math.sin(i)),
  label: new Int32Array(rows).fill(label),
});
/** y = 2 x0 - x1, so that training has something to find. */
const rowsOf = (count: number): Rows => ({
  count,
  read: (positions) => ({
    x: Float32Array.from([...positions].flatMap((row) => [row % 5, row % 3])),
    label: Int32Array.from(positions, (row) => (row * 7) % 10),
  }),
});

describe("predict", () => {
  test.each([1, 2, 3, 4, 5, 8, 11])("%d rows, padded and split, are the same as one by one", async (rows) => {
    const { session } = await open();
    const x = batch(rows).x as Float32Array;
    const whole = await session.predict({ x });
    for (let row = 0; row < rows; row++) {
      const one = await session.predict({ x: x.slice(2 * row, 2 * row + 2) });
      expect([...(one.output as Float32Array)]).toEqual([(whole.output as Float32Array)[row]]);
      expect([...(one.positive as Uint8Array)]).toEqual([(whole.positive as Uint8Array)[row]]);
    }
    expect(whole.output).toHaveLength(rows);
    expect(whole.positive).toBeInstanceOf(Uint8Array);
  });
  test("sizes are exact where rows are not independent", async () => {
    const { session } = await open({}, { ...lineManifest, separable: [] });
    await expect(session.predict({ x: new Float32Array(8) })).resolves.toBeTruthy();
    await expect(session.predict({ x: new Float32Array(6) })).rejects.toThrow(
      error("E0606", /N = 3 was not built; N can be 1 or 4/),
    );
  });
  test("calls queue", async () => {
    const { session, device } = await open();
    const x = Float32Array.of(1, 2);
    await Promise.all([
      session.predict({ x }),
      session.call.negate!({ flag: true, image: Uint8Array.of(1, 2) }),
      session.predict({ x }),
    ]);
    expect(device.log.slice(-3)).toEqual(["Line@1", "negate", "Line@1"]);
  });
  test("a rejected call leaves the queue working", async () => {
    const { session } = await open();
    const [wrong, right] = await Promise.allSettled([session.predict({}), session.predict({ x: new Float32Array(2) })]);
    expect([wrong.status, right.status]).toEqual(["rejected", "fulfilled"]);
  });
});

test("sizes cover the rows with little waste", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.uniqueArray(fc.integer({ min: 2, max: 64 }), { maxLength: 3 }),
      (rows, sizes) => {
        const built = [1, ...sizes].sort((a, b) => a - b);
        const covered = (chosen: number[] | undefined) => chosen?.reduce((sum, size) => sum + size, 0) ?? 0;
        expect(covered(chooseSizes(rows, built, false))).toBe(rows);
        expect(covered(chooseSizes(rows, built, true))).toBeGreaterThanOrEqual(rows);
        expect(covered(chooseSizes(rows, built, true))).toBeLessThan(2 * rows + 1);
      },
    ),
  );
  expect(chooseSizes(5, [4], false)).toBeUndefined();
});

test("rank 0, bool and bytes", async () => {
  const { session } = await open();
  expect(await session.call.negate!({ flag: true, image: Uint8ClampedArray.of(0, 200) })).toEqual({
    flag: false,
    image: Uint8Array.of(255, 55),
  });
});

const step = { x: new Float32Array(8), label: new Int32Array(4) };
const badCalls: [what: string, inputs: Inputs, code: string, message: RegExp][] = [
  ["missing", { x: step.x }, "E0601", /line.step: input `label` \(i32\[N\]\) is missing/],
  ["unknown", { ...step, lable: step.label }, "E0602", /no input `lable`; it takes x, label, rate/],
  [
    "type",
    { ...step, x: new Float64Array(8) },
    "E0603",
    /input `x`: expected a Float32Array for f32\[N, 2\], got Float64Array\(8\)/,
  ],
  ["length", { ...step, x: new Float32Array(7) }, "E0604", /input `x`: expected f32\[N, 2\], got 7 elements/],
  ["rows", { ...step, label: new Int32Array(3) }, "E0604", /`label`.* N = 3 where the inputs before it have N = 4/],
  ["shape", { ...step, x: { data: step.x, shape: [2, 4] } }, "E0604", /got \[2, 4\]/],
  ["batch", { x: new Float32Array(2), label: new Int32Array(1) }, "E0606", /N = 1 was not built; N can be 4/],
  ["none", { x: new Float32Array(0), label: new Int32Array(0) }, "E0606", /N = 0 was not built/],
  ["label", { ...step, label: Int32Array.of(0, 1, 99, 0) }, "E0605", /input `label`: element 2 is 99; expected 0 to 9/],
  ["negative label", { ...step, label: Int32Array.of(0, -1, 9, 0) }, "E0605", /element 1 is -1/],
  ["knob", { ...step, rate: Float32Array.of(1, 2) }, "E0604", /`rate`: expected f32, got 2 elements/],
];
describe("calls that are refused before anything runs", () => {
  test.each(badCalls)("%s", async (_, inputs, code, message) => {
    const { session, device } = await open();
    const before = device.log.length;
    await expect(session.trainStep(inputs)).rejects.toThrow(error(code, message));
    expect(device.log).toHaveLength(before);
  });
});

describe("training", () => {
  test("fit drops the last short batch, counts steps, lowers the loss", async () => {
    const { session } = await open();
    const seen: number[] = [];
    const epochs = () => inOrder(rowsOf(10), 4);
    const before = await session.evaluate(inOrder(rowsOf(10), 4));
    const last = await session.train.line!.fit(epochs, { epochs: 20, onStep: ({ step }) => seen.push(step) });
    expect(seen).toEqual(Array.from({ length: 40 }, (_, k) => k + 1));
    const after = await session.evaluate(inOrder(rowsOf(10), 4));
    expect(last.loss).toBeTypeOf("number");
    expect(after.loss).toBeLessThan(before.loss as number);
    await expect(session.train.line!.fit([batch(4), batch(2), batch(4)])).rejects.toThrow(
      error("E0606", /before the last/),
    );
  });
  test("evaluate weights by rows", async () => {
    const { session } = await open();
    const each = await Promise.all([1, 2, 3, 4, 5, 6].map((label) => session.evaluate(batch(1, label))));
    const whole = await session.evaluate({
      x: Float32Array.from([1, 2, 3, 4, 5, 6].flatMap(() => [0, Math.sin(1)])),
      label: Int32Array.of(1, 2, 3, 4, 5, 6),
    });
    const mean = each.reduce((sum, { loss }) => sum + Number(loss) / 6, 0);
    expect(whole.loss).toBeCloseTo(mean, 4);
  });
  test("limit and abort", async () => {
    const { session } = await open();
    const line = session.train.line!;
    const data = () => inOrder(rowsOf(40), 4);
    await line.fit(data, { epochs: 9, limit: 3 });
    expect(await line.stepsDone()).toBe(3);
    const controller = new AbortController();
    const fitting = line.fit(data, {
      signal: controller.signal,
      onStep: ({ step }) => step === 7 && controller.abort(),
    });
    await expect(fitting).rejects.toThrow(error("E0803", /aborted after step 7/));
  });
  test.each([0, 3, 5, 9, 13])("stopped after %d steps, a run continues bit for bit", async (stop) => {
    const seed = 5;
    const rows = rowsOf(22);
    const perEpoch = 5;
    const train = async (from: Uint8Array | undefined, limit: number) => {
      const { session } = await open({ seed });
      if (from) await session.loadState(from);
      const done = await session.train.line!.stepsDone();
      const start = Math.floor(done / perEpoch);
      await session.train.line!.fit(
        (epoch) => shuffled(rows, 4, [seed, 0], epoch, epoch === start ? done % perEpoch : 0),
        { epochs: 4, firstEpoch: start, limit },
      );
      return session.saveState();
    };
    const whole = await train(undefined, 14);
    const resumed = await train(await train(undefined, stop), 14 - stop);
    expect(Buffer.from(resumed).equals(whole)).toBe(true);
  });
});

describe("weights and state", () => {
  test("weights are parameters and layer state; state is everything", async () => {
    const { session } = await open();
    const weights = readSafetensors(await session.saveWeights());
    expect([...weights.tensors.keys()]).toEqual(["Line.weight", "Line.calls"]);
    expect(weights.metadata).toMatchObject({ device: "cpu", compiler: "0.0.0" });
    const state = readSafetensors(await session.saveState({ position: "3" }));
    expect([...state.tensors.keys()]).toEqual([
      "Line.weight",
      "Line.calls",
      "line/optimizer/Line.weight.velocity",
      "line/state/average",
      "line/step/line.step",
      "/seed/seed",
    ]);
    expect(state.metadata.position).toBe("3");
    expect(session.parameters()).toEqual([{ path: "Line.weight", dtype: "f32", shape: [2] }]);
  });
  test("a state file serves as weights", async () => {
    const { session } = await open({ seed: 1 });
    const other = await open({ seed: 2, weights: await session.saveState() });
    expect(await other.session.saveWeights()).toEqual(await session.saveWeights());
  });
  const weight = (values: number[], name = "Line.weight") =>
    [name, { dtype: "f32", shape: [values.length], data: Float32Array.from(values) }] as const;
  const calls = ["Line.calls", { dtype: "i32", shape: [], data: Int32Array.of(1) }] as const;
  test("files that do not fit change nothing", async () => {
    const { session } = await open();
    const before = await session.saveState();
    const rejected: [Uint8Array, string, RegExp][] = [
      [new Uint8Array(3), "E0701", /has 3 bytes/],
      [writeSafetensors([calls]), "E0702", /w.st: `Line.weight` is missing/],
      [writeSafetensors([calls, weight([1, 2], "weight")]), "E0702", /is missing; the file has `weight`/],
      [writeSafetensors([calls, weight([1, 2, 3])]), "E0703", /`Line.weight` is F32\[3\], this program's is f32\[2\]/],
      [
        writeSafetensors([weight([1, 2]), ["Line.calls", { ...calls[1], dtype: "f32", data: new Float32Array(1) }]]),
        "E0705",
        /F32 does not convert to i32/,
      ],
    ];
    for (const [bytes, code, message] of rejected)
      await expect(session.loadWeights(bytes, { file: "w.st" })).rejects.toThrow(error(code, message));
    expect(await session.saveState()).toEqual(before);
  });
  test("partial weights", async () => {
    const { session } = await open();
    const report = await session.loadWeights(writeSafetensors([weight([3, 4]), weight([1], "more")]), {
      partial: true,
    });
    expect(report).toMatchObject({ loaded: ["Line.weight"], missing: ["Line.calls"], unexpected: ["more"] });
    expect((await session.predict({ x: Float32Array.of(1, 1) })).output).toEqual(Float32Array.of(7));
  });
  test("initial weights follow from the seed, a block's state from the weights", async () => {
    const stateOf = async (options: object) => readSafetensors(await (await open(options)).session.saveState());
    const [first, again, other] = [await stateOf({ seed: 7 }), await stateOf({ seed: 7 }), await stateOf({ seed: 8 })];
    const bytes = (file: typeof first, name: string) => file.tensors.get(name)?.bytes;
    expect(bytes(again, "Line.weight")).toEqual(bytes(first, "Line.weight"));
    expect(bytes(other, "Line.weight")).not.toEqual(bytes(first, "Line.weight"));
    expect(bytes(first, "line/state/average")).toEqual(bytes(first, "Line.weight"));
    const given = await stateOf({ weights: writeSafetensors([weight([3, 4]), calls]) });
    expect(bytes(given, "line/state/average")).toEqual(new Uint8Array(Float32Array.of(3, 4).buffer));
  });
});

describe("devices", () => {
  test("auto takes the GPU; its weights are drawn on the CPU", async () => {
    const both = lineParcel(lineManifest, ["cpu", "webgpu"]);
    const session = await openSession(both, { seed: 3 });
    expect(session.device).toBe("webgpu");
    expect(both.opened.map(({ name, log, disposed }) => ({ name, log, disposed }))).toEqual([
      { name: "webgpu", log: [], disposed: false },
      { name: "cpu", log: ["initialize", "line.initialize"], disposed: true },
    ]);
    const bytes = async (device: string) =>
      readSafetensors(
        await (
          await openSession(lineParcel(lineManifest, ["cpu", "webgpu"]), { seed: 3, device: device as "cpu" })
        ).saveState(),
      ).tensors;
    expect(await bytes("webgpu")).toEqual(await bytes("cpu"));
  });
  test("auto falls back with a message, webgpu does not", async () => {
    const parcel = lineParcel();
    const webgpu = () => Promise.reject(new DlxError("E0801", "no adapter"));
    const broken = { ...parcel, open: { ...parcel.open, webgpu } };
    const messages: string[] = [];
    const session = await openSession(broken, { onProgress: ({ message }) => messages.push(message) });
    expect(session.device).toBe("cpu");
    expect(messages).toEqual(["Using the CPU: E0801: no adapter"]);
    await expect(openSession(broken, { device: "webgpu" })).rejects.toThrow(error("E0801", /no adapter/));
    await expect(openSession(parcel, { device: "webgpu" })).rejects.toThrow(error("E0801", /not built for WebGPU/));
  });
  test("a lost device rejects what runs and what waits", async () => {
    const { session, device } = await open();
    const x = new Float32Array(2);
    const running = Promise.allSettled([session.predict({ x }), session.predict({ x })]);
    device.lose();
    for (const outcome of await running)
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "E0802" } });
    await expect(session.predict({ x })).rejects.toThrow(error("E0802", /lost/));
  });
  test("nothing works after dispose", async () => {
    const { session, device } = await open();
    session.dispose();
    expect(device.disposed).toBe(true);
    await expect(session.predict({ x: new Float32Array(2) })).rejects.toThrow(error("E0804", /disposed/));
  });
  test("an aborted load rejects", async () => {
    await expect(open({ signal: AbortSignal.abort() })).rejects.toThrow(error("E0803", /aborted/));
  });
});
