/** Why there is no gradient: the way from a tensor to what is differentiated, and where along it the derivative ends. */

import { rangeOf } from "../graph/affine.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import type { Node, ScalarRead, Tensor } from "../graph/graph.ts";
import { domainOf, operandsOf, readsOf, rootsOf, visitScalars } from "../graph/traverse.ts";
import { rowOf } from "../scalar/table.ts";
import { isFloat } from "../types/dtype.ts";
import { readAdjoints } from "./body.ts";
import { Scalars } from "./scalars.ts";

export type MissingGradient =
  /** The outputs do not depend on it; or every read on the way is out of range, as of a weight that meets only padding. */
  | { readonly reason: "unused" }
  /** It is, or the way leads through, something without a derivative. */
  | {
      /** `integer`: values that are no floats. `flat`: piecewise constant. `stopped`: declared constant. */
      readonly reason: "integer" | "flat" | "stopped";
      /** From the tensor asked for to an output. */
      readonly path: readonly Tensor[];
      /** Where the derivative ends; undefined if the tensor itself is no float. */
      readonly node: Node | undefined;
      /** The scalar function that is flat, or the combiner that gives positions or truth values. */
      readonly by: string | undefined;
    };

/** For a tensor whose gradient `differentiate` left undefined. */
export function explainMissing(
  builder: GraphBuilder,
  outputs: readonly Tensor[],
  wrt: Tensor,
  stopped: ReadonlySet<Tensor> = new Set(),
): MissingGradient {
  const path = shortestPath(builder, outputs, wrt);
  if (!path) return { reason: "unused" };
  if (!isFloat(wrt.type.dtype)) return { reason: "integer", path, node: undefined, by: undefined };
  for (const [k, operand] of path.entries()) {
    const result = path[k + 1];
    const node = result && builder.definition(result);
    if (!node) break;
    if (isNeverReached(node, operand)) break;
    if (stopped.has(result)) return { reason: "stopped", path, node, by: undefined };
    const flat = flatRow(node, operand);
    if (!isFloat(result.type.dtype)) {
      if (node.kind === "sort") return { reason: "integer", path, node, by: "sort" };
      const by = node.kind === "generic" && node.combiner !== "map" ? node.combiner : flat;
      return { reason: "integer", path, node, by };
    }
    if (flat !== undefined) return { reason: "flat", path, node, by: flat };
  }
  return { reason: "unused" };
}

/** From `start` to an output, in dependency order, through any operand. */
function shortestPath(builder: GraphBuilder, outputs: readonly Tensor[], start: Tensor): Tensor[] | undefined {
  const next = new Map<Tensor, Tensor | undefined>(outputs.map((tensor) => [tensor, undefined]));
  const queue = [...outputs];
  for (const tensor of queue) {
    if (tensor === start) {
      const path: Tensor[] = [];
      for (let step: Tensor | undefined = tensor; step; step = next.get(step)) path.push(step);
      return path;
    }
    const node = builder.definition(tensor);
    for (const operand of node ? operandsOf(node) : []) {
      if (next.has(operand)) continue;
      next.set(operand, tensor);
      queue.push(operand);
    }
  }
  return undefined;
}

/** The function behind which all uses of the operand in the node's body are constant; undefined if some use is not. */
function flatRow(node: Node, operand: Tensor): string | undefined {
  if (node.kind !== "generic" && node.kind !== "scatter_add") return undefined;
  const scalars = new Scalars();
  const body = scalars.intern(node.body);
  const uses = readAdjoints(scalars, body, scalars.constant("f32", 1), (read) => read.tensor === operand);
  if (uses.length > 0) return undefined;
  const moving = new Set<unknown>();
  let found: string | undefined;
  visitScalars(rootsOf({ ...node, body }), (scalar) => {
    if (scalar.kind === "read" && scalar.tensor === operand) moving.add(scalar);
    if (scalar.kind !== "apply" || !scalar.arguments.some((argument) => moving.has(argument))) return;
    if (typeof rowOf(scalar.name).derivative === "function") moving.add(scalar);
    else found ??= scalar.name;
  });
  return found ?? "index";
}

/** Whether all that a node reads of an operand is out of range. */
function isNeverReached(node: Node, operand: Tensor): boolean {
  if (node.kind !== "generic" && node.kind !== "scatter_add") return false;
  const extents = domainOf(node).map(({ extent }) => extent);
  const isOutside = ({ coordinates }: ScalarRead): boolean =>
    coordinates.some((coordinate, axis) => {
      const range = rangeOf(coordinate, extents);
      return range !== undefined && (range.max < 0 || range.min >= operand.type.shape[axis]!);
    });
  return readsOf(...rootsOf(node))
    .filter(({ tensor }) => tensor === operand)
    .every(isOutside);
}
