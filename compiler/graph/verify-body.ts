/** What must hold of scalar bodies and coordinates: types, ranks, ranges, forms of coordinates. */
import { resultType } from "../scalar/table.ts";
import { scalarType } from "../types/dtype.ts";
import { hasData, provedInRange, rangeOf } from "./affine.ts";
import type { Coordinate, Scalar, ScalarConstant, ScalarRead, Tensor, TensorType } from "./graph.ts";

/** Reports a broken rule; `rule` names it. */
export type Report = (condition: boolean, rule: string, detail: () => string) => void;

export class BodyVerifier {
  readonly #extents: readonly number[];
  readonly #isDefined: (tensor: Tensor) => boolean;
  readonly #report: Report;
  readonly #seen = new Set<Scalar>();

  constructor(extents: readonly number[], isDefined: (tensor: Tensor) => boolean, report: Report) {
    this.#extents = extents;
    this.#isDefined = isDefined;
    this.#report = report;
  }

  scalar(scalar: Scalar): void {
    if (this.#seen.has(scalar)) return;
    this.#seen.add(scalar);
    switch (scalar.kind) {
      case "constant":
        this.#constant(scalar);
        return;
      case "index":
        this.#position(scalar.position);
        return;
      case "read":
        this.#read(scalar);
        return;
      case "apply": {
        for (const argument of scalar.arguments) this.scalar(argument);
        const types = scalar.arguments.map((argument) => argument.type);
        const expected = resultType(scalar.name, types);
        this.#report(
          expected === scalar.type,
          "types",
          () => `${scalar.name}(${types.join(", ")}) is ${expected ?? "no overload"}, not ${scalar.type}`,
        );
        return;
      }
    }
    scalar satisfies never;
  }

  /** One coordinate an axis of `type`; `needsProof`: out of range has no meaning here. */
  coordinates(coordinates: readonly Coordinate[], { shape }: TensorType, needsProof: boolean, what: string): void {
    this.#report(
      coordinates.length === shape.length,
      "ranks",
      () => `${what} has ${coordinates.length} coordinates for ${shape.length} axes`,
    );
    for (const [axis, coordinate] of coordinates.entries()) {
      this.#terms(coordinate, what);
      if (!needsProof || hasData(coordinate)) continue;
      const extent = shape[axis] ?? 0;
      this.#report(provedInRange(coordinate, this.#extents, extent), "reads in range", () => {
        const range = rangeOf(coordinate, this.#extents);
        return `${what}: coordinate ${axis} lies in ${range?.min}..${range?.max}, the axis has extent ${extent}`;
      });
    }
  }

  #constant({ type, value }: ScalarConstant): void {
    const valid =
      type === "f32" ||
      (type === "bool" && (value === 0 || value === 1)) ||
      (type === "i32" && value === (value | 0)) ||
      (type === "u32" && value === value >>> 0);
    this.#report(valid, "types", () => `${value} is no ${type}`);
  }

  #position(position: number): void {
    this.#report(position in this.#extents, "indices", () => `there is no index ${position}`);
  }

  #read(read: ScalarRead): void {
    const { tensor } = read;
    const what = `the read of %${tensor.name}`;
    this.#report(this.#isDefined(tensor), "dependency order", () => `%${tensor.name} is not defined before`);
    this.#report(
      read.type === scalarType(tensor.type.dtype),
      "types",
      () => `${what} is ${read.type}, the tensor ${tensor.type.dtype}`,
    );
    if (read.otherwise !== undefined) this.#constant({ kind: "constant", type: read.type, value: read.otherwise });
    this.coordinates(read.coordinates, tensor.type, read.otherwise === undefined, what);
  }

  #terms({ offset, terms }: Coordinate, what: string): void {
    const whole = (value: number): boolean => Number.isSafeInteger(value);
    this.#report(whole(offset), "coordinates", () => `${what}: offset ${offset}`);
    const affine = new Set<number>();
    for (const term of terms) {
      switch (term.kind) {
        case "affine":
          this.#position(term.position);
          this.#report(
            whole(term.coefficient) && term.coefficient !== 0,
            "coordinates",
            () => `${what}: coefficient ${term.coefficient}`,
          );
          this.#report(!affine.has(term.position), "coordinates", () => `${what}: two terms of index ${term.position}`);
          affine.add(term.position);
          break;
        case "table":
          this.#position(term.position);
          this.#report(
            term.table.length === this.#extents[term.position] && term.table.every(whole),
            "coordinates",
            () => `${what}: a table of ${term.table.length} for index ${term.position}`,
          );
          break;
        case "data":
          this.#report(
            whole(term.coefficient) && term.coefficient !== 0,
            "coordinates",
            () => `${what}: coefficient ${term.coefficient}`,
          );
          this.#report(
            term.read.type === "i32" || term.read.type === "u32",
            "coordinates",
            () => `${what}: a coordinate read from ${term.read.tensor.type.dtype}`,
          );
          this.scalar(term.read);
          break;
        default:
          term satisfies never;
      }
    }
  }
}
