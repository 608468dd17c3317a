import type { Choices } from "../../support/random-body.ts";
import { applied, extent, type Row, type Rows, refused } from "../rows.ts";

const images = (choices: Choices) =>
  `f32[2, ${choices.of([1, 3])}, ${choices.between(1, 7)}, ${choices.between(1, 7)}]`;
/** One or two numbers of a mode that changes nothing about the shape. */
const resized = (choices: Choices, mode: string) =>
  choices.of(['mode: "nearest"', `mode: "${mode}"`, `mode: "${mode}", align_corners: true`]);
const modes = {
  "a mode that does not exist": [
    refused('x |> upsample(2, mode: "bicubic")'),
    'mode is "nearest" or "bilinear"; got "bicubic"',
  ],
  "corners of nearest": [refused("x |> upsample(2, align_corners: true)"), "align_corners is for linear"],
} satisfies Row["refuses"];

const counted = (call: string): string => `x * ones([${call}])`;

export const rows: Rows = {
  window_axis: {
    program: (choices) =>
      applied({
        expression: counted(
          `1 + window_axis(${choices.between(5, 11)}, 3, stride: 3, padding: [${choices.between(0, 1)}, 1]).unread`,
        ),
        inputs: { x: "f32" },
        derivatives: 0,
      }),
    refuses: {
      "a kernel that does not fit": [
        refused("x * window_axis(3, 5, padding: [1, 0]).count", { x: "f32" }),
        "a kernel of 5 does not fit 3 elements with padding [1, 0]",
      ],
    },
  },
  windows2d: {
    program: (choices) =>
      applied({
        expression: `x * ones(windows2d([${choices.between(5, 11)}, 5], [3, 2], stride: [1, 2], padding: ${choices.below(2)}))`,
        inputs: { x: "f32" },
        derivatives: 0,
      }),
    refuses: {
      "a kernel that does not fit": [
        refused("x * ones(windows2d([5, 3], 4))", { x: "f32" }),
        "a kernel of 4 does not fit 3 columns with padding 0",
      ],
    },
  },
  padding1d: {
    program: (choices) =>
      applied({
        expression: counted(`1 + padding1d(${choices.of(["2", '"same"', '"valid"'])}, ${choices.between(1, 4)})[1]`),
        inputs: { x: "f32" },
        derivatives: 0,
      }),
    refuses: {
      "a name that does not exist": [
        refused('x * padding1d("full", 3)[0]', { x: "f32" }),
        'padding is a number, "same" or "valid"; got "full"',
      ],
    },
  },
  padding2d: {
    program: (choices) =>
      applied({
        expression: counted(`1 + padding2d(${choices.of(["2", '"same"', "[1, 3]"])}, [2, 3])[1][0]`),
        inputs: { x: "f32" },
        derivatives: 0,
      }),
    refuses: {
      "steps larger than 1": [
        refused('x * padding2d("same", 3, [2, 1])[0][0]', { x: "f32" }),
        'padding "same" goes with a stride of 1; got 2',
      ],
    },
  },
  windows: {
    program: (choices) => {
      const [size, kernel] = [choices.between(5, 11), choices.between(1, 3)];
      const options = `stride: ${choices.between(1, 4)}, padding: ${choices.between(0, 2)}, dilation: ${choices.between(1, 2)}`;
      return applied({
        expression: `x * ones([windows(${size}, ${kernel}, ${options})])`,
        inputs: { x: "f32" },
        derivatives: 0,
      });
    },
    refuses: {
      "a kernel that does not fit": [
        refused("x * windows(3, 3, dilation: 2, padding: 0)", { x: "f32" }),
        "a kernel of 5 does not fit 3 elements with padding 0",
      ],
    },
  },
  group_size: {
    program: (choices) => {
      const groups = choices.between(1, 4);
      return applied({
        expression: `x * ones([group_size(${groups * choices.between(1, 3)}, ${groups})])`,
        inputs: { x: "f32" },
        derivatives: 0,
      });
    },
    refuses: {
      "groups that do not divide": [
        refused("x * group_size(7, 2)", { x: "f32" }),
        "groups (2) must divide the 7 channels",
      ],
    },
  },
  flatten: {
    program: (choices) =>
      applied({
        expression: "x |> flatten",
        inputs: { x: `f32[3, ${choices.between(1, 4)}, ${choices.between(1, 4)}]` },
        derivatives: 2,
      }),
  },
  transposed: {
    program: (choices) => applied({ expression: "transposed(x)", inputs: { x: images(choices) }, derivatives: 2 }),
  },
  pad1d: {
    program: (choices) => {
      const width = extent(choices);
      const mode = choices.of(["constant", "reflect", "replicate"]);
      const ends = [0, 1].map(() => choices.between(0, mode === "reflect" ? Math.min(3, width - 1) : 3));
      const value = mode === "constant" ? ", value: -0.5" : "";
      return applied({
        expression: `x |> pad1d(${ends.join(", ")}, mode: "${mode}"${value})`,
        inputs: { x: `f32[${choices.chance(50) ? "3, " : ""}${width}]` },
        derivatives: 2,
      });
    },
    refuses: {
      "negative padding": [refused("x |> pad1d(0, -1)"), "padding must not be negative; got 0 and -1"],
      "a mode that does not exist": [refused('x |> pad1d(1, 1, mode: "circular")'), 'got "circular"'],
      "a mirror image larger than what it shows": [
        refused('x |> pad1d(8, 1, mode: "reflect")'),
        "8 elements have no mirror image of 8: reflect pads by at most 7",
      ],
    },
  },
  pad: {
    program: (choices) => {
      const [height, width] = [choices.between(1, 6), choices.between(1, 6)];
      const mode = choices.of(["constant", "reflect", "replicate"]);
      const border = [width, width, height, height].map((size) =>
        choices.between(0, mode === "reflect" ? Math.min(3, size - 1) : 3),
      );
      return applied({
        expression: `x |> pad([${border.join(", ")}], mode: "${mode}")`,
        inputs: { x: `f32[2, ${choices.of([1, 3])}, ${height}, ${width}]` },
        derivatives: 2,
      });
    },
    refuses: {
      "negative padding": [refused("x |> pad([0, 0, -1, 0])"), "padding must not be negative; got -1 and 0"],
      "a number for four": [refused("x |> pad([1])"), "padding is [left, right, top, bottom]; got 1 numbers"],
    },
  },
  interpolate1d: {
    program: (choices) =>
      applied({
        expression: `x |> interpolate1d(${extent(choices)}, ${resized(choices, "linear")})`,
        inputs: { x: `f32[${choices.chance(50) ? "3, " : ""}${extent(choices)}]` },
        derivatives: 2,
      }),
    refuses: {
      "no elements": [refused("x |> interpolate1d(0)"), "size must be positive; got 0"],
      "a mode that does not exist": [refused('x |> interpolate1d(4, mode: "cubic")'), 'got "cubic"'],
    },
  },
  interpolate: {
    program: (choices) =>
      applied({
        expression: `x |> interpolate([${choices.between(1, 9)}, ${choices.between(1, 9)}], ${resized(choices, "bilinear")})`,
        inputs: { x: images(choices) },
        derivatives: 2,
      }),
    refuses: {
      "a number for two": [refused("x |> interpolate([4])"), "size is [height, width]; got 1 numbers"],
      "no rows": [refused("x |> interpolate([0, 4])"), "size must be positive; got 0"],
    },
  },
  upsample: {
    program: (choices) =>
      applied({
        expression: `x |> upsample(${choices.between(1, 3)}, ${resized(choices, "bilinear")})`,
        inputs: { x: images(choices) },
        derivatives: 2,
      }),
    refuses: { ...modes, "a scale of 0": [refused("x |> upsample(0)"), "scale must be positive; got 0"] },
  },
};
