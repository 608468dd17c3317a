/**
 * A device in plain memory and a small program for it: `y = x w`, trained by noisy gradient descent with momentum. It
 * has everything that a host has to handle: two batch sizes, a knob, bounds, random initial weights, a block's own state.
 */
import type { Device, Elements } from "../../runtime/device.ts";
import { DlxError } from "../../runtime/errors.ts";
import type { Entry, InputSlot, Manifest, OutputSlot, PersistentSlot } from "../../runtime/plan.ts";
import { randomWords } from "../../runtime/rng.ts";
import type { Parcel } from "../../runtime/session.ts";
import { allocate, elementCount } from "../../runtime/tensor.ts";

export interface FakeDevice extends Device {
  /** Names of the entries that ran, in order. */
  readonly log: string[];
  lose(): void;
  readonly disposed: boolean;
}
/** What an entry does to the slots (by path), given its inputs (by name). */
type Behaviour = (inputs: Record<string, Elements>, slots: Record<string, Elements>) => Elements[];

export function createFakeDevice(
  manifest: Manifest,
  behaviours: (entry: Entry) => Behaviour,
  name: Device["name"] = "cpu",
): FakeDevice {
  const slots: Record<string, Elements> = Object.fromEntries(
    manifest.persistent.map(({ path, dtype, shape }) => [path, allocate(dtype, elementCount(shape)).fill(99)]),
  );
  const pathOf = (slot: number) => manifest.persistent[slot]?.path ?? expectSlot(slot);
  let lose: (error: DlxError) => void = () => {};
  const lost = new Promise<never>((_, reject) => {
    lose = reject;
  });
  lost.catch(() => {});
  let busy = false;
  const device = {
    name,
    manifest,
    log: [] as string[],
    disposed: false,
    lost,
    lose: () => lose(new DlxError("E0802", "the device was lost")),
    writeSlot(slot: number, values: Elements) {
      const old = slots[pathOf(slot)];
      if (old?.length !== values.length || old.constructor !== values.constructor) throw new Error("slot misused");
      slots[pathOf(slot)] = values.slice();
    },
    readSlot: async (slot: number) => slots[pathOf(slot)]!.slice(),
    async run(index: number, inputs: readonly Elements[]) {
      if (busy) throw new Error("calls interleave");
      busy = true;
      const entry = manifest.entries[index];
      if (!entry || inputs.length !== entry.inputs.length) throw new Error("entry misused");
      device.log.push(entry.name);
      await new Promise((resolve) => setImmediate(resolve));
      entry.inputs.forEach(({ dtype, shape }, k) => {
        const expected = allocate(dtype, elementCount(shape));
        if (inputs[k]?.constructor !== expected.constructor || inputs[k].length !== expected.length)
          throw new Error(`input ${k} of ${entry.name} misused`);
      });
      const named = Object.fromEntries(entry.inputs.map((slot, k) => [slot.name, inputs[k]!]));
      const outputs = behaviours(entry)(named, slots);
      busy = false;
      return outputs;
    },
    dispose() {
      device.disposed = true;
    },
  };
  return device;
}
function expectSlot(slot: number): never {
  throw new Error(`no slot ${slot}`);
}

// ---- The program -------------------------------------------------------------------------------------------------------

const input = (name: string, dtype: InputSlot["dtype"], shape: number[], more: Partial<InputSlot> = {}): InputSlot => ({
  name,
  dtype,
  shape,
  ...more,
});
const output = (
  name: string,
  role: OutputSlot["role"],
  shape: number[],
  dtype: OutputSlot["dtype"] = "f32",
): OutputSlot => ({
  name,
  role,
  dtype,
  shape,
});
const predictAt = (batch: number): Entry => ({
  name: `Line@${batch}`,
  kind: "predict",
  of: "Line",
  batch,
  inputs: [input("x", "f32", [batch, 2])],
  outputs: [output("output", "result", [batch]), output("positive", "result", [batch], "bool")],
});
const trainEntry = (kind: "step" | "evaluate", batch: number): Entry => ({
  name: `line.${kind}${kind === "evaluate" ? `@${batch}` : ""}`,
  kind,
  of: "line",
  batch,
  inputs: [
    input("x", "f32", [batch, 2]),
    input("label", "i32", [batch], { bounds: { min: 0, max: 9 } }),
    input("rate", "f32", [], { default: 0.01 }),
  ],
  outputs: [output("loss", "loss", []), output("accuracy", "metric", [])],
});
const slot = (
  path: string,
  role: PersistentSlot["role"],
  shape: number[],
  more: Partial<PersistentSlot> = {},
): PersistentSlot => ({
  path,
  role,
  dtype: "f32",
  shape,
  ...more,
});

export const lineManifest: Manifest = {
  format: 1,
  compiler: "0.0.0",
  source: { file: "line.dlx", sha256: "00" },
  main: "Line",
  persistent: [
    slot("Line.weight", "parameter", [2]),
    slot("Line.calls", "state", [], { fill: 0, dtype: "i32" }),
    slot("Line.weight.velocity", "optimizer", [2], { block: "line", fill: 0 }),
    slot("average", "state", [2], { block: "line" }),
    slot("line.step", "step", [], { block: "line", dtype: "i32", fill: 0 }),
    slot("seed", "seed", [2], { dtype: "u32" }),
  ],
  entries: [
    predictAt(4),
    predictAt(1),
    { name: "initialize", kind: "initialize", of: "program", inputs: [], outputs: [] },
    { name: "line.initialize", kind: "initialize", of: "line", inputs: [], outputs: [] },
    trainEntry("step", 4),
    trainEntry("evaluate", 4),
    trainEntry("evaluate", 1),
    {
      name: "negate",
      kind: "call",
      of: "negate",
      inputs: [input("flag", "bool", []), input("image", "u8", [2])],
      outputs: [output("flag", "result", [], "bool"), output("image", "result", [2], "u8")],
    },
  ],
  separable: ["Line"],
  wasm: null,
  webgpu: null,
  weights: null,
};

function lineBehaviour(entry: Entry): Behaviour {
  const predicted = (x: Elements, w: Elements) =>
    Float32Array.from({ length: x.length / 2 }, (_, n) => x[2 * n]! * w[0]! + x[2 * n + 1]! * w[1]!);
  switch (entry.kind) {
    case "predict":
      return ({ x }, slots) => {
        const y = predicted(x!, slots["Line.weight"]!);
        return [y, Uint32Array.from(y, (value) => Number(value > 0))];
      };
    case "initialize":
      return (_, slots) => {
        if (entry.of === "line") slots.average = slots["Line.weight"]!.slice();
        else {
          const [low, high] = slots.seed!;
          slots["Line.weight"] = Float32Array.from(randomWords([low!, high!], 0, 0, 0, 2), (word) => word / 2 ** 32);
        }
        return [];
      };
    case "step":
    case "evaluate":
      return ({ x, label, rate }, slots) => {
        const w = slots["Line.weight"]!;
        const wrong = predicted(x!, w).map((y, n) => y - label![n]!);
        const count = wrong.length;
        const loss = wrong.reduce((sum, error) => sum + error ** 2, 0) / count;
        if (entry.kind === "step") {
          const velocity = slots["Line.weight.velocity"]!;
          const [low, high] = slots.seed!;
          const noise = randomWords([low!, high!], 1, slots["line.step"]![0]!, 0, 2);
          for (const d of [0, 1]) {
            const slope = wrong.reduce((sum, error, n) => sum + error * x![2 * n + d]!, 0) / count;
            velocity[d] = 0.9 * velocity[d]! + slope + 1e-3 * (noise[d]! / 2 ** 32);
            w[d] = w[d]! - rate![0]! * velocity[d]!;
            slots.average![d] = 0.9 * slots.average![d]! + 0.1 * w[d]!;
          }
          slots["line.step"]![0]!++;
        }
        const right = wrong.reduce((sum, error) => sum + Number(Math.abs(error) < 0.5), 0);
        return [Float32Array.of(loss), Float32Array.of(right / count)];
      };
    case "call":
      return ({ flag, image }) => [flag!.map((value) => 1 - value), image!.map((value) => 255 - value)];
    case "closing":
      throw new Error("this program has no totals");
    default:
      return entry.kind satisfies never;
  }
}

/** The program on fake devices; `opened` collects them. */
export function lineParcel(
  manifest = lineManifest,
  names: readonly ("cpu" | "webgpu")[] = ["cpu"],
): Parcel & { opened: FakeDevice[] } {
  const opened: FakeDevice[] = [];
  const open = (name: "cpu" | "webgpu") => async () => {
    const device = createFakeDevice(manifest, lineBehaviour, name);
    opened.push(device);
    return device;
  };
  return {
    opened,
    manifest,
    read: async (file) => {
      throw new DlxError("E0805", `no file ${file}`);
    },
    open: Object.fromEntries(names.map((name) => [name, open(name)])),
  };
}
