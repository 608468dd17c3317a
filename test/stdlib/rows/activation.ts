import { elementwise, type Rows } from "../rows.ts";

export const rows: Rows = {
  relu: { program: elementwise("relu") },
  leaky_relu: { program: elementwise((choices) => `leaky_relu(${choices.of(["0.2", "0.01", "1.5"])})`) },
  sigmoid: { program: elementwise("sigmoid") },
  tanh: { program: elementwise("tanh") },
  softplus: { program: elementwise("softplus") },
  gelu: { program: elementwise("gelu") },
  softmax: { program: elementwise("softmax") },
  log_softmax: { program: elementwise("log_softmax") },
};
