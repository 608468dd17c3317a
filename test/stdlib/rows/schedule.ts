import { program, type Row, type Rows } from "../rows.ts";

/** The schedule at some steps: before, at and after its corners. */
const at =
  (call: string): Row["program"] =>
  () =>
    program(
      `export fn rates() {`,
      ...[0, 1, 2, 3, 5, 9, 10, 11, 30].map((step) => `  let at_${step} = ${call.replace("step", `i32(${step})`)}`),
      `  (${[0, 1, 2, 3, 5, 9, 10, 11, 30].map((step) => `at_${step}`).join(", ")})`,
      "}",
    );

export const rows: Rows = {
  constant: { program: at("constant(step, 0.1)") },
  cosine: {
    program: at("cosine(step, 0.1, steps: 10, warmup: 3, floor: 0.01)"),
    refuses: {
      "a warm-up that takes all steps": [
        program("export fn rate() -> f32 = cosine(i32(3), 0.1, steps: 10, warmup: 10)"),
        "steps (10) must be more than warmup (10)",
      ],
    },
  },
};
