/**
 * Matching a declared shape (`f32[N, C, ...S]`) against a given one, binding dimension variables and runs. There is no
 * solver: a name stands for the axis it meets first, and a composite axis such as `2*H` is solved only when it is linear
 * in the one name still free.
 */
import { add, compare, constant, constantOf, type Dim, negate, quotient, remainder, subtract } from "./dims.ts";
import type { Shape } from "./shape.ts";

export type AxisPattern =
  /** A name that the declaration leaves open; bound when first met. */
  | { readonly kind: "name"; readonly name: string }
  /** An extent known beforehand. */
  | { readonly kind: "known"; readonly dim: Dim; readonly text: string }
  /** An expression over names; `value` gives it for an assignment, or the name it still lacks. */
  | {
      readonly kind: "expression";
      readonly text: string;
      readonly names: readonly string[];
      readonly value: (names: ReadonlyMap<string, Dim>) => Dim;
    }
  /** `...S`. */
  | { readonly kind: "run"; readonly name: string };

/** What names stand for; shared by all the parameters of one application. */
export interface Bindings {
  readonly dims: Map<string, Dim>;
  readonly runs: Map<string, Shape>;
}
export function emptyBindings(): Bindings {
  return { dims: new Map(), runs: new Map() };
}

export type Mismatch =
  | {
      readonly kind: "rank";
      readonly expected: number;
      readonly atLeast: boolean;
      readonly got: number;
      /** Runs of the pattern that earlier shapes have bound. */
      readonly runs: readonly (readonly [name: string, shape: Shape])[];
    }
  | { readonly kind: "axis"; readonly axis: number; readonly text: string; readonly expected: Dim; readonly got: Dim }
  | { readonly kind: "run"; readonly name: string; readonly expected: Shape; readonly got: Shape }
  | { readonly kind: "unsolvable"; readonly axis: number; readonly text: string }
  | { readonly kind: "runs"; readonly text: string };

/** Binds what is free, compares the rest; undefined when all agrees or cannot be told apart yet. */
export function matchShape(pattern: readonly AxisPattern[], shape: Shape, bindings: Bindings): Mismatch | undefined {
  const laid = lay(pattern, shape, bindings);
  if (!Array.isArray(laid)) return laid;
  // Names first: `f32[2*H, H]` is then a comparison.
  for (const { part, dim, axis } of laid) {
    if (part.kind === "name") {
      const bound = bindings.dims.get(part.name);
      if (bound === undefined) bindings.dims.set(part.name, dim);
      else if (compare(bound, "==", dim) === "no")
        return { kind: "axis", axis, text: part.name, expected: bound, got: dim };
    } else if (part.kind === "known" && compare(part.dim, "==", dim) === "no")
      return { kind: "axis", axis, text: part.text, expected: part.dim, got: dim };
  }
  for (const { part, dim, axis } of laid) {
    if (part.kind !== "expression") continue;
    const mismatch = matchExpression(part, dim, axis, bindings);
    if (mismatch) return mismatch;
  }
  return undefined;
}

interface Laid {
  readonly part: Exclude<AxisPattern, { kind: "run" }>;
  readonly dim: Dim;
  readonly axis: number;
}

/** Which axis each part of the pattern meets; a run takes what the other parts leave. */
function lay(pattern: readonly AxisPattern[], shape: Shape, { runs }: Bindings): Laid[] | Mismatch {
  const free = pattern.filter((part) => part.kind === "run" && !runs.has(part.name));
  if (free.length > 1)
    return { kind: "runs", text: free.map((part) => (part.kind === "run" ? `...${part.name}` : "")).join(" and ") };
  const taken = pattern.reduce((n, part) => n + (part.kind === "run" ? (runs.get(part.name)?.length ?? 0) : 1), 0);
  if (free.length === 0 ? taken !== shape.length : taken > shape.length) {
    const bound = [...runs].filter(([name]) => pattern.some((part) => part.kind === "run" && part.name === name));
    return { kind: "rank", expected: taken, atLeast: free.length > 0, got: shape.length, runs: bound };
  }
  const laid: Laid[] = [];
  let axis = 0;
  for (const part of pattern) {
    if (part.kind !== "run") {
      const dim = shape[axis];
      if (dim !== undefined) laid.push({ part, dim, axis });
      axis++;
      continue;
    }
    const bound = runs.get(part.name);
    const got = shape.slice(axis, axis + (bound?.length ?? shape.length - taken));
    if (bound === undefined) runs.set(part.name, got);
    else if (bound.some((dim, k) => compare(dim, "==", got[k] ?? constant(-1)) === "no"))
      return { kind: "run", name: part.name, expected: bound, got };
    axis += got.length;
  }
  return laid;
}

function matchExpression(
  part: Extract<AxisPattern, { kind: "expression" }>,
  dim: Dim,
  axis: number,
  { dims }: Bindings,
): Mismatch | undefined {
  const open = part.names.filter((name) => !dims.has(name));
  const [unknown] = open;
  if (unknown !== undefined) {
    const solved = open.length === 1 ? solveLinear(part.value, unknown, dim, dims) : undefined;
    if (solved === undefined) return { kind: "unsolvable", axis, text: part.text };
    dims.set(unknown, solved);
  }
  const expected = part.value(dims);
  return compare(expected, "==", dim) === "no"
    ? { kind: "axis", axis, text: part.text, expected, got: dim }
    : undefined;
}

/** x with f(x) = target, when f(x) = a*x + b with constant a: two values tell a and b, a third that f is linear. */
function solveLinear(
  value: (names: ReadonlyMap<string, Dim>) => Dim,
  name: string,
  target: Dim,
  dims: ReadonlyMap<string, Dim>,
): Dim | undefined {
  const at = (x: number) => value(new Map([...dims, [name, constant(x)]]));
  const base = at(0);
  const slope = constantOf(subtract(at(1), base));
  if (slope === undefined || slope === 0) return undefined;
  if (constantOf(subtract(at(7), base)) !== 7 * slope) return undefined;
  const rest = add(target, negate(base));
  return remainder(rest, constant(slope)).terms.length === 0 ? quotient(rest, constant(slope)) : undefined;
}
