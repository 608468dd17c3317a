import { program, type Row, type Rows } from "../rows.ts";

/** Before, at and after the corners of the schedules below. */
const steps = [0, 1, 2, 3, 5, 9, 10, 11, 29, 30, 31, 100];
const at = (...calls: readonly string[]): Row["program"] => {
  return (choices) => {
    const call = choices.of(calls);
    const rates = steps.map((step) => call.replace("(step,", `(i32(${step}),`));
    return program(`export fn rates() = (${rates.join(", ")})`, `export fn rate(step: i32) -> f32 = ${call}`);
  };
};
const none = (call: string): string => program(`export fn rate(step: i32) -> f32 = ${call}`);
const needsSteps = (call: string, name = "steps"): Row["refuses"] => ({
  [`${name} of 0`]: [none(call), `${name} must be at least 1; got 0`],
});

export const rows: Rows = {
  constant: { program: at("constant(step, 0.1)") },
  step_decay: {
    program: at("step_decay(step, 0.1, every: 10)", "step_decay(step, 0.1, every: 3, factor: 0.5)"),
    refuses: needsSteps("step_decay(step, 0.1, every: 0)", "every"),
  },
  multistep_decay: {
    program: at("multistep_decay(step, 0.1, [3, 10, 30])", "multistep_decay(step, 0.1, [], factor: 0.5)"),
  },
  exponential_decay: { program: at("exponential_decay(step, 0.1, factor: 0.9)") },
  linear: {
    program: at("linear(step, 0.1, 0.01, steps: 30)"),
    refuses: needsSteps("linear(step, 0.1, 0.0, steps: 0)"),
  },
  polynomial: {
    program: at("polynomial(step, 0.1, steps: 30, power: 2, floor: 0.01)", "polynomial(step, 0.1, steps: 30)"),
    refuses: needsSteps("polynomial(step, 0.1, steps: 0)"),
  },
  cosine: {
    program: at("cosine(step, 0.1, steps: 10, warmup: 3, floor: 0.01)", "cosine(step, 0.1, steps: 10)"),
    refuses: {
      "a warm-up that takes all steps": [
        none("cosine(step, 0.1, steps: 10, warmup: 10)"),
        "steps (10) must be more than warmup (10)",
      ],
    },
  },
  cosine_restarts: {
    program: at(
      "cosine_restarts(step, 0.1, period: 10)",
      "cosine_restarts(step, 0.1, period: 10, growth: 2, floor: 0.01)",
    ),
    refuses: needsSteps("cosine_restarts(step, 0.1, period: 0)", "period"),
  },
  warmup: {
    program: at("warmup(step, 0.1, steps: 10)"),
    refuses: needsSteps("warmup(step, 0.1, steps: 0)"),
  },
  one_cycle: {
    program: at(
      "one_cycle(step, 0.1, steps: 31)",
      "one_cycle(step, 0.1, steps: 31, rise: 0.1, divisor: 5.0, final: 10.0)",
    ),
    refuses: { "a rise of all steps": [none("one_cycle(step, 0.1, steps: 100, rise: 1.0)"), "rise must be a share"] },
  },
  inverse_sqrt: {
    program: at("inverse_sqrt(step, 0.1, warmup: 10)"),
    refuses: needsSteps("inverse_sqrt(step, 0.1, warmup: 0)", "warmup"),
  },
};
