import { applied, elementwise, extent, type Rows, refused, refusing } from "../rows.ts";

export const rows: Rows = {
  relu: { program: elementwise("relu") },
  leaky_relu: { program: elementwise((choices) => `leaky_relu(${choices.of(["0.2", "0.01", "1.5"])})`) },
  prelu: {
    program: (choices) => {
      const image = choices.chance(50) ? ", 3, 2" : "";
      return applied({
        expression: `x |> prelu${choices.chance(50) ? "(init: fill(_, 0.1))" : ""}`,
        inputs: { x: `f32[2, ${extent(choices)}${image}]` },
        learned: true,
        derivatives: 2,
      });
    },
  },
  relu6: { program: elementwise((choices) => `(x => ${choices.of(["x", "10 * x"])}) |> relu6`) },
  squared_relu: { program: elementwise("squared_relu") },
  elu: { program: elementwise((choices) => `elu(${choices.of(["1", "0.3"])})`) },
  selu: { program: elementwise("selu") },
  sigmoid: { program: elementwise("sigmoid") },
  tanh: { program: elementwise("tanh") },
  softplus: { program: elementwise("softplus") },
  gelu: {
    program: elementwise((choices) => `gelu(approximate: ${choices.of(['"none"', '"tanh"'])})`),
    refuses: {
      "an approximation that it does not know": [
        refused('x |> gelu(approximate: "erf")'),
        'approximate is "none" or "tanh"; got "erf"',
      ],
    },
  },
  silu: { program: elementwise("silu") },
  mish: { program: elementwise("mish") },
  hardsigmoid: { program: elementwise((choices) => `(x => ${choices.of(["x", "4 * x"])}) |> hardsigmoid`) },
  hardswish: { program: elementwise((choices) => `(x => ${choices.of(["x", "4 * x"])}) |> hardswish`) },
  maxout: {
    once: "a maximum: its slope jumps",
    program: (choices) =>
      applied({
        expression: `x |> maxout(${choices.of([1, 2, 5])}, pieces: ${choices.of([1, 2, 3])})`,
        inputs: { x: `f32[3, ${extent(choices)}]` },
        learned: true,
      }),
    refuses: refusing(
      {
        "x |> maxout(4, pieces: 0)": "pieces must be at least 1; got 0",
        "x |> maxout(0)": "there must be some features; got 0",
      },
      { x: "f32[2, 3]" },
    ),
  },
  softmax: { program: elementwise("softmax") },
  log_softmax: { program: elementwise("log_softmax") },
};
