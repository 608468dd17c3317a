/**
 * When two index spaces are one: a read covers a tensor as its producer writes it, perhaps through a view. Both sides'
 * indices, sorted by their stride in memory, are mixed-radix digits of the same offset; splitting digits until both lists
 * agree gives the common refinement of the two domains.
 */
import { isAffine, multiple, normalize, provedInRange, sum } from "../graph/affine.ts";
import type { Axis, Coordinate, ScalarRead } from "../graph/graph.ts";

export function rowMajor(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** The offset in memory of a point of a tensor, elements row-major. */
export function flatOffset(coordinates: readonly Coordinate[], shape: readonly number[]): Coordinate {
  const strides = rowMajor(shape);
  return coordinates.reduce(
    (total, coordinate, axis) => sum(total, multiple(coordinate, strides[axis]!)),
    normalize(0, []),
  );
}

/** The offset that a read has in memory, if it is affine and needs no `else`. */
export function flatRead(read: ScalarRead, extents: readonly number[]): Coordinate | undefined {
  const { shape } = read.tensor.type;
  const plain = read.coordinates.every(
    (coordinate, axis) => isAffine(coordinate) && provedInRange(coordinate, extents, shape[axis]!),
  );
  return plain ? flatOffset(read.coordinates, shape) : undefined;
}

export function sameCoordinate(a: Coordinate, b: Coordinate): boolean {
  if (a.offset !== b.offset || a.terms.length !== b.terms.length) return false;
  return a.terms.every(
    (term) =>
      term.kind === "affine" &&
      b.terms.some(
        (other) =>
          other.kind === "affine" && other.position === term.position && other.coefficient === term.coefficient,
      ),
  );
}

interface Digit {
  readonly position: number;
  readonly extent: number;
}

/** The indices as digits of the offset, most significant first; undefined if the offsets have gaps or repetitions. */
export function digitsOf(flat: Coordinate, extents: readonly number[]): Digit[] | undefined {
  if (flat.offset !== 0) return undefined;
  const terms = flat.terms.flatMap((term) => (term.kind === "affine" ? [term] : []));
  if (terms.length !== flat.terms.length) return undefined;
  terms.sort((a, b) => b.coefficient - a.coefficient);
  let place = 1;
  for (const { coefficient, position } of terms.toReversed()) {
    if (coefficient !== place) return undefined;
    place *= extents[position]!;
  }
  return terms.map(({ position }) => ({ position, extent: extents[position]! }));
}

/** A part of one index of each domain. Pieces of an index are listed innermost first. */
interface Piece {
  readonly extent: number;
  readonly first: number | undefined;
  readonly second: number | undefined;
}

/** The common digits of two lists with the same product, innermost first. */
function refine(first: readonly Digit[], second: readonly Digit[]): Piece[] | undefined {
  const pieces: Piece[] = [];
  let [i, j] = [first.length - 1, second.length - 1];
  let [a, b] = [first[i]?.extent ?? 1, second[j]?.extent ?? 1];
  while (i >= 0 && j >= 0) {
    const extent = Math.min(a, b);
    if (Math.max(a, b) % extent !== 0) return undefined;
    pieces.push({ extent, first: first[i]!.position, second: second[j]!.position });
    a /= extent;
    b /= extent;
    if (a === 1) a = first[--i]?.extent ?? 1;
    if (b === 1) b = second[--j]?.extent ?? 1;
  }
  return i < 0 && j < 0 ? pieces : undefined;
}

/** Two domains written over one: `first[p]` and `second[p]` stand for index p of either. */
export interface Alignment {
  readonly axes: readonly Axis[];
  readonly first: readonly Coordinate[];
  readonly second: readonly Coordinate[];
  /** For each new axis the index it is a part of. */
  readonly parts: readonly { readonly first: number | undefined; readonly second: number | undefined }[];
}

/**
 * Aligns two domains given an offset that both address: digit by digit where the offset has them, and what is left of both
 * in order. Indices that only one side has stay its own.
 */
export function align(
  first: { readonly axes: readonly Axis[]; readonly flat: Coordinate },
  second: { readonly axes: readonly Axis[]; readonly flat: Coordinate },
): Alignment | undefined {
  const sides = [first, second].map(({ axes, flat }) => {
    const extents = axes.map(({ extent }) => extent);
    const digits = digitsOf(flat, extents);
    const used = new Set(digits?.map(({ position }) => position));
    const rest = extents
      .map((extent, position) => ({ extent, position }))
      .filter(({ position }) => !used.has(position));
    return { digits, rest };
  });
  const [a, b] = sides;
  if (a?.digits === undefined || b?.digits === undefined) return undefined;
  const covered = refine(a.digits, b.digits);
  if (covered === undefined) return undefined;
  const left =
    a.rest.length > 0 && b.rest.length > 0
      ? refine(a.rest, b.rest)
      : [
          ...a.rest.map(({ extent, position }): Piece => ({ extent, first: position, second: undefined })).reverse(),
          ...b.rest.map(({ extent, position }): Piece => ({ extent, first: undefined, second: position })).reverse(),
        ];
  if (left === undefined) return undefined;
  return assemble(first.axes, second.axes, [...covered, ...left]);
}

/** New axes in the order of the first domain's indices, then the second's own. */
function assemble(first: readonly Axis[], second: readonly Axis[], pieces: readonly Piece[]): Alignment {
  const order = [
    ...first.flatMap((_, position) => pieces.filter((piece) => piece.first === position).toReversed()),
    ...second.flatMap((_, position) =>
      pieces.filter((piece) => piece.first === undefined && piece.second === position).toReversed(),
    ),
  ];
  const axes = order.map(({ extent, ...from }): Axis => {
    const axis = from.first !== undefined ? first[from.first]! : second[from.second!]!;
    const finer = from.second !== undefined ? second[from.second]! : axis;
    return { name: axis.extent === extent ? axis.name : finer.name, extent };
  });
  const expand = (side: "first" | "second", count: number): Coordinate[] =>
    Array.from({ length: count }, (_, position) => {
      let place = 1;
      const terms = pieces
        .filter((piece) => piece[side] === position)
        .map((piece) => {
          const term = { kind: "affine", coefficient: place, position: order.indexOf(piece) } as const;
          place *= piece.extent;
          return term;
        });
      return normalize(0, terms);
    });
  return {
    axes,
    first: expand("first", first.length),
    second: expand("second", second.length),
    parts: order.map((piece) => ({ first: piece.first, second: piece.second })),
  };
}
