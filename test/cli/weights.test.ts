/** Weights that a program cannot have: every command says which file, what is wrong, and leaves nothing behind. */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { formatNpy } from "../../runtime/node/data/npy.ts";
import { writeSafetensors } from "../../runtime/safetensors.ts";
import { cpu, pointsProgram } from "../support/points-program.ts";
import { dlx } from "../support/terminal.ts";

const { write, file, at } = pointsProgram();
const data = ["--data", "synthetic:spirals,rows=40"];
const x = write("x.npy", formatNpy(new Float32Array(2), [1, 2]));
const zeros = (name: string, ...shape: number[]) =>
  [name, { dtype: "f32", shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }] as const;

const commands: [command: string, rest: string[]][] = [
  ["eval", [...data, ...cpu]],
  ["train", [...data, "--epochs", "1", "--out", at("out"), ...cpu]],
  ["train", [...data, "--search", "rate=0.1,0.2", "--epochs", "1", "--out", at("out"), ...cpu]],
  ["predict", ["--input", x, ...cpu]],
  ["build", ["--out", at("out"), "--target", "wasm"]],
];
const files: [name: string, bytes: Uint8Array, message: RegExp][] = [
  [
    "others.safetensors",
    writeSafetensors([zeros("w", 1)]),
    /error\[E0702\].*others\.safetensors: `Net\.dense_1\.weight` and 3 more is missing; the file has `w`/,
  ],
  [
    "shape.safetensors",
    writeSafetensors([zeros("Net.dense_1.weight", 2, 8)]),
    /error\[E0703\].*shape\.safetensors: `Net\.dense_1\.weight` is F32\[2, 8\], this program's is f32\[8, 2\]/,
  ],
  ["text.safetensors", new TextEncoder().encode("weights"), /error\[E0701\].*text\.safetensors/],
];

test.each(commands.flatMap((command) => files.map((given) => [...command, ...given] as const)))(
  "%s %j refuses %s",
  async (command, rest, name, bytes, message) => {
    const { code, notes } = await dlx([command, file, "--weights", write(name, bytes), ...rest]);
    expect([code, notes]).toEqual([expect.any(Number), expect.stringMatching(message)]);
    expect(code).toBeGreaterThan(0);
    expect(existsSync(at("out", "weights.safetensors"))).toBe(false);
  },
);
