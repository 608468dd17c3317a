import { applied, extent, type Rows, refused, refusing } from "../rows.ts";

export const rows: Rows = {
  dense: {
    program: (choices) => {
      const bias = choices.chance(50);
      const shape = [extent(choices), ...(choices.chance(40) ? [extent(choices)] : []), extent(choices)];
      return applied({
        expression: `x |> dense(${extent(choices)}${bias ? "" : ", bias: false"})`,
        inputs: { x: `f32[${shape.join(", ")}]` },
        learned: true,
        derivatives: 2,
      });
    },
    refuses: refusing({
      "x |> dense(0)": "there must be some features; got 0",
      "x |> dense(-3)": "there must be some features; got -3",
    }),
  },
  embedding: {
    program: (choices) =>
      applied({
        expression: `id |> embedding(${extent(choices)}, ${extent(choices)})`,
        inputs: { id: `i32[${extent(choices)}, ${extent(choices)}]` },
        learned: true,
        derivatives: 2,
      }),
    refuses: {
      ...refusing(
        {
          "id |> embedding(0, 4)": "there must be some ids; got 0",
          "id |> embedding(5, 0)": "there must be some features",
        },
        { id: "i32[3]" },
      ),
      "ids that are not integers": [refused("x |> embedding(5, 4)"), "i32"],
    },
  },
};
