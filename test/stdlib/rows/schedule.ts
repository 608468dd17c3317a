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

/** A negative value of an option, given by name. */
const negative = (call: (option: string) => string, ...options: readonly string[]): Row["refuses"] =>
  Object.fromEntries(
    options.map((option) => [
      `a negative ${option}`,
      [none(call(`${option}: -0.5`)), `${option} must not be negative; got -0.5`],
    ]),
  );

export const rows: Rows = {
  constant: { program: at("constant(step, 0.1)"), refuses: negative((rate) => `constant(step, ${rate})`, "rate") },
  step_decay: {
    program: at("step_decay(step, 0.1, every: 10)", "step_decay(step, 0.1, every: 3, factor: 0.5)"),
    refuses: {
      ...needsSteps("step_decay(step, 0.1, every: 0)", "every"),
      ...negative((rate) => `step_decay(step, every: 3, ${rate})`, "rate"),
      ...negative((factor) => `step_decay(step, 0.1, every: 3, ${factor})`, "factor"),
    },
  },
  multistep_decay: {
    program: at("multistep_decay(step, 0.1, [3, 10, 30])", "multistep_decay(step, 0.1, [], factor: 0.5)"),
    refuses: {
      ...negative((rate) => `multistep_decay(step, milestones: [3], ${rate})`, "rate"),
      ...negative((factor) => `multistep_decay(step, 0.1, [3], ${factor})`, "factor"),
    },
  },
  exponential_decay: {
    program: at("exponential_decay(step, 0.1, factor: 0.9)"),
    refuses: {
      ...negative((rate) => `exponential_decay(step, factor: 0.9, ${rate})`, "rate"),
      ...negative((factor) => `exponential_decay(step, 0.1, ${factor})`, "factor"),
    },
  },
  linear: {
    program: at("linear(step, 0.1, 0.01, steps: 30)"),
    refuses: {
      ...needsSteps("linear(step, 0.1, 0.0, steps: 0)"),
      ...negative((start) => `linear(step, end: 0.0, steps: 9, ${start})`, "start"),
      ...negative((end) => `linear(step, 0.1, steps: 9, ${end})`, "end"),
    },
  },
  polynomial: {
    program: at("polynomial(step, 0.1, steps: 30, power: 2, floor: 0.01)", "polynomial(step, 0.1, steps: 30)"),
    refuses: {
      ...needsSteps("polynomial(step, 0.1, steps: 0)"),
      ...negative((peak) => `polynomial(step, steps: 9, ${peak})`, "peak"),
      ...negative((option) => `polynomial(step, 0.1, steps: 9, ${option})`, "power", "floor"),
    },
  },
  cosine: {
    program: at("cosine(step, 0.1, steps: 10, warmup: 3, floor: 0.01)", "cosine(step, 0.1, steps: 10)"),
    refuses: {
      "a warm-up that takes all steps": [
        none("cosine(step, 0.1, steps: 10, warmup: 10)"),
        "steps (10) must be more than warmup (10)",
      ],
      "a negative warm-up": [none("cosine(step, 0.1, steps: 10, warmup: -1)"), "warmup must not be negative; got -1"],
      ...negative((peak) => `cosine(step, steps: 9, ${peak})`, "peak"),
      ...negative((floor) => `cosine(step, 0.1, steps: 9, ${floor})`, "floor"),
    },
  },
  cosine_restarts: {
    program: at(
      "cosine_restarts(step, 0.1, period: 10)",
      "cosine_restarts(step, 0.1, period: 10, growth: 2, floor: 0.01)",
    ),
    refuses: {
      ...needsSteps("cosine_restarts(step, 0.1, period: 0)", "period"),
      "no growth": [none("cosine_restarts(step, 0.1, period: 9, growth: 0)"), "growth must be at least 1; got 0"],
      ...negative((peak) => `cosine_restarts(step, period: 9, ${peak})`, "peak"),
      ...negative((floor) => `cosine_restarts(step, 0.1, period: 9, ${floor})`, "floor"),
    },
  },
  warmup: {
    program: at("warmup(step, 0.1, steps: 10)"),
    refuses: {
      ...needsSteps("warmup(step, 0.1, steps: 0)"),
      ...negative((rate) => `warmup(step, steps: 9, ${rate})`, "rate"),
    },
  },
  one_cycle: {
    program: at(
      "one_cycle(step, 0.1, steps: 31)",
      "one_cycle(step, 0.1, steps: 31, rise: 0.1, divisor: 5.0, final: 10.0)",
    ),
    refuses: {
      "a rise of all steps": [none("one_cycle(step, 0.1, steps: 100, rise: 1.0)"), "rise must be a share"],
      "a divisor of 0": [none("one_cycle(step, 0.1, steps: 100, divisor: 0.0)"), "divisor and final must be positive"],
      ...negative((peak) => `one_cycle(step, steps: 100, ${peak})`, "peak"),
    },
  },
  inverse_sqrt: {
    program: at("inverse_sqrt(step, 0.1, warmup: 10)"),
    refuses: {
      ...needsSteps("inverse_sqrt(step, 0.1, warmup: 0)", "warmup"),
      ...negative((peak) => `inverse_sqrt(step, warmup: 9, ${peak})`, "peak"),
    },
  },
};
