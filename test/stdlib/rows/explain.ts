import type { Choices } from "../../support/random-body.ts";
import { applied, type Rows, refused } from "../rows.ts";

const dense = "fn f(x: f32[N, D]) -> f32[N, 3] = tanh(x @ reshape(cos(f32(arange(D * 3))), [D, 3]))";
const image = (choices: Choices) =>
  `f32[${choices.between(1, 3)}, ${choices.of([1, 3])}, ${choices.between(1, 6)}, ${choices.between(1, 6)}]`;
const row = (choices: Choices) => `f32[${choices.between(1, 3)}, ${choices.between(1, 7)}]`;
/** Scores of two classes: weighed means over channels and places, not linear in them. */
const scores = (activation: string) =>
  `fn f(x: f32[N, C, H, W]) -> f32[N, 2] {
  let y[n, k < 2] = mean[c, i, j] cos(f32(1 + c + 2 * k + i * j)) * ${activation}(x[n, c, i, j])^2
  y
}`;

export const rows: Rows = {
  class_score: {
    program: (choices) =>
      applied({
        expression: `class_score(x, ${choices.of(["1", "reshape(1 - arange(2), [2])"])})`,
        inputs: { x: "f32[2, 3]" },
        derivatives: 2,
      }),
    refuses: {
      "a class too few": [
        refused("class_score(x, arange(2))", { x: "f32[3, 4]" }),
        "class is one number or one for each of the 3 rows; got i32[2]",
      ],
    },
  },
  magnitude_map: {
    once: "a maximum: its slope jumps",
    program: (choices) => applied({ expression: "magnitude_map(x)", inputs: { x: image(choices) } }),
  },
  saliency: {
    once: "a maximum: its slope jumps",
    program: (choices) =>
      applied({
        expression: `saliency(f, x, ${choices.below(2)})`,
        inputs: { x: image(choices) },
        before: [scores("tanh")],
      }),
  },
  gradient_x_input: {
    program: (choices) =>
      applied({
        expression: `gradient_x_input(f, x, ${choices.below(3)})`,
        inputs: { x: row(choices) },
        derivatives: 2,
        before: [dense],
      }),
  },
  smooth_grad: {
    // How far noise is drawn apart is no matter of derivatives.
    program: (choices) =>
      applied({
        expression: `smooth_grad(f, x, ${choices.below(3)}, samples: ${choices.between(1, 3)}, noise: ${choices.of(["0.0", "0.2"])})`,
        inputs: { x: row(choices) },
        derivatives: 0,
        before: [dense],
      }),
    refuses: {
      "no sample": [
        refused("smooth_grad(x => x, x, 0, samples: 0)", { x: "f32[2, 3]" }),
        "samples must be at least 1; got 0",
      ],
      "negative noise": [refused("smooth_grad(x => x, x, 0, noise: -0.5)", { x: "f32[2, 3]" }), "must not be negative"],
    },
  },
  integrated_gradients: {
    program: (choices) =>
      applied({
        expression: `integrated_gradients(f, x, ${choices.below(3)}, ${choices.of(["", "baseline: 0.1 * x, "])}steps: ${choices.between(1, 3)})`,
        inputs: { x: row(choices) },
        derivatives: 2,
        before: [dense],
      }),
    refuses: {
      "no step": [
        refused("integrated_gradients(x => x, x, 0, steps: 0)", { x: "f32[2, 3]" }),
        "steps must be at least 1; got 0",
      ],
      "a baseline of another size": [
        refused("integrated_gradients(x => x, x, 0, baseline: zeros([2, 4]))", { x: "f32[2, 3]" }),
        "...S is [4] where [3] is expected",
      ],
    },
  },
  colour_scale: {
    once: "straight between colours: its slope jumps",
    program: (choices) => applied({ expression: "colour_scale(x)", inputs: { x: row(choices) } }),
  },
  overlay: {
    program: (choices) =>
      applied({
        expression: `overlay(x, map, alpha: ${choices.of(["0.5", "1.0"])})`,
        inputs: {
          x: `f32[1, ${choices.of([1, 2, 3])}, ${choices.between(2, 6)}, ${choices.between(2, 6)}]`,
          map: `f32[1, ${choices.between(1, 4)}, ${choices.between(2, 5)}]`,
        },
        // The greatest and least values are kinks.
        derivatives: 0,
      }),
    refuses: {
      "more than all": [refused("overlay(x, zeros([2, 4, 4]), alpha: 1.5)"), "alpha must lie from 0 to 1; got 1.5"],
    },
  },
  grad_cam: {
    once: "the greater of a sum and 0: its slope jumps",
    program: (choices) =>
      applied({
        expression: `grad_cam(x => 2 * x, f, x, ${choices.below(2)})`,
        inputs: { x: image(choices) },
        before: [scores("sigmoid")],
      }),
  },
  guided: {
    surrogate: true,
    program: (choices) =>
      applied({
        expression: `grad(x => sum(guided(${choices.of(["relu", "tanh", "gelu"])})(x) * cos(x)))(x)`,
        inputs: { x: row(choices) },
        derivatives: 0,
      }),
  },
  guided_backprop: {
    surrogate: true,
    program: (choices) => {
      const activation = choices.of(["relu", "sigmoid"]);
      return applied({
        expression: `guided_backprop(f, x, ${choices.below(2)}, activation: ${activation})`,
        inputs: { x: image(choices) },
        derivatives: 0,
        before: [scores(activation)],
      });
    },
  },
};
