/** Differentiation: `grad value_and_grad vjp jvp hvp hessian`. */

import * as dims from "../../types/dims.ts";
import { isFloat } from "../../types/dtype.ts";
import type { Machine } from "../context.ts";
import { applyElement, constantElement, type Handle, type Index, indexElement } from "../element.ts";
import { constantInt } from "../indexing.ts";
import { define, filled, force, handleOf, partly, show, storeOver } from "../tensors.ts";
import { requireTree, withLeaves } from "../trees.ts";
import { type ArgumentValue, describe, type Place, type TensorValue, type Value } from "../values.ts";
import { type Builtin, functionOf } from "./define.ts";

/** A use of a value that gradients are taken with respect to. */
interface Alias {
  readonly handle: Handle;
  readonly value: TensorValue;
  /** The indices around where it was made. */
  readonly open: readonly Index[];
}

/** Inside index notation a use is the tensor at every point of the indices around: each point differentiates alone. */
function aliasOf(machine: Machine, tensor: TensorValue, what: string, place: Place): Alias {
  if (!isFloat(tensor.dtype)) machine.raise("E0401", place, { what, got: show(tensor) });
  const { open } = machine.dynamic;
  const own = tensor.shape.map((extent, axis) => machine.index(`i${axis}`, extent));
  const whole =
    open.length === 0
      ? handleOf(tensor, machine, "x", place)
      : storeOver(machine, "x", [...open, ...own], tensor.at(own.map(indexElement)), tensor.dtype).handle;
  const handle = machine.domain.alias(whole);
  return { handle, value: partly(handle, open), open };
}

/** A tensor over every index around, as a handle: what stands for results and adjoints. */
function overOpen(machine: Machine, tensor: TensorValue, place: Place): Handle {
  const { open } = machine.dynamic;
  if (open.length === 0) return handleOf(tensor, machine, "y", place);
  const own = tensor.shape.map((extent, axis) => machine.index(`i${axis}`, extent));
  return storeOver(machine, "y", [...open, ...own], tensor.at(own.map(indexElement)), tensor.dtype).handle;
}

function zerosLike(alias: Alias): TensorValue {
  return filled(alias.value.dtype, alias.value.shape, 0);
}

function adjoints(
  machine: Machine,
  results: readonly { readonly result: Handle; readonly adjoint: Handle | undefined }[],
  aliases: readonly Alias[],
  place: Place,
): TensorValue[] {
  const { open } = machine.dynamic;
  if (aliases.some((alias) => alias.open.length !== open.length || alias.open.some((index, k) => index !== open[k])))
    machine.raise("E0514", place, { what: "a derivative that was taken outside" });
  const found = machine.domain.differentiate(
    results,
    aliases.map(({ handle }) => handle),
  );
  return aliases.map((alias, k) => {
    const handle = found[k];
    if (handle) return partly(handle, alias.open);
    for (const { result } of results) {
      const why = machine.domain.whyNoGradient(result, alias.handle);
      if (why) machine.raise("E0405", place, { what: "this argument", ...why });
    }
    return zerosLike(alias);
  });
}

/** Value and gradient of a function with one number as its result. */
function gradientOf(
  machine: Machine,
  f: Value,
  args: readonly ArgumentValue[],
  argument: number,
  place: Place,
): { value: TensorValue; gradient: Value; aliases: Alias[] } {
  const chosen = args[argument];
  if (!chosen)
    return machine.raise("E0203", place, { callee: "the function", expected: argument + 1, got: args.length });
  const leaves = requireTree(machine, chosen.value, "what is differentiated", chosen.place);
  const aliases = leaves.map((leaf) => aliasOf(machine, leaf, "this argument", chosen.place));
  const tree = withLeaves(
    chosen.value,
    aliases.map(({ value }) => value),
  );
  const result = machine.call(
    f,
    args.map((one, k) => (k === argument ? { ...one, value: tree } : one)),
    place,
  );
  const value = oneNumber(machine, result, place);
  const gradients = adjoints(
    machine,
    [{ result: overOpen(machine, value, place), adjoint: undefined }],
    aliases,
    place,
  );
  return { value, gradient: withLeaves(chosen.value, gradients), aliases };
}
function oneNumber(machine: Machine, result: Value, place: Place): TensorValue {
  if (result.kind === "tensor" && result.shape.length === 0 && isFloat(result.dtype))
    return force(result, machine, "value");
  if (result.kind === "float" || result.kind === "int")
    return filled("f32", [], result.kind === "float" ? (result.value ?? 0) : 0);
  return machine.raise("E0402", place, { got: describe(result) });
}

function leavesOfResult(machine: Machine, value: Value, place: Place): TensorValue[] {
  return requireTree(machine, value, "the result", place);
}
function pairUp(machine: Machine, results: readonly TensorValue[], given: Value, place: Place) {
  const adjointLeaves = requireTree(machine, given, "the adjoint", place);
  return results.map((result, k) => {
    const adjoint = adjointLeaves[k];
    const same =
      adjoint &&
      adjoint.shape.length === result.shape.length &&
      adjoint.shape.every(
        (extent, axis) => dims.compare(extent, "==", result.shape[axis] ?? dims.constant(-1)) !== "no",
      );
    if (!adjoint || !same || adjointLeaves.length !== results.length)
      return machine.raise("E0302", place, {
        operation: "vjp",
        left: show(result),
        right: adjoint ? show(adjoint) : describe(given),
      });
    return { result: overOpen(machine, result, place), adjoint: overOpen(machine, adjoint, place) };
  });
}

const gradients: readonly Builtin[] = [
  {
    name: "grad",
    parameters: ["f", "argument?"],
    makesFunction: true,
    run: (machine, args) => {
      const argument = args.optional("argument")
        ? constantInt(machine, args.get("argument"), args.placeOf("argument"))
        : 0;
      return functionOf("grad(f)", (inputs, at) => gradientOf(machine, args.get("f"), inputs, argument, at).gradient);
    },
  },
  {
    name: "value_and_grad",
    parameters: ["f", "argument?"],
    makesFunction: true,
    run: (machine, args) => {
      const argument = args.optional("argument")
        ? constantInt(machine, args.get("argument"), args.placeOf("argument"))
        : 0;
      return functionOf("value_and_grad(f)", (inputs, at) => {
        const { value, gradient } = gradientOf(machine, args.get("f"), inputs, argument, at);
        return { kind: "tuple", elements: [value, gradient] };
      });
    },
  },
  {
    name: "vjp",
    parameters: ["f", "x"],
    makesFunction: true,
    run: (machine, args, place) => {
      const x = args.get("x");
      const aliases = requireTree(machine, x, "x of vjp", place).map((leaf) =>
        aliasOf(machine, leaf, "x of vjp", place),
      );
      const input = withLeaves(
        x,
        aliases.map(({ value }) => value),
      );
      const results = leavesOfResult(machine, machine.invoke(args.get("f"), [input], place), place);
      return functionOf("vjp(f, x)", ([adjoint], at) =>
        withLeaves(x, adjoints(machine, pairUp(machine, results, required(machine, adjoint, at), at), aliases, at)),
      );
    },
  },
  {
    name: "jvp",
    parameters: ["f", "x"],
    makesFunction: true,
    run: (machine, args, place) => {
      const x = args.get("x");
      const aliases = requireTree(machine, x, "x of jvp", place).map((leaf) =>
        aliasOf(machine, leaf, "x of jvp", place),
      );
      const input = withLeaves(
        x,
        aliases.map(({ value }) => value),
      );
      const output = machine.invoke(args.get("f"), [input], place);
      const results = leavesOfResult(machine, output, place);
      // The adjoint map u -> J^T u is linear in u; its own adjoint at t is J t.
      const directions = results.map((result) => aliasOf(machine, filled("f32", result.shape, 0), "y", place));
      const transposed = adjoints(
        machine,
        results.map((result, k) => ({ result: overOpen(machine, result, place), adjoint: directions[k]?.handle })),
        aliases,
        place,
      );
      return functionOf("jvp(f, x)", ([tangent], at) =>
        withLeaves(
          output,
          adjoints(machine, pairUp(machine, transposed, required(machine, tangent, at), at), directions, at),
        ),
      );
    },
  },
  {
    name: "hvp",
    parameters: ["f", "x"],
    makesFunction: true,
    run: (machine, args, place) => {
      const x = args.get("x");
      return functionOf("hvp(f, x)", ([direction], at) =>
        hessianVector(machine, args.get("f"), x, required(machine, direction, at), at, place),
      );
    },
  },
  {
    name: "hessian",
    parameters: ["f"],
    makesFunction: true,
    run: (machine, args) =>
      functionOf("hessian(f)", ([x], at) => hessian(machine, args.get("f"), required(machine, x, at), at)),
  },
];
function required(machine: Machine, arg: ArgumentValue | undefined, place: Place): Value {
  return arg?.value ?? machine.raise("E0203", place, { callee: "the function", expected: 1, got: 0 });
}

function hessianVector(machine: Machine, f: Value, x: Value, direction: Value, at: Place, place: Place): Value {
  const first = gradientOf(machine, f, [{ name: undefined, value: x, place }], 0, at);
  const slopes = requireTree(machine, first.gradient, "the gradient", at);
  return withLeaves(x, adjoints(machine, pairUp(machine, slopes, direction, at), first.aliases, at));
}
/** Row i of the Hessian is its product with the i-th unit vector: every row at once, as index notation. */
function hessian(machine: Machine, f: Value, x: Value, place: Place): Value {
  if (x.kind !== "tensor")
    return machine.raise("E0205", place, { name: "x of hessian", expected: "a tensor", got: describe(x) });
  const point = force(x, machine, "x");
  const rows = point.shape.map((extent, axis) => machine.index(`r${axis}`, extent));
  const unit: TensorValue = {
    kind: "tensor",
    dtype: point.dtype,
    shape: point.shape,
    at: (coordinates) => {
      const here = coordinates.map((one, axis) => {
        const row = rows[axis];
        return applyElement("eq", [one, row ? indexElement(row) : one]);
      });
      const all = here.reduce((a, b) => applyElement("and", [a, b]), constantElement("bool", 1));
      return applyElement("select", [all, constantElement("f32", 1), constantElement("f32", 0)]);
    },
  };
  const product = machine.within({ open: [...machine.dynamic.open, ...rows] }, () =>
    hessianVector(machine, f, point, unit, place, place),
  );
  if (product.kind !== "tensor") throw new Error("the Hessian of a tensor is a tensor");
  const columns = product.shape.map((extent, axis) => machine.index(`c${axis}`, extent));
  return define(machine, "hessian", [...rows, ...columns], product.at(columns.map(indexElement)), {
    dtype: product.dtype,
  });
}

export const differentiationBuiltins: readonly Builtin[] = gradients;
