/** Coordinates as values. */
import { at, type GraphBuilder, read } from "../graph/builder.ts";
import type { Coordinate, Scalar } from "../graph/graph.ts";
import type { Scalars } from "./scalars.ts";

/** As i32; a table becomes a constant tensor. */
export function scalarOf(builder: GraphBuilder, scalars: Scalars, coordinate: Coordinate): Scalar {
  const constant = (value: number) => scalars.constant("i32", value);
  let sum = constant(0);
  for (const term of coordinate.terms) {
    switch (term.kind) {
      case "affine":
        sum = scalars.apply("add", sum, scalars.apply("mul", constant(term.coefficient), scalars.index(term.position)));
        break;
      case "table": {
        const table = builder.constant("table", { dtype: "i32", shape: [term.table.length] }, term.table);
        sum = scalars.apply("add", sum, scalars.read(read(table, [at(term.position)])));
        break;
      }
      case "data": {
        const entry = scalars.read(term.read);
        const signed = entry.type === "u32" ? scalars.apply("to_i32", entry) : entry;
        sum = scalars.apply("add", sum, scalars.apply("mul", constant(term.coefficient), signed));
        break;
      }
      default:
        term satisfies never;
    }
  }
  return scalars.apply("add", sum, constant(coordinate.offset));
}

/** To the nearest position of an axis. */
export function clamped(scalars: Scalars, value: Scalar, extent: number): Scalar {
  const low = scalars.apply("max", value, scalars.constant("i32", 0));
  return scalars.apply("min", low, scalars.constant("i32", extent - 1));
}
