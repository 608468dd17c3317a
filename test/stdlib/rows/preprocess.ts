import type { Choices } from "../../support/random-body.ts";
import { applied, type Rows } from "../rows.ts";

const images = (choices: Choices) =>
  `f32[3, ${choices.of([1, 3])}, ${choices.between(1, 6)}, ${choices.between(1, 6)}]`;

export const rows: Rows = {
  random_flip: {
    program: (choices) =>
      applied({ expression: `random_flip(x, p: ${choices.of(["0.5", "1.0"])})`, inputs: { x: images(choices) } }),
  },
  random_crop: {
    program: (choices) =>
      applied({ expression: `random_crop(x, padding: ${choices.of([0, 1, 3])})`, inputs: { x: images(choices) } }),
  },
};
