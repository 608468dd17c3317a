import type { Choices } from "../../support/random-body.ts";
import { applied, type Rows, refused } from "../rows.ts";

/** The output's extent along one axis of windows. */
const windows = (size: number, kernel: number, stride: number, padding: number, dilation: number) =>
  Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;

/** A window that fits: edges (kernels as large as the image, remainders, padding that a window never leaves) are wanted. */
function window(choices: Choices) {
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

export const rows: Rows = {
  correlate: {
    program: (choices) => {
      const { height, width, kernel, stride, dilation, padding } = window(choices);
      const groups = choices.of([1, 1, 2, 3]);
      const [per, features] = [choices.of([1, 2]), groups * choices.of([1, 2])];
      return applied({
        expression: `correlate(x, w, stride: ${stride}, padding: ${padding}, dilation: ${dilation}, groups: ${groups})`,
        inputs: {
          x: `f32[2, ${groups * per}, ${height}, ${width}]`,
          w: `f32[${features}, ${per}, ${kernel}, ${kernel}]`,
        },
        derivatives: 2,
      });
    },
    refuses: {
      "a kernel that does not fit": [
        refused("correlate(x, w)", { x: "f32[1, 1, 4, 4]", w: "f32[1, 1, 5, 5]" }),
        "a kernel of 5 x 5 does not fit an image of 4 x 4",
      ],
    },
  },
  conv2d: {
    program: (choices) => {
      const { height, width, kernel, stride, dilation, padding } = window(choices);
      const groups = choices.of([1, 1, 1, 3]);
      const channels = groups * choices.of([1, 1, 3, 5]);
      const bias = choices.chance(50);
      return applied({
        expression: `x |> conv2d(${groups * choices.of([1, 2, 7])}, kernel: ${kernel}, stride: ${stride}, padding: ${padding}, dilation: ${dilation}, groups: ${groups}, bias: ${bias})`,
        inputs: { x: `f32[2, ${channels}, ${height}, ${width}]` },
        learned: true,
      });
    },
    refuses: {
      "a kernel larger than the padded image": [refused("x |> conv2d(4, kernel: 11, padding: 1)"), "does not fit"],
      "groups that do not divide the channels": [refused("x |> conv2d(4, groups: 2)"), "groups (2) must divide the 3"],
      "groups that do not divide the features": [refused("x |> conv2d(4, groups: 3)"), "must divide features (4)"],
    },
  },
  conv_transpose2d: {
    program: (choices) => {
      for (;;) {
        const { height, width, kernel, stride, dilation, padding } = window(choices);
        const more = choices.below(Math.max(stride, dilation));
        const out = [height, width].map(
          (size) => (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + more + 1,
        );
        if (out.some((size) => size < 1)) continue;
        const groups = choices.of([1, 1, 2]);
        return applied({
          expression: `x |> conv_transpose2d(${groups * choices.of([1, 2, 3])}, kernel: ${kernel}, stride: ${stride}, padding: ${padding}, output_padding: ${more}, dilation: ${dilation}, groups: ${groups})`,
          inputs: { x: `f32[2, ${groups * choices.of([1, 2])}, ${height}, ${width}]` },
          learned: true,
        });
      }
    },
    refuses: {
      "output_padding that a stride would have covered": [
        refused("x |> conv_transpose2d(4, kernel: 2, stride: 2, output_padding: 2)"),
        "output_padding (2) must be smaller",
      ],
      "padding that leaves nothing": [refused("x |> conv_transpose2d(4, kernel: 1, padding: 4)"), "leaves nothing"],
    },
  },
};
