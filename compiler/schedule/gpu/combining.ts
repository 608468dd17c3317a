/** What a GPU reduces in one pass where the CPU takes two: mean and centred sum of squares. */
import type { Combiner } from "../../graph/graph.ts";
import { add, constant, div, f32, max, mul, sub } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";
import type { ScalarType } from "../../types/dtype.ts";
import { type Combining, combining, type Partial } from "../accumulate.ts";

/** Chan, Golub and LeVeque 1979: mean, centred sum of squares and count of two samples give those of both. */
const moments: Combining = {
  types: ["f32", "f32", "f32"],
  identity: (lanes) => [constant("f32", 0, lanes), constant("f32", 0, lanes), constant("f32", 0, lanes)],
  merge([mean, squares, count], [other, more, added]) {
    const total = add(count!, added!);
    const share = div(added!, max(total, f32(1)));
    const difference = sub(other!, mean!);
    const between = mul(mul(difference, difference), mul(count!, share));
    return [add(mean!, mul(difference, share)), add(add(squares!, more!), between), total];
  },
};

export function combiningOnGpu(combiner: Combiner, type: ScalarType): Combining {
  return combiner === "moments" ? moments : combining(combiner, type);
}

/** The partial result of one value. */
export function partialOf(combiner: Combiner, value: Expression, position: () => Expression): Partial {
  switch (combiner) {
    case "moments":
      return [value, f32(0), f32(1)];
    case "max_first":
    case "min_first":
      return [value, position()];
    default:
      return [value];
  }
}
