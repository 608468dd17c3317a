/**
 * Gradients through clamps, max(x, low) and min(x, high), ask on which side of a bound x was. The clamped value knows that too
 * for every bound within: max(x, 0) > 0 where x > 0, and a NaN is kept. Where it is needed late anyhow, as by the gradient of
 * the next layer's weights, asking it lets x die.
 */

import { plainIndex } from "../graph/affine.ts";
import { at, read } from "../graph/builder.ts";
import type { GenericNode, Graph, Scalar, ScalarApply, Tensor } from "../graph/graph.ts";
import { Keys } from "../graph/keys.ts";
import { everywhere, type Rewriting, rebuild } from "../graph/rewrite.ts";
import { apply, valueCoordinate } from "../graph/scalars.ts";
import { indicesOf, operandsOf, scalarRewriter, sourceIn, substituteIndices } from "../graph/traverse.ts";
import { scalarType } from "../types/dtype.ts";
import type { Pass } from "./pass.ts";
import { isConstant, isRow } from "./scalar-rules.ts";

/** `inner` between two bounds. */
interface Clamp {
  readonly inner: Scalar;
  readonly low: number;
  readonly high: number;
}

function clampOf(scalar: Scalar): Clamp {
  if (isRow(scalar, "max") || isRow(scalar, "min")) {
    const [a, b] = scalar.arguments;
    const [value, bound] = a?.kind === "constant" ? [b, a] : [a, b];
    if (value !== undefined && bound?.kind === "constant" && !Number.isNaN(bound.value)) {
      const { inner, low, high } = clampOf(value);
      return scalar.name === "max"
        ? { inner, low: Math.max(low, bound.value), high: Math.max(high, bound.value) }
        : { inner, low: Math.min(low, bound.value), high: Math.min(high, bound.value) };
    }
  }
  return { inner: scalar, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
}

/** Whether a value between the bounds lies on the same side of `bound` as the value that was clamped. */
function keeps(comparison: string, bound: number, { low, high }: Clamp): boolean {
  switch (comparison) {
    case "gt":
    case "le":
      return low <= bound && bound < high;
    case "ge":
    case "lt":
      return low < bound && bound <= high;
    default:
      return false;
  }
}

/** A comparison of a value with a constant that holds for the value before it was clamped as well. */
interface Question {
  readonly name: string;
  readonly inner: Scalar;
  readonly bound: Scalar & { readonly kind: "constant" };
}
function questionOf(scalar: Scalar | undefined): Question | undefined {
  if (scalar?.kind !== "apply") return undefined;
  const [value, bound] = scalar.arguments;
  if (value === undefined || bound?.kind !== "constant") return undefined;
  const clamp = clampOf(value);
  return keeps(scalar.name, bound.value, clamp) ? { name: scalar.name, inner: clamp.inner, bound } : undefined;
}

const isRounded = ({ type }: Tensor): boolean => scalarType(type.dtype) !== type.dtype;

/** The tensor that a map clamps point by point. */
function clampedBy({ combiner, body, parallel, results }: GenericNode): { of: Tensor; clamp: Clamp } | undefined {
  const clamp = clampOf(body);
  const { inner } = clamp;
  const [result] = results;
  if (combiner !== "map" || inner === body || inner.kind !== "read" || result === undefined) return undefined;
  if (isRounded(result) || String(inner.tensor.type.shape) !== String(result.type.shape)) return undefined;
  let position = 0;
  const here = inner.coordinates.every((coordinate, axis) =>
    result.type.shape[axis] === 1
      ? coordinate.terms.length === 0 && coordinate.offset === 0
      : plainIndex(coordinate) === position++,
  );
  return here && position === parallel.length ? { of: inner.tensor, clamp } : undefined;
}

export const askClamped: Pass = {
  name: "ask clamped values",
  description:
    "comparisons of x with a bound of max(x, bound) or min(x, bound) ask that instead, so that x need not be kept",
  run: everywhere((graph: Graph) => {
    const { made, lastRead } = positionsIn(graph);
    const clamped = new Map<Tensor, { by: Tensor; clamp: Clamp }[]>();
    let here = 0;
    const isThereAnyhow = (tensor: Tensor): boolean => {
      const from = made.get(tensor) ?? 0;
      return 2 * ((lastRead.get(tensor) ?? from) - from) >= here - from;
    };
    const ask = (scalar: Scalar): Scalar => {
      const question = questionOf(scalar);
      if (question?.inner.kind !== "read" || question.inner.otherwise !== undefined) return scalar;
      const { name, inner, bound } = question;
      const found = clamped
        .get(inner.tensor)
        ?.find(({ by, clamp }) => keeps(name, bound.value, clamp) && isThereAnyhow(by));
      return found ? apply(name, { ...inner, tensor: found.by }, bound) : scalar;
    };
    return rebuild(graph, (node) => {
      if (node.kind !== "generic") return node;
      here = made.get(node.results[0]!)!;
      const body = scalarRewriter(ask)(node.body);
      const own = clampedBy(node);
      if (own) clamped.set(own.of, [...(clamped.get(own.of) ?? []), { by: node.results[0]!, clamp: own.clamp }]);
      return body === node.body ? node : { ...node, body };
    });
  }),
};

/** Where in the order of nodes a tensor is made, and read last, through views perhaps. */
function positionsIn(graph: Graph): { made: Map<Tensor, number>; lastRead: Map<Tensor, number> } {
  const source = sourceIn(graph);
  const made = new Map<Tensor, number>();
  const lastRead = new Map<Tensor, number>();
  for (const [position, node] of graph.nodes.entries()) {
    for (const tensor of node.results) made.set(tensor, position);
    if (node.kind !== "view") for (const tensor of operandsOf(node)) lastRead.set(source(tensor), position);
  }
  for (const { tensor } of graph.outputs) lastRead.set(source(tensor), graph.nodes.length);
  return { made, lastRead };
}

/**
 * `select(x > 0, select(position == here, d, 0), 0)`, where `position` is that of the maximum of max(x, 0): the maximum itself
 * is what x was there, and is asked instead.
 */
export const askExtrema: Pass = {
  name: "ask extrema",
  description: "a comparison of what an extremum was taken of, made where the extremum lies, asks the extremum",
  run: everywhere((graph: Graph) =>
    rebuild(graph, (node, rewriting) => {
      if (node.kind !== "generic") return node;
      const extents = [...node.parallel, ...node.reduction].map(({ extent }) => extent);
      const body = scalarRewriter((scalar) =>
        isRow(scalar, "select") ? atExtremum(scalar, extents, rewriting) : scalar,
      )(node.body);
      return body === node.body ? node : { ...node, body };
    }),
  ),
};

function atExtremum(outer: ScalarApply, extents: readonly number[], { definition, builder }: Rewriting): Scalar {
  const [condition, inner, zero] = outer.arguments;
  const question = questionOf(condition);
  if (question === undefined || !isRow(inner, "select") || !isConstant(zero, 0)) return outer;
  const [isHere, value, none] = inner.arguments;
  if (!isRow(isHere, "eq") || value === undefined || !isConstant(none, 0)) return outer;
  const [position, here] = isHere.arguments;
  if (position?.kind !== "read" || position.otherwise !== undefined || here === undefined) return outer;
  const extremum = definition(position.tensor);
  if (extremum?.kind !== "generic" || extremum.results[1] !== position.tensor) return outer;
  const [result] = extremum.results;
  if (result === undefined || isRounded(result)) return outer;
  const clamp = clampOf(extremum.body);
  if (!keeps(question.name, question.bound.value, clamp)) return outer;
  // The extremum's indices, as those of the body: its parallel ones address the position, the others make up what it is.
  const own: (number | undefined)[] = position.coordinates.flatMap((coordinate, axis) =>
    position.tensor.type.shape[axis] === 1 ? [] : [plainIndex(coordinate)],
  );
  const place = valueCoordinate(here);
  if (place?.offset !== 0 || place.terms.length !== extremum.reduction.length) return outer;
  const { terms } = place;
  let stride = 1;
  const reduced = extremum.reduction.toReversed().map(({ extent }) => {
    const term = terms.find((candidate) => candidate.kind === "affine" && candidate.coefficient === stride);
    stride *= extent;
    return term?.kind === "affine" && extents[term.position] === extent ? term.position : undefined;
  });
  own.push(...reduced.toReversed());
  if (own.includes(undefined) || own.length !== extremum.parallel.length + extremum.reduction.length) return outer;
  const known = own.filter((index) => index !== undefined);
  const taken = substituted(clamp.inner, known, extents);
  const keys = new Keys();
  if (taken === undefined || keys.scalar(taken) !== keys.scalar(question.inner)) return outer;
  const asked = apply(question.name, read(result, position.coordinates), question.bound);
  const masked = apply("select", asked, value, none!);
  // Once for each extremum, where what is passed to it depends on nothing else.
  const { parallel } = extremum;
  const back = extents.map((_, index) => known.indexOf(index));
  const isPassed = [...indicesOf(value)].every((index) => back[index]! >= 0 && back[index]! < parallel.length);
  const once =
    isPassed && masked.type === "f32"
      ? substituted(
          masked,
          back,
          parallel.map(({ extent }) => extent),
        )
      : undefined;
  if (once === undefined) return apply("select", isHere, masked, none!);
  const shape = result.type.shape;
  const [passed] = builder.generic({ hint: `d_${result.name}.passed`, combiner: "map", parallel, body: once, shape });
  return apply("select", isHere, read(passed!, position.coordinates), none!);
}

/** Over other indices: `by[k]` stands for index k. */
function substituted(scalar: Scalar, by: readonly number[], extents: readonly number[]): Scalar | undefined {
  return substituteIndices(scalar, {
    by: (index) => at(by[index]!),
    value: (index) => ({ kind: "index", type: "i32", position: by[index]! }),
    extents,
  });
}
