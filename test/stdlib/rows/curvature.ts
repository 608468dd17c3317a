import { applied, program, type Rows, refused } from "../rows.ts";

const square = "f32[3, 3]";
/** Curvatures of several signs and sizes, in a tree of a vector and a number. */
const valley = "((x, y)) => sum[i] (1 + f32(i)) * x[i]^2 + sum(x) * y + 0.1 * sum(sin(x))";

export const rows: Rows = {
  eigenvalues: {
    program: (choices) => {
      const size = choices.between(1, 6);
      return applied({ expression: "eigenvalues(x)", inputs: { x: `f32[${size}, ${size}]` }, derivatives: 0 });
    },
    refuses: {
      "no sweeps": [refused("eigenvalues(x, sweeps: 0)", { x: square }), "sweeps must be at least 1; got 0"],
      "a matrix that is not square": [refused("eigenvalues(x)", { x: "f32[2, 3]" }), "f32[2, 3]"],
    },
  },
  curvature_along: {
    program: (choices) => {
      const x = `f32[${choices.between(1, 4)}]`;
      return applied({
        expression: `curvature_along(${valley}, (x, y), (u, v))`,
        inputs: { x, y: "f32", u: x, v: "f32" },
        by: ["x", "y"],
        derivatives: 2,
      });
    },
  },
  hessian_eigenvalues: {
    program: (choices) =>
      applied({
        expression: `hessian_eigenvalues(${valley}, (x, y), steps: 8)`,
        inputs: { x: `f32[${choices.between(1, 5)}]`, y: "f32" },
        derivatives: 0,
      }),
    refuses: {
      "no steps": [
        refused("hessian_eigenvalues(x => sum(x * x), x, steps: 0)", { x: square }),
        "steps must be at least 1; got 0",
      ],
    },
  },
  extreme_eigenvalues: {
    program: (choices) =>
      program(
        "model Net(x: f32[N, 2]) -> f32[N, 2] = x |> dense(2) |> tanh |> dense(2)",
        `export fn extremes(x: f32[3, 2], y: f32[3, 2]) =
  extreme_eigenvalues(p => mse(with_params(Net, p)(x), y), Net.params, steps: ${choices.of([12, 20])})`,
      ),
  },
  is_saddle: {
    program: (choices) =>
      applied({
        expression: `is_saddle(x => x[0]^2 ${choices.of(["-", "+"])} 3 * x[1]^2 + 0 * sum(x), x)`,
        inputs: { x: `f32[${choices.between(2, 4)}]` },
        derivatives: 0,
      }),
  },
  condition_number: {
    program: (choices) =>
      applied({
        expression: `condition_number(x => x[0]^2 ${choices.of(["-", "+"])} 3 * x[1]^2, x)`,
        inputs: { x: "f32[2]" },
        derivatives: 0,
      }),
  },
};
