import { applied, type Rows, refused } from "../rows.ts";

export const rows: Rows = {
  sequential: {
    program: (choices) =>
      applied({
        expression: `x |> sequential([dense(${choices.between(1, 5)}), tanh, layer_norm(eps: 0.01), y => y |> dense(3)])`,
        inputs: { x: `f32[2, ${choices.between(1, 5)}]` },
        learned: true,
        derivatives: 2,
      }),
    refuses: { "an empty list": [refused("x |> sequential([])"), "an empty list"] },
  },
  residual: {
    program: (choices) => {
      const [from, to] = [choices.between(1, 5), choices.between(1, 5)];
      const shortcut = from === to && choices.chance(50) ? "" : `, shortcut: dense(${to})`;
      return applied({
        expression: `x |> residual(y => y |> dense(4) |> tanh |> dense(${to})${shortcut})`,
        inputs: { x: `f32[2, ${from}]` },
        learned: true,
        derivatives: 2,
      });
    },
    refuses: { "a branch of another shape": [refused("x |> residual(conv2d(4, padding: 1))"), "f32[2, 4, 8, 8]"] },
  },
  branches: {
    program: (choices) =>
      applied({
        expression: `x |> branches([conv2d(${choices.between(1, 3)}, kernel: 1), tanh, y => y |> conv2d(2, padding: 1) |> tanh])`,
        inputs: { x: `f32[2, ${choices.of([1, 3])}, ${choices.between(1, 4)}, ${choices.between(1, 4)}]` },
        learned: true,
        derivatives: 2,
      }),
    refuses: {
      "an empty list": [refused("x |> branches([])"), "an empty list"],
      "images of different sizes": [refused("x |> branches([conv2d(2), conv2d(2, padding: 1)])"), "f32[2, 2, 6, 6]"],
    },
  },
  squeeze_excitation: {
    program: (choices) => {
      const reduction = choices.of([1, 2, 3]);
      return applied({
        expression: `x |> squeeze_excitation(${reduction})`,
        inputs: {
          x: `f32[2, ${reduction * choices.between(1, 3)}, ${choices.between(1, 4)}, ${choices.between(1, 4)}]`,
        },
        learned: true,
        derivatives: 2,
      });
    },
    refuses: {
      "a reduction to nothing": [
        refused("x |> squeeze_excitation(4)"),
        "a reduction by 4 leaves nothing of 3 channels",
      ],
      "a reduction by 0": [refused("x |> squeeze_excitation(0)"), "reduction must be positive; got 0"],
    },
  },
};
