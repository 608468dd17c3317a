/** `vmap(f)`: f over the rows of its arguments, each row an index of index notation. */
import * as dims from "../../types/dims.ts";
import type { Machine } from "../context.ts";
import { type Index, indexElement } from "../element.ts";
import { define, force, show } from "../tensors.ts";
import { requireTree, withLeaves } from "../trees.ts";
import type { ArgumentValue, Place, TensorValue, Value } from "../values.ts";

export function mapRows(machine: Machine, f: Value, args: readonly ArgumentValue[], place: Place): Value {
  let extent: dims.Dim | undefined;
  for (const { value, place: at } of args)
    for (const leaf of requireTree(machine, value, "an argument of vmap", at)) {
      const [first] = leaf.shape;
      if (!first)
        machine.raise("E0205", at, {
          name: "an argument of vmap",
          expected: "a tensor with a leading axis",
          got: show(leaf),
        });
      else if (extent && dims.compare(extent, "==", first) === "no")
        machine.raise("E0304", at, {
          name: "the mapped axis",
          first: dims.printDim(extent),
          firstTensor: "the first argument",
          second: dims.printDim(first),
          secondTensor: show(leaf),
        });
      else extent ??= first;
    }
  if (!extent) return machine.raise("E0203", place, { callee: "the function", expected: 1, got: 0 });
  const index = machine.index("b", extent);
  const rows = args.map((arg) => ({
    ...arg,
    value: withLeaves(
      arg.value,
      requireTree(machine, arg.value, "an argument", arg.place).map((leaf) => row(force(leaf, machine, "x"), index)),
    ),
  }));
  const result = machine.within({ open: [...machine.dynamic.open, index] }, () => machine.call(f, rows, place));
  const leaves = requireTree(machine, result, "the result of the mapped function", place);
  return withLeaves(
    result,
    leaves.map((leaf) => {
      const own = leaf.shape.map((size, axis) => machine.index(`i${axis}`, size));
      return define(machine, "mapped", [index, ...own], leaf.at(own.map(indexElement)), { dtype: leaf.dtype });
    }),
  );
}
function row(value: TensorValue, index: Index): TensorValue {
  const at: TensorValue["at"] = (coordinates, otherwise) => value.at([indexElement(index), ...coordinates], otherwise);
  return {
    kind: "tensor",
    dtype: value.dtype,
    shape: value.shape.slice(1),
    at,
    ...((value.handle || value.readable) && { readable: true as const }),
  };
}
