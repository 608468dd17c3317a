import { anyShape, applied, type Rows, refused } from "../rows.ts";

// One value has no spread: its normalised value is a quotient of rounding errors, which a larger eps keeps small.
const eps = "eps: 0.01";

export const rows: Rows = {
  batch_norm: {
    program: (choices) => {
      const image = choices.chance(60) ? `, ${choices.between(1, 4)}, ${choices.between(1, 4)}` : "";
      return applied({
        expression: `x |> batch_norm(momentum: ${choices.of(["0.1", "0.5"])}, ${eps})`,
        inputs: { x: `f32[${choices.of([2, 3, 5])}, ${choices.of([1, 2, 7])}${image}]` },
        learned: true,
        derivatives: 2,
      });
    },
  },
  layer_norm: {
    program: (choices) =>
      applied({
        expression: `x |> layer_norm(${eps})`,
        inputs: { x: anyShape(choices) },
        learned: true,
        derivatives: 2,
      }),
  },
  dropout: {
    program: (choices) =>
      applied({ expression: `x |> dropout(${choices.of(["0.25", "0.5", "0.0"])})`, inputs: { x: anyShape(choices) } }),
    refuses: {
      "a rate of 1": [refused("x |> dropout(1.0)"), "rate must be in [0, 1)"],
      "a negative rate": [refused("x |> dropout(-0.5)"), "rate must be in [0, 1)"],
    },
  },
};
