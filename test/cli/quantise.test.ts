/** `--quantise int8`, from the command line to files and back. */
import { existsSync, readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { formatNpy } from "../../runtime/node/data/npy.ts";
import { readSafetensors, writeSafetensors } from "../../runtime/safetensors.ts";
import { cpu, pointsProgram } from "../support/points-program.ts";
import { dlx } from "../support/terminal.ts";

const { write, file, at } = pointsProgram();
const data = ["--data", "synthetic:spirals,rows=200"];
const weights = at("run", "weights.safetensors");
const stored = at("bundle", "weights.safetensors");
const tensorsOf = (path: string) =>
  Object.fromEntries([...readSafetensors(readFileSync(path)).tensors].map(([name, { type }]) => [name, type]));
const json = async (command: string, ...more: string[]) => {
  const { code, out, notes } = await dlx([command, ...more, "--json", ...(command === "build" ? [] : cpu)]);
  expect([code, notes]).toEqual([0, ""]);
  return JSON.parse(out);
};
// Two matrices of 8 x 2 and 3 x 8 with 11 biases: a scale for each of 11 rows comes along.
const sizes = { float32: 4 * (16 + 24 + 11), int8: 16 + 24 + 4 * 11 + 4 * 11 };
const build = (...more: string[]) => dlx(["build", file, "--out", at("bundle"), "--target", "wasm", ...more]);

beforeAll(async () => {
  await json("train", file, ...data, "--epochs", "4", "--out", at("run"));
  const { code, out } = await build("--weights", weights, "--quantise", "int8");
  expect(code).toBe(0);
  expect(out).toContain(`\nweights: ${sizes.float32} bytes as float32, ${sizes.int8} as int8\n`);
});

test("eval tells each value of both, their difference and the sizes", async () => {
  const given = ["eval", file, "--weights", weights, ...data, "--quantise", "int8"];
  const float = await json("eval", file, "--weights", weights, ...data);
  const { quantised, ...rest } = await json("eval", ...given.slice(1));
  expect(rest).toEqual(float);
  // The same bits as from what `build` has stored.
  expect({ ...quantised.values, rows: rest.rows }).toEqual(await json("eval", file, "--weights", stored, ...data));
  expect(quantised.values.loss).not.toBe(float.loss);
  expect(quantised.differences).toEqual({
    loss: quantised.values.loss - float.loss,
    accuracy: quantised.values.accuracy - float.accuracy,
  });
  expect(quantised.weights).toEqual(sizes);
  const { out } = await dlx([...given, ...cpu]);
  expect(out).toMatch(/^loss [\d.]+ -> [\d.]+ \([+-][\d.e-]+\)\naccuracy [\d.]+ -> [\d.]+ \([+-][\d.e-]+\)\nweights: /);
});

test("what is stored in eight bits is read wherever weights are", async () => {
  expect(tensorsOf(stored)).toEqual({
    "Net.dense_1.weight": "I8",
    "Net.dense_1.weight.scale": "F32",
    "Net.dense_1.bias": "F32",
    "Net.dense_2.weight": "I8",
    "Net.dense_2.weight.scale": "F32",
    "Net.dense_2.bias": "F32",
  });
  const input = ["--input", write("one.npy", formatNpy(Float32Array.of(0.1, -0.4), [1, 2]))];
  const direct = await json("predict", file, ...input, "--weights", stored);
  expect(await json("predict", at("bundle"), ...input)).toEqual(direct);
  expect(await json("predict", file, ...input, "--weights", weights)).not.toEqual(direct);
  const slope = ["slope", "--input", `x=${write("x.npy", formatNpy(Float32Array.of(0.1, -0.4), [2]))}`];
  expect((await json("run", file, ...slope, "--input", "class=1", "--weights", stored)).output.shape).toEqual([2]);
  await json("train", file, ...data, "--limit", "2", "--weights", stored, "--out", at("further"));
  expect(new Set(Object.values(tensorsOf(at("further", "weights.safetensors"))))).toEqual(new Set(["F32"]));
});

test("build says sizes in JSON, and quantising what is quantised changes nothing", async () => {
  const before = readFileSync(stored);
  const { code, out } = await build("--weights", stored, "--quantise", "int8", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ weights: sizes, files: { "weights.safetensors": before.length } });
  expect(readFileSync(stored).equals(before)).toBe(true);
  expect(JSON.parse((await build("--weights", stored, "--json")).out)).not.toHaveProperty("weights");
});

const other = () =>
  write("other.safetensors", writeSafetensors([["w", { dtype: "f32", shape: [1], data: new Float32Array(1) }]]));
const unscaled = () => {
  const { tensors } = readSafetensors(readFileSync(stored));
  return write("unscaled.safetensors", writeSafetensors([...tensors].filter(([name]) => !name.includes("_2.weight."))));
};
const refused: [what: string, parameters: () => string[], code: number, message: RegExp][] = [
  [
    "four bits",
    () => ["eval", file, ...data, "--weights", weights, "--quantise", "int4"],
    2,
    /Allowed choices are int8/,
  ],
  ["no weights", () => ["build", file, "--out", at("none"), "--quantise", "int8"], 2, /say which with --weights FILE/],
  [
    "weights of another program",
    () => ["build", file, "--out", at("none"), "--weights", other(), "--quantise", "int8"],
    1,
    /error\[E0702\].*`Net.dense_1.weight` and 3 more is missing; the file has `w`/,
  ],
  [
    "scales that are missing",
    () => ["eval", file, ...data, "--weights", unscaled(), ...cpu],
    1,
    /error\[E0706\]: `Net.dense_2.weight` is I8\[3, 8\] and needs `Net.dense_2.weight.scale`/,
  ],
];
test.each(refused)("%s", async (_, parameters, code, message) => {
  const result = await dlx(parameters());
  expect(result.notes).toMatch(message);
  expect(result.code).toBe(code);
  expect(existsSync(at("none", "index.js"))).toBe(false);
});
