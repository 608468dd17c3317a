/** Declared inputs as inputs of a graph, and results as its outputs. */
import type { Parameter } from "../../grammar/ast.ts";
import type { InputSlot, OutputSlot } from "../../runtime/plan.ts";
import * as dims from "../types/dims.ts";
import { concreteShape } from "../types/shape.ts";
import { type Machine, placeOf } from "./context.ts";
import { shapeOfType } from "./convert.ts";
import type { Handle } from "./element.ts";
import type { GraphEntry } from "./entry.ts";
import { asTensor, force, handleOf, stored, uniformValue } from "./tensors.ts";
import { describe, type Place, type Scope, type TensorValue, type Value } from "./values.ts";

/** What an open dimension is: a number when a graph is built, a symbol when shapes are checked. */
export type SizeOf = (name: string, place: Place) => dims.Dim;

export function symbol(name: string): dims.Dim {
  return dims.fromAtom({ kind: "variable", name, key: name, minimum: 1, maximum: Infinity });
}

/** Binds each parameter to an input of the graph. A parameter with a default is a knob. */
export function bindInputs(
  machine: Machine,
  parameters: readonly Parameter[],
  scope: Scope,
  sizeOf: SizeOf,
  input: (parameter: Parameter, dtype: TensorValue["dtype"], shape: readonly dims.Dim[]) => Handle,
): void {
  for (const parameter of parameters) {
    const { type } = parameter;
    const place = placeOf(scope, parameter);
    if (type?.kind !== "tensor-type") {
      if (!parameter.default)
        machine.raise("E0202", place, {
          callee: "an input",
          name: parameter.name.text,
          type: "a tensor type, or a default",
        });
      else {
        const value = machine.evaluate(parameter.default, scope);
        scope.bind(parameter.name.text, type ? machine.convert(value, type, scope, parameter.name.text, place) : value);
      }
      continue;
    }
    const shape = shapeOfType(machine, type, scope, (name) => sizeOf(name, place));
    for (const [axis, extent] of shape.entries())
      if (dims.compare(extent, ">=", dims.constant(1)) === "no")
        machine.raise("E0311", place, {
          name: `axis ${axis + 1} of ${parameter.name.text}`,
          extent: dims.printDim(extent),
        });
    const value = stored(input(parameter, type.dtype, shape));
    scope.bind(parameter.name.text, { ...value, from: { what: `the input ${parameter.name.text}`, place } });
  }
}

/** The dimension that an input's first axis is, where a name alone stands there. */
export function firstDimension({ type }: Parameter): string | undefined {
  const axis = type?.kind === "tensor-type" ? type.axes?.[0] : undefined;
  return axis?.kind === "dimension" && axis.value.kind === "reference" ? axis.value.name : undefined;
}

/** Adds inputs to an entry's graph; a default has to be one number. `batch` names the dimension of rows, if any. */
export function graphInputs(
  machine: Machine,
  entry: GraphEntry,
  parameters: readonly Parameter[],
  scope: Scope,
  sizeOf: SizeOf,
  batch: string | undefined,
): InputSlot[] {
  const slots: InputSlot[] = [];
  bindInputs(machine, parameters, scope, sizeOf, (parameter, dtype, shape) => {
    const name = parameter.name.text;
    const knob = parameter.default && machine.evaluate(parameter.default, scope);
    const number = knob && constantOf(machine, knob, scope, parameter);
    const handle = entry.domain.input(name, dtype, shape, number === undefined ? "argument" : "knob", name);
    slots.push({
      name,
      dtype,
      shape: concreteShape(shape) ?? [],
      ...(number !== undefined && { default: number }),
      ...(batch !== undefined && { batched: firstDimension(parameter) === batch }),
    });
    return handle;
  });
  return slots;
}
function constantOf(machine: Machine, value: Value, scope: Scope, parameter: Parameter): number {
  const tensor = asTensor(value);
  const number = tensor?.shape.length === 0 ? uniformValue(tensor) : undefined;
  return (
    number ??
    machine.raise("E0205", placeOf(scope, parameter), {
      name: `the default of ${parameter.name.text}`,
      expected: "a number",
      got: describe(value),
    })
  );
}

/** The result's tensors by name: `output`, a record's fields, `output_1` .. for a tuple, paths for a tree. */
export function resultOutputs(machine: Machine, result: Value, place: Place): { name: string; value: TensorValue }[] {
  const named: { name: string; value: TensorValue }[] = [];
  const visit = (value: Value, name: string): void => {
    switch (value.kind) {
      case "record":
        for (const [field, one] of value.fields) visit(one, name === "" ? field : `${name}.${field}`);
        return;
      case "tuple":
      case "list":
        for (const [k, one] of value.elements.entries()) visit(one, `${name === "" ? "output" : name}_${k + 1}`);
        return;
      case "tree":
        for (const { path, value: one } of value.entries) visit(one, name === "" ? path : `${name}.${path}`);
        return;
      default: {
        const tensor = asTensor(value);
        if (!tensor) machine.raise("E0205", place, { name: "the result", expected: "tensors", got: describe(value) });
        named.push({ name: name === "" ? "output" : name, value: tensor });
      }
    }
  };
  visit(result, "");
  return named;
}

/** Stores a value and adds it to an entry's outputs. */
export function addOutput(
  machine: Machine,
  entry: GraphEntry,
  role: OutputSlot["role"],
  name: string,
  value: TensorValue,
  place: Place,
): void {
  entry.output(handleOf(force(value, machine, name), machine, name, place), role, name);
}
