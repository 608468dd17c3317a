/** `scan(initial, xs, (carry, x) => (next, out), axis: 0)`: a loop of fixed length along an axis of tensors. */
import * as dims from "../../types/dims.ts";
import { sameShape } from "../../types/shape.ts";
import { around } from "../around.ts";
import type { Machine } from "../context.ts";
import type { Handle } from "../element.ts";
import { constantInt } from "../indexing.ts";
import { show, stored } from "../tensors.ts";
import { requireTree, withLeaves } from "../trees.ts";
import { describe, type Place, type TensorValue, type Value } from "../values.ts";
import type { Arguments, Builtin } from "./define.ts";

export const scanBuiltins: readonly Builtin[] = [
  { name: "scan", parameters: ["initial", "xs", "f", "axis?"], run: scan },
];

function scan(machine: Machine, args: Arguments, place: Place): Value {
  const initial = args.get("initial");
  const xs = args.get("xs");
  const axis = args.optional("axis") ? constantInt(machine, args.get("axis"), args.placeOf("axis")) : 0;
  const carries = requireTree(machine, initial, "the first argument of scan", args.placeOf("initial"));
  // A count in place of tensors: the body gets the iteration number.
  const counted = xs.kind === "int" ? xs.value : undefined;
  const sources = counted ? [] : requireTree(machine, xs, "the second argument of scan", args.placeOf("xs"));
  const length = counted ?? lengthOf(machine, sources, axis, args.placeOf("xs"));
  // Inside index notation the indices around are axes of every carry and slice: one loop runs for all their points.
  return around(machine, [...carries, ...sources], (over) => {
    let stackedShape: Value | undefined;
    const leaf = (handle: Handle): TensorValue => over.valueOf(handle);
    const body = (inputs: readonly Handle[]): readonly Handle[] => {
      const carry = withLeaves(initial, inputs.slice(0, carries.length).map(leaf));
      const slices = inputs.slice(carries.length, carries.length + sources.length).map(leaf);
      const iteration = inputs.at(-1);
      const slice = counted && iteration ? stored(iteration) : withLeaves(xs, slices);
      const result = machine.within({ sealed: "scan", mask: undefined, watch: undefined }, () =>
        machine.invoke(args.get("f"), [carry, slice], place),
      );
      const [next, out] = result.kind === "tuple" && result.elements.length === 2 ? result.elements : [];
      if (!next || !out)
        return machine.raise("E0217", place, { expected: "a pair (next carry, output)", got: describe(result) });
      const nexts = requireTree(machine, next, "the next carry", place);
      for (const [k, before] of carries.entries())
        checkCarry(machine, before, nexts[k], nexts.length === carries.length, place);
      stackedShape = out;
      const outs =
        out.kind === "tuple" && out.elements.length === 0 ? [] : requireTree(machine, out, "the output", place);
      return [...nexts, ...outs].map((one) => over.handleOf(one, "value", place));
    };
    const handles = machine.domain.scan({
      hint: "scan",
      length,
      carries: carries.map((one) => over.handleOf(one, "carry", args.placeOf("initial"))),
      slices: sources.map((one) => over.handleOf(moved(one, axis, 0), "slices", args.placeOf("xs"), true)),
      body,
    });
    const last = withLeaves(initial, handles.slice(0, carries.length).map(leaf));
    const stacked = handles.slice(carries.length).map((handle) => moved(over.valueOf(handle, true), 0, axis));
    const empty: Value = { kind: "tuple", elements: [] };
    return {
      kind: "tuple",
      elements: [last, stackedShape && stacked.length > 0 ? withLeaves(stackedShape, stacked) : empty],
    };
  });
}

function lengthOf(machine: Machine, sources: readonly TensorValue[], axis: number, place: Place): dims.Dim {
  let length: dims.Dim | undefined;
  for (const source of sources) {
    const extent = source.shape[axis];
    if (axis < 0 || !extent)
      return machine.raise("E0305", place, {
        low: axis,
        high: axis,
        extent: source.shape.length,
        axis: 1,
        what: `the axes of ${show(source)}`,
      });
    if (length && dims.compare(length, "==", extent) === "no")
      return machine.raise("E0304", place, {
        name: "the scanned axis",
        first: dims.printDim(length),
        firstTensor: "the first",
        second: dims.printDim(extent),
        secondTensor: show(source),
      });
    length ??= extent;
  }
  return (
    length ??
    machine.raise("E0205", place, {
      name: "the second argument of scan",
      expected: "a tensor or a count",
      got: "nothing",
    })
  );
}

/** The tensor with one axis moved to another place. */
function moved(value: TensorValue, from: number, to: number): TensorValue {
  if (from === to || value.shape.length <= Math.max(from, to)) return value;
  const order = value.shape.map((_, axis) => axis);
  order.splice(to, 0, ...order.splice(from, 1));
  const shape = order.map((axis) => value.shape[axis] ?? dims.constant(1));
  return {
    kind: "tensor",
    dtype: value.dtype,
    shape,
    at: (coordinates) => {
      const source = value.shape.map((_, axis) => coordinates[order.indexOf(axis)]);
      return value.at(source.flatMap((one) => (one ? [one] : [])));
    },
  };
}

function checkCarry(
  machine: Machine,
  before: TensorValue,
  next: TensorValue | undefined,
  counts: boolean,
  place: Place,
): void {
  const same = next && counts && next.dtype === before.dtype && sameShape(next.shape, before.shape) !== "no";
  if (!same)
    machine.raise("E0316", place, {
      operation: "scan",
      first: `a carry ${show(before)}`,
      second: next ? `a next carry ${show(next)}` : "fewer carries",
    });
}
