/** `total(x)`: x summed over all batches of an evaluation, for metrics; everywhere else x itself, one batch's part. */
import { scalarType } from "../../types/dtype.ts";
import type { Machine } from "../context.ts";
import { convertElement, partly, scalarTensor, storeValue } from "../tensors.ts";
import { requireTree, withLeaves } from "../trees.ts";
import type { Place, TensorValue, Value } from "../values.ts";
import type { Builtin } from "./define.ts";

export const totalBuiltins: readonly Builtin[] = [
  {
    name: "total",
    parameters: ["x"],
    run: (machine, args, place) => {
      const x = args.get("x");
      const leaves = requireTree(machine, x, "x of total", args.placeOf("x"));
      return withLeaves(
        x,
        leaves.map((leaf) => totalOf(machine, leaf, x, place)),
      );
    },
  },
];

/** Numbers that the compiler knows, as the size of a batch, are counted as floats. */
function totalOf(machine: Machine, leaf: TensorValue, x: Value, place: Place): TensorValue {
  const isNumber = x.kind === "int" || x.kind === "float";
  const value = isNumber ? scalarTensor(convertElement(leaf.at([]), "f32")) : leaf;
  if (scalarType(value.dtype) === "bool")
    machine.raise("E0309", place, { operation: "total", got: "bool", fix: "f32(..) around the bool" });
  if (machine.entry.kind !== "evaluate") return value;
  if (machine.dynamic.sealed) machine.raise("E0228", place, {});
  const { handle, free } = storeValue(machine, value, "part");
  return partly(machine.domain.total(handle), free);
}
