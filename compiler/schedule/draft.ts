/** Fusion groups while they grow: two become one if their domains align and every value passed on stays at its point. */
import { normalize, plainIndex } from "../graph/affine.ts";
import { at, fixed, read } from "../graph/builder.ts";
import type { Axis, Coordinate, GenericNode, Scalar, ScalarRead, Tensor } from "../graph/graph.ts";
import { indexSubstituter, readsOf, rewriteScalar } from "../graph/traverse.ts";
import type { Alignment } from "./align.ts";
import { align, flatOffset, flatRead, rowMajor, sameCoordinate } from "./align.ts";
import type { Member } from "./group.ts";
import { positionsOf } from "./group.ts";

export interface Draft {
  /** Parallel indices, then reduction indices. */
  readonly axes: readonly Axis[];
  readonly parallel: number;
  /** In the graph's order. */
  readonly members: readonly Member[];
  /** The root of a contraction, whose own indices may not be split: its kernel depends on them. */
  readonly contraction: boolean;
}

/** Follows views to the tensor whose memory it is. */
export type Source = (tensor: Tensor) => Tensor;

export function draftOf(node: GenericNode, contraction: boolean): Draft {
  let position = 0;
  const coordinates = node.results[0]!.type.shape.map((extent) => (extent === 1 ? fixed(0) : at(position++)));
  return {
    axes: [...node.parallel, ...node.reduction],
    parallel: node.parallel.length,
    members: [{ node, body: node.body, at: coordinates, position: ownPosition(node) }],
    contraction,
  };
}

function ownPosition({ parallel, reduction }: GenericNode): Coordinate {
  const strides = rowMajor(reduction.map(({ extent }) => extent));
  return normalize(
    0,
    strides.map((coefficient, k) => ({ kind: "affine", coefficient, position: parallel.length + k })),
  );
}

export function hasReduction(draft: Draft): boolean {
  return draft.axes.length > draft.parallel;
}

const extentsOf = (draft: Draft): number[] => draft.axes.map(({ extent }) => extent);

/** The alignments that would let `second` use what `first` computes, or share what both read. */
export function* alignments(first: Draft, second: Draft, source: Source): Generator<Alignment> {
  const made = new Map(first.members.flatMap((member) => member.node.results.map((result) => [result, member])));
  const readings = (draft: Draft): readonly ScalarRead[] => readsOf(...draft.members.map(({ body }) => body));
  const wanted = readings(second);
  for (const reading of wanted) {
    const member = made.get(source(reading.tensor));
    const flat = member && flatRead(reading, extentsOf(second));
    if (!member || !flat) continue;
    const stored = flatOffset(member.at, member.node.results[0]!.type.shape);
    const found = align({ axes: first.axes, flat: stored }, { axes: second.axes, flat });
    if (found) yield found;
  }
  const own = readings(first);
  for (const reading of wanted)
    for (const other of own) {
      if (source(other.tensor) !== source(reading.tensor)) continue;
      const [a, b] = [flatRead(other, extentsOf(first)), flatRead(reading, extentsOf(second))];
      const found = a && b && align({ axes: first.axes, flat: a }, { axes: second.axes, flat: b });
      if (found) yield found;
    }
}

/** One group of two, over the aligned domain; undefined where they do not fit. `order` is the nodes' order in the graph. */
export function combine(
  first: Draft,
  second: Draft,
  alignment: Alignment,
  source: Source,
  order: (node: GenericNode) => number,
): Draft | undefined {
  const unsplit = (coordinates: readonly Coordinate[]): boolean => coordinates.every(({ terms }) => terms.length === 1);
  if ((first.contraction && !unsplit(alignment.first)) || (second.contraction && !unsplit(alignment.second)))
    return undefined;
  const domain = arrange(first, second, alignment);
  if (domain === undefined) return undefined;
  const { axes, parallel, place } = domain;
  const extents = axes.map(({ extent }) => extent);
  const moved = [
    ...moveMembers(first, alignment.first, place, extents),
    ...moveMembers(second, alignment.second, place, extents),
  ];
  const members = moved.filter((member) => member !== undefined);
  if (members.length < moved.length) return undefined;
  members.sort((a, b) => order(a.node) - order(b.node));
  const linked = link(members, extents, source);
  if (linked === undefined) return undefined;
  const contraction = first.contraction || second.contraction;
  const draft: Draft = { axes, parallel, members: linked, contraction };
  return isWellFormed(draft) ? draft : undefined;
}

/** Which of the aligned axes are parallel, and their order: that of the side that has a reduction. */
function arrange(
  first: Draft,
  second: Draft,
  alignment: Alignment,
): { axes: Axis[]; parallel: number; place: number[] } | undefined {
  const classOf = (draft: Draft, position: number | undefined): "parallel" | "reduction" | undefined => {
    if (position === undefined || !hasReduction(draft)) return undefined;
    return position < draft.parallel ? "parallel" : "reduction";
  };
  const reduces = hasReduction(first) || hasReduction(second);
  const leader = hasReduction(second) && !hasReduction(first) ? "second" : "first";
  const entries: { axis: Axis; index: number; parallel: boolean; rank: readonly [number, number] }[] = [];
  for (const [index, part] of alignment.parts.entries()) {
    const classes = [classOf(first, part.first), classOf(second, part.second)].filter((kind) => kind !== undefined);
    if (new Set(classes).size > 1 || (reduces && classes.length === 0)) return undefined;
    const position = part[leader];
    const term = position === undefined ? undefined : alignment[leader][position]?.terms.find((t) => isAt(t, index));
    const coefficient = term?.kind === "affine" ? term.coefficient : 0;
    const rank = [position ?? Number.POSITIVE_INFINITY, -coefficient] as const;
    entries.push({ axis: alignment.axes[index]!, index, parallel: classes[0] !== "reduction", rank });
  }
  entries.sort((a, b) => Number(b.parallel) - Number(a.parallel) || compare(a.rank, b.rank) || a.index - b.index);
  const place: number[] = [];
  for (const [position, entry] of entries.entries()) place[entry.index] = position;
  return {
    axes: entries.map(({ axis }) => axis),
    parallel: entries.filter((entry) => entry.parallel).length,
    place,
  };
}
const isAt = (term: Coordinate["terms"][number], position: number): boolean =>
  term.kind === "affine" && term.position === position;
function compare([a, b]: readonly [number, number], [c, d]: readonly [number, number]): number {
  return a === c ? b - d : a < c ? -1 : 1;
}

/** An index written as a coordinate, in a body. */
export function coordinateValue({ offset, terms }: Coordinate): Scalar {
  const parts = terms.map((term): Scalar => {
    const index: Scalar = { kind: "index", type: "i32", position: term.kind === "data" ? 0 : term.position };
    const coefficient = term.kind === "affine" ? term.coefficient : 1;
    return coefficient === 1 ? index : applyI32("mul", index, { kind: "constant", type: "i32", value: coefficient });
  });
  const constant: Scalar = { kind: "constant", type: "i32", value: offset };
  if (parts.length === 0) return constant;
  const total = parts.reduce((left, right) => applyI32("add", left, right));
  return offset === 0 ? total : applyI32("add", total, constant);
}
function applyI32(name: string, left: Scalar, right: Scalar): Scalar {
  return { kind: "apply", type: "i32", name, arguments: [left, right] };
}

function moveMembers(
  draft: Draft,
  coordinates: readonly Coordinate[],
  place: readonly number[],
  extents: readonly number[],
): (Member | undefined)[] {
  const by = coordinates.map(({ offset, terms }) =>
    normalize(
      offset,
      terms.map((term) => (term.kind === "data" ? term : { ...term, position: place[term.position]! })),
    ),
  );
  if (by.every((coordinate, position) => plainIndex(coordinate) === position)) return [...draft.members];
  const substituter = indexSubstituter({
    by: (position) => by[position]!,
    value: (position) => coordinateValue(by[position]!),
    extents,
  });
  return draft.members.map(({ node, body, at: old, position }) => {
    const moved = substituter.scalar(body);
    const places = old.map((coordinate) => substituter.coordinate(coordinate));
    const known = places.filter((coordinate) => coordinate !== undefined);
    const newPosition = substituter.coordinate(position);
    return moved && newPosition && known.length === places.length
      ? { node, body: moved, at: known, position: newPosition }
      : undefined;
  });
}

/**
 * Makes every read of a member's result a read of it at its own point; undefined if one is elsewhere, or a coordinate: what
 * others are looked up by has to lie in memory.
 */
function link(members: readonly Member[], extents: readonly number[], source: Source): Member[] | undefined {
  const made = new Map(members.flatMap((member) => member.node.results.map((result) => [result, member])));
  let failed = false;
  const linked = members.map((member) => ({
    ...member,
    body: rewriteScalar(member.body, (scalar) => {
      if (scalar.kind !== "read") return scalar;
      failed ||= scalar.coordinates.some(({ terms }) =>
        terms.some((term) => term.kind === "data" && made.has(source(term.read.tensor))),
      );
      const tensor = source(scalar.tensor);
      const maker = made.get(tensor);
      if (maker === undefined) return scalar;
      const flat = flatRead(scalar, extents);
      if (flat === undefined || !sameCoordinate(flat, flatOffset(maker.at, tensor.type.shape))) {
        failed = true;
        return scalar;
      }
      return scalar.tensor === tensor && scalar.otherwise === undefined ? scalar : read(tensor, maker.at);
    }),
  }));
  return failed ? undefined : linked;
}

/** Maps run over all parallel indices or over the whole domain; reductions over all reduction indices. */
function isWellFormed(draft: Draft): boolean {
  const reduced = draft.axes.slice(draft.parallel).reduce((product, { extent }) => product * extent, 1);
  return draft.members.every(({ node, at: places }) => {
    const used = positionsOf(places);
    const covers = (count: number): boolean => used.size === count && [...used].every((position) => position < count);
    if (node.combiner !== "map")
      return covers(draft.parallel) && node.reduction.reduce((product, { extent }) => product * extent, 1) === reduced;
    return covers(draft.parallel) || (!draft.contraction && covers(draft.axes.length));
  });
}
