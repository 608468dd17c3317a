import type { Choices } from "../../support/random-body.ts";
import { applied, extent, program, type Row, type Rows, refused, refusing } from "../rows.ts";

const images = (choices: Choices, channels = choices.of([1, 3])) =>
  `f32[3, ${channels}, ${choices.between(1, 6)}, ${choices.between(1, 6)}]`;
const featured = (choices: Choices) =>
  choices.of([
    `f32[${choices.between(2, 9)}, ${extent(choices)}]`,
    `f32[2, ${extent(choices)}, 3, ${extent(choices)}]`,
  ]);
const statistic = (name: string, derivatives: 1 | 2 = 2): Row => ({
  program: (choices) => applied({ expression: `${name}(x)`, inputs: { x: featured(choices) }, derivatives }),
});
const augmented = (call: (choices: Choices) => string, channels?: number): Row["program"] => {
  return (choices) => applied({ expression: call(choices), inputs: { x: images(choices, channels) } });
};
/** A principal plane's parts, whatever they are, as inputs. */
const plane = { centre: "f32[5]", components: "f32[2, 5]" };
const whitened = (name: string): Row => ({
  program: (choices) =>
    applied({
      expression: `${name}(x, centre, components, exp(variance)${choices.of(["", ", eps: 0.1"])})`,
      inputs: { x: "f32[4, 5]", ...plane, variance: "f32[2]" },
      derivatives: 2,
    }),
  refuses: {
    "a negative eps": [
      refused(`${name}(x, c, d, v, eps: -1.0)`, { x: "f32[4, 5]", c: "f32[5]", d: "f32[2, 5]", v: "f32[2]" }),
      "eps must not be negative",
    ],
  },
});

export const rows: Rows = {
  random_flip: {
    once: "linear in its input",
    program: augmented((choices) => `random_flip(x, p: ${choices.of(["0.5", "1.0"])})`),
    refuses: refusing({ "random_flip(x, p: 1.5)": "p must be in [0, 1]; got 1.5" }),
  },
  random_crop: {
    once: "linear in its input",
    program: augmented((choices) => `random_crop(x, padding: ${choices.of([0, 1, 3])})`),
    refuses: refusing({ "random_crop(x, padding: -1)": "padding must not be negative; got -1" }),
  },
  cutout: {
    once: "linear in its input",
    program: (choices) => {
      const size = choices.of([1, 2, 5]);
      return applied({ expression: `cutout(x, ${size})`, inputs: { x: `f32[3, ${choices.of([1, 3])}, ${size}, 5]` } });
    },
    refuses: refusing({
      "cutout(x, 0)": "size must be at least 1; got 0",
      "cutout(x, 9)": "a square of 9 is larger than images of 8 x 8",
    }),
  },
  random_affine: {
    once: "linear in its input",
    program: augmented((choices) => `random_affine(x, ${choices.of(["degrees: 30", "translate: 0.3, scale: 0.2"])})`),
    refuses: refusing({
      "random_affine(x, scale: 1.0)": "scale must be in [0, 1); got 1",
      "random_affine(x, degrees: -5)": "degrees and translate must not be negative; got -5",
    }),
  },
  luminance: { once: "linear in its input", program: augmented(() => "luminance(x)", 3) },
  color_jitter: {
    once: "linear, and clamped: its slope jumps",
    program: augmented(
      (choices) => `color_jitter(x, ${choices.of(["brightness: 0.3", "contrast: 0.5", "saturation: 1.5"])})`,
      3,
    ),
    refuses: {
      "a negative range": [refused("color_jitter(x, contrast: -0.1)"), "must not be negative"],
      "grey images": [refused("color_jitter(x)", { x: "f32[2, 1, 8, 8]" }), "expects f32[N, 3, H, W]"],
    },
  },
  symmetric_beta: {
    program: (choices) =>
      program(`export fn draws() = symmetric_beta([7, ${extent(choices)}], ${choices.of(["0.2", "1.0", "5.0"])})`),
    refuses: {
      "an alpha of 0": [program("export fn draws() = symmetric_beta([7], 0.0)"), "alpha must be positive; got 0"],
    },
  },
  mixup: {
    once: "linear in its input",
    program: (choices) => {
      const alpha = choices.of(["", ", alpha: 1.0"]);
      return applied({
        expression: "both(x, target)",
        inputs: { x: `f32[4, ${extent(choices)}, 2]`, target: `f32[4, ${extent(choices)}]` },
        before: [
          "fn both(x: f32[N, ...S], target: f32[N, C]) {",
          `  let (x: a, target: b) = mixup(x, target${alpha})`,
          "  concat([reshape(a, [N * product(S)]), reshape(b, [N * C])])",
          "}",
        ],
      });
    },
  },
  feature_mean: statistic("feature_mean"),
  feature_std: statistic("feature_std"),
  feature_min: { ...statistic("feature_min", 1), once: "an extreme value: its slope jumps" },
  feature_max: { ...statistic("feature_max", 1), once: "an extreme value: its slope jumps" },
  zero_centre: statistic("zero_centre"),
  standardise: {
    program: (choices) =>
      choices.chance(50)
        ? applied({ expression: "standardise(x)", inputs: { x: featured(choices) }, derivatives: 2 })
        : applied({
            expression: "standardise(x, centre, exp(std))",
            inputs: { x: "f32[3, 4, 5]", centre: "f32[4]", std: "f32[4]" },
            derivatives: 2,
          }),
  },
  standard_scaler: {
    once: "linear with the statistics that it keeps",
    program: (choices) =>
      applied({
        expression: "x |> standard_scaler |> dense(3)",
        inputs: { x: "f32[4, 5]" },
        learned: choices.chance(50),
      }),
  },
  min_max: { ...statistic("min_max", 1), once: "an extreme value: its slope jumps" },
  one_hot: {
    program: (choices) =>
      applied({ expression: `one_hot(label, ${extent(choices)})`, inputs: { label: "i32[3, 4]" }, derivatives: 0 }),
    refuses: {
      "no classes": [refused("one_hot(label, 0)", { label: "i32[3]" }), "classes must be at least 1; got 0"],
    },
  },
  covariance: {
    program: (choices) =>
      applied({ expression: "covariance(x)", inputs: { x: `f32[5, ${extent(choices)}]` }, derivatives: 2 }),
    refuses: { "one row": [refused("covariance(x)", { x: "f32[1, 4]" }), "two rows and more; got 1"] },
  },
  pca: {
    once: "an iteration: its second derivative is long, and orthonormal's is asked for",
    // Axes of very different variance, so that few iterations are as good as many and rounding turns no direction.
    program: (choices) =>
      applied({
        expression: "fitted(x)",
        inputs: { x: "f32[9, 4]" },
        before: [
          "fn fitted(x: f32[N, D]) {",
          "  let stretched[n, d] = x[n, d] * exp(-2.0 * d)",
          `  let (centre: a, components: b, variance: c) = pca(stretched, ${choices.of([1, 2])}, iterations: 4)`,
          "  concat([a, reshape(b, [product(shape(b))]), c])",
          "}",
        ],
      }),
    refuses: {
      "more directions than features": [refused("pca(x, 5).centre", { x: "f32[9, 4]" }), "k (5) must be in 1..4"],
      "no iterations": [
        refused("pca(x, 2, iterations: 0).centre", { x: "f32[9, 4]" }),
        "iterations must be at least 1",
      ],
    },
  },
  pca_project: {
    program: () =>
      applied({
        expression: "pca_project(x, centre, components)",
        inputs: { x: "f32[4, 5]", ...plane },
        derivatives: 2,
      }),
  },
  pca_reconstruct: {
    program: () =>
      applied({
        expression: "pca_reconstruct(y, centre, components)",
        inputs: { y: "f32[4, 2]", ...plane },
        derivatives: 2,
      }),
  },
  whiten: whitened("whiten"),
  zca_whiten: whitened("zca_whiten"),
};
