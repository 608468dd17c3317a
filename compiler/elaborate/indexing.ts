/** `x[...]`: reads by coordinates, slices, new axes, runs; `list[i]` and `list[a:b]` on lists. */
import type { IndexExpression, IndexItem } from "../../grammar/ast.ts";
import * as dims from "../types/dims.ts";
import { constant, constantOf, type Dim, printDim, quotient, subtract } from "../types/dims.ts";
import { hasIndices } from "./arithmetic.ts";
import { type Machine, placeOf, undecided } from "./context.ts";
import { inRange, partsOf, rangeOf, walkedRange } from "./coordinate.ts";
import { applyElement, asDim, constantElement, type Element, integerElement } from "./element.ts";
import { asTensor, convertElement, force, scalarTensor, show } from "./tensors.ts";
import { describe, type ListValue, type Place, type Scope, type TensorValue, type Value } from "./values.ts";

export function indexValue(machine: Machine, expression: IndexExpression, target: Value, scope: Scope): Value {
  if (target.kind === "list") return indexList(machine, expression, target, scope);
  if (target.kind === "tensor") return indexTensor(machine, expression, target, scope);
  if (target.kind === "tuple")
    return indexList(machine, expression, { kind: "list", elements: target.elements }, scope);
  return machine.raise("E0216", placeOf(scope, expression.target), { got: describe(target) });
}

// ---- Lists ------------------------------------------------------------------------------------------------------------------

function indexList(machine: Machine, expression: IndexExpression, list: ListValue, scope: Scope): Value {
  const place = placeOf(scope, expression);
  const [item, ...more] = expression.items;
  const length = list.elements.length;
  if (item && more.length === 0) {
    if (item.kind === "slice") {
      const part = (value: typeof item.from, otherwise: number) =>
        value ? constantInt(machine, machine.evaluate(value, scope), placeOf(scope, value)) : otherwise;
      const from = part(item.from, 0);
      const to = part(item.to, length);
      const step = part(item.step, 1);
      if (step < 1) machine.raise("E0315", place, { what: `step ${step}`, extent: length });
      return {
        kind: "list",
        elements: list.elements.slice(clampTo(from, length), clampTo(to, length)).filter((_, k) => k % step === 0),
      };
    }
    if (item.kind === "coordinate") {
      const value = machine.evaluate(item.value, scope);
      if (value.kind === "int" && constantOf(value.value) === undefined)
        return chooseFromList(machine, list, value.value, place);
      const at = constantInt(machine, value, placeOf(scope, item));
      const found = list.elements[at];
      return (
        found ??
        machine.raise("E0305", placeOf(scope, item), { low: at, high: at, extent: length, axis: 1, what: "the list" })
      );
    }
  }
  return machine.raise("E0306", place, { what: describe(list), expected: 1, got: expression.items.length });
}
function clampTo(at: number, length: number): number {
  return Math.max(0, Math.min(at, length));
}
/** A list of numbers at an index of index notation: a chain of selects, or a table where it becomes a coordinate. */
function chooseFromList(machine: Machine, list: ListValue, at: Dim, place: Place): Value {
  const elements = list.elements.map(asTensor);
  const [first] = elements;
  if (!first || !elements.every((one) => one?.shape.length === 0 && one.dtype === first.dtype))
    return undecided(machine, place, `element ${printDim(at)} of a list`);
  if (machine.domain.symbolic && ![...dims.variablesOf(at)].every((variable) => "extent" in variable))
    return undecided(machine, place, `element ${printDim(at)} of a list`);
  const range = rangeOf(at, constant(elements.length));
  if (range.minimum < 0 || range.maximum >= elements.length)
    machine.raise("E0305", place, {
      low: range.minimum,
      high: range.maximum,
      extent: elements.length,
      axis: 1,
      what: "the list",
    });
  const position = integerElement(at);
  let chosen = first.at([]);
  elements.forEach((one, k) => {
    if (!one || k === 0) return;
    const here = applyElement("eq", [position, constantElement("i32", k)]);
    chosen = applyElement("select", [here, one.at([]), chosen]);
  });
  return scalarTensor(chosen, first.dtype);
}
export function constantInt(machine: Machine, value: Value, place: Place): number {
  if (value.kind !== "int")
    return machine.raise("E0205", place, { name: "this", expected: "int", got: describe(value) });
  const constant = constantOf(value.value);
  if (constant === undefined) return undecided(machine, place, printDim(value.value), value.value);
  return constant;
}

// ---- Tensors ----------------------------------------------------------------------------------------------------------------

/** What the reader of a coordinate list does with one axis of the source. */
type AxisReader =
  | { readonly kind: "coordinate"; readonly element: Element }
  /** Result axis `axis`, mapped by `from + step * c`. */
  | { readonly kind: "slice"; readonly axis: number; readonly from: Dim; readonly step: number };

function indexTensor(machine: Machine, expression: IndexExpression, target: TensorValue, scope: Scope): Value {
  const place = placeOf(scope, expression);
  const readers: AxisReader[] = [];
  const shape: Dim[] = [];
  const inserted: boolean[] = [];
  const items = expandRuns(machine, expression.items, scope);
  const given = items.filter((item) => item.kind !== "new-axis").length;
  if (given !== target.shape.length)
    machine.raise("E0306", place, { what: show(target), expected: target.shape.length, got: given });
  const otherwise = expression.otherwise && machine.evaluate(expression.otherwise, scope);
  items.forEach((item) => {
    const extent = target.shape[readers.length] ?? constant(1);
    if (item.kind === "new-axis") {
      shape.push(constant(1));
      inserted.push(true);
      return;
    }
    if (item.kind === "slice") {
      const slice = sliceOf(machine, item, extent, scope);
      readers.push({ kind: "slice", axis: shape.length, ...slice });
      shape.push(slice.count);
      inserted.push(target.inserted?.[readers.length - 1] ?? false);
      return;
    }
    const element = item.kind === "value" ? item.element : coordinate(machine, item, scope);
    if (!otherwise) checkRange(machine, element, extent, readers.length + 1, target, placeOf(scope, item));
    readers.push({ kind: "coordinate", element });
  });
  const at = readAt(machine, target, readers, otherwise, place);
  if (shape.length === 0) return scalarTensor(at([]), target.dtype);
  return {
    kind: "tensor",
    dtype: target.dtype,
    shape,
    at,
    ...(inserted.some(Boolean) && { inserted }),
    ...(target.from && { from: target.from }),
  };
}

type Item = Exclude<IndexItem, { kind: "spread" }> | { kind: "value"; span: IndexItem["span"]; element: Element };

function expandRuns(machine: Machine, items: readonly IndexItem[], scope: Scope): Item[] {
  return items.flatMap((item): Item[] => {
    if (item.kind !== "spread") return [item];
    const run = machine.evaluate({ kind: "reference", span: item.name.span, name: item.name.text }, scope);
    if (run.kind !== "list")
      return machine.raise("E0205", placeOf(scope, item), {
        name: `...${item.name.text}`,
        expected: "a run of indices",
        got: describe(run),
      });
    return run.elements.map((one) => ({
      kind: "value",
      span: item.span,
      element: coordinateElement(machine, one, placeOf(scope, item)),
    }));
  });
}

function coordinate(machine: Machine, item: Extract<IndexItem, { kind: "coordinate" }>, scope: Scope): Element {
  const value = machine.within({ roundingDivision: true }, () => machine.evaluate(item.value, scope));
  return coordinateElement(machine, value, placeOf(scope, item));
}
function coordinateElement(machine: Machine, value: Value, place: Place): Element {
  if (value.kind === "int") return integerElement(value.value);
  if (value.kind === "tensor" && value.shape.length === 0) {
    const element = value.at([]);
    if (element.type === "i32") return element;
    if (element.type === "u32") return convertElement(element, "i32");
  }
  return machine.raise("E0310", place, { got: describe(value) });
}

function checkRange(
  machine: Machine,
  element: Element,
  extent: Dim,
  axis: number,
  target: TensorValue,
  place: Place,
): void {
  const { dim, data } = partsOf(element);
  const size = constantOf(extent);
  // What no polynomial expresses is walked through, if it depends on indices alone.
  const walked = data.length > 0 && size !== undefined ? walkedRange(element) : undefined;
  if (data.length > 0 && (!walked || size === undefined || (walked.minimum >= 0 && walked.maximum < size))) return;
  if (data.length === 0 && inRange(dim, extent) !== "no") return;
  const { minimum, maximum } = walked ?? rangeOf(dim, extent);
  machine.raise("E0305", place, {
    low: Number.isFinite(minimum) ? minimum : printDim(dim),
    high: Number.isFinite(maximum) ? maximum : printDim(dim),
    extent: printDim(extent),
    axis,
    what: show(target),
  });
}

function sliceOf(
  machine: Machine,
  item: Extract<IndexItem, { kind: "slice" }>,
  extent: Dim,
  scope: Scope,
): { from: Dim; step: number; count: Dim } {
  const part = (expression: typeof item.from): Dim | undefined => {
    if (!expression) return undefined;
    const value = machine.within({ roundingDivision: true }, () => machine.evaluate(expression, scope));
    if (value.kind === "int") return value.value;
    return machine.raise("E0205", placeOf(scope, expression), {
      name: "a slice",
      expected: "int",
      got: describe(value),
    });
  };
  const from = part(item.from) ?? constant(0);
  const to = part(item.to) ?? extent;
  const step = item.step ? constantInt(machine, machine.evaluate(item.step, scope), placeOf(scope, item.step)) : 1;
  const wrong =
    step < 1 ||
    dims.compare(from, ">=", constant(0)) === "no" ||
    dims.compare(to, "<=", extent) === "no" ||
    dims.compare(from, "<", to) === "no";
  if (wrong)
    machine.raise("E0315", placeOf(scope, item), {
      what: `${printDim(from)}:${printDim(to)}${step === 1 ? "" : `:${step}`}`,
      extent: printDim(extent),
    });
  const count = quotient(dims.add(subtract(to, from), constant(step - 1)), constant(step));
  if (hasIndices(count)) undecided(machine, placeOf(scope, item), printDim(count), count);
  return { from, step, count };
}

/** Reads through the source's stored elements if an `else` has to stand at the read itself. */
function readAt(
  machine: Machine,
  target: TensorValue,
  readers: readonly AxisReader[],
  otherwise: Value | undefined,
  place: Place,
): (coordinates: readonly Element[]) => Element {
  const through = (coordinates: readonly Element[]) =>
    readers.map((reader) => {
      if (reader.kind === "coordinate") return reader.element;
      const here = coordinates[reader.axis] ?? constantElement("i32", 0);
      const scaled = applyElement("mul", [here, constantElement("i32", reader.step)]);
      return applyElement("add", [scaled, integerElement(reader.from)]);
    });
  if (!otherwise) return (coordinates) => target.at(through(coordinates));
  const source = readable(machine, target);
  const value = otherwiseElement(machine, otherwise, target, place);
  if (value.kind === "constant") return (coordinates) => source.at(through(coordinates), value.value);
  // Not a constant: the read gives 0 out of range, and a test chooses.
  return (coordinates) => {
    const positions = through(coordinates);
    const inside = positions.map((position, axis) => inside1(position, target.shape[axis] ?? constant(1)));
    const all = inside.reduce((a, b) => applyElement("and", [a, b]));
    return applyElement("select", [all, source.at(positions, 0), value]);
  };
}
function inside1(position: Element, extent: Dim): Element {
  const dim = asDim(position);
  if (dim && inRange(dim, extent) === "yes") return constantElement("bool", 1);
  const low = applyElement("ge", [position, constantElement("i32", 0)]);
  return applyElement("and", [low, applyElement("lt", [position, integerElement(extent)])]);
}
function readable(machine: Machine, target: TensorValue): TensorValue {
  if (target.handle || target.readable) return target;
  const ready = force(target, machine, "value");
  if (ready.handle || ready.readable) return ready;
  // A constant tensor, or one element of index notation: no coordinate leads out of rank 0.
  return { ...ready, at: (coordinates) => ready.at(coordinates) };
}
function otherwiseElement(machine: Machine, otherwise: Value, target: TensorValue, place: Place): Element {
  const value = asTensor(otherwise);
  const type = target.at(target.shape.map(() => constantElement("i32", 0))).type;
  if (!value || value.shape.length > 0)
    return machine.raise("E0309", place, { operation: "else", got: `${show(target)} and ${describe(otherwise)}` });
  const element = value.at([]);
  if (element.type === type) return element;
  if (type === "f32" && otherwise.kind === "int") return convertElement(element, "f32");
  return machine.raise("E0309", place, { operation: "else", got: `${show(target)} and ${describe(otherwise)}` });
}
