/** Whether a device's values are the reference's, within what float32 and another order of summation explain. */
import type { Graph } from "../../compiler/graph/graph.ts";

export interface Closeness {
  /** Of the tensor's greatest magnitude. */
  readonly relative: number;
  /** Beside it: for graphs whose results are differences of larger values. Default 0. */
  readonly absolute?: number;
  /** What else each element may be off: see `sensitivity`. */
  readonly slack?: readonly (readonly number[])[];
}

/**
 * How far outputs move when the float inputs move by a few units in float32's last place: a graph that blows rounding up
 * (sin of a large number, a difference of equals, a comparison of equals) cannot be held to a fixed tolerance.
 */
export function sensitivity(
  graph: Graph,
  inputs: readonly (readonly number[])[],
  evaluate: (inputs: readonly (readonly number[])[]) => readonly ArrayLike<number>[],
): number[][] {
  const base = evaluate(inputs);
  const slack = base.map((values) => Array.from(values, () => 0));
  for (const by of [2 ** -21, -(2 ** -21), 2 ** -22 * 1.3]) {
    const moved = inputs.map((values, k) =>
      graph.inputs[k]?.tensor.type.dtype === "f32"
        ? values.map((x, i) => x * (1 + by * ((i % 3) - 0.5)) + by / 64)
        : values,
    );
    for (const [k, values] of evaluate(moved).entries())
      for (let i = 0; i < values.length; i++) {
        const change = Math.abs(values[i]! - base[k]![i]!);
        if (change > 0) slack[k]![i] = Math.max(slack[k]![i]!, 8 * change);
        else if (Number.isNaN(change) && !Object.is(values[i], base[k]![i])) slack[k]![i] = Number.POSITIVE_INFINITY;
      }
  }
  return slack;
}

/** Throws with the first difference. Integers and booleans must be equal, NaN and infinities must agree. */
export function expectClose(
  graph: Graph,
  got: readonly ArrayLike<number>[],
  want: readonly ArrayLike<number>[],
  { relative, absolute = 0, slack }: Closeness = { relative: 1e-5 },
): void {
  for (const [k, { tensor, path }] of graph.outputs.entries()) {
    const [a, b] = [got[k]!, want[k]!];
    const exact = tensor.type.dtype !== "f32" && tensor.type.dtype !== "f16";
    const scale = Math.max(1e-6, ...Array.from(b, (value) => (Number.isFinite(value) ? Math.abs(value) : 0)));
    if (a.length !== b.length) throw new Error(`output ${path}: ${a.length} elements, not ${b.length}`);
    for (let element = 0; element < b.length; element++) {
      const [x, y] = [a[element]!, b[element]!];
      const more = slack?.[k]?.[element] ?? 0;
      if (more === Number.POSITIVE_INFINITY) continue;
      const same = exact ? x === y || more > 0 : closeEnough(x, y, relative * scale + absolute + more);
      if (!same) throw new Error(`output ${path} (%${tensor.name})[${element}]: got ${x}, reference ${y}`);
    }
  }
}

const largest = 3.4028234663852886e38;
function closeEnough(x: number, y: number, tolerance: number): boolean {
  if (Number.isNaN(y)) return Number.isNaN(x);
  const rounded = Math.abs(y) > largest ? Math.sign(y) * Number.POSITIVE_INFINITY : y;
  return x === rounded || Math.abs(x - rounded) <= tolerance;
}
