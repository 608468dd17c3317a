/** Which way of a contraction its model of cost takes, where memory decides. */
import { describe, expect, test } from "vitest";
import { readGraph } from "../../compiler/graph/read.ts";
import { schedule } from "../../compiler/schedule/schedule.ts";

/** The name of the way that is taken for each contraction. */
function waysOf(text: string): string[] {
  const ways: string[] = [];
  schedule(readGraph(text), "cpu", {
    winograd: false,
    choose: ({ usual }) => {
      ways.push(usual.name);
      return undefined;
    },
  });
  return ways;
}

const convolution = (images: number, channels: number, outputs: number, size: number, taps: number): string => {
  const window = taps === 1 ? ["i", "j", ""] : ["i + p - 1", "j + q - 1", " else 0"];
  const kernel = taps === 1 ? [1, "c<", "0, 0"] : [taps, "", "p, q"];
  const sum = taps === 1 ? `c<${channels}` : `c<${channels}, p<${taps}, q<${taps}`;
  return `input %x: f32[${images},${channels},${size},${size}] argument x
    input %w: f32[${outputs},${channels},${kernel[0]},${kernel[0]}] argument w
    %y: f32[${images},${outputs},${size},${size}] = sum[n<${images}, o<${outputs}, i<${size}, j<${size} | ${sum}]
      %x[n, c, ${window[0]}, ${window[1]}${window[2]}] * %w[o, c, ${kernel[2]}]
    output %y result y`;
};

describe("where images have no whole vectors of pixels", () => {
  /** Images, input and output channels, height and width, taps. */
  const table: readonly (readonly [number, number, number, number, number])[] = [
    [32, 256, 256, 7, 1],
    [32, 128, 256, 7, 1],
    [32, 64, 64, 14, 3],
  ];
  test.each(table)("%i images of %i channels, %i outputs of %i pixels, %i taps: a tile is of one image", (...sizes) => {
    const [way] = waysOf(convolution(...sizes));
    // Index 0 is the image, 1 the output channel; the last row is cut into tiles.
    expect(way).toMatch(/rows 0 2[ +]3 (direct|packed), columns 1 packed$/);
  });
});

test("long rows that share no lines are not walked by strides", () => {
  const [way] = waysOf(`input %x: f32[256,14,14] argument x
    input %w: f32[512,256,3,3] argument w
    %y: f32[512,7,7] = sum[o<512, i<7, j<7 | c<256, p<3, q<3] %x[c, 2*i + p - 1, 2*j + q - 1 else 0] * %w[o, c, p, q]
    output %y result y`);
  expect(way).toMatch(/rows 1 2 packed, columns 0 packed$/);
});

test("lanes are not stored to places that push each other out of the cache", () => {
  const [way] = waysOf(`input %d: f32[32,32,16,16] argument d
    input %w: f32[32,16] argument w
    %a: f32[32,16,16,16] = sum[n<32, c<16, i<16, j<16 | o<32] %d[n, o, i, j] * %w[o, c]
    %x: f32[32,16,32,32] = join { %a at [:, :, 0::2, 0::2] } fill 0
    output %x result x`);
  expect(way).toMatch(/rows 1 direct, columns 0 2 3 direct$/);
});
