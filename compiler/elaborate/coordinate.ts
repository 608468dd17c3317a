/**
 * Coordinates of reads, as elements: what they are made of, what range they have. Shared by the check of a read and by the
 * graph.
 */

import { InvariantError } from "../invariant.ts";
import { evaluate } from "../scalar/numbers.ts";
import type { Bounds, Dim } from "../types/dims.ts";
import * as dims from "../types/dims.ts";
import { asDim, type Element, type Index, indicesOf, inOrder, isIndex } from "./element.ts";

/** `dim + sum of coefficient * element`; the elements read data, or apply what no polynomial can express. */
export interface CoordinateParts {
  readonly dim: Dim;
  readonly data: readonly { readonly coefficient: number; readonly element: Element }[];
}

export function partsOf(element: Element): CoordinateParts {
  const dim = asDim(element);
  if (dim) return { dim, data: [] };
  if (element.kind === "apply" && element.type === "i32") {
    const [a, b] = element.arguments;
    if (a && b && (element.name === "add" || element.name === "sub"))
      return plus(partsOf(a), times(partsOf(b), element.name === "add" ? 1 : -1));
    if (a && element.name === "neg") return times(partsOf(a), -1);
    if (a && b && element.name === "mul") {
      const left = constantValue(a);
      const right = constantValue(b);
      if (left !== undefined) return times(partsOf(b), left);
      if (right !== undefined) return times(partsOf(a), right);
    }
  }
  return { dim: dims.constant(0), data: [{ coefficient: 1, element }] };
}
function constantValue(element: Element): number | undefined {
  const dim = asDim(element);
  return dim && dims.constantOf(dim);
}
function plus(a: CoordinateParts, b: CoordinateParts): CoordinateParts {
  return { dim: dims.add(a.dim, b.dim), data: [...a.data, ...b.data] };
}
function times(parts: CoordinateParts, factor: number): CoordinateParts {
  return {
    dim: dims.scale(parts.dim, factor),
    data: factor === 0 ? [] : parts.data.map((one) => ({ ...one, coefficient: one.coefficient * factor })),
  };
}

/** Domains up to this many points are walked where interval arithmetic is not tight. */
const walkLimit = 1 << 16;

/** The exact range of an element that reads nothing; undefined where it reads data or its domain is too large to walk. */
export function walkedRange(element: Element): Bounds | undefined {
  if (readsData(element)) return undefined;
  const indices = inOrder(indicesOf(element));
  const extents = indices.map(({ extent }) => dims.constantOf(extent) ?? Infinity);
  const count = extents.reduce((product, one) => product * one, 1);
  if (!(count <= walkLimit)) return undefined;
  let minimum = Infinity;
  let maximum = -Infinity;
  for (let point = 0; point < count; point++) {
    const value = evaluateElement(element, pointOf(indices, extents, point));
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  }
  return { minimum, maximum };
}
function pointOf(
  indices: readonly dims.Variable[],
  extents: readonly number[],
  point: number,
): ReadonlyMap<dims.Variable, number> {
  const values = new Map<dims.Variable, number>();
  let rest = point;
  indices.forEach((index, k) => {
    const extent = extents[k] ?? 1;
    values.set(index, rest % extent);
    rest = Math.floor(rest / extent);
  });
  return values;
}

export function readsData(element: Element): boolean {
  if (element.kind === "read") return true;
  return element.kind === "apply" && element.arguments.some(readsData);
}
/** The value at one point of the indices. */
export function evaluateElement(element: Element, at: ReadonlyMap<dims.Variable, number>): number {
  switch (element.kind) {
    case "constant":
      return element.value;
    case "integer":
      return dims.evaluateDim(element.value, (variable) => at.get(variable) ?? 0);
    case "apply":
      return evaluate(
        element.name,
        element.arguments.map((arg) => arg.type),
        element.arguments.map((arg) => evaluateElement(arg, at)),
      );
    case "read":
      throw new InvariantError("an element that reads data has no value yet");
    default:
      return element satisfies never;
  }
}

/** Bounds of an index expression: by intervals if they fit into `[0, extent)`, exact where the domain is small. */
export function rangeOf(dim: Dim, extent: Dim): Bounds {
  const bounds = dims.bounds(dim);
  const size = dims.constantOf(extent);
  if (size !== undefined && bounds.minimum >= 0 && bounds.maximum < size) return bounds;
  const variables = [...dims.variablesOf(dim)];
  // An affine expression's interval is exact already.
  const affine = dim.terms.every(({ factors }) => factors.length === 0 || isSimple(factors));
  if (affine || !variables.every(isIndex)) return bounds;
  const extents = variables.map((index) => dims.constantOf(index.extent) ?? Infinity);
  const count = extents.reduce((product, one) => product * one, 1);
  if (!(count <= walkLimit)) return bounds;
  let minimum = Infinity;
  let maximum = -Infinity;
  for (let point = 0; point < count; point++) {
    const values = pointOf(variables, extents, point);
    const value = dims.evaluateDim(dim, (variable) => values.get(variable) ?? 0);
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  }
  return { minimum, maximum };
}
function isSimple(factors: readonly dims.Factor[]): boolean {
  return factors.length === 1 && factors[0]?.power === 1 && factors[0].atom.kind === "variable";
}

/** Whether every value lies in `[0, extent)`. */
export function inRange(dim: Dim, extent: Dim): dims.Answer {
  const size = dims.constantOf(extent);
  const { minimum, maximum } = rangeOf(dim, extent);
  if (size !== undefined && Number.isFinite(minimum) && Number.isFinite(maximum))
    return minimum >= 0 && maximum < size ? "yes" : "no";
  const ends = symbolicEnds(dim);
  if (!ends) return "unknown";
  const low = dims.compare(ends.low, ">=", dims.constant(0));
  const high = dims.compare(ends.high, "<", extent);
  if (low === "no" || high === "no") return "no";
  return low === "yes" && high === "yes" ? "yes" : "unknown";
}

/** Both ends of an affine expression in terms of its indices' symbolic extents. */
function symbolicEnds(dim: Dim): { low: Dim; high: Dim } | undefined {
  const end = (last: boolean) => (index: Index, positive: boolean) =>
    positive === last ? dims.subtract(index.extent, dims.constant(1)) : dims.constant(0);
  let low = dims.constant(0);
  let high = dims.constant(0);
  for (const term of dim.terms) {
    const [first, ...more] = term.factors;
    const atom = first?.atom;
    if (atom?.kind === "variable" && isIndex(atom)) {
      if (more.length > 0 || first?.power !== 1) return undefined;
      low = dims.add(low, dims.scale(end(false)(atom, term.coefficient > 0), term.coefficient));
      high = dims.add(high, dims.scale(end(true)(atom, term.coefficient > 0), term.coefficient));
      continue;
    }
    const fixed = dims.fromTerm(term);
    if ([...dims.variablesOf(fixed)].some(isIndex)) return undefined;
    low = dims.add(low, fixed);
    high = dims.add(high, fixed);
  }
  return { low, high };
}
