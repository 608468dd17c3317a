/** Lists of numbers as tensors: `[0.5, 2]` where an f32[C] is expected. */
import { integerRanges } from "../../runtime/tensor.ts";
import { constant, constantOf } from "../types/dims.ts";
import { type DType, isFloat } from "../types/dtype.ts";
import { hasIndices } from "./arithmetic.ts";
import type { Machine } from "./context.ts";
import { stored } from "./tensors.ts";
import type { ListValue, TensorValue, Value } from "./values.ts";

/** What a list holds, row-major; a number that checking does not know is undefined. */
interface Listed {
  readonly shape: readonly number[];
  readonly values: readonly (number | undefined)[];
}

/** The tensor of a list of numbers, or of lists that have all one shape; undefined of anything else. */
export function listTensor(machine: Machine, list: ListValue, dtype: DType): TensorValue | undefined {
  const listed = listedOf(list, dtype);
  if (!listed) return undefined;
  const shape = listed.shape.map(constant);
  return stored(machine.domain.constant(dtype, shape, listed.values));
}

function listedOf(value: Value, dtype: DType): Listed | undefined {
  if (value.kind !== "list") {
    const one = numberOf(value, dtype);
    return one && { shape: [], values: [one.value] };
  }
  const rows: Listed[] = [];
  for (const element of value.elements) {
    const row = listedOf(element, dtype);
    if (!row || String(row.shape) !== String(rows[0]?.shape ?? row.shape)) return undefined;
    rows.push(row);
  }
  const [first] = rows;
  return first && { shape: [rows.length, ...first.shape], values: rows.flatMap(({ values }) => values) };
}

/** Whole numbers go into every type that holds them, others into floats, truths into bool. */
function numberOf(value: Value, dtype: DType): { readonly value: number | undefined } | undefined {
  switch (value.kind) {
    case "bool":
      return dtype === "bool" ? { value: value.value === undefined ? undefined : Number(value.value) } : undefined;
    case "float":
      return isFloat(dtype) ? value : undefined;
    case "int": {
      if (dtype === "bool" || hasIndices(value.value)) return undefined;
      const known = constantOf(value.value);
      if (known === undefined || dtype === "f32" || dtype === "f16") return { value: known };
      const [least, most] = integerRanges[dtype];
      return known >= least && known <= most ? { value: known } : undefined;
    }
    default:
      return undefined;
  }
}
