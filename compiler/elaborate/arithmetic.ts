/** Operators on values: compile-time numbers stay with the compiler, tensors become elements. */
import type { BinaryOperator } from "../../grammar/ast.ts";
import { evaluate } from "../scalar/numbers.ts";
import { resultType } from "../scalar/table.ts";
import * as dims from "../types/dims.ts";
import { isFloat, scalarType } from "../types/dtype.ts";
import type { Machine } from "./context.ts";
import { applyElement, type Element, isIndex } from "./element.ts";
import { asTensor, commonType, convertElement, elementwise, show } from "./tensors.ts";
import { describe, type FloatValue, type IntValue, type Place, type TensorValue, type Value } from "./values.ts";

const rows: Readonly<Record<Exclude<BinaryOperator, "@">, string>> = {
  or: "or",
  and: "and",
  "==": "eq",
  "!=": "ne",
  "<": "lt",
  "<=": "le",
  ">": "gt",
  ">=": "ge",
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "div",
  "%": "rem",
  "^": "pow",
};
type Comparison = dims.Comparison;
const comparisons = ["==", "!=", "<", "<=", ">", ">="];
function isComparison(operator: BinaryOperator): operator is Comparison {
  return comparisons.includes(operator);
}

export function binary(
  machine: Machine,
  operator: Exclude<BinaryOperator, "@">,
  left: Value,
  right: Value,
  place: Place,
): Value {
  if (operator === "and" || operator === "or") return logical(machine, operator, left, right, place);
  if (left.kind === "int" && right.kind === "int") {
    const value = integers(machine, operator, left.value, right.value, place);
    if (value) return value;
  }
  if (isNumber(left) && isNumber(right)) {
    const value = floats(operator, left, right);
    if (value) return value;
  }
  if (left.kind === "str" && right.kind === "str") {
    if (operator === "==" || operator === "!=")
      return { kind: "bool", value: (left.value === right.value) === (operator === "==") };
    if (operator === "+") return { kind: "str", value: left.value + right.value };
  }
  if (left.kind === "bool" && right.kind === "bool" && (operator === "==" || operator === "!=")) {
    const known = left.value !== undefined && right.value !== undefined;
    return { kind: "bool", value: known ? (left.value === right.value) === (operator === "==") : undefined };
  }
  if (left.kind === "list" && right.kind === "list") {
    if (operator === "+") return { kind: "list", elements: [...left.elements, ...right.elements] };
    if (operator === "==" || operator === "!=")
      return sameLists(machine, operator, left.elements, right.elements, place);
  }
  if (
    (operator === "==" || operator === "!=") &&
    left.kind !== right.kind &&
    isOption(left) &&
    isOption(right) &&
    !(asTensor(left) && asTensor(right))
  )
    return { kind: "bool", value: operator === "!=" };
  if (asTensor(left) && asTensor(right)) return tensors(machine, operator, left, right, place);
  return machine.raise("E0215", place, { operator, left: describe(left), right: describe(right) });
}

/** What an option may be in turn, as `padding` a number, a list or "same": such values never equal each other. */
function isOption({ kind }: Value): boolean {
  return kind === "str" || kind === "bool" || kind === "list" || kind === "int" || kind === "float";
}

function sameLists(
  machine: Machine,
  operator: "==" | "!=",
  left: readonly Value[],
  right: readonly Value[],
  place: Place,
): Value {
  let equal: boolean | undefined = left.length === right.length;
  if (equal)
    for (const [k, one] of left.entries()) {
      const other = right[k];
      const same = other && binary(machine, "==", one, other, place);
      const value = same?.kind === "bool" ? same.value : undefined;
      if (value === false) equal = false;
      else if (value === undefined && equal) equal = undefined;
    }
  return { kind: "bool", value: equal === undefined ? undefined : equal === (operator === "==") };
}

function isNumber(value: Value): value is IntValue | FloatValue {
  return value.kind === "int" || value.kind === "float";
}
export function hasIndices(dim: dims.Dim): boolean {
  return [...dims.variablesOf(dim)].some(isIndex);
}

/** Undefined where the result is no compile-time value: then the operands are elements. */
function integers(
  machine: Machine,
  operator: BinaryOperator,
  a: dims.Dim,
  b: dims.Dim,
  place: Place,
): Value | undefined {
  const int = (value: dims.Dim): Value => ({ kind: "int", value });
  if (isComparison(operator)) {
    const answer = dims.compare(a, operator, b);
    if (answer !== "unknown") return { kind: "bool", value: answer === "yes" };
    return hasIndices(a) || hasIndices(b) ? undefined : { kind: "bool", value: undefined };
  }
  switch (operator) {
    case "+":
      return int(dims.add(a, b));
    case "-":
      return int(dims.subtract(a, b));
    case "*":
      return int(dims.multiply(a, b));
    case "/":
    case "%": {
      if (dims.compare(b, "==", dims.constant(0)) === "yes") machine.raise("E0314", place, { operation: operator });
      const exact = dims.constantOf(a) !== undefined && dims.constantOf(b) !== undefined;
      if (operator === "/" && exact && !machine.dynamic.roundingDivision) {
        if (dims.constantOf(dims.remainder(a, b)) !== 0)
          machine.warn("W0108", place, {
            left: dims.printDim(a),
            right: dims.printDim(b),
            value: dims.printDim(dims.quotient(a, b)),
          });
      }
      return int(operator === "/" ? dims.quotient(a, b) : dims.remainder(a, b));
    }
    case "^": {
      const exponent = dims.constantOf(b);
      if (exponent === undefined)
        return hasIndices(a) || hasIndices(b) ? undefined : { kind: "float", value: undefined };
      if (exponent >= 0) {
        if (exponent > 64 && dims.constantOf(a) === undefined)
          machine.raise("E0515", place, { what: `${dims.printDim(a)}^${exponent}` });
        return int(dims.power(a, exponent));
      }
      const base = dims.constantOf(a);
      return { kind: "float", value: base === undefined ? undefined : base ** exponent };
    }
    default:
      return undefined;
  }
}

function floats(
  operator: BinaryOperator,
  left: IntValue | FloatValue,
  right: IntValue | FloatValue,
): Value | undefined {
  if ((left.kind === "int" && hasIndices(left.value)) || (right.kind === "int" && hasIndices(right.value)))
    return undefined;
  const [a, b] = [left, right].map((one) => (one.kind === "int" ? dims.constantOf(one.value) : one.value));
  if (isComparison(operator)) {
    if (a === undefined || b === undefined) return { kind: "bool", value: undefined };
    const row = rows[operator];
    return { kind: "bool", value: evaluate(row, ["f32", "f32"], [a, b]) !== 0 };
  }
  if (operator === "and" || operator === "or" || operator === "@") return undefined;
  if (a === undefined || b === undefined) return { kind: "float", value: undefined };
  if (operator === "%") return { kind: "float", value: a - b * Math.floor(a / b) };
  return { kind: "float", value: operator === "^" ? a ** b : evaluate(rows[operator], ["f32", "f32"], [a, b]) };
}

function logical(machine: Machine, operator: "and" | "or", left: Value, right: Value, place: Place): Value {
  const decisive = operator === "or";
  if (left.kind === "bool" && right.kind === "bool") {
    if (left.value === decisive || right.value === decisive) return { kind: "bool", value: decisive };
    const known = left.value !== undefined && right.value !== undefined;
    return { kind: "bool", value: known ? !decisive : undefined };
  }
  const [a, b] = [left, right].map((value) =>
    value.kind === "bool" || (value.kind === "tensor" && value.dtype === "bool") ? asTensor(value) : undefined,
  );
  if (!a || !b) return machine.raise("E0215", place, { operator, left: describe(left), right: describe(right) });
  return applyRow(machine, operator, [a, b], place, operator);
}

function tensors(
  machine: Machine,
  operator: Exclude<BinaryOperator, "@" | "and" | "or">,
  left: Value,
  right: Value,
  place: Place,
): Value {
  if (operator === "^") return power(machine, left, right, place);
  return applyNumeric(machine, rows[operator], [left, right], place, operator);
}

/** A row over operands of one type: integers and floats of the compiler take the tensors' type. */
export function applyNumeric(
  machine: Machine,
  row: string,
  operands: readonly Value[],
  place: Place,
  what: string,
): TensorValue {
  const dtype = commonType(operands);
  const values = operands.map(asTensor);
  if (dtype === undefined || !values.every((value) => value !== undefined))
    return machine.raise("E0309", place, {
      operation: what,
      got: operands.map(describe).join(" and "),
      ...conversionHint(operands),
    });
  const type = scalarType(dtype);
  const converted = values.map((value) => {
    if (scalarType(value.dtype) === type) return value;
    return elementwise(machine, [value], dtype, ([one]) => convertElement(need(one), type), what, place);
  });
  return applyRow(machine, row, converted, place, what, dtype === "f16" ? dtype : undefined);
}
function conversionHint(operands: readonly Value[]): { fix?: string } {
  const needs = operands.find((one) => one.kind === "tensor" && !isFloat(one.dtype));
  return needs?.kind === "tensor" ? { fix: `f32(..) around the ${needs.dtype}` } : {};
}
export function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("one element an operand");
  return value;
}

/** A row of the scalar table on operands that have its types already. */
export function applyRow(
  machine: Machine,
  row: string,
  operands: readonly TensorValue[],
  place: Place,
  what: string,
  float: "f16" | undefined = undefined,
): TensorValue {
  const types = operands.map(({ dtype }) => scalarType(dtype));
  const result = resultType(row, types);
  if (!result)
    return machine.raise("E0309", place, {
      operation: what,
      got: operands.map(show).join(" and "),
      ...conversionHint(operands),
    });
  const dtype = result === "f32" ? (float ?? "f32") : result;
  return elementwise(machine, operands, dtype, (elements) => applyElement(row, elements), what, place);
}

/** Small whole exponents are products: exact, and differentiable everywhere. */
function power(machine: Machine, left: Value, right: Value, place: Place): Value {
  const exponent =
    right.kind === "int" ? dims.constantOf(right.value) : right.kind === "float" ? right.value : undefined;
  const base = asTensor(left);
  if (exponent === undefined || !base) return applyNumeric(machine, "pow", [left, right], place, "^");
  const dtype = commonType([left, right]);
  if (base.dtype === "bool" || dtype === undefined)
    return machine.raise("E0309", place, { operation: "^", got: `${describe(left)} and ${describe(right)}` });
  if (Number.isInteger(exponent) && Math.abs(exponent) <= 16 && (exponent >= 0 || isFloat(dtype)))
    return elementwise(
      machine,
      [base],
      dtype,
      ([x]) => repeated(convertElement(need(x), scalarType(dtype)), exponent),
      "^",
      place,
    );
  if (exponent === 0.5 && isFloat(base.dtype)) return applyNumeric(machine, "sqrt", [left], place, "^");
  return applyNumeric(machine, "pow", [left, { kind: "float", value: exponent }], place, "^");
}
function repeated(x: Element, exponent: number): Element {
  const one: Element = { kind: "constant", type: x.type, value: 1 };
  if (exponent < 0) return applyElement("div", [one, repeated(x, -exponent)]);
  if (exponent === 0) return one;
  if (exponent === 1) return x;
  const half = repeated(x, Math.floor(exponent / 2));
  const square = applyElement("mul", [half, half]);
  return exponent % 2 === 0 ? square : applyElement("mul", [square, x]);
}

export function unary(machine: Machine, operator: "-" | "not", operand: Value, place: Place): Value {
  if (operator === "-") {
    if (operand.kind === "int") return { kind: "int", value: dims.negate(operand.value) };
    if (operand.kind === "float")
      return { kind: "float", value: operand.value === undefined ? undefined : -operand.value };
    if (operand.kind === "tensor") return applyNumeric(machine, "neg", [operand], place, "-");
  } else {
    if (operand.kind === "bool")
      return { kind: "bool", value: operand.value === undefined ? undefined : !operand.value };
    if (operand.kind === "tensor") return applyRow(machine, "not", [operand], place, "not");
  }
  return machine.raise("E0215", place, { operator, left: describe(operand), right: "" });
}

/** An int that depends on indices is a run-time value wherever a tensor is expected. */
export function indexedInt(value: Value): boolean {
  return value.kind === "int" && hasIndices(value.value);
}
