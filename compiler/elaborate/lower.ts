/** Elements to scalar bodies in normal form: positions instead of indices, views instead of mixed-radix coordinates. */
import { normalize } from "../graph/affine.ts";
import { constantScalar } from "../graph/builder.ts";
import type { Coordinate, Scalar, ScalarRead, Tensor, Term } from "../graph/graph.ts";
import { invariant } from "../invariant.ts";
import type { Dim } from "../types/dims.ts";
import * as dims from "../types/dims.ts";
import { concreteShape } from "../types/shape.ts";
import { evaluateElement, inRange, partsOf, readsData } from "./coordinate.ts";
import {
  type Element,
  type ElementRead,
  type Handle,
  type Index,
  indicesOf,
  inOrder,
  integerElement,
  isIndex,
} from "./element.ts";

export interface LoweringContext {
  /** Position of an index in the node's domain. */
  position(index: Index): number;
  /** The tensor that a handle is in the graph being built. */
  tensor(handle: Handle): Tensor;
  /** A view of a tensor, made once. */
  view(tensor: Tensor, shape: readonly number[]): Tensor;
  /** Stores an integer element over exactly these indices. */
  store(indices: readonly Index[], element: Element): Tensor;
}

export function lowerBody(element: Element, context: LoweringContext): Scalar {
  const memo = new Map<Element, Scalar>();
  const lower = (one: Element): Scalar => {
    const seen = memo.get(one);
    if (seen) return seen;
    const result = lowerOne(one, lower, context);
    memo.set(one, result);
    return result;
  };
  return lower(element);
}

function lowerOne(element: Element, lower: (element: Element) => Scalar, context: LoweringContext): Scalar {
  switch (element.kind) {
    case "constant":
      return constantScalar(element.type, element.value);
    case "integer":
      return integerScalar(element.value, context);
    case "read":
      return lowerRead(element, context);
    case "apply":
      return { kind: "apply", type: element.type, name: element.name, arguments: element.arguments.map(lower) };
    default:
      return element satisfies never;
  }
}

/** A polynomial as a tree of integer rows. */
function integerScalar(dim: Dim, context: LoweringContext): Scalar {
  const i32 = (value: number) => constantScalar("i32", value);
  const apply = (name: string, ...args: Scalar[]): Scalar => ({ kind: "apply", type: "i32", name, arguments: args });
  const atom = (one: dims.Atom): Scalar => {
    if (one.kind === "variable") {
      invariant(isIndex(one), `the size ${one.name} is not known`);
      return { kind: "index", type: "i32", position: context.position(one) };
    }
    const over = integerScalar(one.numerator, context);
    return apply(one.kind === "quotient" ? "div" : "rem", over, integerScalar(one.divisor, context));
  };
  let sum: Scalar | undefined;
  for (const { coefficient, factors } of dim.terms) {
    let product: Scalar | undefined;
    for (const factor of factors)
      for (let k = 0; k < factor.power; k++)
        product = product ? apply("mul", product, atom(factor.atom)) : atom(factor.atom);
    const term = !product ? i32(coefficient) : coefficient === 1 ? product : apply("mul", product, i32(coefficient));
    sum = sum ? apply("add", sum, term) : term;
  }
  return sum ?? i32(0);
}

// ---- Reads ------------------------------------------------------------------------------------------------------------------

function lowerRead(read: ElementRead, context: LoweringContext): ScalarRead {
  const tensor = context.tensor(read.handle);
  const parts = read.coordinates.map(partsOf);
  const safe = parts.every(
    ({ dim, data }, axis) => data.length === 0 && inRange(dim, read.handle.shape[axis] ?? dims.constant(0)) === "yes",
  );
  const shape: number[] = [];
  const coordinates: Coordinate[] = [];
  tensor.type.shape.forEach((extent, axis) => {
    const part = parts[axis];
    invariant(part, `a read of %${tensor.name} lacks coordinate ${axis}`);
    const split = part.data.length === 0 ? mixedRadix(part.dim, extent) : undefined;
    if (split)
      for (const piece of split) {
        shape.push(piece.extent);
        coordinates.push(affineCoordinate(piece.dim, context));
      }
    else {
      shape.push(extent);
      coordinates.push(coordinateOf(part.dim, part.data, context));
    }
  });
  const source = shape.length === tensor.type.shape.length ? tensor : context.view(tensor, shape);
  return { kind: "read", type: read.type, tensor: source, coordinates, otherwise: safe ? undefined : read.otherwise };
}

/**
 * `g*K + c` with `0 <= c < K`, K a divisor of the extent: the axis apart as [extent / K, K], read at (g, c). Both parts may
 * come apart further. Undefined where the coordinate is no such sum.
 */
function mixedRadix(dim: Dim, extent: number): { dim: Dim; extent: number }[] | undefined {
  if (!isAffine(dim)) return undefined;
  const radices = new Set(dim.terms.flatMap(({ coefficient, factors }) => (factors.length > 0 ? [coefficient] : [])));
  for (const radix of radices) {
    if (radix <= 1 || radix >= extent || extent % radix !== 0) continue;
    const high = dims.quotient(dim, dims.constant(radix));
    const low = dims.remainder(dim, dims.constant(radix));
    const apart = isAffine(high) && isAffine(low) && hasIndex(high) && hasIndex(low);
    if (!apart || inRange(high, dims.constant(extent / radix)) !== "yes") continue;
    const pieces = (part: Dim, size: number) => mixedRadix(part, size) ?? [{ dim: part, extent: size }];
    return [...pieces(high, extent / radix), ...pieces(low, radix)];
  }
  return undefined;
}
function isAffine(dim: Dim): boolean {
  return dim.terms.every(({ factors }) => factors.length === 0 || isLone(factors));
}
function isLone(factors: readonly dims.Factor[]): boolean {
  return factors.length === 1 && factors[0]?.power === 1 && factors[0].atom.kind === "variable";
}
function hasIndex(dim: Dim): boolean {
  return dim.terms.some(({ factors }) => factors.length > 0);
}
function affineCoordinate(dim: Dim, context: LoweringContext): Coordinate {
  return coordinateOf(dim, [], context);
}

type Data = readonly { readonly coefficient: number; readonly element: Element }[];

function coordinateOf(dim: Dim, data: Data, context: LoweringContext): Coordinate {
  let offset = 0;
  const terms: Term[] = [];
  for (const term of dim.terms) {
    const alone = dims.fromTerm(term);
    const value = dims.constantOf(alone);
    if (value !== undefined) {
      offset += value;
      continue;
    }
    const indices = [...dims.variablesOf(alone)].filter(isIndex);
    const [index, ...more] = indices;
    invariant(index, `the size ${dims.printDim(alone)} is not known`);
    if (isLone(term.factors))
      terms.push({ kind: "affine", coefficient: term.coefficient, position: context.position(index) });
    else if (more.length === 0) terms.push(tableTerm(index, context, (k) => dims.evaluateDim(alone, () => k)));
    else terms.push(storedTerm(inOrder(indices), integerElement(alone), 1, context));
  }
  for (const { coefficient, element } of data) terms.push(dataTerm(coefficient, element, context));
  return normalize(offset, terms);
}

function tableTerm(index: Index, context: LoweringContext, value: (k: number) => number): Term {
  const extent = dims.constantOf(index.extent);
  invariant(extent !== undefined, `the extent of ${index.name} is not known`);
  return {
    kind: "table",
    table: Array.from({ length: extent }, (_, k) => value(k)),
    position: context.position(index),
  };
}

function dataTerm(coefficient: number, element: Element, context: LoweringContext): Term {
  if (element.kind === "read") return { kind: "data", coefficient, read: lowerRead(element, context) };
  const indices = inOrder(indicesOf(element));
  const [index, ...more] = indices;
  if (index && more.length === 0 && !readsData(element))
    return tableTerm(index, context, (k) => coefficient * evaluateElement(element, new Map([[index, k]])));
  return storedTerm(indices, element, coefficient, context);
}
function storedTerm(indices: readonly Index[], element: Element, coefficient: number, context: LoweringContext): Term {
  const tensor = context.store(indices, element);
  const coordinates = indices.map(
    (index): Coordinate => ({
      offset: 0,
      terms: [{ kind: "affine", coefficient: 1, position: context.position(index) }],
    }),
  );
  const read: ScalarRead = { kind: "read", type: "i32", tensor, coordinates, otherwise: undefined };
  return { kind: "data", coefficient, read };
}
export function sizesOf(handle: Handle): readonly number[] {
  const sizes = concreteShape(handle.shape);
  invariant(sizes, "a graph has sizes");
  return sizes;
}
