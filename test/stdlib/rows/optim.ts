import { optimizing, type Rows } from "../rows.ts";

export const rows: Rows = {
  sgd: { program: (choices) => optimizing(`sgd(lr: rate, weight_decay: ${choices.of(["0", "0.1"])})`) },
  momentum: {
    program: (choices) =>
      optimizing(
        `momentum(lr: rate, beta: 0.8, nesterov: ${choices.chance(50)}, weight_decay: ${choices.of(["0", "0.1"])})`,
      ),
  },
  // A gradient that is small beside its rounding, divided by its own size, is anything: eps is larger here.
  adam: { program: (choices) => optimizing(`adam(lr: rate, eps: 0.01, weight_decay: ${choices.of(["0", "0.1"])})`) },
  adamw: { program: (choices) => optimizing(`adamw(lr: rate, eps: 0.01, weight_decay: ${choices.of(["0", "0.1"])})`) },
  clip_global_norm: {
    program: (choices) =>
      optimizing(`sgd(lr: rate) gradients g => clip_global_norm(g, ${choices.of(["0.01", "0.5", "100.0"])})`),
  },
};
