import type { Choices } from "../../support/random-body.ts";
import { applied, type Rows, refused } from "../rows.ts";

/** A pooling window on an image at least as large as the kernel. */
const pooled = (name: string, derivatives: 1 | 2) => (choices: Choices) => {
  const kernel = choices.of([1, 2, 2, 3, 5]);
  const padding = choices.below(Math.floor(kernel / 2) + 1);
  const size = () => choices.between(Math.max(1, kernel - padding), 9);
  return applied({
    expression: `x |> ${name}(${kernel}, stride: ${choices.of([1, 2, 3])}, padding: ${padding})`,
    inputs: { x: `f32[2, ${choices.of([1, 3])}, ${size()}, ${size()}]` },
    derivatives,
  });
};

export const rows: Rows = {
  max_pool: {
    program: pooled("max_pool", 1),
    refuses: {
      "padding of more than half a window": [refused("x |> max_pool(2, padding: 2)"), "at most half the kernel (2)"],
      "a window larger than the image": [refused("x |> max_pool(11)"), "does not fit an image of 8 x 8"],
    },
  },
  avg_pool: {
    program: pooled("avg_pool", 2),
    refuses: {
      "padding of more than half a window": [refused("x |> avg_pool(2, padding: 2)"), "at most half the kernel (2)"],
      "a window larger than the image": [refused("x |> avg_pool(11)"), "does not fit an image of 8 x 8"],
    },
  },
  global_avg_pool: {
    program: (choices) =>
      applied({
        expression: "x |> global_avg_pool",
        inputs: { x: `f32[2, ${choices.of([1, 5])}, ${choices.between(1, 7)}, ${choices.between(1, 7)}]` },
        derivatives: 2,
      }),
  },
  flatten: {
    program: (choices) =>
      applied({
        expression: "x |> flatten",
        inputs: { x: `f32[3, ${choices.between(1, 4)}, ${choices.between(1, 4)}]` },
        derivatives: 2,
      }),
  },
};
