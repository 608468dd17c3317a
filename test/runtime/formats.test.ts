/** Files of images and arrays, whole and damaged. */
import fc from "fast-check";
import jpeg from "jpeg-js";
import { describe, expect, test } from "vitest";
import { decodeImage } from "../../runtime/node/data/image.ts";
import { formatNpy, parseNpy } from "../../runtime/node/data/npy.ts";
import { png } from "../support/png.ts";

describe("images", () => {
  test("a JPEG", async () => {
    const bytes = jpeg.encode({ width: 8, height: 8, data: new Uint8Array(256).fill(200) }, 95).data;
    const { channels, height, width, data } = await decodeImage(bytes, "a.jpg");
    expect([channels, height, width]).toEqual([3, 8, 8]);
    expect(Math.max(...data.map((value) => Math.abs(value - 200)))).toBeLessThan(4);
  });
  test("16 bits and grey with alpha", async () => {
    expect((await decodeImage(png(1, [0, 256, 65535, 511], 2, 2, 16), "a")).data).toEqual(Uint8Array.of(0, 1, 255, 1));
    expect((await decodeImage(png(2, [1, 10, 2, 20, 3, 30, 4, 40]), "a")).data).toEqual(
      Uint8Array.of(1, 2, 3, 4, 10, 20, 30, 40),
    );
  });
  test.each([
    [
      "PNG",
      png(
        3,
        Array.from({ length: 12 }, (_, k) => k),
      ),
    ],
    ["JPEG", new Uint8Array(jpeg.encode({ width: 8, height: 8, data: new Uint8Array(256).fill(200) }, 95).data)],
  ])("a damaged %s is decoded or refused, nothing else", async (_, whole) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), async (at, value, cut) => {
        const damaged = cut ? whole.slice(0, at) : whole.map((byte, k) => (k === at ? value : byte));
        await decodeImage(damaged, "a").catch((error) => expect(error).toMatchObject({ code: "E0612" }));
      }),
    );
  });
});

describe("npy", () => {
  test("what is written reads back", () => {
    for (const data of [
      Float32Array.of(1.5, -2),
      Int32Array.of(-1, 2),
      Uint32Array.of(2 ** 32 - 1, 0),
      Uint8Array.of(0, 255),
    ])
      for (const shape of [[2], [1, 2], [2, 1, 1]])
        expect(parseNpy(formatNpy(data, shape), "a")).toEqual({ data, shape });
    expect(parseNpy(formatNpy(Float32Array.of(3), []), "a").shape).toEqual([]);
  });
  const header = (text: string, data = 8) => {
    const file = new Uint8Array(10 + text.length + data);
    file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length, 0]);
    file.set(new TextEncoder().encode(text), 10);
    return file;
  };
  test.each([
    ["{'descr': '>f4', 'fortran_order': False, 'shape': (2,)}", /big-endian/],
    ["{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1)}", /ascontiguousarray/],
    ["{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", /save numbers/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", /take 12 bytes, but it has 8/],
    ["{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", /save numbers/],
    ["", /its header says/],
  ])("%s", (text, message) => {
    expect(() => parseNpy(header(text), "a.npy")).toThrow(
      expect.objectContaining({ code: "E0612", message: expect.stringMatching(message) }),
    );
  });
  test("a file cut anywhere is refused", () => {
    const whole = formatNpy(Float32Array.of(1, 2), [2]);
    for (let length = 0; length < whole.length; length++)
      expect(() => parseNpy(whole.slice(0, length), "a")).toThrow(expect.objectContaining({ code: "E0612" }));
  });
});
