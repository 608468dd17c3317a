import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DTypeName } from "../../runtime/plan.ts";
import {
  decodeAs,
  decodeNumbers,
  readSafetensors,
  type StoredType,
  writeSafetensors,
} from "../../runtime/safetensors.ts";
import { allocate, elementCount, floatToHalf, type HostTensor, halfToFloat } from "../../runtime/tensor.ts";

function fileOf(header: unknown, data = 0, length?: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + data);
  new DataView(file.buffer).setBigUint64(0, BigInt(length ?? text.length), true);
  file.set(text, 8);
  return file;
}
const f32 = (begin: unknown, end: unknown, shape: unknown = [1]) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

const malformed: [what: string, file: Uint8Array, message: RegExp][] = [
  ["empty", new Uint8Array(0), /has 0 bytes/],
  ["no room for the length", new Uint8Array(7), /has 7 bytes/],
  ["length beyond the file", fileOf({}, 0, 3), /claims a header of 3 bytes but has 2/],
  [
    "what torch.save writes",
    Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0, 0),
    /torch.save wrote it; store model.state_dict/,
  ],
  ["length of 2^64 - 1", new Uint8Array(16).fill(255), /claims a header of 18446744073709552000 bytes/],
  ["huge header", fileOf(" ".repeat(100_000_001)), /more than 100000000/],
  ["no header", fileOf("", 4, 0), /not JSON/],
  ["not JSON", fileOf("{"), /not JSON in UTF-8/],
  ["deep JSON", fileOf("[".repeat(1_000_000)), /not JSON in UTF-8/],
  ["not UTF-8", fileOf('{"a": 1}').map((byte) => (byte === 97 ? 0xff : byte)), /not JSON in UTF-8/],
  ["an array", fileOf([]), /not an object/],
  ["null", fileOf("null"), /not an object/],
  ["entry not an object", fileOf({ w: 3 }), /`w` is not described/],
  ["metadata not text", fileOf({ __metadata__: { a: 1 } }), /metadata `a` is not text/],
  [
    "duplicate names",
    fileOf(`{"w":${JSON.stringify(f32(0, 4))},"w":${JSON.stringify(f32(0, 4))}}`, 4),
    /names a tensor twice/,
  ],
  [
    "duplicate behind escapes",
    fileOf(`{"\\"w":${JSON.stringify(f32(0, 4))},"\\u0022w":${JSON.stringify(f32(0, 4))}}`, 4),
    /names a tensor twice/,
  ],
  ["unknown type", fileOf({ w: { dtype: "F31", shape: [], data_offsets: [0, 4] } }, 4), /unknown type "F31"/],
  ["inherited type", fileOf({ w: { dtype: "toString", shape: [], data_offsets: [0, 4] } }, 4), /unknown type/],
  ["no type", fileOf({ w: { shape: [], data_offsets: [0, 4] } }, 4), /unknown type undefined/],
  ["negative extent", fileOf({ w: f32(0, 4, [-1]) }, 4), /shape \[-1\]/],
  ["fractional extent", fileOf({ w: f32(0, 4, [0.5]) }, 4), /shape \[0.5\]/],
  ["shape not a list", fileOf({ w: f32(0, 4, 1) }, 4), /shape 1/],
  ["enormous shape", fileOf({ w: f32(0, 4, [2 ** 40, 2 ** 40]) }, 4), /takes .* bytes, but has 4/],
  ["wrong length", fileOf({ w: f32(0, 4, [2]) }, 4), /F32\[2\], which takes 8 bytes, but has 4/],
  ["offsets swapped", fileOf({ w: f32(4, 0) }, 4), /lies at \[4,0\]/],
  ["offsets not numbers", fileOf({ w: f32("0", 4) }, 4), /lies at \["0",4\]/],
  ["offsets beyond the data", fileOf({ w: f32(4, 8) }, 4), /outside of the 4 bytes/],
  ["negative offset", fileOf({ w: f32(-4, 0) }, 4), /lies at \[-4,0\]/],
  ["no offsets", fileOf({ w: { dtype: "F32", shape: [1] } }, 4), /lies at undefined/],
  ["overlap", fileOf({ a: f32(0, 4), b: f32(2, 6) }, 6), /`b` begins at 2, inside of another tensor/],
  ["shared bytes", fileOf({ a: f32(0, 4), b: f32(0, 4) }, 4), /inside of another tensor/],
  ["hole", fileOf({ a: f32(0, 4), b: f32(8, 12) }, 12), /`b` begins at 8, after a hole/],
  ["trailing bytes", fileOf({ a: f32(0, 4) }, 9), /5 bytes follow the last tensor/],
];
describe("malformed files", () => {
  test.each(malformed)("%s", (_, file, message) => {
    expect(() => readSafetensors(file, "w.safetensors")).toThrow(
      expect.objectContaining({ code: "E0701", message: expect.stringMatching(message) }),
    );
  });
  test("a file cut anywhere is refused, and nothing but DlxError is thrown", () => {
    const whole = writeSafetensors([["w", { dtype: "f32", shape: [3], data: Float32Array.of(1, 2, 3) }]], { a: "b" });
    for (let length = 0; length < whole.length; length++)
      expect(() => readSafetensors(whole.slice(0, length))).toThrow(expect.objectContaining({ code: "E0701" }));
  });
  test("flipped bytes give a tensor or E0701", () => {
    const whole = writeSafetensors([["w", { dtype: "f32", shape: [3], data: Float32Array.of(1, 2, 3) }]], { a: "b" });
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
        try {
          readSafetensors(whole.map((byte, position) => (position === at ? value : byte)));
        } catch (error) {
          expect(error).toMatchObject({ code: "E0701" });
        }
      }),
    );
  });
});

const dtypes: DTypeName[] = ["f32", "f16", "i32", "u32", "bool", "u8"];
const tensor = fc
  .record({ dtype: fc.constantFrom(...dtypes), shape: fc.array(fc.nat(4), { maxLength: 3 }) })
  .chain(({ dtype, shape }) => {
    const element =
      dtype === "f32" || dtype === "f16"
        ? fc.float().map((value) => (dtype === "f16" ? halfToFloat(floatToHalf(value)) : value))
        : fc.integer({
            min: dtype === "i32" ? -(2 ** 31) : 0,
            max: { i32: 2 ** 31 - 1, u32: 2 ** 32 - 1, bool: 1, u8: 255 }[dtype],
          });
    const count = elementCount(shape);
    return fc.array(element, { minLength: count, maxLength: count }).map((values): HostTensor => {
      const data = allocate(dtype, count);
      data.set(values);
      return { dtype, shape, data };
    });
  });
test("what is written reads back", () => {
  const files = fc.uniqueArray(fc.tuple(fc.string({ unit: "grapheme" }), tensor), {
    selector: ([name]) => name,
    maxLength: 5,
  });
  const metadata = fc.dictionary(fc.string(), fc.string());
  fc.assert(
    fc.property(files, metadata, fc.nat(7), (tensors, metadata, shift) => {
      const bytes = writeSafetensors(tensors, metadata);
      const moved = new Uint8Array(bytes.length + shift);
      moved.set(bytes, shift);
      const file = readSafetensors(moved.subarray(shift));
      expect(file.metadata).toEqual({ ...metadata });
      expect([...file.tensors.keys()].sort()).toEqual(tensors.map(([name]) => name).sort());
      for (const [name, tensor] of tensors) {
        const stored = file.tensors.get(name);
        expect(stored?.shape).toEqual(tensor.shape);
        expect(stored && decodeAs(tensor.dtype, stored, name)).toEqual(tensor.data);
      }
    }),
  );
});

const stored = (type: StoredType, array: { buffer: ArrayBuffer }) => {
  const bytes = new Uint8Array(array.buffer);
  return { type, shape: [bytes.length], bytes };
};
const conversions: [from: ReturnType<typeof stored>, to: DTypeName, result: number[] | RegExp][] = [
  [stored("F64", Float64Array.of(1 / 3)), "f32", [Math.fround(1 / 3)]],
  [stored("BF16", Uint16Array.of(0x3f80, 0xc000)), "f32", [1, -2]],
  [stored("F16", Uint16Array.of(0x3c00)), "f32", [1]],
  [stored("F32", Float32Array.of(1 / 3)), "f16", [0.333251953125]],
  [stored("I64", BigInt64Array.of(-5n, 7n)), "i32", [-5, 7]],
  [stored("U64", BigUint64Array.of(2n ** 32n - 1n)), "u32", [2 ** 32 - 1]],
  [stored("I8", Int8Array.of(-5)), "i32", [-5]],
  [stored("U16", Uint16Array.of(65535)), "i32", [65535]],
  [stored("BOOL", Uint8Array.of(1, 0)), "bool", [1, 0]],
  [stored("U8", Uint8Array.of(200)), "u8", [200]],
  [stored("I64", BigInt64Array.of(2n ** 31n)), "i32", /I64 does not convert to i32: 2147483648 is out of its range/],
  [stored("U8", Uint8Array.of(2)), "bool", /out of its range/],
  [stored("I8", Int8Array.of(-1)), "u32", /out of its range/],
  [stored("I32", Int32Array.of(1)), "f32", /I32 does not convert to f32/],
  [stored("F32", Float32Array.of(1)), "i32", /F32 does not convert to i32/],
  [stored("BOOL", Uint8Array.of(1)), "u8", /BOOL does not convert to u8/],
];
describe("conversions", () => {
  test.each(conversions)("%o to %s", (from, to, result) => {
    if (result instanceof RegExp)
      expect(() => decodeAs(to, from, "w")).toThrow(
        expect.objectContaining({ code: "E0705", message: expect.stringMatching(result) }),
      );
    else expect([...decodeAs(to, from, "w")]).toEqual(result);
  });
  test("from a pooled Buffer, at any place in it", () => {
    const pooled = Buffer.from("....").subarray(0, 4);
    pooled.writeFloatLE(1.5);
    expect([...decodeAs("f32", { type: "F32", shape: [1], bytes: pooled }, "w")]).toEqual([1.5]);
  });
  test("signed 16 bits keep their sign", () =>
    expect([...decodeNumbers(stored("I16", Int16Array.of(-2)))]).toEqual([-2]));
});
