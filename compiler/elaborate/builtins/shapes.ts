/** Functions of shapes and lists: `shape`, `length`, `product`, `reshape`, `fill`, `arange`, `range`, `concat`, `random_bits`. */
import * as dims from "../../types/dims.ts";
import { scalarType } from "../../types/dtype.ts";
import { printShape, productOf, type Shape, sumOf } from "../../types/shape.ts";
import { hasIndices, need } from "../arithmetic.ts";
import { around } from "../around.ts";
import { type Machine, undecided } from "../context.ts";
import { dimsOf, runValue } from "../convert.ts";
import { applyElement, constantElement, type Element, integerElement } from "../element.ts";
import { constantInt } from "../indexing.ts";
import { drawBits } from "../randomness.ts";
import { asTensor, commonType, convertElement, force, show, stored } from "../tensors.ts";
import { describe, type Place, type TensorValue, type Value } from "../values.ts";
import type { Arguments, Builtin } from "./define.ts";

export function tensorArgument(machine: Machine, args: Arguments, name: string, callee: string): TensorValue {
  const value = args.get(name);
  return (
    asTensor(value) ??
    machine.raise("E0205", args.placeOf(name), {
      name: `${name} of ${callee}`,
      expected: "a tensor",
      got: describe(value),
    })
  );
}
export function shapeArgument(machine: Machine, args: Arguments, name: string, callee: string): Shape {
  const value = args.get(name);
  const elements = value.kind === "list" || value.kind === "tuple" ? value.elements : undefined;
  if (!elements?.every((one) => one.kind === "int"))
    return machine.raise("E0205", args.placeOf(name), {
      name: `${name} of ${callee}`,
      expected: "list[int]",
      got: describe(value),
    });
  const shape = dimsOf(elements);
  for (const extent of shape)
    if (hasIndices(extent)) undecided(machine, args.placeOf(name), dims.printDim(extent), extent);
  for (const [axis, extent] of shape.entries())
    if (dims.compare(extent, ">=", dims.constant(1)) === "no")
      machine.raise("E0311", args.placeOf(name), { name: `axis ${axis + 1}`, extent: dims.printDim(extent) });
  return shape;
}

/** The same elements, row-major, in another shape. */
export function reshapeTo(machine: Machine, value: TensorValue, shape: Shape, place: Place): TensorValue {
  if (dims.compare(productOf(value.shape), "==", productOf(shape)) === "no")
    machine.raise("E0317", place, {
      got: show(value),
      count: dims.printDim(productOf(value.shape)),
      shape: printShape(shape),
      wanted: dims.printDim(productOf(shape)),
    });
  const ready = force(value, machine, "value");
  if (ready.handle)
    return { ...stored(machine.domain.reshape(ready.handle, shape)), ...(value.from && { from: value.from }) };
  // Inside index notation: the position in row-major order, taken apart by the source's extents.
  const at = (coordinates: readonly Element[]): Element => {
    let position: Element = constantElement("i32", 0);
    shape.forEach((extent, axis) => {
      const scaled = applyElement("mul", [position, integerElement(extent)]);
      position = applyElement("add", [scaled, need(coordinates[axis])]);
    });
    const source: Element[] = [];
    for (let axis = ready.shape.length - 1; axis >= 0; axis--) {
      const extent = integerElement(need(ready.shape[axis]));
      source.unshift(axis === 0 ? position : applyElement("rem", [position, extent]));
      position = applyElement("div", [position, extent]);
    }
    return ready.at(source);
  };
  return { kind: "tensor", dtype: ready.dtype, shape, at };
}

function concat(machine: Machine, args: Arguments, place: Place): Value {
  const list = args.get("tensors");
  const elements = list.kind === "list" || list.kind === "tuple" ? list.elements : [];
  const axis = args.optional("axis") ? constantInt(machine, args.get("axis"), args.placeOf("axis")) : 0;
  const dtype = commonType(elements);
  const tensors = elements.map((one) => asTensor(one)).flatMap((one) => (one ? [force(one, machine, "piece")] : []));
  const [first] = tensors;
  if (!first || tensors.length !== elements.length || dtype === undefined)
    return machine.raise("E0205", args.placeOf("tensors"), {
      name: "tensors of concat",
      expected: "a list of tensors of one dtype",
      got: describe(list),
    });
  for (const one of tensors) {
    const same =
      one.shape.length === first.shape.length &&
      one.shape.every((extent, k) => k === axis || dims.compare(extent, "==", need(first.shape[k])) !== "no");
    if (!same || axis < 0 || axis >= first.shape.length)
      machine.raise("E0302", place, { operation: "concat", left: show(first), right: show(one) });
  }
  const starts: dims.Dim[] = [];
  const total = sumOf(
    tensors.map((one, k) => {
      const extent = need(one.shape[axis]);
      starts.push(k === 0 ? dims.constant(0) : dims.add(need(starts[k - 1]), need(tensors[k - 1]?.shape[axis])));
      return extent;
    }),
  );
  const type = scalarType(dtype);
  const shape = first.shape.map((extent, k) => (k === axis ? total : extent));
  return around(machine, tensors, (over) => {
    const pieces = tensors.map((one) => over.handleOf(convertDtype(one, type, dtype), "piece", place));
    const whole = pieces[0]?.shape.slice(0, over.axes) ?? [];
    return over.valueOf(machine.domain.concat(pieces, over.axes + axis, starts, [...whole, ...shape]));
  });
}
function convertDtype(value: TensorValue, type: Element["type"], dtype: TensorValue["dtype"]): TensorValue {
  if (value.dtype === dtype) return value;
  return {
    kind: "tensor",
    dtype,
    shape: value.shape,
    at: (coordinates) => convertElement(value.at(coordinates), type),
  };
}

export const shapeBuiltins: readonly Builtin[] = [
  {
    name: "shape",
    parameters: ["x"],
    run: (machine, args) => runValue(tensorArgument(machine, args, "x", "shape").shape),
  },
  {
    name: "length",
    parameters: ["x"],
    run: (machine, args) => {
      const x = args.get("x");
      if (x.kind === "list" || x.kind === "tuple") return { kind: "int", value: dims.constant(x.elements.length) };
      if (x.kind === "tensor" && x.shape[0]) return { kind: "int", value: x.shape[0] };
      return machine.raise("E0205", args.placeOf("x"), {
        name: "x of length",
        expected: "a list or a tensor with axes",
        got: describe(x),
      });
    },
  },
  {
    name: "product",
    parameters: ["list"],
    run: (machine, args) => {
      const list = args.get("list");
      if (list.kind === "list" && list.elements.every((one) => one.kind === "int"))
        return { kind: "int", value: productOf(dimsOf(list.elements)) };
      return machine.raise("E0205", args.placeOf("list"), {
        name: "list of product",
        expected: "list[int]",
        got: describe(list),
      });
    },
  },
  {
    name: "range",
    parameters: ["count"],
    run: (machine, args) => {
      const count = constantInt(machine, args.get("count"), args.placeOf("count"));
      if (count > 65536) machine.raise("E0515", args.placeOf("count"), { what: `a list of ${count}` });
      return {
        kind: "list",
        elements: Array.from(
          { length: Math.max(0, count) },
          (_, k): Value => ({ kind: "int", value: dims.constant(k) }),
        ),
      };
    },
  },
  {
    name: "reshape",
    parameters: ["x", "shape"],
    run: (machine, args, place) =>
      reshapeTo(
        machine,
        tensorArgument(machine, args, "x", "reshape"),
        shapeArgument(machine, args, "shape", "reshape"),
        place,
      ),
  },
  {
    name: "fill",
    parameters: ["shape", "value"],
    run: (machine, args) => {
      const shape = shapeArgument(machine, args, "shape", "fill");
      const value = tensorArgument(machine, args, "value", "fill");
      if (value.shape.length > 0)
        machine.raise("E0205", args.placeOf("value"), {
          name: "value of fill",
          expected: "one number",
          got: describe(value),
        });
      const element = value.at([]);
      return { kind: "tensor", dtype: value.dtype, shape, at: () => element };
    },
  },
  {
    name: "arange",
    parameters: ["count"],
    run: (machine, args) => {
      const count = args.get("count");
      if (count.kind !== "int")
        return machine.raise("E0205", args.placeOf("count"), {
          name: "count of arange",
          expected: "int",
          got: describe(count),
        });
      return { kind: "tensor", dtype: "i32", shape: [count.value], at: ([position]) => need(position) };
    },
  },
  { name: "concat", parameters: ["tensors", "axis?"], run: concat },
  {
    name: "random_bits",
    parameters: ["shape"],
    run: (machine, args, place) => drawBits(machine, shapeArgument(machine, args, "shape", "random_bits"), place),
  },
];
