/** Rows of the scalar table as functions, conversions, `select`, `clamp`. */
import { evaluate } from "../../scalar/numbers.ts";
import { resultType, rowOf, scalarNames } from "../../scalar/table.ts";
import * as dims from "../../types/dims.ts";
import { type DType, scalarType } from "../../types/dtype.ts";
import { applyNumeric, applyRow, hasIndices, need } from "../arithmetic.ts";
import { type Machine, undecided } from "../context.ts";
import { applyElement } from "../element.ts";
import { reduceWhole } from "../notation.ts";
import { chooseBetween } from "../select.ts";
import { asTensor, commonType, convertElement, elementwise } from "../tensors.ts";
import { describe, type Place, type TensorValue, type Value } from "../values.ts";
import type { Builtin } from "./define.ts";

const parameterNames = ["x", "y", "z"];

/** Everything that is written as a call, but for what conversions and operators say already. */
const rowFunctions: readonly Builtin[] = scalarNames
  .filter((name) => rowOf(name).notation.kind === "call" && !name.startsWith("to_") && name !== "select")
  .filter((name) => name !== "max" && name !== "min")
  .map((name) => {
    const [signature] = Object.values(rowOf(name).signatures);
    const parameters = parameterNames.slice(0, signature?.arguments.length ?? 1);
    return {
      name,
      parameters,
      run: (machine, args, place) =>
        applyFunction(
          machine,
          name,
          parameters.map((parameter) => args.get(parameter)),
          place,
        ),
    };
  });

/** A row on any values: compile-time numbers give one, tensors an expression. */
export function applyFunction(machine: Machine, name: string, operands: readonly Value[], place: Place): Value {
  return compileTime(name, operands) ?? onTensors(machine, name, operands, place);
}

function compileTime(name: string, operands: readonly Value[]): Value | undefined {
  if (!operands.every((one) => one.kind === "int" || one.kind === "float")) return undefined;
  if (operands.some((one) => one.kind === "int" && hasIndices(one.value))) return undefined;
  const values = operands.map((one) => (one.kind === "int" ? dims.constantOf(one.value) : one.value));
  const integers = operands.every((one) => one.kind === "int");
  const type =
    integers &&
    resultType(
      name,
      operands.map(() => "i32"),
    ) === "i32"
      ? "i32"
      : "f32";
  if (
    !resultType(
      name,
      operands.map(() => type),
    )
  )
    return undefined;
  if (!values.every((value) => value !== undefined)) {
    const ints = operands.flatMap((one) => (one.kind === "int" ? [one.value] : []));
    return type === "i32" ? { kind: "int", value: symbolic(name, ints) } : { kind: "float", value: undefined };
  }
  const value = evaluate(
    name,
    values.map(() => type),
    values,
  );
  return type === "i32" ? { kind: "int", value: dims.constant(value) } : { kind: "float", value };
}
/** `max(N - 1, 1)` of a symbolic N: decided if it can be, else a size of its own. */
function symbolic(name: string, operands: readonly dims.Dim[]): dims.Dim {
  const [a, b] = operands;
  if (a && b && (name === "max" || name === "min")) {
    if (dims.compare(a, ">=", b) === "yes") return name === "max" ? a : b;
    if (dims.compare(a, "<=", b) === "yes") return name === "max" ? b : a;
  }
  const key = `${name}(${operands.map(({ key: one }) => one).join(", ")})`;
  const bounds = operands.map(dims.bounds);
  const pick = name === "max" ? Math.max : Math.min;
  const known = name === "max" || name === "min";
  return dims.fromAtom({
    kind: "variable",
    name: `${name}(${operands.map(dims.printDim).join(", ")})`,
    key,
    minimum: known ? pick(...bounds.map(({ minimum }) => minimum)) : -Infinity,
    maximum: known ? pick(...bounds.map(({ maximum }) => maximum)) : Infinity,
  });
}

function onTensors(machine: Machine, name: string, operands: readonly Value[], place: Place): Value {
  const dtype = commonType(operands);
  const values = operands.map(asTensor);
  if (dtype === undefined || !values.every((value) => value !== undefined))
    return applyNumeric(machine, name, operands, place, name);
  const type = scalarType(dtype);
  if (
    resultType(
      name,
      operands.map(() => type),
    )
  )
    return applyNumeric(machine, name, operands, place, name);
  // Rows over floats alone take indices and compile-time ints as floats, never an integer tensor.
  const mixed = operands.every((one) => one.kind === "int" || one.kind === "float");
  if (!mixed) return applyRow(machine, name, values, place, name);
  return elementwise(
    machine,
    values,
    "f32",
    (elements) =>
      applyElement(
        name,
        elements.map((one) => convertElement(one, "f32")),
      ),
    name,
    place,
  );
}

// ---- max and min: of two, or of everything --------------------------------------------------------------------------------

const extrema: readonly Builtin[] = (["max", "min"] as const).map((name) => ({
  name,
  parameters: ["x", "y?"],
  run: (machine, args, place) => {
    const x = args.get("x");
    const y = args.optional("y");
    if (y) return applyFunction(machine, name, [x, y], place);
    if (x.kind === "list") {
      const [first, ...more] = x.elements;
      if (first) return more.reduce((a, b) => applyFunction(machine, name, [a, b], place), first);
    }
    return whole(machine, name, x, place);
  },
}));

const reductions: readonly Builtin[] = (["sum", "prod", "mean", "argmax", "argmin", "any", "all"] as const).map(
  (name) => ({
    name,
    parameters: ["x"],
    run: (machine, args, place) => {
      const x = args.get("x");
      if (x.kind === "list" && (name === "sum" || name === "prod") && x.elements.every((one) => one.kind === "int")) {
        const values = x.elements.map((one) => (one.kind === "int" ? one.value : dims.constant(0)));
        const value = values.reduce(name === "sum" ? dims.add : dims.multiply, dims.constant(name === "sum" ? 0 : 1));
        return { kind: "int", value };
      }
      return whole(machine, name, x, place);
    },
  }),
);
function whole(machine: Machine, name: Parameters<typeof reduceWhole>[1], x: Value, place: Place): TensorValue {
  const tensor = asTensor(x);
  if (!tensor) return machine.raise("E0205", place, { name: `x of ${name}`, expected: "a tensor", got: describe(x) });
  return reduceWhole(machine, name, tensor, place);
}

// ---- Conversions ------------------------------------------------------------------------------------------------------------

const conversions: readonly Builtin[] = (["f32", "f16", "i32", "u32", "bool"] as const).map((dtype) => ({
  name: dtype,
  parameters: ["x"],
  run: (machine, args, place) => convertTo(machine, args.get("x"), dtype, place),
}));
function convertTo(machine: Machine, value: Value, dtype: DType, place: Place): Value {
  const tensor = asTensor(value);
  if (!tensor)
    return machine.raise("E0205", place, { name: `x of ${dtype}`, expected: "a tensor", got: describe(value) });
  const type = scalarType(dtype);
  const rounded = dtype === "f16" && tensor.dtype !== "f16";
  return elementwise(
    machine,
    [tensor],
    dtype,
    ([one]) => {
      const element = convertElement(need(one), type);
      return rounded ? applyElement("round_f16", [element]) : element;
    },
    dtype,
    place,
  );
}

const choice: readonly Builtin[] = [
  {
    name: "select",
    parameters: ["mask", "a", "b"],
    run: (machine, args, place) => {
      const mask = args.get("mask");
      // Compile-time arms under a compile-time mask stay compile-time values.
      if (mask.kind === "bool" && mask.value !== undefined) {
        const chosen = args.get(mask.value ? "a" : "b");
        const other = args.get(mask.value ? "b" : "a");
        if (chosen.kind !== "tensor" && other.kind !== "tensor") return chosen;
      }
      return chooseBetween(machine, mask, args.get("a"), args.get("b"), place);
    },
  },
  {
    name: "clamp",
    parameters: ["x", "low", "high"],
    run: (machine, args, place) => {
      const raised = applyFunction(machine, "max", [args.get("x"), args.get("low")], place);
      return applyFunction(machine, "min", [raised, args.get("high")], place);
    },
  },
  {
    name: "float",
    parameters: ["x"],
    run: (machine, args, place) => {
      const x = args.get("x");
      if (x.kind === "float") return x;
      if (x.kind === "int" && !hasIndices(x.value)) return { kind: "float", value: dims.constantOf(x.value) };
      return machine.raise("E0205", place, { name: "x of float", expected: "int or float", got: describe(x) });
    },
  },
  {
    name: "int",
    parameters: ["x"],
    run: (machine, args, place) => {
      const x = args.get("x");
      if (x.kind === "int") return x;
      if (x.kind === "float" && x.value !== undefined && Number.isSafeInteger(Math.trunc(x.value)))
        return { kind: "int", value: dims.constant(Math.trunc(x.value)) };
      if (x.kind === "float" && x.value === undefined) return undecided(machine, place, "int(..)");
      return machine.raise("E0205", place, { name: "x of int", expected: "int or float", got: describe(x) });
    },
  },
];

export const scalarBuiltins: readonly Builtin[] = [
  ...rowFunctions,
  ...extrema,
  ...reductions,
  ...conversions,
  ...choice,
];
