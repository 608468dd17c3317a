import type { Choices } from "../../support/random-body.ts";
import { applied, type Row, type Rows, refused } from "../rows.ts";

/** The output's extent along one axis of windows. */
const windows = (size: number, kernel: number, stride: number, padding: number, dilation: number) =>
  Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;

/** What every layer of windows refuses, its message after it; `call` has the arguments in parentheses. */
export const unfit = (call: (more: string) => string, inputs: Readonly<Record<string, string>>) => ({
  "a kernel of 0": [refused(call("kernel: 0"), inputs), "kernel must be positive; got 0"] as const,
  "a stride of 0": [refused(call("kernel: 2, stride: 0"), inputs), "stride must be positive; got 0"] as const,
  "a negative padding": [refused(call("kernel: 2, padding: -1"), inputs), "must not be negative; got -1"] as const,
});

/** A window that fits: edges (kernels as large as the image, remainders, padding that a window never leaves) are wanted. */
export function window(choices: Choices) {
  for (;;) {
    const [height, width] = [choices.between(1, 9), choices.between(1, 9)];
    const kernel = choices.of([1, 2, 3, 3, 5]);
    const stride = choices.of([1, 1, 2, 3]);
    const dilation = choices.of([1, 1, 1, 2]);
    const padding = choices.of([0, 1, 2]);
    const fits = [height, width].every((size) => windows(size, kernel, stride, padding, dilation) > 0);
    if (fits) return { height, width, kernel, stride, dilation, padding };
  }
}

/** Its options as written: some pairs among them, and paddings by name. */
export function options(
  choices: Choices,
  { kernel, stride, dilation, padding }: ReturnType<typeof window>,
  pairs = true,
) {
  // Windows that are smaller, go in smaller steps or have more padding along one axis fit as well.
  const pair = (value: number, other: number) => {
    if (!pairs || !choices.chance(30)) return `${value}`;
    return choices.chance(50) ? `[${value}, ${other}]` : `[${other}, ${value}]`;
  };
  const named = stride === 1 && choices.chance(30) ? '"same"' : pair(padding, padding + 1);
  const step = named === '"same"' ? "1" : pair(stride, 1);
  return `kernel: ${pair(kernel, 1)}, stride: ${step}, padding: ${named}, dilation: ${pair(dilation, 1)}`;
}

const series = { x: "f32[2, 3, 8]" };
const images = { x: "f32[2, 3, 8, 8]" };

/** A convolution's configuration after its features, and the channels that go with it. */
function configured(choices: Choices, pairs = true) {
  const fitting = window(choices);
  const { height, width } = fitting;
  const groups = choices.of([1, 1, 1, 3]);
  return {
    height,
    width,
    features: groups * choices.of([1, 2, 7]),
    channels: groups * choices.of([1, 1, 3, 5]),
    options: options(choices, fitting, pairs),
    more: `groups: ${groups}, bias: ${choices.chance(50)}`,
  };
}
const groups = (name: string, inputs: Readonly<Record<string, string>>) => ({
  "groups that do not divide the channels": [
    refused(`x |> ${name}(4, kernel: 2, groups: 2)`, inputs),
    "groups (2) must divide the 3 input channels",
  ] as const,
  "groups that do not divide the features": [
    refused(`x |> ${name}(4, kernel: 2, groups: 3)`, inputs),
    "groups (3) must divide the 4 features",
  ] as const,
  "no groups": [refused(`x |> ${name}(4, kernel: 2, groups: 0)`, inputs), "groups must be positive; got 0"] as const,
  "no features": [refused(`x |> ${name}(0, kernel: 2)`, inputs), "there must be some features; got 0"] as const,
  "a dilation of 0": [
    refused(`x |> ${name}(4, kernel: 2, dilation: 0)`, inputs),
    "dilation must be positive; got 0",
  ] as const,
});

/** A transposed convolution and an image of which something is left. */
const transposed =
  (name: string, image: (height: number, width: number) => string): Row["program"] =>
  (choices) => {
    for (;;) {
      const { height, width, kernel, stride, dilation, padding } = window(choices);
      const more = choices.below(Math.max(stride, dilation));
      const out = [height, width].map((size) => (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + more + 1);
      if (out.some((size) => size < 1)) continue;
      const groups = choices.of([1, 1, 2]);
      return applied({
        expression: `x |> ${name}(${groups * choices.of([1, 2, 3])}, kernel: ${kernel}, stride: ${stride}, padding: ${padding}, output_padding: ${more}, dilation: ${dilation}, groups: ${groups})`,
        inputs: { x: `f32[2, ${groups * choices.of([1, 2])}, ${image(height, width)}]` },
        learned: true,
        derivatives: 2,
      });
    }
  };
const shrunk = (name: string, inputs: Readonly<Record<string, string>>) => ({
  ...unfit((more) => `x |> ${name}(4, ${more})`, inputs),
  ...groups(name, inputs),
  "output_padding that a stride would have covered": [
    refused(`x |> ${name}(4, kernel: 2, stride: 2, output_padding: 2)`, inputs),
    "output_padding (2) must be smaller",
  ] as const,
  "padding that leaves nothing": [refused(`x |> ${name}(4, kernel: 1, padding: 4)`, inputs), "leaves nothing"] as const,
});

export const rows: Rows = {
  correlate: {
    program: (choices) => {
      const { height, width, kernel, stride, dilation, padding } = window(choices);
      const groups = choices.of([1, 1, 2, 3]);
      const [per, features] = [choices.of([1, 2]), groups * choices.of([1, 2])];
      return applied({
        expression: `correlate(x, w, stride: [${stride}, 1], padding: ${padding}, dilation: ${dilation}, groups: ${groups})`,
        inputs: {
          x: `f32[2, ${groups * per}, ${height}, ${width}]`,
          w: `f32[${features}, ${per}, ${kernel}, ${choices.of([1, kernel])}]`,
        },
        derivatives: 2,
      });
    },
    refuses: {
      "a kernel that does not fit": [
        refused("correlate(x, w)", { x: "f32[1, 1, 4, 4]", w: "f32[1, 1, 5, 5]" }),
        "a kernel of 5 does not fit 4 rows with padding 0",
      ],
      "a weight for other channels": [
        refused("correlate(x, w)", { x: "f32[1, 3, 4, 4]", w: "f32[1, 1, 2, 2]" }),
        "the weight reads 1 channels (1 a group); x has 3",
      ],
    },
  },
  window_sums: {
    program: (choices) =>
      applied({
        expression: `window_sums(x, w, [${choices.between(1, 3)}, 2], [1, 2], [${choices.below(2)}, 0])`,
        inputs: { x: "f32[2, 2, 4, 5]", w: "f32[4, 1, 2, 3]" },
        derivatives: 2,
      }),
  },
  correlate1d: {
    program: (choices) => {
      const { width, kernel, stride, dilation, padding } = window(choices);
      const groups = choices.of([1, 1, 2, 3]);
      const [per, features] = [choices.of([1, 2]), groups * choices.of([1, 2])];
      return applied({
        expression: `correlate1d(x, w, stride: ${stride}, padding: ${padding}, dilation: ${dilation}, groups: ${groups})`,
        inputs: { x: `f32[2, ${groups * per}, ${width}]`, w: `f32[${features}, ${per}, ${kernel}]` },
        derivatives: 2,
      });
    },
    refuses: {
      "a kernel that does not fit": [
        refused("correlate1d(x, w)", { x: "f32[1, 1, 4]", w: "f32[1, 1, 5]" }),
        "a kernel of 5 does not fit 4 elements with padding 0",
      ],
      "a weight for other channels": [
        refused("correlate1d(x, w)", { x: "f32[1, 3, 4]", w: "f32[1, 1, 2]" }),
        "the weight reads 1 channels (1 a group); x has 3",
      ],
    },
  },
  conv2d: {
    program: (choices) => {
      const { height, width, features, channels, options, more } = configured(choices);
      return applied({
        expression: `x |> conv2d(${features}, ${options}, ${more})`,
        inputs: { x: `f32[2, ${channels}, ${height}, ${width}]` },
        learned: true,
        derivatives: 2,
      });
    },
    refuses: {
      ...unfit((more) => `x |> conv2d(4, ${more})`, images),
      ...groups("conv2d", images),
      "a wide kernel larger than the padded image": [
        refused("x |> conv2d(4, kernel: [1, 11], padding: [0, 1])"),
        "a kernel of 11 does not fit 8 columns with padding 1",
      ],
      "three numbers for two": [
        refused("x |> conv2d(4, kernel: [3, 3, 3])"),
        "kernel of conv2d has to be list[int, 2]; got list of 3",
      ],
      "a kernel that is no whole number": [refused("x |> conv2d(4, kernel: 2.5)"), "has to be int; got float 2.5"],
      "a padding that is no whole number": [refused("x |> conv2d(4, padding: 0.5)"), "has to be int; got float 0.5"],
      "a padding by another name": [refused('x |> conv2d(4, padding: "full")'), '"same" or "valid"; got "full"'],
      "the same size in larger steps": [
        refused('x |> conv2d(4, padding: "same", stride: [1, 2])'),
        'padding "same" goes with a stride of 1; got 2',
      ],
      "a kernel larger than the padded image": [
        refused("x |> conv2d(4, kernel: 11, padding: 1)"),
        "a kernel of 11 does not fit 8 rows with padding 1",
      ],
    },
  },
  conv1d: {
    program: (choices) => {
      const { width, features, channels, options, more } = configured(choices, false);
      return applied({
        expression: `x |> conv1d(${features}, ${options}, ${more})`,
        inputs: { x: `f32[2, ${channels}, ${width}]` },
        learned: true,
        derivatives: 2,
      });
    },
    refuses: {
      ...unfit((more) => `x |> conv1d(4, ${more})`, series),
      ...groups("conv1d", series),
      "a padding by another name": [
        refused('x |> conv1d(4, padding: "full")', series),
        '"same" or "valid"; got "full"',
      ],
      "a kernel larger than the padded series": [
        refused("x |> conv1d(4, kernel: 11, padding: 1)", series),
        "a kernel of 11 does not fit 8 elements with padding 1",
      ],
    },
  },
  conv_transpose2d: {
    program: transposed("conv_transpose2d", (height, width) => `${height}, ${width}`),
    refuses: shrunk("conv_transpose2d", images),
  },
  conv_transpose1d: {
    program: transposed("conv_transpose1d", (_, width) => `${width}`),
    refuses: shrunk("conv_transpose1d", series),
  },
  transposed_size: {
    program: (choices) => {
      const [size, kernel, stride, more] = [1, 1, 2, 0].map((least) => choices.between(least, least + 4));
      const options = `${size}, ${kernel}, stride: ${stride}, output_padding: ${Math.min(more ?? 0, (stride ?? 1) - 1)}`;
      return applied({
        expression: `x * ones([transposed_size(${options})])`,
        inputs: { x: "f32" },
        derivatives: 0,
      });
    },
    refuses: {
      "padding that leaves nothing": [
        refused("x * transposed_size(1, 1, padding: 1)", { x: "f32" }),
        "padding (1) leaves nothing of 1 elements",
      ],
    },
  },
  depthwise_conv2d: {
    program: (choices) => {
      const { height, width, channels, options } = configured(choices);
      return applied({
        expression: `x |> depthwise_conv2d(${options}, multiplier: ${choices.of([1, 1, 2])}, bias: ${choices.chance(50)})`,
        inputs: { x: `f32[2, ${channels}, ${height}, ${width}]` },
        learned: true,
        derivatives: 2,
      });
    },
    refuses: {
      ...unfit((more) => `x |> depthwise_conv2d(${more})`, images),
      "a multiplier of 0": [refused("x |> depthwise_conv2d(multiplier: 0)"), "multiplier must be positive; got 0"],
      "a kernel larger than the image": [refused("x |> depthwise_conv2d(9)"), "a kernel of 9 does not fit 8 rows"],
    },
  },
  pointwise_conv2d: {
    program: (choices) => {
      const { height, width, features, channels } = configured(choices);
      return applied({
        expression: `x |> pointwise_conv2d(${features}, bias: ${choices.chance(50)})`,
        inputs: { x: `f32[2, ${channels}, ${height}, ${width}]` },
        learned: true,
        derivatives: 2,
      });
    },
    refuses: { "no features": [refused("x |> pointwise_conv2d(0)"), "there must be some features; got 0"] },
  },
  separable_conv2d: {
    program: (choices) => {
      const { height, width, features, channels, options } = configured(choices);
      return applied({
        expression: `x |> separable_conv2d(${features}, ${options}, multiplier: ${choices.of([1, 1, 2])})`,
        inputs: { x: `f32[2, ${channels}, ${height}, ${width}]` },
        learned: true,
        derivatives: 2,
      });
    },
    refuses: {
      ...unfit((more) => `x |> separable_conv2d(4, ${more})`, images),
      "a multiplier of 0": [refused("x |> separable_conv2d(4, multiplier: 0)"), "multiplier must be positive; got 0"],
      "no features": [refused("x |> separable_conv2d(0)"), "there must be some features; got 0"],
      "a kernel larger than the image": [refused("x |> separable_conv2d(4, kernel: 9)"), "does not fit 8 rows"],
    },
  },
};
