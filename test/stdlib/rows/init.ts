import { anyShape, applied, initialised, program, type Row, type Rows } from "../rows.ts";

const shapes = [[5], [3, 4], [4, 3, 5], [6, 2, 3, 3], [1, 1]];
const drawn = (name: string, options: readonly string[] = [], over = shapes): Row => ({
  program: (choices) => {
    const option = choices.of(["", ...options]);
    return initialised(option === "" ? name : `${name}(_, ${option})`, choices.of(over));
  },
});
const gains = ["gain: 1.0", "gain: 0.5"];
const modes = [...gains, 'mode: "fan_out"'];
const number = (expression: string) => program(`export fn number() -> f32 = f32(${expression})`);
const fanOf = (name: string): Row => ({ program: (choices) => number(`${name}([${choices.of(shapes).join(", ")}])`) });

/** An initialiser that refuses these options, each with a part of the message. */
const but = (row: Row, name: string, messages: Readonly<Record<string, string>>): Row => ({
  ...row,
  refuses: Object.fromEntries(
    Object.entries(messages).map(([option, message]) => [
      option,
      [initialised(`${name}(_, ${option})`, [3, 4]), message],
    ]),
  ),
});
const scaled = (name: string, options: readonly string[]): Row =>
  but(drawn(name, options), name, { "gain: -1.0": "gain must not be negative; got -1" });

export const rows: Rows = {
  fan_in: fanOf("fan_in"),
  fan_out: fanOf("fan_out"),
  fan: {
    program: (choices) => number(`fan([3, 4, 5], "${choices.of(["fan_in", "fan_out"])}")`),
    refuses: { "another mode": [number('fan([3, 4], "fan_avg")'), 'mode is "fan_in" or "fan_out"; got "fan_avg"'] },
  },
  gain: {
    program: (choices) =>
      number(`gain("${choices.of(["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])}", slope: 0.2)`),
    refuses: { "an activation that has none": [number('gain("mish")'), "got mish"] },
  },
  scaled_normal: but(drawn("scaled_normal", ["c: 3.0"]), "scaled_normal", {
    "c: -1.0": "c must not be negative; got -1",
  }),
  kaiming_normal: scaled("kaiming_normal", modes),
  kaiming_uniform: scaled("kaiming_uniform", modes),
  xavier_normal: scaled("xavier_normal", gains),
  xavier_uniform: scaled("xavier_uniform", gains),
  erfinv: {
    program: (choices) =>
      applied({ expression: "erfinv(0.999 * tanh(x))", inputs: { x: anyShape(choices) }, derivatives: 2 }),
  },
  truncated_normal: {
    ...drawn("truncated_normal", ["std: 0.02", "low: -1.0, high: 0.5"]),
    refuses: {
      "a negative deviation": [initialised("truncated_normal(_, std: -1.0)", [3]), "std must not be negative; got -1"],
      "an empty range": [initialised("truncated_normal(_, low: 1.0, high: 1.0)", [3]), "must be less than high"],
    },
  },
  orthonormal: {
    // Rows that are far from dependent.
    program: (choices) =>
      applied({
        expression: "orthonormal(spread(x))",
        inputs: { x: choices.of(["f32[3, 5]", "f32[1, 4]", "f32[4, 4]"]) },
        before: ["fn spread(x: f32[R, C]) {", "  let y[i, j] = x[i, j] + select(i == j, 6.0, 0)", "  y", "}"],
        derivatives: 2,
      }),
    refuses: {
      "more rows than columns": [
        program("export fn basis(a: f32[3, 2]) = orthonormal(a)"),
        "3 rows of 2 elements cannot be orthogonal",
      ],
    },
  },
  orthogonal: {
    ...drawn(
      "orthogonal",
      ["gain: 2.0"],
      shapes.filter((shape) => shape.length > 1),
    ),
    refuses: { "a vector": [initialised("orthogonal", [3]), "two axes and more"] },
  },
  dirac: {
    ...drawn(
      "dirac",
      ["groups: 2"],
      [
        [4, 2, 3],
        [4, 4, 3, 3],
        [6, 2, 3, 2],
      ],
    ),
    refuses: {
      "a matrix": [initialised("dirac", [3, 3]), "three axes and more"],
      "no groups": [initialised("dirac(_, groups: 0)", [3, 3, 3]), "groups must be positive; got 0"],
      "groups that do not divide": [initialised("dirac(_, groups: 2)", [3, 3, 3]), "must divide the 3 features"],
    },
  },
  zeros: drawn("zeros"),
  ones: drawn("ones"),
  uniform: but(drawn("uniform", ["low: -2, high: 0.5"]), "uniform", {
    "low: 2": "low (2) must not be more than high (1)",
  }),
  normal: but(drawn("normal", ["std: 0.3, centre: 1"]), "normal", { "std: -1": "std must not be negative; got -1" }),
  bernoulli: {
    program: (choices) => program(`export fn mask() = bernoulli([${choices.of(shapes).join(", ")}], 0.3)`),
    refuses: {
      "more than certainty": [program("export fn mask() = bernoulli([3], 1.5)"), "p must be in [0, 1]; got 1.5"],
      "less than nothing": [program("export fn mask() = bernoulli([3], -0.5)"), "p must be in [0, 1]; got -0.5"],
    },
  },
};
