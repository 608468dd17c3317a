/** `select(mask, a, b)`: a compile-time mask chooses now, a run-time one element by element. */
import { scalarType } from "../types/dtype.ts";
import { need } from "./arithmetic.ts";
import type { Machine } from "./context.ts";
import { applyElement } from "./element.ts";
import { asTensor, commonType, convertElement, elementwise } from "./tensors.ts";
import { describe, type Place, type Value } from "./values.ts";

export function chooseBetween(machine: Machine, mask: Value, a: Value, b: Value, place: Place): Value {
  const test = asTensor(mask);
  const [yes, no] = [asTensor(a), asTensor(b)];
  const dtype = commonType([a, b]);
  if (test?.dtype !== "bool" || !yes || !no || dtype === undefined)
    return machine.raise("E0309", place, {
      operation: "select",
      got: [mask, a, b].map(describe).join(" and "),
    });
  const type = scalarType(dtype);
  const isWeak = (value: Value) => value.kind === "int" || (value.kind === "tensor" && value.weak === true);
  const chosen = elementwise(
    machine,
    [test, yes, no],
    dtype,
    ([m, x, y]) => applyElement("select", [need(m), convertElement(need(x), type), convertElement(need(y), type)]),
    "select",
    place,
  );
  return isWeak(a) && isWeak(b) ? { ...chosen, weak: true } : chosen;
}
