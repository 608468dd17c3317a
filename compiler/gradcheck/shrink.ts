/**
 * From a gradient that is wrong to the smallest thing that is wrong in it: one node taken out of the graph, and in its body
 * one row of the scalar table at one point.
 */
import { differentiate } from "../autodiff/differentiate.ts";
import { elementCount, GraphBuilder } from "../graph/builder.ts";
import type { Derivative, Graph, Node, Tensor } from "../graph/graph.ts";
import { printNode } from "../graph/print.ts";
import { operandsOf, rootsOf, visitScalars, withOperands } from "../graph/traverse.ts";
import { evaluate, type Values } from "../reference/evaluate.ts";
import { float64, evaluate as scalarValue } from "../scalar/numbers.ts";
import { rowOf } from "../scalar/table.ts";
import { isFloat, type ScalarType } from "../types/dtype.ts";
import { between, checkDerivative, type Mismatch } from "./derivative.ts";
import type { Draw } from "./inputs.ts";

export interface SmallCase {
  /** The node, as graph text. */
  readonly node: string;
  readonly origin: Node["origin"];
  readonly mismatch: Mismatch;
  /** The row of the scalar table at fault, if one is. */
  readonly row: RowCase | undefined;
}
export interface RowCase extends Mismatch {
  readonly name: string;
  readonly arguments: readonly number[];
  /** Which argument the derivative is taken by; counts from 0. */
  readonly by: number;
}

/** The first node, in order of evaluation, whose own adjoint is wrong at these values. */
export function shrink(
  graph: Graph,
  derivative: Derivative,
  values: ReadonlyMap<Tensor, Values>,
  draw: Draw,
): SmallCase | undefined {
  for (const node of between(graph, derivative)) {
    const mismatch = checkAlone(node, values, draw);
    if (mismatch) return { node: printNode(node), origin: node.origin, mismatch, row: wrongRow(node, draw) };
  }
  return undefined;
}

function checkAlone(node: Node, values: ReadonlyMap<Tensor, Values>, draw: Draw): Mismatch | undefined {
  const builder = new GraphBuilder();
  const copies = new Map<Tensor, Tensor>();
  for (const tensor of operandsOf(node)) copies.set(tensor, builder.input(tensor.name, tensor.type));
  const results = node.results.map((tensor) => builder.tensor(tensor.name, tensor.type.dtype, tensor.type.shape));
  builder.add({ ...withOperands(node, (tensor) => copies.get(tensor) ?? tensor), results });
  const outputs = results
    .filter((tensor) => isFloat(tensor.type.dtype))
    .map((tensor) => ({ tensor, adjoint: builder.input(`d_${tensor.name}`, tensor.type) }));
  const wrt = [...copies.values()].filter((tensor) => isFloat(tensor.type.dtype));
  if (wrt.length === 0 || outputs.length === 0) return undefined;
  const { gradients } = differentiate(builder, outputs, wrt);
  const alone = builder.finish([]);
  const inputs = new Map<Tensor, Values>();
  for (const [tensor, copy] of copies)
    inputs.set(copy, values.get(tensor) ?? new Float64Array(elementCount(copy.type.shape)));
  for (const { adjoint } of outputs)
    inputs.set(
      adjoint,
      new Float64Array(elementCount(adjoint.type.shape)).map(() => draw.normal()),
    );
  const record: Derivative = { outputs, wrt, gradients, stopped: new Set(), origin: undefined };
  const verdict = checkDerivative(alone, record, evaluate(alone, inputs), draw);
  return verdict.kind === "differs" ? verdict.mismatch : undefined;
}

const SAMPLES = 20;
const STEP = 1e-6;

/** A row used in the node's body whose derivative column disagrees with differences of its float64 meaning. */
function wrongRow(node: Node, draw: Draw): RowCase | undefined {
  let found: RowCase | undefined;
  visitScalars(rootsOf(node), (scalar) => {
    if (found || scalar.kind !== "apply") return;
    const row = rowOf(scalar.name);
    const types = scalar.arguments.map(({ type }) => type);
    if (!types.includes("f32") || typeof row.derivative !== "function") return;
    for (let sample = 0; sample < SAMPLES && !found; sample++) found = wrongAt(scalar.name, types, draw);
  });
  return found;
}

function wrongAt(name: string, types: readonly ScalarType[], draw: Draw): RowCase | undefined {
  const row = rowOf(name);
  if (typeof row.derivative !== "function") return undefined;
  let interval = 0;
  const point = types.map((type) => {
    if (type !== "f32") return draw.integer(2);
    const [low, high] = row.domain[interval++] ?? [-1, 1];
    return low + (high - low) * draw.uniform();
  });
  if (row.smooth && !row.smooth(...point)) return undefined;
  const operands = point.map((value, k) => ({ type: types[k] ?? "f32", value }));
  const partials = row.derivative(float64, operands, float64.apply(name, ...operands));
  for (const [by, type] of types.entries()) {
    const promised = partials[by]?.value;
    if (type !== "f32" || promised === undefined) continue;
    const shifted = (distance: number) =>
      scalarValue(
        name,
        types,
        point.map((value, k) => (k === by ? value + distance : value)),
      );
    const size = STEP * Math.max(1, Math.abs(point[by] ?? 0));
    const measured = (shifted(size) - shifted(-size)) / (2 * size);
    if (Math.abs(promised - measured) > 1e-4 * Math.max(1, Math.abs(promised), Math.abs(measured))) {
      return { name, arguments: point, by, promised, measured };
    }
  }
  return undefined;
}
