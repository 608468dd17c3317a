/**
 * One derivative against central differences: both are float64, so they agree to many digits or something is wrong.
 */
import type { Derivative, Graph, Node, Tensor } from "../graph/graph.ts";
import { operandsOf } from "../graph/traverse.ts";
import { evaluate, type Values } from "../reference/evaluate.ts";
import { isFloat } from "../types/dtype.ts";
import type { Draw } from "./inputs.ts";

/** Relative to the larger of the two slopes. */
export const TOLERANCE = 1e-5;
/**
 * Distances along a direction whose length is that of the point itself. The short one crosses few of the kinks that a deep
 * network with relu has everywhere; the long one loses fewer digits where outputs are large and slopes small.
 */
const DISTANCES = [1e-7, 1e-5] as const;
/** Two measurements that agree this well have met no branch in between. */
const SMOOTH = 1e-4;
/** Other directions tried where a branch, an argmax or a kink makes the differences themselves disagree. */
const REDRAWS = 8;

export interface Mismatch {
  /** The slope that the gradient promises in the direction drawn. */
  readonly promised: number;
  /** The slope that differences measure. */
  readonly measured: number;
}
export type Verdict =
  | { readonly kind: "agrees"; readonly error: number }
  | { readonly kind: "differs"; readonly mismatch: Mismatch }
  | { readonly kind: "rough" } // every direction crossed a branch
  | { readonly kind: "constant" }; // nothing to differentiate by

/** The nodes that lie between `wrt` and the outputs; what is stopped counts as a constant. */
export function between(graph: Graph, derivative: Derivative): Node[] {
  const moving = new Set<Tensor>(derivative.wrt);
  const candidates = graph.nodes.filter((node) => {
    const moves = operandsOf(node).some((tensor) => moving.has(tensor));
    const held = node.results.some((tensor) => derivative.stopped.has(tensor) || moving.has(tensor));
    if (moves && !held) for (const tensor of node.results) moving.add(tensor);
    return moves && !held;
  });
  const needed = new Set<Tensor>(derivative.outputs.map(({ tensor }) => tensor));
  return candidates
    .toReversed()
    .filter((node) => {
      const used = node.results.some((tensor) => needed.has(tensor));
      if (used) for (const tensor of operandsOf(node)) needed.add(tensor);
      return used;
    })
    .toReversed();
}

/** `values` holds every tensor of the graph at the point of interest. */
export function checkDerivative(
  graph: Graph,
  derivative: Derivative,
  values: ReadonlyMap<Tensor, Values>,
  draw: Draw,
): Verdict {
  const wrt = derivative.wrt.flatMap((tensor, k) => {
    if (!isFloat(tensor.type.dtype)) return [];
    const at = valuesOf(values, tensor);
    const gradient = derivative.gradients[k];
    // No gradient means that nothing depends on it: a slope of 0 is promised.
    return [{ tensor, at, gradient: gradient ? valuesOf(values, gradient) : new Float64Array(at.length) }];
  });
  if (wrt.length === 0) return { kind: "constant" };
  const outputs = derivative.outputs.map(({ tensor, adjoint }) => ({ tensor, weight: valuesOf(values, adjoint) }));
  const nodes = between(graph, derivative);
  const made = new Set(nodes.flatMap((node) => node.results));
  const given = [
    ...new Set([
      ...wrt.map(({ tensor }) => tensor),
      ...nodes.flatMap(operandsOf),
      ...outputs.map(({ tensor }) => tensor),
    ]),
  ].filter((tensor) => !made.has(tensor));
  const part: Graph = {
    inputs: given.map((tensor) => ({ tensor, role: "argument", path: tensor.name })),
    nodes,
    outputs: [],
  };
  const base = new Map(given.map((tensor) => [tensor, valuesOf(values, tensor)]));

  /** The outputs weighted by their adjoints, `distance` along the direction. Differences to the base lose fewer digits. */
  const along = (direction: readonly Values[], distance: number): number => {
    const inputs = new Map(base);
    wrt.forEach(({ tensor, at }, k) => {
      inputs.set(
        tensor,
        at.map((value, i) => value + distance * (direction[k]?.[i] ?? 0)),
      );
    });
    const all = evaluate(part, inputs);
    let total = 0;
    for (const { tensor, weight } of outputs) {
      const now = valuesOf(all, tensor);
      const then = valuesOf(values, tensor);
      for (let i = 0; i < now.length; i++) total += ((now[i] ?? 0) - (then[i] ?? 0)) * (weight[i] ?? 0);
    }
    return total;
  };

  for (let attempt = 0; attempt < REDRAWS; attempt++) {
    const direction = wrt.map(({ at }) => {
      const size = Math.sqrt(at.reduce((sum, value) => sum + value * value, 0) / at.length) || 1;
      return at.map(() => size * draw.normal());
    });
    const promised = wrt.reduce((sum, { gradient }, k) => sum + dot(gradient, direction[k]), 0);
    const slopes: number[] = [];
    for (const distance of DISTANCES) {
      const measured = (along(direction, distance) - along(direction, -distance)) / (2 * distance);
      const error = relative(promised, measured);
      if (error <= TOLERANCE) return { kind: "agrees", error };
      slopes.push(measured);
    }
    // A smooth function has the same slope at both distances. Where it has not, a branch flipped in between.
    const [near = Number.NaN, far = Number.NaN] = slopes;
    if (relative(near, far) <= SMOOTH) return { kind: "differs", mismatch: { promised, measured: near } };
  }
  return { kind: "rough" };
}

function relative(a: number, b: number): number {
  if (Object.is(a, b)) return 0;
  const error = Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b), 1e-8);
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

function dot(a: Values, b: Values | undefined): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b?.[i] ?? 0);
  return sum;
}

function valuesOf(values: ReadonlyMap<Tensor, Values>, tensor: Tensor): Values {
  const found = values.get(tensor);
  if (!found) throw new RangeError(`%${tensor.name} has no value`);
  return found;
}
