import { anyShape, applied, extent, optimizing, program, type Row, type Rows, refusing } from "../rows.ts";

/** An optimizer with one of these lists of arguments; what it refuses of a rate and of factors. */
const stepped = (
  name: string,
  options: readonly string[],
  factors: readonly string[] = [],
  positive: readonly string[] = [],
): Row => ({
  program: (choices) => optimizing(`${name}(lr: rate${choices.of(["", ...options])})`),
  refuses: {
    "a negative learning rate": [optimizing(`${name}(lr: -0.1)`), "lr must not be negative; got -0.1"],
    "a negative weight decay": [
      optimizing(`${name}(lr: 0.1, weight_decay: -0.1)`),
      "weight_decay must not be negative; got -0.1",
    ],
    ...Object.fromEntries(
      factors.map((factor) => [
        `a negative ${factor}`,
        [optimizing(`${name}(lr: 0.1, ${factor}: -0.5)`), `${factor} must be in [0, 1); got -0.5`],
      ]),
    ),
    ...Object.fromEntries(
      positive.map((one) => [
        `${one} of 0`,
        [optimizing(`${name}(lr: 0.1, ${one}: 0.0)`), `${one} must be positive; got 0`],
      ]),
    ),
    ...Object.fromEntries(
      factors.map((factor) => [
        `a ${factor} of 1`,
        [optimizing(`${name}(lr: 0.1, ${factor}: 1.0)`), `${factor} must be in [0, 1)`],
      ]),
    ),
  },
});
// A gradient that is small beside its rounding, divided by its own size, is anything: eps is larger here.
const scaled = (name: string, options: readonly string[], factors: readonly string[]): Row =>
  stepped(
    name,
    ["", ...options].map((option) => `, eps: 0.01${option}`).concat(", eps: 0.1, weight_decay: 0.1"),
    factors,
    ["eps"],
  );
/** It refuses a negative value of another option too. */
const also = (row: Row, name: string, option: string): Row => ({
  ...row,
  refuses: {
    ...row.refuses,
    [`a negative ${option}`]: [
      optimizing(`${name}(lr: 0.1, ${option}: -1.0)`),
      `${option} must not be negative; got -1`,
    ],
  },
});
const hook = (call: (most: string) => string): Row => ({
  refuses: {
    "a bound of 0": [optimizing(`sgd(lr: 0.1) gradients g => ${call("0.0")}`), "most must be positive; got 0"],
  },
  program: (choices) => optimizing(`sgd(lr: rate) gradients g => ${call(choices.of(["0.01", "0.5", "100.0"]))}`),
});

export const rows: Rows = {
  sgd: stepped("sgd", [", weight_decay: 0.1"]),
  momentum: stepped("momentum", [", beta: 0.8", ", nesterov: true", ", weight_decay: 0.1"], ["beta"]),
  nesterov: stepped("nesterov", [", beta: 0.8", ", weight_decay: 0.1"], ["beta"]),
  lion: {
    ...stepped("lion", [", weight_decay: 0.1"], ["beta1", "beta2"]),
    // A sign is the same of a gradient and of what rounding leaves of it only where that is not near 0.
    program: (choices) =>
      optimizing(
        `lion(lr: rate${choices.of(["", ", weight_decay: 0.1"])}) gradients g => map(d => d + select(d > 0, 0.1, -0.1), g)`,
      ),
  },
  accumulate: {
    program: (choices) =>
      optimizing(`accumulate(${choices.of(["sgd(lr: rate)", "momentum(lr: rate)"])}, every: ${choices.of([1, 2, 3])})`),
    refuses: { "every 0 steps": [optimizing("accumulate(sgd(lr: 0.1), every: 0)"), "every must be at least 1"] },
  },
  adagrad: also(scaled("adagrad", [", decay: 0.1"], []), "adagrad", "decay"),
  rmsprop: scaled(
    "rmsprop",
    [", beta: 0.5", ", centered: true", ", alpha: 0.5, centered: true, beta: 0.9"],
    ["alpha", "beta"],
  ),
  adadelta: scaled("adadelta", [", rho: 0.5"], ["rho"]),
  adam: scaled("adam", [", amsgrad: true"], ["beta1", "beta2"]),
  amsgrad: scaled("amsgrad", [", beta2: 0.5"], ["beta1", "beta2"]),
  adamw: scaled("adamw", [", beta1: 0.5"], ["beta1", "beta2"]),
  nadam: also(scaled("nadam", [", momentum_decay: 0.1"], ["beta1", "beta2"]), "nadam", "momentum_decay"),
  clip_global_norm: hook((most) => `clip_global_norm(g, ${most})`),
  clip_value: hook((most) => `clip_value(g, ${most})`),
  max_norm: {
    program: (choices) =>
      applied({
        expression: `max_norm(x, ${choices.of(["0.5", "2.0", "100.0"])})`,
        inputs: { x: `f32[${extent(choices)}, ${extent(choices)}]` },
        derivatives: 2,
      }),
    refuses: refusing({ "max_norm(x, 0.0)": "most must be positive; got 0" }),
  },
  ema: {
    refuses: {
      "a decay of more than 1": [
        optimizing("sgd(lr: 0.1)", "metric a = l2(ema(M.params, M.params, 1.5))"),
        "decay must be in [0, 1]; got 1.5",
      ],
    },
    program: () =>
      optimizing(
        "sgd(lr: rate)",
        "state average: like(M.params) = M.params",
        "average := ema(average, M.params, 0.9)",
        "metric averaged = mse(with_params(M, average)(x), y)",
      ),
  },
  tree_dot: {
    program: (choices) => {
      const shape = anyShape(choices);
      return applied({ expression: "tree_dot((x, y), (y, x))", inputs: { x: shape, y: shape }, derivatives: 2 });
    },
  },
  newton_cg: {
    program: (choices) =>
      program(
        "model M(x: f32[N, 3]) -> f32[N, 2] = x |> dense(2)",
        "train t(batch: int = 3)(x: f32[batch, 3], y: f32[batch, 2]) {",
        "  metric loss = mse(M(x), y)",
        `  M.params := newton_cg(p => mse(with_params(M, p)(x), y), M.params, damping: 0.5, iterations: ${choices.of([1, 2])})`,
        "}",
      ),
    refuses: {
      "no iterations": [
        program("export fn f(x: f32[3]) = newton_cg(x => sum(x * x), x, iterations: 0)"),
        "iterations must be at least 1",
      ],
      "negative damping": [
        program("export fn f(x: f32[3]) = newton_cg(x => sum(x * x), x, damping: -1.0)"),
        "damping must not be negative; got -1",
      ],
    },
  },
};
