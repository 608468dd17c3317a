/** Weights in eight bits: what is written, what is read, what is refused. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Manifest, PersistentSlot } from "../../runtime/plan.ts";
import { quantiseWeights } from "../../runtime/quantise.ts";
import { encode, readSafetensors, type StoredTensor, writeSafetensors } from "../../runtime/safetensors.ts";
import type { HostTensor } from "../../runtime/tensor.ts";
import { decodeSlots, isWeight } from "../../runtime/weights.ts";
import { lineManifest } from "../support/fake-device.ts";

const slot = (path: string, shape: readonly number[], more: Partial<PersistentSlot> = {}): PersistentSlot => ({
  path,
  role: "parameter",
  dtype: "f32",
  shape,
  ...more,
});
const manifestOf = (...persistent: PersistentSlot[]): Manifest => ({ ...lineManifest, persistent });
const floats = (values: readonly number[], shape: readonly number[] = [values.length]): HostTensor => ({
  dtype: "f32",
  shape,
  data: Float32Array.from(values),
});
const bytes = (values: readonly number[], shape: readonly number[]): StoredTensor => ({
  type: "I8",
  shape,
  bytes: new Uint8Array(Int8Array.from(values).buffer),
});
const read = (manifest: Manifest, file: Uint8Array) => {
  const { slots, report } = decodeSlots(manifest, isWeight, file);
  return { report, values: Object.fromEntries(slots.map(({ key, elements }) => [key, elements])) };
};

/** To the nearest whole number by the definition: halves go to the even one. */
const rounded = (value: number) => {
  const low = Math.floor(value);
  return value - low < 0.5 || (value - low === 0.5 && low % 2 === 0) ? low : low + 1;
};

test("what comes back is scale * round(w / scale), scale = max |w[f]| / 127, in single precision", () => {
  const weight = fc.float({ min: Math.fround(-8), max: Math.fround(8), noNaN: true });
  const shapes = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 6 }));
  fc.assert(
    fc.property(
      shapes.chain(([F, S]) => fc.tuple(fc.constant([F, S]), fc.array(weight, { minLength: F * S, maxLength: F * S }))),
      ([[F = 1, S = 1], w]) => {
        const manifest = manifestOf(slot("w", [F, S]));
        const { file } = quantiseWeights(manifest, writeSafetensors([["w", floats(w, [F, S])]]));
        const got = read(manifest, file).values.w ?? [];
        for (let f = 0; f < F; f++) {
          const row = w.slice(f * S, f * S + S);
          const scale = Math.fround(Math.max(...row.map(Math.abs)) / 127) || 1;
          for (const [k, value] of row.entries()) {
            const q = Math.max(-127, Math.min(127, rounded(Math.fround(value / scale))));
            expect(got[f * S + k]).toBe(Math.fround(scale * q) + 0);
          }
        }
        // Once more changes nothing.
        expect(quantiseWeights(manifest, file).file).toEqual(file);
      },
    ),
  );
});

test("parameters of rank 2 and more alone; nothing else is changed, and what is not the program's is left out", () => {
  const manifest = manifestOf(
    slot("w", [2, 2, 1]),
    slot("b", [2]),
    slot("half", [1, 2], { dtype: "f16" }),
    slot("mean", [1, 2], { role: "state" }),
    slot("codes", [1, 2], { dtype: "i32" }),
    slot("taken", [1, 1]),
    slot("taken.scale", [1]),
    slot("w.velocity", [2, 2, 1], { role: "optimizer", block: "t" }),
  );
  const given: [string, HostTensor][] = [
    ["w", floats([1.27, -0.64, 0, 0], [2, 2, 1])],
    ["b", floats([0.1, 0.2])],
    ["half", { dtype: "f16", shape: [1, 2], data: Float32Array.of(0.5, 0.25) }],
    ["mean", floats([0.3, 0.4], [1, 2])],
    ["codes", { dtype: "i32", shape: [1, 2], data: Int32Array.of(5, 300) }],
    ["taken", floats([0.7], [1, 1])],
    ["taken.scale", floats([0.9])],
    ["t/optimizer/w.velocity", floats([1, 2, 3, 4], [2, 2, 1])],
  ];
  const { file, bytes: sizes } = quantiseWeights(manifest, writeSafetensors(given, { device: "cpu" }));
  const stored = readSafetensors(file);
  expect(stored.metadata).toEqual({ device: "cpu", quantised: "int8" });
  const whole = Object.fromEntries(given.slice(1, 7).map(([name, tensor]) => [name, encode(tensor)]));
  expect(Object.fromEntries(stored.tensors)).toEqual({
    ...whole,
    w: bytes([127, -64, 0, 0], [2, 2, 1]),
    "w.scale": encode(floats([Math.fround(Math.fround(1.27) / 127), 1])),
  });
  expect(sizes).toEqual({ float32: 4 * (4 + 2 + 2 + 2 + 2 + 1 + 1), int8: 4 + 8 + 8 + 4 + 8 + 8 + 4 + 4 });
  const { report, values } = read(manifest, file);
  expect(report).toMatchObject({ missing: [], unexpected: [] });
  expect(values.half).toEqual(Float32Array.of(0.5, 0.25));
});

test("a channel too small for a scale is one of zeros", () => {
  const manifest = manifestOf(slot("w", [1, 2]));
  const { file } = quantiseWeights(manifest, writeSafetensors([["w", floats([1e-45, -1e-45], [1, 2])]]));
  expect(read(manifest, file).values.w).toEqual(new Float32Array(2));
});

test("whole numbers of eight bits are weights of any rank and float type, and themselves where the program wants integers", () => {
  const manifest = manifestOf(
    slot("w", [2, 1], { dtype: "f16" }),
    slot("b", [2]),
    slot("gain", []),
    slot("n", [2], { dtype: "i32" }),
  );
  const file = writeSafetensors([
    ["w", bytes([-128, 3], [2, 1])],
    ["w.scale", { dtype: "f16", shape: [2], data: Float32Array.of(0.5, 0.25) }],
    ["b", bytes([1, 2], [2])],
    ["b.scale", floats([0.1, 10])],
    ["gain", bytes([7], [])],
    ["gain.scale", floats([2], [])],
    ["n", bytes([-5, 6], [2])],
  ]);
  expect(read(manifest, file)).toMatchObject({
    report: { unexpected: [] },
    values: {
      w: Float32Array.of(-64, 0.75),
      b: Float32Array.of(Math.fround(0.1), 20),
      gain: Float32Array.of(14),
      n: Int32Array.of(-5, 6),
    },
  });
});

describe("refused", () => {
  const manifest = manifestOf(slot("w", [2, 3]));
  const q = ["w", bytes([1, 2, 3, 4, 5, 6], [2, 3])] as const;
  const scale = (values: readonly number[], shape?: readonly number[]) =>
    [q, ["w.scale", floats(values, shape)]] as const;
  const files: [what: string, tensors: Iterable<readonly [string, HostTensor | StoredTensor]>, string, RegExp][] = [
    [
      "no scales",
      [q],
      "E0706",
      /`w` is I8\[2, 3\] and needs `w.scale`, F32\[2\] of positive numbers, which is missing/,
    ],
    ["a scale for each column", scale([1, 1, 1]), "E0706", /which is F32\[3\]/],
    ["one scale for all", scale([1], []), "E0706", /which is F32$/],
    ["a scale for each weight", scale([1, 1, 1, 1, 1, 1], [2, 3]), "E0706", /which is F32\[2, 3\]/],
    ["NaN", scale([1, Number.NaN]), "E0706", /which has NaN at 1/],
    ["infinity", scale([Number.POSITIVE_INFINITY, 1]), "E0706", /which has Infinity at 0/],
    ["a negative scale", scale([1, -0.5]), "E0706", /which has -0.5 at 1/],
    ["a scale of zero", scale([0, 1]), "E0706", /which has 0 at 0/],
    [
      "scales that are whole numbers",
      [q, ["w.scale", { dtype: "i32", shape: [2], data: Int32Array.of(1, 1) }]],
      "E0705",
      /`w.scale`: I32 does not convert to f32/,
    ],
    [
      "another shape",
      [
        ["w", bytes([1, 2], [2, 1])],
        ["w.scale", floats([1, 1])],
      ],
      "E0703",
      /`w` is I8\[2, 1\]/,
    ],
    [
      "whole numbers of other widths",
      [
        ["w", { dtype: "i32", shape: [2, 3], data: new Int32Array(6) }],
        ["w.scale", floats([1, 1])],
      ],
      "E0705",
      /I32 does not convert to f32/,
    ],
    [
      "bytes without a sign",
      [
        ["w", { dtype: "u8", shape: [2, 3], data: new Int32Array(6) }],
        ["w.scale", floats([1, 1])],
      ],
      "E0705",
      /U8 does not convert to f32/,
    ],
    ["scales alone", [["w.scale", floats([1, 1])]], "E0702", /`w` is missing; the file has `w.scale`/],
  ];
  test.each(files)("%s", (_, tensors, code, message) => {
    const thrown = expect.objectContaining({ name: "DlxError", code, message: expect.stringMatching(message) });
    const file = writeSafetensors(tensors);
    expect(() => read(manifest, file)).toThrow(thrown);
    expect(() => quantiseWeights(manifest, file)).toThrow(thrown);
  });
  test.each([Number.NaN, Number.NEGATIVE_INFINITY])("%d as a weight", (value) => {
    const file = writeSafetensors([["w", floats([1, 2, 3, value, 5, 6], [2, 3])]]);
    expect(() => quantiseWeights(manifest, file)).toThrow(
      expect.objectContaining({ code: "E0706", message: expect.stringContaining(`\`w\` has ${value} at 3`) }),
    );
  });
});
