/** A body over another domain: coordinates in the places of its indices. */
import { hasData, normalize, provedInRange, substitute } from "../graph/affine.ts";
import type { Coordinate, DataTerm, Scalar, ScalarRead } from "../graph/graph.ts";
import type { Scalars } from "./scalars.ts";
import { NotInvertible } from "./solution.ts";

export class Substitution {
  readonly #scalars: Scalars;
  readonly #by: (position: number) => Coordinate;
  readonly #value: (position: number) => Scalar;
  readonly #extents: readonly number[];
  readonly #memo = new Map<Scalar, Scalar>();

  /** `value` is the coordinate as a scalar; `extents` are those of the new domain. */
  constructor(
    scalars: Scalars,
    by: (position: number) => Coordinate,
    value: (position: number) => Scalar,
    extents: readonly number[],
  ) {
    this.#scalars = scalars;
    this.#by = by;
    this.#value = value;
    this.#extents = extents;
  }

  scalar(scalar: Scalar): Scalar {
    const known = this.#memo.get(scalar);
    if (known) return known;
    const result = this.#step(scalar);
    this.#memo.set(scalar, result);
    return result;
  }

  #step(scalar: Scalar): Scalar {
    switch (scalar.kind) {
      case "constant":
        return scalar;
      case "index":
        return this.#value(scalar.position);
      case "read":
        return this.read(scalar);
      case "apply":
        return this.#scalars.apply(scalar.name, ...scalar.arguments.map((argument) => this.scalar(argument)));
    }
    return scalar satisfies never;
  }

  /**
   * A read that the new coordinates may take out of range reads 0 there (its value does not matter: the point does not
   * exist); one that is proved in range loses its `else`. Throws where a read would have to clamp on one axis, as data
   * coordinates without an `else` do, and be 0 beyond another.
   */
  read(read: ScalarRead): ScalarRead {
    const { shape } = read.tensor.type;
    const coordinates = read.coordinates.map((coordinate) => this.coordinate(coordinate));
    const open = coordinates.flatMap((coordinate, axis) =>
      provedInRange(coordinate, this.#extents, shape[axis]!) ? [] : [axis],
    );
    const clamps = read.otherwise === undefined ? read.coordinates.map(hasData) : [];
    const leaves = open.some((axis) => !clamps[axis]);
    if (leaves && clamps.includes(true)) throw new NotInvertible();
    return this.#scalars.read({ ...read, coordinates, otherwise: leaves ? (read.otherwise ?? 0) : undefined });
  }

  coordinate(coordinate: Coordinate): Coordinate {
    const data = (term: DataTerm): DataTerm => ({ ...term, read: this.read(term.read) });
    const result = substitute(coordinate, this.#by, this.#extents, data);
    if (!result) throw new NotInvertible();
    return this.#merged(result);
  }

  /** Terms of equal reads become one, or none. */
  #merged(coordinate: Coordinate): Coordinate {
    const reads = new Map<ScalarRead, number>();
    for (const term of coordinate.terms)
      if (term.kind === "data") {
        const unique = this.#scalars.read(term.read);
        reads.set(unique, (reads.get(unique) ?? 0) + term.coefficient);
      }
    if (reads.size === 0) return coordinate;
    const others = coordinate.terms.filter((term) => term.kind !== "data");
    const merged = [...reads].map(([read, coefficient]): DataTerm => ({ kind: "data", coefficient, read }));
    return normalize(coordinate.offset, [...others, ...merged]);
  }
}
