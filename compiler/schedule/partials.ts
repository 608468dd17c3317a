/**
 * Large reductions to few points are cut in partial results whose number is fixed here, so that threads can share the work
 * and the result is the same bits for every number of them. The partial results are a tensor, reduced in turn.
 */
import { at, read } from "../graph/builder.ts";
import type { Axis, Combiner, Coordinate, GenericNode, Graph, Scalar } from "../graph/graph.ts";
import { rebuild } from "../graph/rewrite.ts";
import { substituteIndices } from "../graph/traverse.ts";
import { coordinateValue } from "./draft.ts";

/** A reduction of fewer elements is over before other threads would have begun. */
const large = 2 ** 17;
/** Points that are enough for threads as they are. */
const manyPoints = 8;
const [fewest, most] = [8, 64];

const associative: ReadonlySet<Combiner> = new Set(["sum", "prod", "max", "min", "any", "all"]);
const product = (axes: readonly Axis[]): number => axes.reduce((total, { extent }) => total * extent, 1);

export function cutReductions(graph: Graph): Graph {
  return rebuild(graph, (node, { builder, replace }) => {
    const cut = node.kind === "generic" ? cutOf(node) : undefined;
    if (node.kind !== "generic" || cut === undefined) return node;
    const [result] = node.results;
    const { parallel, combiner } = node;
    const { body, parts, rest } = cut;
    const shape = [...parallel, ...parts].map(({ extent }) => extent);
    const [partial] = builder.generic({
      hint: `${result!.name}.part`,
      combiner,
      parallel: [...parallel, ...parts],
      reduction: rest,
      body,
      shape,
    });
    const [total] = builder.generic({
      hint: result!.name,
      combiner,
      parallel,
      reduction: parts,
      body: read(
        partial!,
        shape.map((_, position) => at(position)),
      ),
      shape: result!.type.shape,
      dtype: result!.type.dtype,
    });
    replace(result!, total!);
    return undefined;
  });
}

/** Whether a reduction is worth cutting, as far as its size says. */
export function isLarge({ parallel, reduction }: GenericNode): boolean {
  return product(parallel) < manyPoints && product(reduction) >= large;
}

interface Cut {
  readonly body: Scalar;
  readonly parts: readonly Axis[];
  readonly rest: readonly Axis[];
}

/** The leading reduction indices number the parts: whole ones, or the quotient of one by a divisor. */
function cutOf(node: GenericNode): Cut | undefined {
  const { combiner, parallel, reduction, body } = node;
  if (!associative.has(combiner) || !isLarge(node)) return undefined;
  const first = parallel.length;
  for (let whole = 0, before = 1; whole < reduction.length && before < most; whole++) {
    const axis = reduction[whole]!;
    const outer = largestDivisor(axis.extent, Math.floor(most / before));
    if (before * outer >= fewest) {
      const inner = axis.extent / outer;
      const parts = [...reduction.slice(0, whole), { ...axis, extent: outer }].filter(({ extent }) => extent > 1);
      const rest = [{ ...axis, name: `${axis.name}_`, extent: inner }, ...reduction.slice(whole + 1)].filter(
        ({ extent }) => extent > 1,
      );
      if (rest.length === 0) return undefined;
      const moved = substituted(body, [...parallel, ...reduction], first + whole, outer, inner);
      return moved && { body: moved, parts, rest };
    }
    before *= axis.extent;
  }
  return undefined;
}

function largestDivisor(n: number, limit: number): number {
  for (let divisor = Math.min(n, limit); divisor > 1; divisor--) if (n % divisor === 0) return divisor;
  return 1;
}

/** Index `cut` becomes `inner * outer index + inner index`; either is left out where it has one value. */
function substituted(
  body: Scalar,
  axes: readonly Axis[],
  cut: number,
  outer: number,
  inner: number,
): Scalar | undefined {
  const shift = outer > 1 && inner > 1 ? 1 : 0;
  const by = axes.map((_, position): Coordinate => {
    if (position !== cut) return at(position < cut ? position : position + shift);
    if (shift === 0) return at(cut);
    return {
      offset: 0,
      terms: [
        { kind: "affine", position: cut, coefficient: inner },
        { kind: "affine", position: cut + 1, coefficient: 1 },
      ],
    };
  });
  const extents = axes.flatMap(({ extent }, position) => (position === cut && shift === 1 ? [outer, inner] : [extent]));
  return substituteIndices(body, {
    by: (position) => by[position]!,
    value: (position) => coordinateValue(by[position]!),
    extents,
  });
}
