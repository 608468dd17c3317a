import { anyShape, applied, extent, optimizing, type Rows } from "../rows.ts";

const penalty = (name: string): Rows[string] => ({
  program: (choices) =>
    choices.chance(50)
      ? optimizing("sgd(lr: rate)", `metric size = ${name}(M.params)`)
      : applied({ expression: `${name}(x)`, inputs: { x: anyShape(choices) }, derivatives: name === "l2" ? 2 : 1 }),
});

export const rows: Rows = {
  cross_entropy: {
    program: (choices) => {
      const batch = extent(choices);
      return applied({
        expression: "cross_entropy(x, label)",
        inputs: { x: `f32[${batch}, ${choices.between(2, 7)}]`, label: `i32[${batch}]` },
        derivatives: 2,
      });
    },
  },
  mse: {
    program: (choices) => {
      const shape = anyShape(choices);
      return applied({ expression: "mse(x, y)", inputs: { x: shape, y: shape }, derivatives: 2 });
    },
  },
  accuracy: {
    program: (choices) => {
      const batch = extent(choices);
      return applied({
        expression: "accuracy(x, label)",
        inputs: { x: `f32[${batch}, ${choices.between(2, 7)}]`, label: `i32[${batch}]` },
        derivatives: 0,
      });
    },
  },
  l1: penalty("l1"),
  l2: penalty("l2"),
};
