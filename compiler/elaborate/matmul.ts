/** `a @ b`, as the index form says: `sum[k] a[.., i, k] * b[.., k, j]`; leading axes of both agree. */
import { compare, constant } from "../types/dims.ts";
import { bindable } from "./arguments.ts";
import { applyNumeric } from "./arithmetic.ts";
import type { Machine } from "./context.ts";
import { indexElement } from "./element.ts";
import { reduceOver } from "./notation.ts";
import { cameFrom, define, scalarTensor } from "./tensors.ts";
import { describe, type Place, type Value } from "./values.ts";

export function matrixProduct(machine: Machine, left: Value, right: Value, place: Place): Value {
  const a = bindable(machine, left, "left");
  const b = bindable(machine, right, "right");
  const wrong = (): never =>
    machine.raise(
      "E0302",
      place,
      { operation: "@", left: describe(left), right: describe(right) },
      { related: cameFrom([left, right]) },
    );
  if (a.kind !== "tensor" || b.kind !== "tensor" || a.shape.length === 0 || b.shape.length === 0) return wrong();
  const batch = Math.max(a.shape.length, b.shape.length) - 2;
  const rowAxis = a.shape.length - 2;
  const columns = b.shape.length > 1;
  const inner = b.shape[columns ? b.shape.length - 2 : 0] ?? constant(1);
  const same = (axis: number) => {
    const [x, y] = [a.shape[axis], b.shape[axis]];
    return a.shape.length === 2 || b.shape.length <= 2 || (x && y && compare(x, "==", y) !== "no");
  };
  if (compare(a.shape[a.shape.length - 1] ?? constant(1), "==", inner) === "no") return wrong();
  if (batch > 0 && a.shape.length > 2 && b.shape.length > 2 && a.shape.length !== b.shape.length) return wrong();
  const outer = (a.shape.length > b.shape.length ? a : b).shape.slice(0, Math.max(0, batch));
  if (!outer.every((_, axis) => same(axis))) return wrong();
  const leading = outer.map((extent, axis) => machine.index(`n${axis + 1}`, extent));
  const row = rowAxis >= 0 ? [machine.index("i", a.shape[rowAxis] ?? constant(1))] : [];
  const k = machine.index("k", inner);
  const column = columns ? [machine.index("j", b.shape[b.shape.length - 1] ?? constant(1))] : [];
  const at = (rank: number) => (rank > 2 ? leading.map(indexElement) : []);
  const x = scalarTensor(a.at([...at(a.shape.length), ...row.map(indexElement), indexElement(k)]), a.dtype);
  const y = scalarTensor(b.at([...at(b.shape.length), indexElement(k), ...column.map(indexElement)]), b.dtype);
  const product = applyNumeric(machine, "mul", [x, y], place, "@");
  const total = reduceOver(machine, "sum", [k], product, place);
  return define(machine, "product", [...leading, ...row, ...column], total.at([]), { dtype: total.dtype });
}
