/** `dlx predict --explain`: pictures of what a network looks at. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decode, encode } from "fast-png";
import { describe, expect, test } from "vitest";
import { parseNpy } from "../../runtime/node/data/npy.ts";
import { writeSafetensors } from "../../runtime/safetensors.ts";
import { temporaryFolder } from "../support/folder.ts";
import { dlx } from "../support/terminal.ts";

const { path: folder, write } = temporaryFolder();
const at = (name: string) => join(folder, name);

// Scores are the means of the image's upper and lower half: what is looked at is known.
write("half.dlx", "fn halves(x: f32[N, C, H, W]) -> f32[N, C, H, W] = x\n");
const model = write(
  "my-look.dlx",
  `import nn
import "./half.dlx"

model Look(photo: f32[N, 1, 6, 8]) -> f32[N, 2] {
  let inner = conv2d(2, padding: 1)
  let a = halves(photo) |> inner |> relu
  let y[n, k < 2] = mean[i < 3, j] a[n, k, i + 3 * k, j]
  y
}

model Rows(x: f32[N, 4]) -> f32[N, 2] = x |> dense(2)
model Picture(x: f32[N, 1, 6, 8]) -> f32[N, 1, 6, 8] = x |> relu

export fn saliency(x: f32[1]) -> f32[1] = x
`,
);
// Each channel is the image itself.
const kernel = new Float32Array(18);
kernel[4] = 1;
kernel[13] = 1;
const tensor = (shape: readonly number[], data: Float32Array) => ({ dtype: "f32" as const, shape, data });
const weights = write(
  "weights.safetensors",
  writeSafetensors([
    ["Look.inner.weight", tensor([2, 1, 3, 3], kernel)],
    ["Look.inner.bias", tensor([2], new Float32Array(2))],
  ]),
);
const pixels = Uint8Array.from({ length: 48 }, (_, k) => 20 + 5 * k);
const input = write("photo.png", encode({ width: 8, height: 6, channels: 1, depth: 8, data: pixels }));
const predict = (...more: string[]) =>
  dlx(["predict", model, "--input", input, "--weights", weights, "--device", "cpu", ...more]);
const look = ["--model", "Look"];

/** A map's sums over the upper and the lower half. */
async function halves(...more: string[]): Promise<readonly [number, number]> {
  const { code, notes } = await predict(...look, "--output", at("map.npy"), ...more);
  expect([code, notes]).toEqual([0, ""]);
  const { data, shape } = parseNpy(readFileSync(at("map.npy")), "map.npy");
  expect(shape).toEqual([1, 6, 8]);
  const sum = (from: number) => Array.from(data.slice(from, from + 24), Number).reduce((a, b) => a + b, 0);
  return [sum(0), sum(24)];
}

describe("--explain", () => {
  test.each(["gradcam", "saliency", "smoothgrad", "integrated", "guided"])(
    "%s finds the half that counts",
    async (how) => {
      const [upper, lower] = await halves("--explain", how, "--class", "0");
      if (how === "gradcam") expect(upper + lower).toBeGreaterThan(0);
      else expect([upper > 0, lower]).toEqual([true, 0]);
    },
  );
  test("draws over the image; the class is the predicted one unless it is given", async () => {
    const output = at("overlay.png");
    const { out, notes } = await predict(...look, "--explain", "saliency", "--output", output);
    expect([out, notes]).toEqual([`saliency of class 1: ${output}\n`, ""]);
    const { width, height, channels, data } = decode(readFileSync(output));
    expect([width, height, channels]).toEqual([8, 6, 3]);
    // Half of the scale's ends, half of the grey pixel.
    const pixel = (k: number) => [data[3 * k], data[3 * k + 1], data[3 * k + 2]];
    const blend = (colour: readonly number[], grey: number) => colour.map((c) => Math.round((255 * c + grey) / 2));
    expect(pixel(0)).toEqual(blend([0.267, 0.005, 0.329], 20));
    expect(pixel(47)).toEqual(blend([0.993, 0.906, 0.144], 255));
    const other = JSON.parse(
      (await predict(...look, "--explain", "gradcam", "--class", "0", "--output", output, "--json")).out,
    );
    expect(other).toEqual({ explain: "gradcam", class: 0, predicted: 1, output });
  });
  test("--layer says whose output gradcam looks at", async () => {
    expect(await halves("--explain", "gradcam", "--layer", "Look.inner")).toEqual(await halves("--explain", "gradcam"));
  });
  test.each([
    [["--explain", "gradcam", "--layer", "Look.iner"], 1, /error\[E0229\].*Look.iner[\s\S]*did you mean Look.inner\?/],
    [["--explain", "saliency", "--class", "2"], 1, /error\[E0617\].*classes 0 to 1/],
    [["--explain", "saliency", "--model", "Rows"], 1, /error\[E0617\].*x: f32\[1, 4\].*one image/],
    [["--explain", "saliency", "--model", "Picture"], 1, /error\[E0617\].*a score of each class/],
    [["--explain", "saliency", "--layer", "Look.inner"], 2, /--layer is for --explain gradcam/],
    [["--explain", "magic"], 2, /Allowed choices are gradcam/],
    [["--layer", "Look.inner"], 2, /go with --explain/],
  ])("%j is refused", async (more, code, message) => {
    const named = more.includes("--model") ? [] : look;
    const result = await predict(...named, ...more, "--output", at("none.png"));
    expect(result.notes).toMatch(message);
    expect(result.code).toBe(code);
  });
});
