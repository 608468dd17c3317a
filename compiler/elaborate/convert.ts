/** A value as its declared type: checked, promoted, its dimensions bound. */
import type { AxisType, Expression, Statement, TensorType, Type } from "../../grammar/ast.ts";
import { children } from "../check/walk.ts";
import { compare, constantOf, type Dim, printDim } from "../types/dims.ts";
import { isFloat, scalarType } from "../types/dtype.ts";
import { printShape, printType, productOf, type Shape } from "../types/shape.ts";
import { type AxisPattern, type Bindings, emptyBindings, type Mismatch, matchShape } from "../types/unify.ts";
import { hasIndices } from "./arithmetic.ts";
import { type Machine, placeOf } from "./context.ts";
import { listTensor } from "./listed.ts";
import { asTensor, cameFrom, convertElement, elementwise, scalarTensor } from "./tensors.ts";
import { lineOf, textOf } from "./text.ts";
import { treeOf } from "./trees.ts";
import { describe, isFunction, type Place, type Scope, type TensorValue, type Value } from "./values.ts";

export function convert(machine: Machine, value: Value, type: Type, scope: Scope, what: string, place: Place): Value {
  switch (type.kind) {
    case "tensor-type":
      return convertTensor(machine, value, type, scope, what, place);
    case "simple-type":
      return convertSimple(machine, value, type.name, what, place);
    case "list-type": {
      const { element } = type;
      const list = value.kind === "tuple" ? { kind: "list" as const, elements: value.elements } : value;
      const count = type.count && countOf(machine, type.count, scope);
      if (list.kind !== "list") {
        if (count === undefined) return wrongKind(machine, value, type, scope, what, place);
        const one = convert(machine, value, element, scope, what, place);
        return { kind: "list", elements: Array.from({ length: count }, () => one) };
      }
      if (count !== undefined && list.elements.length !== count)
        return wrongKind(machine, value, type, scope, what, place);
      return { kind: "list", elements: list.elements.map((one) => convert(machine, one, element, scope, what, place)) };
    }
    case "tuple-type": {
      const { elements } = type;
      if (value.kind !== "tuple" || value.elements.length !== elements.length)
        return wrongKind(machine, value, type, scope, what, place);
      return {
        kind: "tuple",
        elements: value.elements.map((one, k) => {
          const expected = elements[k];
          return expected ? convert(machine, one, expected, scope, what, place) : one;
        }),
      };
    }
    case "record-type": {
      if (value.kind !== "record" || value.fields.size !== type.fields.length)
        return wrongKind(machine, value, type, scope, what, place);
      const fields = new Map<string, Value>();
      for (const { name, type: expected } of type.fields) {
        const one = value.fields.get(name.text);
        if (!one) return wrongKind(machine, value, type, scope, what, place);
        fields.set(name.text, convert(machine, one, expected, scope, `${what}.${name.text}`, place));
      }
      return { kind: "record", fields };
    }
    case "like-type":
      return convertLike(machine, value, machine.evaluate(type.value, scope), what, place);
    default:
      return type satisfies never;
  }
}

function countOf(machine: Machine, expression: Expression, scope: Scope): number {
  const value = machine.evaluate(expression, scope);
  const count = value.kind === "int" ? constantOf(value.value) : undefined;
  if (count !== undefined && count >= 0) return count;
  return machine.raise("E0205", placeOf(scope, expression), {
    name: "the length of a list",
    expected: "an int of at least 0",
    got: describe(value),
  });
}

function convertSimple(
  machine: Machine,
  value: Value,
  name: "int" | "float" | "str" | "fn" | "layer",
  what: string,
  place: Place,
): Value {
  switch (name) {
    case "int":
      if (value.kind === "int") return value;
      break;
    case "float":
      if (value.kind === "float") return value;
      if (value.kind === "int" && !hasIndices(value.value)) return { kind: "float", value: constantOf(value.value) };
      break;
    case "str":
      if (value.kind === "str") return value;
      break;
    case "fn":
      if (isFunction(value)) return value;
      break;
    case "layer":
      if (value.kind === "layer" || value.kind === "instance") return value;
      break;
    default:
      return name satisfies never;
  }
  return machine.raise("E0205", place, { name: what, expected: name, got: describe(value) });
}
function wrongKind(machine: Machine, value: Value, type: Type, scope: Scope, what: string, place: Place): never {
  return machine.raise("E0205", place, { name: what, expected: textOf(scope.source, type), got: describe(value) });
}

// ---- Tensors ----------------------------------------------------------------------------------------------------------------

function convertTensor(
  machine: Machine,
  value: Value,
  type: TensorType,
  scope: Scope,
  what: string,
  place: Place,
): Value {
  // A compile-time truth stays one: `bool` alone is both stages.
  if (type.dtype === "bool" && type.axes === undefined && value.kind === "bool") return value;
  const tensor = promote(machine, value, type, place);
  if (!tensor)
    return machine.raise("E0205", place, { name: what, expected: textOf(scope.source, type), got: describe(value) });
  const { pattern, bindings } = patternOf(machine, type.axes ?? [], scope);
  const mismatch = matchShape(pattern, tensor.shape, bindings);
  if (mismatch) {
    const expected = `${type.dtype}${type.axes ? printPattern(pattern) : ""}`;
    machine.raise(
      "E0301",
      place,
      {
        name: what,
        expected,
        got: printType(tensor.dtype, tensor.shape),
        why: explain(mismatch),
        ...(tensor.from && { from: ` from ${tensor.from.what} at line ${lineOf(tensor.from.place)}` }),
        ...advice(mismatch, tensor, pattern),
      },
      { related: cameFrom([tensor]) },
    );
  }
  bindAll(bindings, scope);
  return tensor;
}

/** Compile-time numbers become rank-0 tensors, lists of them constants; dtypes have to agree, but for the storage types. */
function promote(machine: Machine, value: Value, type: TensorType, place: Place): TensorValue | undefined {
  const wanted = scalarType(type.dtype);
  if (value.kind === "int" || value.kind === "float") {
    const tensor = asTensor(value);
    if (!tensor || wanted === "bool" || (wanted !== "f32" && value.kind === "float")) return undefined;
    return scalarTensor(convertElement(tensor.at([]), wanted), type.dtype);
  }
  if (value.kind === "bool") return wanted === "bool" ? asTensor(value) : undefined;
  if (value.kind === "list") return listTensor(machine, value, type.dtype);
  if (value.kind !== "tensor") return undefined;
  if (value.dtype === type.dtype) return value;
  if (value.weak && wanted !== "bool")
    return elementwise(
      machine,
      [value],
      type.dtype,
      ([one]) => convertElement(one ?? value.at([]), wanted),
      "=",
      place,
    );
  if (isFloat(value.dtype) && isFloat(type.dtype))
    return elementwise(machine, [value], type.dtype, ([one]) => one ?? value.at([]), "conversion", place);
  return undefined;
}

/** The axes of a declared type; names that nothing defines yet are left to be bound. */
export function patternOf(
  machine: Machine,
  axes: readonly AxisType[],
  scope: Scope,
): { pattern: AxisPattern[]; bindings: Bindings } {
  const bindings = emptyBindings();
  const pattern = axes.map((axis): AxisPattern => {
    if (axis.kind === "spread") {
      const run = scope.findLocal(axis.name.text);
      if (run?.kind === "value" && run.value.kind === "list")
        bindings.runs.set(axis.name.text, dimsOf(run.value.elements));
      return { kind: "run", name: axis.name.text };
    }
    const { value } = axis;
    const text = textOf(scope.source, value);
    if (value.kind === "reference" && isFree(value.name, scope)) return { kind: "name", name: value.name };
    const open = namesIn(value).filter((name) => isFree(name, scope));
    const evaluate = (names: ReadonlyMap<string, Dim>): Dim => {
      const inner = scope.child();
      for (const [name, dim] of names) inner.bind(name, { kind: "int", value: dim });
      return machine.within({ roundingDivision: true }, () => {
        const result = machine.evaluate(value, inner);
        if (result.kind === "int") return result.value;
        return machine.raise("E0205", placeOf(scope, axis), { name: text, expected: "int", got: describe(result) });
      });
    };
    return open.length === 0
      ? { kind: "known", dim: evaluate(new Map()), text }
      : { kind: "expression", text, names: open, value: evaluate };
  });
  return { pattern, bindings };
}
/** Only what an application binds has a meaning in its shapes; any other name is a dimension's. */
function isFree(name: string, scope: Scope): boolean {
  return scope.findLocal(name) === undefined;
}
/** What an expression refers to, but for the functions that it calls. */
export function namesIn(expression: Expression | Statement): readonly string[] {
  if (expression.kind === "reference") return [expression.name];
  const called = expression.kind === "call" && expression.callee.kind === "reference" ? expression.callee : undefined;
  return children(expression).flatMap((part) => (part === called ? [] : namesIn(part)));
}
function bindAll({ dims, runs }: Bindings, scope: Scope): void {
  for (const [name, dim] of dims) if (!scope.own(name)) scope.bind(name, { kind: "int", value: dim });
  for (const [name, shape] of runs) if (!scope.own(name)) scope.bind(name, runValue(shape));
}
export function runValue(shape: Shape): Value {
  return { kind: "list", elements: shape.map((value): Value => ({ kind: "int", value })) };
}
export function dimsOf(values: readonly Value[]): Dim[] {
  return values.flatMap((value) => (value.kind === "int" ? [value.value] : []));
}

/** The extents that a declared type has, every name in it being known. */
export function shapeOfType(machine: Machine, type: TensorType, scope: Scope, unknown: (name: string) => Dim): Shape {
  const { pattern, bindings } = patternOf(machine, type.axes ?? [], scope);
  const shape = pattern.flatMap((part): readonly Dim[] => {
    switch (part.kind) {
      case "known":
        return [part.dim];
      case "name": {
        const dim = bindings.dims.get(part.name) ?? unknown(part.name);
        bindings.dims.set(part.name, dim);
        return [dim];
      }
      case "run": {
        const run = bindings.runs.get(part.name) ?? [unknown(`...${part.name}`)];
        bindings.runs.set(part.name, run);
        return run;
      }
      case "expression":
        for (const name of part.names) if (!bindings.dims.has(name)) bindings.dims.set(name, unknown(name));
        return [part.value(bindings.dims)];
      default:
        return part satisfies never;
    }
  });
  bindAll(bindings, scope);
  return shape;
}

function convertLike(machine: Machine, value: Value, like: Value, what: string, place: Place): Value {
  const tree = treeOf(value);
  const model = treeOf(like);
  const same =
    tree &&
    model &&
    tree.length === model.length &&
    tree.every(({ shape }, k) => printShape(shape) === printShape(model[k]?.shape ?? []));
  if (!same) machine.raise("E0316", place, { operation: what, first: describe(like), second: describe(value) });
  return value;
}

// ---- Words ------------------------------------------------------------------------------------------------------------------

/** `[N, 400]`: what is known in numbers, the rest as declared. */
function printPattern(pattern: readonly AxisPattern[]): string {
  const parts = pattern.map((part) => {
    if (part.kind === "run") return `...${part.name}`;
    if (part.kind === "known") return printDim(part.dim);
    return part.kind === "name" ? part.name : part.text;
  });
  return `[${parts.join(", ")}]`;
}
function explain(mismatch: Mismatch): string {
  switch (mismatch.kind) {
    case "rank": {
      const { got, expected, atLeast, runs } = mismatch;
      const known = runs.map(([name, shape]) => `, ...${name} being ${printShape(shape)}`).join("");
      return `${got} ${got === 1 ? "axis" : "axes"} where ${atLeast ? "at least " : ""}${expected} ${expected === 1 ? "is" : "are"} expected${known}`;
    }
    case "axis":
      return `axis ${mismatch.axis + 1} (${mismatch.text}) is ${printDim(mismatch.got)} where ${printDim(mismatch.expected)} is expected`;
    case "run":
      return `...${mismatch.name} is ${printShape(mismatch.got)} where ${printShape(mismatch.expected)} is expected`;
    case "unsolvable":
      return `axis ${mismatch.axis + 1} cannot be ${mismatch.text}`;
    case "runs":
      return `${mismatch.text} cannot both be told from one shape`;
    default:
      return mismatch satisfies never;
  }
}
/**
 * One concrete thing to do: flatten, where that makes the shapes fit (here, or in front of what kept all the axes), or give
 * an axis the extent that is wanted where the tensor is made.
 */
function advice(mismatch: Mismatch, { shape, from }: TensorValue, pattern: readonly AxisPattern[]): { fix?: string } {
  const maker = from && `${from.what} at line ${lineOf(from.place)}`;
  if (mismatch.kind === "axis") {
    const { axis, expected, got } = mismatch;
    return maker
      ? { fix: `make axis ${axis + 1} ${printDim(expected)} in ${maker}, or expect ${printDim(got)} here` }
      : {};
  }
  const [, last] = pattern;
  if (mismatch.kind !== "rank" || mismatch.atLeast || pattern.length !== 2 || shape.length < 3 || !last) return {};
  const takes = (dim: Dim) => last.kind === "name" || (last.kind === "known" && compare(last.dim, "==", dim) === "yes");
  if (takes(productOf(shape.slice(1)))) return { fix: "add `|> flatten`" };
  const own = shape.at(-1);
  return maker && own && takes(own) ? { fix: `add \`|> flatten\` in front of ${maker}` } : {};
}
