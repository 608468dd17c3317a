/** Whether a device's values are the reference's, within what float32 and another order of summation explain. */
import type { Graph } from "../../compiler/graph/graph.ts";

export interface Closeness {
  /** Of the tensor's greatest magnitude. */
  readonly relative: number;
}

/** Throws with the first difference. Integers and booleans must be equal, NaN and infinities must agree. */
export function expectClose(
  graph: Graph,
  got: readonly ArrayLike<number>[],
  want: readonly ArrayLike<number>[],
  { relative }: Closeness = { relative: 1e-5 },
): void {
  for (const [k, { tensor, path }] of graph.outputs.entries()) {
    const [a, b] = [got[k]!, want[k]!];
    const exact = tensor.type.dtype !== "f32" && tensor.type.dtype !== "f16";
    const scale = Math.max(1e-6, ...Array.from(b, (value) => (Number.isFinite(value) ? Math.abs(value) : 0)));
    if (a.length !== b.length) throw new Error(`output ${path}: ${a.length} elements, not ${b.length}`);
    for (let element = 0; element < b.length; element++) {
      const [x, y] = [a[element]!, b[element]!];
      const same = exact ? x === y : closeEnough(x, y, relative * scale);
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
