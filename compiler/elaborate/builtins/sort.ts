/** `argsort(x, axis: k)`, the positions of the elements in sorted order, and `sort(x, axis: k)`, the elements there. */
import type { Machine } from "../context.ts";
import { constantInt } from "../indexing.ts";
import { force, partly, show, storeValue } from "../tensors.ts";
import type { Place, TensorValue } from "../values.ts";
import type { Arguments, Builtin } from "./define.ts";
import { tensorArgument } from "./shapes.ts";

export const sortBuiltins: readonly Builtin[] = [
  {
    name: "argsort",
    parameters: ["x", "axis?"],
    run: (machine, args, place) => {
      const x = tensorArgument(machine, args, "x", "argsort");
      return positionsOf(machine, x, axisOf(machine, args, x, "argsort", place));
    },
  },
  {
    name: "sort",
    parameters: ["x", "axis?"],
    run: (machine, args, place) => {
      const x = force(tensorArgument(machine, args, "x", "sort"), machine, "unsorted");
      const axis = axisOf(machine, args, x, "sort", place);
      const positions = positionsOf(machine, x, axis);
      return {
        kind: "tensor",
        dtype: x.dtype,
        shape: x.shape,
        at: (coordinates) => x.at(coordinates.with(axis, positions.at(coordinates))),
      };
    },
  },
];

/** The last axis, unless another is given. */
function axisOf(machine: Machine, args: Arguments, x: TensorValue, callee: string, place: Place): number {
  const last = x.shape.length - 1;
  const axis = args.optional("axis") ? constantInt(machine, args.get("axis"), args.placeOf("axis")) : last;
  if (axis < 0 || axis > last)
    machine.raise("E0305", args.optional("axis") ? args.placeOf("axis") : place, {
      low: axis,
      high: axis,
      extent: x.shape.length,
      axis: 1,
      what: `the axes of ${show(x)}, the argument of ${callee}`,
    });
  return axis;
}

/** Inside index notation the indices around are leading axes. */
function positionsOf(machine: Machine, x: TensorValue, axis: number): TensorValue {
  const { handle, free } = storeValue(machine, x, "unsorted");
  return partly(machine.domain.sort(handle, free.length + axis), free);
}
