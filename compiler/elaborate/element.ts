/**
 * What one element of a tensor is, as an expression: the bodies of index notation and of elementwise arithmetic before
 * they become nodes. Integers that the compiler can follow (constants, dimensions, indices) stay polynomials, so that they
 * can become coordinates; subtrees are shared by reference.
 */
import { invariant } from "../invariant.ts";
import { evaluate } from "../scalar/numbers.ts";
import type { ScalarOps } from "../scalar/ops.ts";
import { resultType } from "../scalar/table.ts";
import type { Dim, Variable } from "../types/dims.ts";
import * as dims from "../types/dims.ts";
import type { DType, ScalarType } from "../types/dtype.ts";
import { scalarType } from "../types/dtype.ts";
import type { Shape } from "../types/shape.ts";

/** An index of index notation: a variable that runs over `[0, extent)`. */
export interface Index extends Variable {
  readonly extent: Dim;
  /** Outer indices have smaller numbers. */
  readonly order: number;
}
export function isIndex(variable: Variable): variable is Index {
  return "extent" in variable;
}

/** A stored tensor as a domain knows it. Identity is the object. */
export interface Handle {
  readonly dtype: DType;
  readonly shape: Shape;
}

export type Element = ElementConstant | ElementInteger | ElementRead | ElementApply;
/** A number of any type; i32 constants are this, never an `integer`. */
export interface ElementConstant {
  readonly kind: "constant";
  readonly type: ScalarType;
  readonly value: number;
}
/** A polynomial over indices and symbolic dimensions. */
export interface ElementInteger {
  readonly kind: "integer";
  readonly type: "i32";
  readonly value: Dim;
}
export interface ElementRead {
  readonly kind: "read";
  readonly type: ScalarType;
  readonly handle: Handle;
  /** One an axis, i32 (or u32 data). */
  readonly coordinates: readonly Element[];
  readonly otherwise: number | undefined;
}
export interface ElementApply {
  readonly kind: "apply";
  readonly type: ScalarType;
  readonly name: string;
  readonly arguments: readonly Element[];
}

export function constantElement(type: ScalarType, value: number): Element {
  return { kind: "constant", type, value };
}
export function integerElement(value: Dim): Element {
  const constant = dims.constantOf(value);
  return constant === undefined ? { kind: "integer", type: "i32", value } : constantElement("i32", constant);
}
/** The value of an index; an index of extent 1 is the constant 0 and leaves no trace. */
export function indexElement(index: Index): Element {
  return integerElement(indexValue(index));
}
export function indexValue(index: Index): Dim {
  return dims.constantOf(index.extent) === 1 ? dims.constant(0) : dims.fromAtom(index);
}
export function readElement(handle: Handle, coordinates: readonly Element[], otherwise?: number): Element {
  return { kind: "read", type: scalarType(handle.dtype), handle, coordinates, otherwise };
}

/** The polynomial that an i32 element is, if the compiler can follow it. */
export function asDim(element: Element): Dim | undefined {
  if (element.kind === "integer") return element.value;
  return element.kind === "constant" && element.type === "i32" ? dims.constant(element.value) : undefined;
}

const integerFolds: Readonly<Record<string, (a: Dim, b: Dim) => Dim | undefined>> = {
  add: dims.add,
  sub: dims.subtract,
  mul: dims.multiply,
  // Division by 0 keeps its run-time meaning.
  div: (a, b) => (dims.compare(b, "!=", dims.constant(0)) === "yes" ? dims.quotient(a, b) : undefined),
  rem: (a, b) => (dims.compare(b, "!=", dims.constant(0)) === "yes" ? dims.remainder(a, b) : undefined),
};

/** Applies a row of the scalar table; folds what is known. The caller has checked the types. */
export function applyElement(name: string, args: readonly Element[]): Element {
  const type = resultType(
    name,
    args.map((arg) => arg.type),
  );
  invariant(type !== undefined, `${name} has no overload for (${args.map((arg) => arg.type).join(", ")})`);
  const folded = fold(name, args, type);
  if (folded) return folded;
  if (name === "select") {
    const [mask, yes, no] = args;
    if (mask?.kind === "constant" && yes && no) return mask.value !== 0 ? yes : no;
  }
  return { kind: "apply", type, name, arguments: args };
}

function fold(name: string, args: readonly Element[], type: ScalarType): Element | undefined {
  if (args.every((arg) => arg.kind === "constant"))
    return constantElement(
      type,
      evaluate(
        name,
        args.map((arg) => arg.type),
        args.map((arg) => arg.value),
      ),
    );
  if (type !== "i32") return undefined;
  const values = args.map(asDim);
  if (name === "neg" && values[0]) return integerElement(dims.negate(values[0]));
  const [a, b] = values;
  const value = a && b && values.length === 2 ? integerFolds[name]?.(a, b) : undefined;
  return value && integerElement(value);
}

export const elementOps: ScalarOps<Element> = {
  constant: constantElement,
  apply: (name, ...args) => applyElement(name, args),
};

/** Every index that an element depends on; remembered, because bodies share subtrees. */
const indicesSeen = new WeakMap<Element, ReadonlySet<Index>>();
const none: ReadonlySet<Index> = new Set();

export function indicesOf(element: Element): ReadonlySet<Index> {
  if (element.kind === "constant") return none;
  const seen = indicesSeen.get(element);
  if (seen) return seen;
  const found = new Set<Index>();
  if (element.kind === "integer") {
    for (const variable of dims.variablesOf(element.value)) if (isIndex(variable)) found.add(variable);
  } else
    for (const child of element.kind === "read" ? element.coordinates : element.arguments)
      for (const index of indicesOf(child)) found.add(index);
  indicesSeen.set(element, found);
  return found;
}

export function inOrder(indices: Iterable<Index>): Index[] {
  return [...indices].sort((a, b) => a.order - b.order);
}
