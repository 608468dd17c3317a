import type { Choices } from "../../support/random-body.ts";
import { anyShape, applied, type Row, type Rows, refused } from "../rows.ts";
import { unfit } from "./convolution.ts";

/** A pooling window on an image, or a series, at least as large as the kernel. */
const pooled =
  (name: string, rank: 1 | 2, derivatives: 1 | 2): Row["program"] =>
  (choices) => {
    const kernel = choices.of([1, 2, 2, 3, 5]);
    const padding = choices.below(Math.floor(kernel / 2) + 1);
    const sizes = Array.from({ length: rank }, () => choices.between(Math.max(1, kernel - padding), 9));
    const average = name.startsWith("avg");
    const pair = (value: number, other: number) => (rank === 2 && choices.chance(25) ? `[${value}, ${other}]` : value);
    const more = average ? "count_include_pad" : "ceil_mode";
    return applied({
      expression: `x |> ${name}(${kernel}, stride: ${pair(choices.of([1, 2, 3]), 1)}, padding: ${pair(padding, 0)}, ${more}: ${choices.chance(50)})`,
      inputs: { x: `f32[2, ${choices.of([1, 3])}, ${sizes.map((size) => Math.max(size, kernel)).join(", ")}]` },
      derivatives,
    });
  };
const unpoolable = (name: string, rank: 1 | 2) => {
  const inputs = { x: rank === 2 ? "f32[2, 3, 8, 8]" : "f32[2, 3, 8]" };
  return {
    ...unfit((more) => `x |> ${name}(${more})`, inputs),
    "padding of more than half a window": [
      refused(`x |> ${name}(2, padding: 2)`, inputs),
      "at most half the kernel (2)",
    ],
    "a window larger than the image": [
      refused(`x |> ${name}(11)`, inputs),
      `a kernel of 11 does not fit 8 ${rank === 2 ? "rows" : "elements"} with padding 0`,
    ],
  } satisfies Row["refuses"];
};
/** A tensor of channels, as a series or as images. */
const channels = (choices: Choices) =>
  `f32[2, ${choices.of([1, 5])}, ${choices.between(1, 7)}${choices.chance(60) ? `, ${choices.between(1, 7)}` : ""}]`;

export const rows: Rows = {
  max_pool: {
    once: "a maximum: its slope jumps",
    program: pooled("max_pool", 2, 1),
    refuses: unpoolable("max_pool", 2),
  },
  max_pool1d: {
    once: "a maximum: its slope jumps",
    program: pooled("max_pool1d", 1, 1),
    refuses: unpoolable("max_pool1d", 1),
  },
  avg_pool: { program: pooled("avg_pool", 2, 2), refuses: unpoolable("avg_pool", 2) },
  avg_pool1d: { program: pooled("avg_pool1d", 1, 2), refuses: unpoolable("avg_pool1d", 1) },
  pooling_windows: {
    program: (choices) =>
      applied({
        expression: `x * ones([pooling_windows(${choices.between(3, 9)}, 3, ${choices.between(1, 4)}, 1, 1, ${choices.chance(50)})])`,
        inputs: { x: "f32" },
        derivatives: 0,
      }),
    refuses: {
      "windows of padding alone": [
        refused("x * pooling_windows(4, 2, 1, 2)", { x: "f32" }),
        "padding (2) must be at most half the kernel (2)",
      ],
    },
  },
  pooling_windows2d: {
    program: (choices) =>
      applied({
        expression: `x * ones(pooling_windows2d([${choices.between(3, 9)}, 8], 3, ${choices.between(1, 4)}, 1, 1, ${choices.chance(50)}))`,
        inputs: { x: "f32" },
        derivatives: 0,
      }),
    refuses: {
      "windows of padding alone": [
        refused("x * ones(pooling_windows2d([4, 4], [3, 2], 1, [0, 2]))", { x: "f32" }),
        "padding (2) must be at most half the kernel (2)",
      ],
    },
  },
  pooled_elements: {
    program: (choices) =>
      applied({
        expression: `x * pooled_elements(7, 4, 3, ${choices.between(1, 2)}, 1, ${choices.chance(50)})`,
        inputs: { x: "f32[4]" },
        derivatives: 0,
      }),
  },
  global_avg_pool: {
    program: (choices) =>
      applied({ expression: "x |> global_avg_pool", inputs: { x: channels(choices) }, derivatives: 2 }),
  },
  global_max_pool: {
    once: "a maximum: its slope jumps",
    program: (choices) => applied({ expression: "x |> global_max_pool", inputs: { x: channels(choices) } }),
  },
  adaptive_avg_pool1d: {
    program: (choices) =>
      applied({
        expression: `x |> adaptive_avg_pool1d(${choices.between(1, 9)})`,
        inputs: { x: anyShape(choices) },
        derivatives: 2,
      }),
    refuses: { "no windows": [refused("x |> adaptive_avg_pool1d(0)"), "size must be positive; got 0"] },
  },
  adaptive_avg_pool: {
    program: (choices) => {
      const [height, width, h, w] = [9, 9, 7, 7].map((most) => choices.between(1, most));
      return applied({
        expression: `x |> adaptive_avg_pool(${h}, ${w})`,
        inputs: { x: `f32[2, ${choices.of([1, 3])}, ${height}, ${width}]` },
        derivatives: 2,
      });
    },
    refuses: { "no windows": [refused("x |> adaptive_avg_pool(0)"), "size must be positive; got 0"] },
  },
};
