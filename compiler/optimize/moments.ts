/**
 * The mean of a value and the sum of squares of what the value differs from it, as one node: a kernel then goes through the
 * values once where the two sums, of which the second needs the first, would go twice.
 */

import { plainIndex } from "../graph/affine.ts";
import { elementCount } from "../graph/builder.ts";
import type { GenericNode, Graph, Node, Scalar, ScalarRead, Tensor } from "../graph/graph.ts";
import { Keys } from "../graph/keys.ts";
import { everywhere } from "../graph/rewrite.ts";
import { usesOf } from "../graph/traverse.ts";
import type { Pass } from "./pass.ts";

/** `1 / count` is rounded. */
const tolerance = 1e-6;

/** `total = sum f`, `mean = total / count`, `squares = sum (f - mean)^2`. */
interface Pair {
  readonly total: GenericNode;
  readonly mean: Node;
  readonly squares: GenericNode;
}

function isSum(node: Node | undefined): node is GenericNode {
  return node?.kind === "generic" && node.combiner === "sum" && node.body.type === "f32";
}

/** The tensor that a read takes at a node's own parallel indices. */
function readHere(scalar: Scalar | undefined, parallel: number): ScalarRead | undefined {
  if (scalar?.kind !== "read" || scalar.otherwise !== undefined) return undefined;
  const { shape } = scalar.tensor.type;
  const moving = scalar.coordinates.filter((_, axis) => shape[axis] !== 1);
  const isHere = moving.length === parallel && moving.every((coordinate, k) => plainIndex(coordinate) === k);
  return isHere ? scalar : undefined;
}

/** The sum whose `count`-th part a map is. */
function totalOf({ combiner, body, parallel }: GenericNode, count: number): Tensor | undefined {
  if (combiner !== "map" || body.kind !== "apply") return undefined;
  const [value, by] = body.arguments;
  if (by?.kind !== "constant") return undefined;
  const scale = body.name === "mul" ? by.value : body.name === "div" ? 1 / by.value : 0;
  return Math.abs(scale * count - 1) < tolerance ? readHere(value, parallel.length)?.tensor : undefined;
}

function pairsOf(graph: Graph): Pair[] {
  const definitions = new Map<Tensor, Node>(
    graph.nodes.flatMap((node) => node.results.map((result) => [result, node])),
  );
  const uses = usesOf(graph);
  const keys = new Keys();
  return graph.nodes.flatMap((squares): Pair[] => {
    if (!isSum(squares) || squares.body.kind !== "apply" || squares.body.name !== "mul") return [];
    const [centred, again] = squares.body.arguments;
    if (centred?.kind !== "apply" || centred.name !== "sub" || keys.scalar(centred) !== keys.scalar(again!)) return [];
    const [value, middle] = centred.arguments;
    const average = readHere(middle, squares.parallel.length)?.tensor;
    const mean = average && definitions.get(average);
    if (mean?.kind !== "generic") return [];
    const sum = totalOf(mean, elementCount(squares.reduction.map(({ extent }) => extent)));
    const total = sum && definitions.get(sum);
    if (sum === undefined || !isSum(total) || uses.isOutput(sum) || uses.of(sum).length > 1) return [];
    const extents = (node: GenericNode): string =>
      [node.parallel, node.reduction].map((axes) => axes.map(({ extent }) => extent).join()).join("|");
    const isAlike = extents(total) === extents(squares) && keys.scalar(total.body) === keys.scalar(value!);
    const shapes = [mean, squares].map(({ results }) => results[0]!.type.shape.join());
    return isAlike && shapes[0] === shapes[1] ? [{ total, mean, squares }] : [];
  });
}

export const moments: Pass = {
  name: "moments",
  description: "the mean and the centred sum of squares of one value are one node",
  run: everywhere((graph: Graph) => {
    const made = new Map<Node, GenericNode | undefined>();
    for (const { total, mean, squares } of pairsOf(graph)) {
      if (made.has(total)) continue;
      made.set(total, { ...total, combiner: "moments", results: [mean.results[0]!, squares.results[0]!] });
      made.set(mean, undefined).set(squares, undefined);
    }
    if (made.size === 0) return graph;
    return { ...graph, nodes: graph.nodes.flatMap((node) => (made.has(node) ? (made.get(node) ?? []) : [node])) };
  }),
};
