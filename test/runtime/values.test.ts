import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decode, encode } from "fast-png";
import { describe, expect, test } from "vitest";
import { formatNpy } from "../../runtime/node/data/npy.ts";
import { type Result, readInput, readInputs, resultsOf, writeResults } from "../../runtime/node/values.ts";
import type { DTypeName, InputSlot } from "../../runtime/plan.ts";
import { readSafetensors } from "../../runtime/safetensors.ts";
import { temporaryFolder } from "../support/folder.ts";

const { path: folder, write } = temporaryFolder();
const slot = (name: string, dtype: DTypeName, shape: number[], usual?: number): InputSlot => ({
  name,
  dtype,
  shape,
  ...(usual === undefined ? {} : { default: usual }),
});
const png = (channels: number, data: number[]) =>
  write(`${channels}-${data.length}.png`, encode({ width: 2, height: 2, channels, data: Uint8Array.from(data) }));
const grey = png(1, [0, 51, 102, 255]);
const colour = png(3, [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]);
const floats = (name: string, values: number[], shape: number[]) =>
  write(name, formatNpy(Float32Array.from(values), shape));
const bytes = (name: string, values: number[], shape: number[]) =>
  write(name, formatNpy(Uint8Array.from(values), shape));

describe("inputs of a model", () => {
  const image = slot("image", "f32", [1, 1, 2, 2]);
  test.each([
    ["a grey image", grey, [image], { image: [0, 0.2, 0.4, 1] }],
    ["a coloured image for a grey input", colour, [slot("image", "u8", [1, 1, 2, 2])], { image: [76, 150, 29, 255] }],
    [
      "a grey image for a coloured input",
      grey,
      [slot("image", "u8", [1, 3, 2, 2])],
      { image: [0, 51, 102, 255, 0, 51, 102, 255, 0, 51, 102, 255] },
    ],
    ["one image as bytes", bytes("one.npy", [0, 51, 102, 255], [2, 2]), [image], { image: [0, 0.2, 0.4, 1] }],
    [
      "two images as bytes",
      bytes("two.npy", [0, 51, 102, 255, 255, 255, 0, 0], [2, 2, 2]),
      [image],
      { image: [0, 0.2, 0.4, 1, 1, 1, 0, 0] },
    ],
    ["floats as they are", floats("f.npy", [1, 2, 3, 4], [1, 1, 2, 2]), [image], { image: [1, 2, 3, 4] }],
    ["rows of features", floats("x.npy", [1, 2, 3, 4], [2, 2]), [slot("x", "f32", [1, 2])], { x: [1, 2, 3, 4] }],
    ["one row of features", floats("row.npy", [1, 2], [2]), [slot("x", "f32", [1, 2])], { x: [1, 2] }],
    ["knobs stay out", grey, [image, slot("rate", "f32", [], 1)], { image: [0, 0.2, 0.4, 1] }],
  ])("%s", async (_, path, slots, inputs) => {
    const found = await readInputs(path, slots, true);
    expect(
      Object.fromEntries(
        Object.entries(found).map(([name, data]) => [
          name,
          [...(data as Float32Array)].map((value) => Number(value.toFixed(6))),
        ]),
      ),
    ).toEqual(inputs);
  });
  test("two inputs need names", async () => {
    await expect(readInputs(grey, [image, slot("mask", "f32", [1, 4])], true)).rejects.toMatchObject({ code: "E0601" });
  });
});

describe("inputs of a function", () => {
  test.each([
    ["7", slot("class", "i32", []), 7],
    ["-1e-3", slot("rate", "f32", []), -0.001],
    ["true", slot("flag", "bool", []), true],
  ])("%s", async (text, wanted, value) => {
    expect(await readInput(wanted, text, false)).toEqual({ [wanted.name]: value });
  });
  test("files, their first axis not N", async () => {
    const found = await readInput(slot("x", "f32", [2, 2]), floats("m.npy", [1, 2, 3, 4], [2, 2]), false);
    expect(found).toEqual({ x: Float32Array.of(1, 2, 3, 4) });
    const picture = await readInput(slot("x", "f32", [1, 1, 2, 2]), grey, false);
    expect(picture.x).toHaveLength(4);
  });
});

describe("results", () => {
  const result = (name: string, data: Result["data"], shape: number[], dtype: DTypeName = "f32"): Result => ({
    name,
    data,
    shape,
    dtype,
  });
  const at = (name: string) => join(folder, name);
  test("N is filled in, scalars keep their type", () => {
    const slots = [
      { name: "y", role: "result", dtype: "f32", shape: [1, 2] },
      { name: "n", role: "result", dtype: "i32", shape: [] },
      { name: "b", role: "result", dtype: "bool", shape: [] },
    ] as const;
    expect(resultsOf({ y: Float32Array.of(1, 2, 3, 4), n: 3, b: true }, slots)).toEqual([
      result("y", Float32Array.of(1, 2, 3, 4), [2, 2]),
      result("n", Int32Array.of(3), [], "i32"),
      result("b", Uint8Array.of(1), [], "bool"),
    ]);
  });
  test("a picture is stretched from its least to its largest value", async () => {
    await writeResults(at("y.png"), [result("y", Float32Array.of(-1, 0, 1, 1), [1, 1, 2, 2])]);
    expect([...decode(readFileSync(at("y.png"))).data]).toEqual([0, 128, 255, 255]);
  });
  test("several results in one file", async () => {
    const both = [result("y", Float32Array.of(1, 2, 3, 4), [2, 2]), result("n", Uint8Array.of(7, 8), [2], "u8")];
    await writeResults(at("y.csv"), both);
    expect(readFileSync(at("y.csv"), "utf8")).toBe("y.0,y.1,n\n1,2,7\n3,4,8\n");
    await writeResults(at("y.safetensors"), both);
    expect(readSafetensors(readFileSync(at("y.safetensors"))).tensors.get("n")).toMatchObject({
      type: "U8",
      shape: [2],
    });
    await writeResults(at("y.json"), both);
    expect(JSON.parse(readFileSync(at("y.json"), "utf8")).y).toEqual({ shape: [2, 2], data: [1, 2, 3, 4] });
    await expect(writeResults(at("y.npy"), both)).rejects.toMatchObject({ code: "E0613" });
  });
  test.each([
    ["y.txt", [2], "E0612"],
    ["y.png", [2], "E0613"],
    ["none/y.npy", [2], "E0614"],
  ])("%s is refused", async (name, shape, code) => {
    await expect(writeResults(at(name), [result("y", new Float32Array(2), shape)])).rejects.toMatchObject({ code });
  });
});
