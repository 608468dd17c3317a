import { applied, type Rows, refused } from "../rows.ts";

export const rows: Rows = {
  lstm: {
    program: (choices) =>
      applied({
        expression: `(x |> lstm(${choices.of([1, 2, 3])})).${choices.of(["output", "hidden"])}`,
        inputs: { x: `f32[2, ${choices.between(1, 5)}, ${choices.of([1, 2, 3])}]` },
        learned: true,
      }),
  },
  attention: {
    program: (choices) => {
      const heads = choices.of([1, 2, 3]);
      return applied({
        expression: `x |> attention(${heads}, causal: ${choices.chance(50)})`,
        inputs: { x: `f32[2, ${choices.between(1, 6)}, ${heads * choices.of([1, 2])}]` },
        learned: true,
      });
    },
    refuses: {
      "heads that do not divide the features": [
        refused("x |> attention(4)", { x: "f32[1, 3, 6]" }),
        "heads (4) must divide the 6 features",
      ],
    },
  },
};
