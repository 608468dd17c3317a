/** Reads of a join that lie in one piece read the piece; padding becomes an `else` value; a join of everything is its piece. */
import { hasData, normalize, provedInRange, rangeOf } from "../graph/affine.ts";
import type { Coordinate, Graph, JoinNode, Scalar, ScalarRead, Stride, Term } from "../graph/graph.ts";
import { everywhere, rebuild } from "../graph/rewrite.ts";
import { constant } from "../graph/scalars.ts";
import { domainOf } from "../graph/traverse.ts";
import type { Pass } from "./pass.ts";
import { mapReads } from "./views.ts";

/** `(coordinate - start) / step` if that is whole. */
function within(coordinate: Coordinate, { start, step }: Stride): Coordinate | undefined {
  const offset = coordinate.offset - start;
  if (step === 1) return normalize(offset, coordinate.terms);
  if (offset % step !== 0) return undefined;
  const terms: Term[] = [];
  for (const term of coordinate.terms) {
    if (term.kind === "table") {
      if (!term.table.every((value) => value % step === 0)) return undefined;
      terms.push({ ...term, table: term.table.map((value) => value / step) });
    } else if (term.coefficient % step === 0) terms.push({ ...term, coefficient: term.coefficient / step });
    else return undefined;
  }
  return normalize(offset / step, terms);
}

function isWhole(join: JoinNode): boolean {
  const { shape } = join.results[0]!.type;
  const [piece, ...more] = join.pieces;
  return (
    piece !== undefined &&
    more.length === 0 &&
    piece.at.every(({ start, count }, k) => start === 0 && count === shape[k])
  );
}

function readOfJoin(read: ScalarRead, join: JoinNode, extents: readonly number[]): Scalar {
  if (read.coordinates.some(hasData)) return read;
  const missesAll = join.pieces.every(({ at }) =>
    at.some((stride, axis) => {
      const range = rangeOf(read.coordinates[axis]!, extents);
      const last = stride.start + stride.step * (stride.count - 1);
      return range !== undefined && (range.max < stride.start || range.min > last);
    }),
  );
  const inJoin = read.coordinates.every((c, axis) => provedInRange(c, extents, read.tensor.type.shape[axis]!));
  if (missesAll && (inJoin || read.otherwise === join.fill)) return constant(read.type, join.fill);
  for (const { tensor, at } of join.pieces) {
    const coordinates = at.map((stride, axis) => within(read.coordinates[axis]!, stride));
    const inPiece = coordinates.every((c, axis) => c !== undefined && provedInRange(c, extents, at[axis]!.count));
    if (inPiece) return { ...read, tensor, coordinates: coordinates.map((c) => c!), otherwise: undefined };
  }
  const [piece, ...more] = join.pieces;
  const padding = piece && more.length === 0 && piece.at.every(({ step, count }) => step === 1 || count === 1);
  if (!padding || (read.otherwise !== undefined && read.otherwise !== join.fill)) return read;
  const coordinates = piece.at.map((stride, axis) =>
    normalize(read.coordinates[axis]!.offset - stride.start, read.coordinates[axis]!.terms),
  );
  return { ...read, tensor: piece.tensor, coordinates, otherwise: join.fill };
}

export const joins: Pass = {
  name: "joins",
  description: "reads inside one piece of a join read the piece; padding becomes an else value",
  run: everywhere((graph: Graph) =>
    rebuild(graph, (node, { definition, replace }) => {
      if (node.kind === "join" && isWhole(node)) {
        replace(node.results[0]!, node.pieces[0]!.tensor);
        return undefined;
      }
      const extents = domainOf(node).map((axis) => axis.extent);
      return mapReads(node, (read) => {
        const join = definition(read.tensor);
        return join?.kind === "join" ? readOfJoin(read, join, extents) : read;
      });
    }),
  ),
};
