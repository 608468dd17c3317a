/** Tensors as values: stored ones, and ones whose elements are still expressions. */
import { compare, constant, constantOf, type Dim } from "../types/dims.ts";
import { type DType, isFloat, type ScalarType, scalarType } from "../types/dtype.ts";
import { printType, type Shape } from "../types/shape.ts";
import type { Machine } from "./context.ts";
import {
  applyElement,
  constantElement,
  type Element,
  type Handle,
  type Index,
  indexElement,
  indexValue,
  indicesOf,
  inOrder,
  integerElement,
  readElement,
} from "./element.ts";
import { handle } from "./shapes-domain.ts";
import { describe, type Place, type TensorValue, type Value } from "./values.ts";

/** A stored tensor. */
export function stored(handle: Handle): TensorValue {
  return {
    kind: "tensor",
    dtype: handle.dtype,
    shape: handle.shape,
    at: (coordinates, otherwise) => readElement(handle, coordinates, otherwise),
    handle,
  };
}
/** Rank 0. */
export function scalarTensor(element: Element, dtype: DType = element.type): TensorValue {
  return { kind: "tensor", dtype, shape: [], at: () => element };
}
export function filled(dtype: DType, shape: Shape, value: number): TensorValue {
  const element = constantElement(scalarType(dtype), value);
  return { kind: "tensor", dtype, shape, at: () => element };
}

/** The number that every element is, where the compiler knows it. */
export function uniformValue(value: TensorValue): number | undefined {
  if (value.handle) return undefined;
  const element = value.at(value.shape.map(() => constantElement("i32", 0)));
  if (element.kind !== "constant") return undefined;
  // The element may still depend on where it stands; then it names an index when asked at one.
  const probe = value.at(value.shape.map((extent, axis) => integerElement(probeDim(extent, axis))));
  return probe.kind === "constant" && Object.is(probe.value, element.value) ? element.value : undefined;
}
function probeDim(extent: Dim, axis: number): Dim {
  const key = `probe ${axis}`;
  const maximum = (constantOf(extent) ?? Infinity) - 1;
  return {
    key,
    terms: [
      { coefficient: 1, factors: [{ atom: { kind: "variable", name: key, key, minimum: 0, maximum }, power: 1 }], key },
    ],
  };
}

/** Stores a tensor, so that using it twice computes it once. Elements inside index notation stay expressions. */
export function force(value: TensorValue, machine: Machine, hint: string): TensorValue {
  if (value.handle) return value;
  const own = value.shape.map((extent, axis) => machine.index(axisName(axis), extent));
  const element = value.at(own.map(indexElement));
  if (value.shape.length === 0 && (indicesOf(element).size > 0 || element.kind === "constant")) return value;
  return define(machine, hint, own, element, value);
}
function axisName(axis: number): string {
  return "ijklmnpqrstuvw"[axis] ?? `i${axis}`;
}

/** Stores an element over its own indices, and over those of the index notation around that it uses. */
export function define(
  machine: Machine,
  hint: string,
  own: readonly Index[],
  element: Element,
  like: Pick<TensorValue, "dtype" | "inserted" | "from" | "weak">,
): TensorValue {
  const { handle, free } = storeOver(machine, hint, own, element, like.dtype);
  const value = partly(handle, free);
  return {
    ...value,
    ...(like.inserted && { inserted: like.inserted }),
    ...(like.weak && { weak: true }),
    ...(like.from && { from: like.from }),
  };
}
/** The stored tensor itself, its leading axes being the outer indices that the element uses. */
export function storeOver(
  machine: Machine,
  hint: string,
  own: readonly Index[],
  element: Element,
  dtype: DType,
): { handle: Handle; free: readonly Index[] } {
  const free = inOrder(indicesOf(element)).filter((index) => !own.includes(index));
  const parallel = [...free, ...own];
  const computation = { hint, combiner: "map", parallel, reduction: [], element, dtype } as const;
  const handle = storedInPlace(element, parallel, dtype, machine) ?? machine.domain.compute(computation)[0];
  if (!handle) throw new Error("a computation has a result");
  return { handle, free };
}
/** A tensor value as stored: outer indices in front. */
export function storeValue(
  machine: Machine,
  value: TensorValue,
  hint: string,
): { handle: Handle; free: readonly Index[] } {
  if (value.handle) return { handle: value.handle, free: [] };
  const own = value.shape.map((extent, axis) => machine.index(axisName(axis), extent));
  return storeOver(machine, hint, own, value.at(own.map(indexElement)), value.dtype);
}
/** A stored tensor whose leading axes are addressed by indices around. */
export function partly(handle: Handle, free: readonly Index[]): TensorValue {
  if (free.length === 0) return stored(handle);
  const leading = free.map(indexElement);
  return {
    kind: "tensor",
    dtype: handle.dtype,
    shape: handle.shape.slice(free.length),
    at: (coordinates, otherwise) => readElement(handle, [...leading, ...coordinates], otherwise),
    readable: true,
  };
}
/** The handle itself, where the element reads it at exactly these indices; extents of 1 may be missing or more. */
function storedInPlace(
  element: Element,
  indices: readonly Index[],
  dtype: DType,
  machine: Machine,
): Handle | undefined {
  if (element.kind !== "read" || element.handle.dtype !== dtype || element.otherwise !== undefined) return undefined;
  const { handle, coordinates } = element;
  if (!machine.domain.reaches(handle)) return undefined;
  const isOne = (extent: Dim | undefined) => extent !== undefined && constantOf(extent) === 1;
  const used = indices.filter(({ extent }) => !isOne(extent));
  let next = 0;
  for (const [axis, coordinate] of coordinates.entries()) {
    const extent = handle.shape[axis];
    if (isOne(extent) && coordinate.kind === "constant" && coordinate.value === 0) continue;
    const index = used[next++];
    if (!index || !extent || compare(index.extent, "==", extent) !== "yes") return undefined;
    if (coordinate.kind !== "integer" || coordinate.value.key !== indexValue(index).key) return undefined;
  }
  if (next !== used.length) return undefined;
  const shape = indices.map(({ extent }) => extent);
  const same =
    shape.length === handle.shape.length && shape.every((extent, axis) => extent.key === handle.shape[axis]?.key);
  return same ? handle : machine.domain.reshape(handle, shape);
}

/** The handle of a tensor that must stand outside index notation, or over the indices around it. */
export function handleOf(value: TensorValue, machine: Machine, hint: string, place: Place): Handle {
  const ready = force(value, machine, hint);
  if (ready.handle) return ready.handle;
  const element = ready.at([]);
  if (indicesOf(element).size === 0 && ready.shape.length === 0) {
    const [handle] = machine.domain.compute({
      hint,
      combiner: "map",
      parallel: [],
      reduction: [],
      element,
      dtype: value.dtype,
    });
    if (handle) return handle;
  }
  return machine.raise("E0514", place, { what: hint });
}

// ---- Conversions ------------------------------------------------------------------------------------------------------------

export function asTensor(value: Value): TensorValue | undefined {
  switch (value.kind) {
    case "tensor":
      return value;
    case "int":
      return scalarTensor(integerElement(value.value));
    // Checking does not know what users will choose, so it must not choose for them.
    case "float":
      return value.value === undefined ? stored(handle("f32", [])) : scalarTensor(constantElement("f32", value.value));
    case "bool":
      return value.value === undefined
        ? stored(handle("bool", []))
        : scalarTensor(constantElement("bool", Number(value.value)));
    default:
      return undefined;
  }
}

/** The element as another scalar type, by the conversion rows. */
export function convertElement(element: Element, type: ScalarType): Element {
  return element.type === type ? element : applyElement(`to_${type}`, [element]);
}

// ---- Elementwise ------------------------------------------------------------------------------------------------------------

/**
 * One element of each operand in, one out. Operands have rank 0 or the same shape; an axis inserted by `_` stretches.
 */
export function elementwise(
  machine: Machine,
  operands: readonly TensorValue[],
  dtype: DType,
  build: (elements: readonly Element[]) => Element,
  what: string,
  place: Place,
): TensorValue {
  const { shape, inserted } = broadcast(machine, operands, what, place);
  const readers = operands.map((operand): TensorValue["at"] => {
    if (operand.shape.length === 0) {
      const element = operand.at([]);
      return () => element;
    }
    const stretched = operand.inserted;
    if (!stretched) return operand.at;
    return (coordinates) =>
      operand.at(coordinates.map((one, axis) => (stretched[axis] ? constantElement("i32", 0) : one)));
  });
  const value = (coordinates: readonly Element[]) => build(readers.map((reader) => reader(coordinates)));
  if (shape.length === 0) return scalarTensor(value([]), dtype);
  return { kind: "tensor", dtype, shape, at: value, ...(inserted.some(Boolean) && { inserted }) };
}

function broadcast(
  machine: Machine,
  operands: readonly TensorValue[],
  what: string,
  place: Place,
): { shape: Shape; inserted: readonly boolean[] } {
  let shape: readonly Dim[] = [];
  let inserted: readonly boolean[] = [];
  let first: TensorValue | undefined;
  for (const operand of operands) {
    if (operand.shape.length === 0) continue;
    if (!first) {
      first = operand;
      shape = operand.shape;
      inserted = operand.inserted ?? shape.map(() => false);
      continue;
    }
    const mine = operand.inserted ?? operand.shape.map(() => false);
    const agree =
      operand.shape.length === shape.length &&
      operand.shape.every(
        (extent, axis) => mine[axis] || inserted[axis] || compare(extent, "==", shape[axis] ?? constant(-1)) !== "no",
      );
    if (!agree)
      machine.raise(
        "E0302",
        place,
        { operation: what, left: show(first), right: show(operand), ...indexForm(what, first, operand) },
        { related: cameFrom([first, operand]) },
      );
    shape = shape.map((extent, axis) => (inserted[axis] ? (operand.shape[axis] ?? extent) : extent));
    inserted = inserted.map((one, axis) => one && (mine[axis] ?? false));
  }
  return { shape, inserted };
}
/** `let y[i, j] = a[i, j] + b[j]`: what to write instead, where one operand has fewer axes. */
function indexForm(what: string, left: TensorValue, right: TensorValue): { form?: string } {
  const names = (value: TensorValue, from: number) => value.shape.map((_, axis) => axisName(from + axis)).join(", ");
  const [long, short] = left.shape.length >= right.shape.length ? [left, right] : [right, left];
  const gap = long.shape.length - short.shape.length;
  if (gap === 0 || what.length > 2) return {};
  const all = names(long, 0);
  const [a, b] = long === left ? [`a[${all}]`, `b[${names(short, gap)}]`] : [`a[${names(short, gap)}]`, `b[${all}]`];
  return { form: `let y[${all}] = ${a} ${what} ${b}` };
}

export function show(value: TensorValue): string {
  return printType(value.dtype, value.shape);
}
/** Related places that say where tensors came from. */
export function cameFrom(
  values: readonly Value[],
): { source: Place["source"]; span: Place["span"]; message: string }[] {
  return values.flatMap((value) =>
    value.kind === "tensor" && value.from
      ? [{ ...value.from.place, message: `${describe(value)} came from ${value.from.what}` }]
      : [],
  );
}

/** The dtype that arithmetic on these gives, or undefined where a conversion has to be written. */
export function commonType(operands: readonly Value[]): DType | undefined {
  const strong = operands.filter((operand) => operand.kind === "tensor" && !operand.weak);
  const tensors = strong.flatMap((operand) => (operand.kind === "tensor" ? [operand.dtype] : []));
  const floats = operands.some((operand) => operand.kind === "float");
  if (tensors.some(isFloat)) {
    if (!tensors.every(isFloat)) return undefined;
    return tensors.every((dtype) => dtype === "f16") ? "f16" : "f32";
  }
  const [first, ...more] = tensors.map((dtype): DType => (dtype === "u8" ? "i32" : dtype));
  if (first === undefined) return floats ? "f32" : operands.some(({ kind }) => kind === "bool") ? "bool" : "i32";
  if (floats) return first === "bool" ? undefined : "f32";
  return more.every((dtype) => dtype === first) ? first : undefined;
}
