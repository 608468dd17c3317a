import type { Choices } from "../../support/random-body.ts";
import { anyShape, applied, type Row, type Rows, refused, refusing } from "../rows.ts";

// One value has no spread: its normalised value is a quotient of rounding errors, which a larger eps keeps small.
const eps = "eps: 0.01";
const noEps = (layer: string) => refusing({ [`x |> ${layer}eps: 0.0)`]: "eps must be positive; got 0" });

/** A layer that drops at random what it is given. */
const dropping = (name: string, shape: (choices: Choices) => string): Row => ({
  program: (choices) =>
    applied({ expression: `x |> ${name}(${choices.of(["0.25", "0.5", "0.0"])})`, inputs: { x: shape(choices) } }),
  refuses: {
    "a rate of 1": [refused(`x |> ${name}(1.0)`), "rate must be in [0, 1); got 1"],
    "a negative rate": [refused(`x |> ${name}(-0.5)`), "rate must be in [0, 1); got -0.5"],
  },
});

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
    refuses: {
      ...noEps("batch_norm("),
      ...refusing({
        "x |> batch_norm(momentum: 1.5)": "momentum must be in [0, 1]; got 1.5",
        "x |> batch_norm(momentum: -0.1)": "momentum must be in [0, 1]; got -0.1",
      }),
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
    refuses: noEps("layer_norm("),
  },
  group_norm: {
    program: (choices) => {
      const groups = choices.between(1, 3);
      const image = choices.chance(60) ? `, ${choices.between(1, 4)}, ${choices.between(1, 4)}` : "";
      const affine = choices.chance(70);
      return applied({
        expression: `x |> group_norm(${groups}, ${eps}, affine: ${affine})`,
        inputs: { x: `f32[2, ${groups * choices.between(1, 3)}${image}]` },
        learned: affine,
        derivatives: 2,
      });
    },
    refuses: {
      ...noEps("group_norm(3, "),
      "groups that do not divide": [refused("x |> group_norm(2)"), "groups (2) must divide the 3 channels"],
      "no groups": [refused("x |> group_norm(0)"), "groups must be positive; got 0"],
    },
  },
  instance_norm: {
    program: (choices) => {
      const image = choices.chance(60) ? `${choices.between(1, 4)}, ${choices.between(2, 4)}` : "5";
      const affine = choices.chance(50);
      return applied({
        expression: `x |> instance_norm(${eps}, affine: ${affine})`,
        inputs: { x: `f32[2, ${choices.between(1, 3)}, ${image}]` },
        learned: affine,
        derivatives: 2,
      });
    },
    refuses: {
      ...noEps("instance_norm("),
      "one value a channel": [
        refused("x |> instance_norm", { x: "f32[2, 3]" }),
        "a channel of one value has no spread",
      ],
    },
  },
  rms_norm: {
    program: (choices) =>
      applied({
        expression: `x |> rms_norm(${eps})`,
        inputs: { x: anyShape(choices) },
        learned: true,
        derivatives: 2,
      }),
    refuses: noEps("rms_norm("),
  },
  dropout: { ...dropping("dropout", anyShape), once: "linear in its input" },
  unscaled_dropout: { ...dropping("unscaled_dropout", anyShape), once: "linear in its input" },
  dropout2d: {
    ...dropping("dropout2d", (choices) => `f32[2, ${choices.between(1, 5)}, ${choices.between(1, 5)}]`),
    once: "linear in its input",
  },
  drop_path: { ...dropping("drop_path", anyShape), once: "linear in its input" },
};
