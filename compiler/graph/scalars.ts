/** Constructors of scalar bodies, typed by the scalar table. */
import { invariant } from "../invariant.ts";
import type { ScalarOps } from "../scalar/ops.ts";
import { resultType } from "../scalar/table.ts";
import type { ScalarType } from "../types/dtype.ts";
import type { Coordinate, Scalar, ScalarConstant } from "./graph.ts";

export function constant(type: ScalarType, value: number): ScalarConstant {
  return { kind: "constant", type, value };
}

export function apply(name: string, ...args: readonly Scalar[]): Scalar {
  const types = args.map((argument) => argument.type);
  const type = resultType(name, types);
  invariant(type, `${name} has no overload for (${types.join(", ")})`);
  return { kind: "apply", type, name, arguments: args };
}

export const scalarOps: ScalarOps<Scalar> = { constant, apply };

/** A coordinate's value as an i32 body; undefined where it goes through a table. */
export function coordinateValue(coordinate: Coordinate): Scalar | undefined {
  let value: Scalar | undefined;
  for (const term of coordinate.terms) {
    if (term.kind === "table") return undefined;
    let part: Scalar = term.kind === "data" ? term.read : { kind: "index", type: "i32", position: term.position };
    if (part.type === "u32") part = apply("to_i32", part);
    const size = Math.abs(term.coefficient);
    if (size !== 1) part = apply("mul", constant("i32", size), part);
    if (value) value = apply(term.coefficient < 0 ? "sub" : "add", value, part);
    else value = term.coefficient < 0 ? apply("neg", part) : part;
  }
  const offset = constant("i32", coordinate.offset);
  if (!value) return offset;
  return coordinate.offset === 0 ? value : apply("add", value, offset);
}

/** The coordinate that an i32 body is, if it is affine in indices and integer reads. */
export function valueCoordinate(scalar: Scalar): Coordinate | undefined {
  switch (scalar.kind) {
    case "constant":
      return { offset: scalar.value, terms: [] };
    case "index":
      return { offset: 0, terms: [{ kind: "affine", coefficient: 1, position: scalar.position }] };
    case "read":
      return { offset: 0, terms: [{ kind: "data", coefficient: 1, read: scalar }] };
    case "apply": {
      const parts = scalar.arguments.map(valueCoordinate);
      const [a, b] = parts;
      if (!a) return undefined;
      const scaled = (coordinate: Coordinate, factor: number): Coordinate => ({
        offset: coordinate.offset * factor,
        terms: coordinate.terms.map((term) =>
          term.kind === "table"
            ? { ...term, table: term.table.map((value) => value * factor) }
            : { ...term, coefficient: term.coefficient * factor },
        ),
      });
      const total = (x: Coordinate, y: Coordinate): Coordinate => ({
        offset: x.offset + y.offset,
        terms: [...x.terms, ...y.terms],
      });
      if (scalar.name === "neg") return scaled(a, -1);
      if (!b) return undefined;
      if (scalar.name === "add") return total(a, b);
      if (scalar.name === "sub") return total(a, scaled(b, -1));
      if (scalar.name === "mul" && a.terms.length === 0) return scaled(b, a.offset);
      if (scalar.name === "mul" && b.terms.length === 0) return scaled(a, b.offset);
      return undefined;
    }
  }
  return scalar satisfies never;
}
