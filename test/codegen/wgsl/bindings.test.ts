import { describe, expect, test } from "vitest";
import { bindBuffers } from "../../../compiler/codegen/wgsl/bindings.ts";
import type { BufferParameter } from "../../../compiler/kernel/ir.ts";
import type { Location } from "../../../runtime/plan.ts";

const at = (offset: number, bytes: number, chunk = 0, space: Location["space"] = "arena"): Location => ({
  space,
  chunk,
  offset,
  bytes,
});
const buffers = (...types: BufferParameter["type"][]): BufferParameter[] =>
  types.map((type, k) => ({ name: `b${k}`, type, access: "read" }));

describe("bindings", () => {
  test("buffers that lie apart are bound one by one", () => {
    const { buffers: places, ranges, offsets } = bindBuffers(buffers("f32", "i32"), [at(512, 100), at(0, 40)]);
    expect(places.map(({ binding }) => binding)).toEqual([0, 1]);
    expect(ranges).toEqual([at(512, 112), at(0, 48)]);
    expect(offsets).toEqual([]);
  });
  test("a result in the place of an operand shares its binding", () => {
    const { buffers: places, ranges } = bindBuffers(buffers("f32", "f32"), [at(256, 64), at(256, 64)]);
    expect(places.map(({ binding }) => binding)).toEqual([0, 0]);
    expect(ranges).toEqual([at(256, 64)]);
  });
  test("what does not begin at a multiple of 256 is reached by an offset", () => {
    const { buffers: places, ranges, offsets } = bindBuffers(buffers("f32"), [at(256 + 12, 20)]);
    expect(ranges).toEqual([at(256, 32)]);
    expect(places).toEqual([{ binding: 0, offset: 0, aligned: false }]);
    expect(offsets).toEqual([3]);
  });
  test("neighbours in one block of 256 bytes share a binding, of u32 if their types differ", () => {
    const { types, ranges, offsets } = bindBuffers(buffers("f32", "i32", "bool"), [
      at(0, 16),
      at(16, 16),
      at(1024, 16),
    ]);
    expect(types).toEqual(["u32", "u32"]);
    expect(ranges).toEqual([at(0, 32), at(1024, 16)]);
    expect(offsets).toEqual([4]);
  });
  test("equal offsets in different chunks and spaces do not meet", () => {
    const places = [at(0, 16), at(0, 16, 1), at(0, 16, 0, "persistent")];
    expect(bindBuffers(buffers("f32", "f32", "f32"), places).ranges).toEqual(places);
  });
  test("no more than eight bindings", () => {
    const places = Array.from({ length: 20 }, (_, k) => at(k * 1024, 512, k % 2));
    const { ranges, buffers: bound, offsets } = bindBuffers(buffers(...places.map(() => "f32" as const)), places);
    expect(ranges.length).toBeLessThanOrEqual(8);
    for (const [k, place] of places.entries()) {
      const { binding, offset } = bound[k]!;
      const range = ranges[binding]!;
      expect(range.chunk).toBe(place.chunk);
      expect(range.offset + (offset === undefined ? 0 : offsets[offset]! * 4)).toBe(place.offset);
      expect(range.offset + range.bytes).toBeGreaterThanOrEqual(place.offset + place.bytes);
    }
  });
});
