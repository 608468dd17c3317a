import { isFloat } from "../../types/dtype.ts";
import { around } from "../around.ts";
import type { Machine } from "../context.ts";
import type { Handle } from "../element.ts";
import { partly, storeValue } from "../tensors.ts";
import { requireTree, withLeaves } from "../trees.ts";
import { type ArgumentValue, describe, type Place, type TensorValue, type Value } from "../values.ts";
import { type Builtin, functionOf } from "./define.ts";
import { mapRows } from "./map-rows.ts";

export const valueBuiltins: readonly Builtin[] = [
  {
    name: "vmap",
    parameters: ["f"],
    makesFunction: true,
    run: (machine, args) => functionOf("vmap(f)", (inputs, at) => mapRows(machine, args.get("f"), inputs, at)),
  },
  {
    name: "stop_gradient",
    parameters: ["x"],
    run: (machine, args) => {
      const x = args.get("x");
      if (x.kind === "int" || x.kind === "float" || x.kind === "bool") return x;
      const leaves = requireTree(machine, x, "x of stop_gradient", args.placeOf("x"));
      return withLeaves(
        x,
        leaves.map((leaf) => {
          if (!isFloat(leaf.dtype)) return leaf;
          const { handle, free } = storeValue(machine, leaf, "stopped");
          return partly(machine.domain.stop(handle), free);
        }),
      );
    },
  },
  {
    name: "trace",
    parameters: ["x", "name"],
    run: (machine, args, place) => {
      const name = args.get("name");
      const x = args.get("x");
      if (name.kind !== "str" || x.kind !== "tensor")
        return machine.raise("E0205", place, {
          name: "trace",
          expected: "a tensor and a name",
          got: `${describe(x)} and ${describe(name)}`,
        });
      const { handle, free } = storeValue(machine, x, name.value);
      return partly(machine.domain.alias(handle, name.value), free);
    },
  },
  {
    name: "custom_grad",
    parameters: ["forward", "backward"],
    makesFunction: true,
    run: (machine, args) =>
      functionOf("custom_grad(forward, backward)", (inputs, at) =>
        customGradient(machine, args.get("forward"), args.get("backward"), inputs, at),
      ),
  },
];

function customGradient(
  machine: Machine,
  forward: Value,
  backward: Value,
  inputs: readonly ArgumentValue[],
  place: Place,
): Value {
  const argument: Value = { kind: "tuple", elements: inputs.map(({ value }) => value) };
  const operands = requireTree(machine, argument, "an argument", place);
  return around(machine, operands, (over) => {
    const leaf = (handle: Handle): TensorValue => over.valueOf(handle);
    let shape: Value | undefined;
    const inside = (run: () => Value): Value => machine.within({ watch: undefined }, run);
    const apart = (handles: readonly Handle[]): readonly Value[] => {
      const tree = withLeaves(argument, handles.slice(0, operands.length).map(leaf));
      return tree.kind === "tuple" ? tree.elements : [tree];
    };
    const results = machine.domain.custom({
      hint: "custom",
      operands: operands.map((one) => over.handleOf(one, "operand", place)),
      forward: (handles) => {
        shape = inside(() => machine.invoke(forward, apart(handles), place));
        return requireTree(machine, shape, "the result", place).map((one) => over.handleOf(one, "result", place));
      },
      backward: (handles) => {
        const rest = handles.slice(operands.length);
        const output = shape ?? argument;
        const half = rest.length / 2;
        const values = [
          ...apart(handles),
          withLeaves(output, rest.slice(0, half).map(leaf)),
          withLeaves(output, rest.slice(half).map(leaf)),
        ];
        const adjoint = inside(() => machine.invoke(backward, values, place));
        const leaves = requireTree(machine, adjoint, "the result of backward", place);
        if (leaves.length !== operands.length)
          machine.raise("E0316", place, {
            operation: "custom_grad",
            first: `${operands.length} arguments`,
            second: `${leaves.length} adjoints`,
          });
        return leaves.map((one) => over.handleOf(one, "adjoint", place));
      },
    });
    return shape ? withLeaves(shape, results.map(leaf)) : argument;
  });
}
