import { initialised, program, type Row, type Rows } from "../rows.ts";

const shapes = [[5], [3, 4], [4, 3, 5], [6, 2, 3, 3], [1, 1]];
const drawn = (name: string): Row => ({
  program: (choices) =>
    initialised(choices.chance(50) ? name : `${name}(_, gain: ${choices.of(["1.0", "0.5"])})`, choices.of(shapes)),
});
const fan = (name: string): Row => ({
  program: (choices) => program(`export fn fan() -> i32 = i32(${name}([${choices.of(shapes).join(", ")}]))`),
});

export const rows: Rows = {
  fan_in: fan("fan_in"),
  fan_out: fan("fan_out"),
  kaiming_normal: drawn("kaiming_normal"),
  kaiming_uniform: drawn("kaiming_uniform"),
  xavier_normal: drawn("xavier_normal"),
  xavier_uniform: drawn("xavier_uniform"),
  zeros: { program: (choices) => initialised("zeros", choices.of(shapes)) },
  ones: { program: (choices) => initialised("ones", choices.of(shapes)) },
  uniform: { program: (choices) => initialised("uniform(_, low: -2, high: 0.5)", choices.of(shapes)) },
  normal: { program: (choices) => initialised("normal(_, std: 0.3, centre: 1)", choices.of(shapes)) },
  bernoulli: {
    program: (choices) => program(`export fn mask() = bernoulli([${choices.of(shapes).join(", ")}], 0.3)`),
  },
};
