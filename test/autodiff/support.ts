/** Adjoints against central differences through the float64 reference. */
import { differentiate } from "../../compiler/autodiff/differentiate.ts";
import { GraphBuilder } from "../../compiler/graph/builder.ts";
import type { Graph, GraphOutput, Tensor } from "../../compiler/graph/graph.ts";
import { printGraph } from "../../compiler/graph/print.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { evaluate } from "../../compiler/reference/evaluate.ts";
import { isFloat } from "../../compiler/types/dtype.ts";

/** A builder that holds a graph, to go on from there. */
export function builderOf(graph: Graph): GraphBuilder {
  const builder = new GraphBuilder();
  for (const { tensor, role, path } of graph.inputs) {
    builder.fresh(tensor.name);
    builder.inputs.push({ tensor, role, path });
  }
  for (const node of graph.nodes) {
    for (const { name } of node.results) builder.fresh(name);
    builder.add(node);
  }
  return builder;
}

export interface WithGradients {
  readonly graph: Graph;
  readonly seeds: readonly { tensor: Tensor; adjoint: Tensor }[];
  readonly wrt: readonly Tensor[];
  readonly gradients: readonly (Tensor | undefined)[];
}

/** The graph, its float outputs' adjoints as further inputs, the gradients of its float inputs as further outputs. */
export function withGradients(graph: Graph, wrt?: readonly Tensor[]): WithGradients {
  const builder = builderOf(graph);
  const by = wrt ?? graph.inputs.map(({ tensor }) => tensor).filter(({ type }) => isFloat(type.dtype));
  const seeds = graph.outputs
    .filter(({ tensor }) => isFloat(tensor.type.dtype))
    .map(({ tensor }) => ({ tensor, adjoint: builder.input(`d_${tensor.name}`, { ...tensor.type, dtype: "f32" }) }));
  const { gradients } = differentiate(builder, seeds, by);
  const outputs = gradients.flatMap((tensor, k): GraphOutput[] =>
    tensor ? [{ tensor, role: "result", path: `gradient.${by[k]!.name}` }] : [],
  );
  return { graph: verify(builder.finish([...graph.outputs, ...outputs]), "differentiate"), seeds, wrt: by, gradients };
}

/** Only what the gradients need. */
export function gradientText({ graph, gradients }: WithGradients, forward: Graph): string {
  const needed = new Set<Tensor>(gradients.filter((tensor) => tensor !== undefined));
  const known = new Set(forward.nodes.flatMap((node) => node.results.map(({ name }) => name)));
  const nodes = graph.nodes.filter((node) => !node.results.every(({ name }) => known.has(name)));
  return (
    printGraph({ inputs: [], nodes, outputs: [] }, { origins: false }) + [...needed].map(({ name }) => name).join(" ")
  );
}

export type Values = Map<Tensor, Float64Array>;

export function sizeOf(tensor: Tensor): number {
  return tensor.type.shape.reduce((product, extent) => product * extent, 1);
}

/** Throws with the whole graph if promised and measured slope along random directions disagree. */
export function checkGradients(subject: WithGradients, values: Values, random: () => number, tolerance = 1e-6): void {
  const { graph, seeds, wrt, gradients } = subject;
  for (const { adjoint } of seeds)
    if (!values.has(adjoint))
      values.set(
        adjoint,
        Float64Array.from({ length: sizeOf(adjoint) }, () => random() * 2 - 1),
      );
  const base = evaluate(graph, values);
  const slope = (tensor: Tensor, direction: Float64Array, step: number): number => {
    const shifted = (sign: number): Map<Tensor, Float64Array> => {
      const moved = values.get(tensor)!.map((value, k) => value + sign * step * direction[k]!);
      return evaluate(graph, new Map(values).set(tensor, moved));
    };
    const up = shifted(1);
    const down = shifted(-1);
    let sum = 0;
    for (const { tensor: output, adjoint } of seeds) {
      const weights = base.get(adjoint)!;
      const [a, b] = [up.get(output)!, down.get(output)!];
      for (const [k, weight] of weights.entries()) sum += weight * (a[k]! - b[k]!);
    }
    return sum / (2 * step);
  };
  for (const [k, tensor] of wrt.entries()) {
    const gradient = gradients[k];
    let last = "";
    for (let attempt = 0; attempt < 4; attempt++) {
      const direction = Float64Array.from({ length: sizeOf(tensor) }, () => random() * 2 - 1);
      const got = gradient ? base.get(gradient)!.reduce((sum, value, i) => sum + value * direction[i]!, 0) : 0;
      const step = 1e-5 / 4 ** attempt;
      const want = slope(tensor, direction, step);
      const error = Math.abs(got - want) / Math.max(1, Math.abs(got), Math.abs(want));
      last = error <= tolerance ? "" : `gradient of %${tensor.name}: promised ${got}, measured ${want}`;
      if (last === "") break;
    }
    if (last !== "") throw new Error(`${last}\n${printGraph(graph, { origins: false })}`);
  }
}
