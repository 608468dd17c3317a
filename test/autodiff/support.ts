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

/**
 * Throws with the whole graph if promised and measured slope along a random direction disagree. Where the differences
 * themselves disagree from step to step (a branch in between, a function that turns faster than the step) nothing is known.
 */
export function checkGradients(subject: WithGradients, values: Values, random: () => number, tolerance = 1e-6): void {
  const { graph, seeds, wrt, gradients } = subject;
  for (const { adjoint } of seeds)
    if (!values.has(adjoint))
      values.set(
        adjoint,
        Float64Array.from({ length: sizeOf(adjoint) }, () => random() * 2 - 1),
      );
  const base = evaluate(graph, values);
  const along = (tensor: Tensor, direction: Float64Array, distance: number): number => {
    const moved = values.get(tensor)!.map((value, k) => value + distance * direction[k]!);
    const all = evaluate(graph, new Map(values).set(tensor, moved));
    let sum = 0;
    for (const { tensor: output, adjoint } of seeds) {
      const weights = base.get(adjoint)!;
      const [now, then] = [all.get(output)!, base.get(output)!];
      for (const [k, weight] of weights.entries()) sum += weight * (now[k]! - then[k]!);
    }
    return sum;
  };
  /** Of fourth order. */
  const slope = (tensor: Tensor, direction: Float64Array, h: number): number => {
    const at = (distance: number) => along(tensor, direction, distance);
    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
  };
  const error = (a: number, b: number) => Math.abs(a - b) / Math.max(1, Math.abs(a), Math.abs(b));
  for (const [k, tensor] of wrt.entries()) {
    const gradient = gradients[k];
    const direction = Float64Array.from({ length: sizeOf(tensor) }, () => random() * 2 - 1);
    const promised = gradient ? base.get(gradient)!.reduce((sum, value, i) => sum + value * direction[i]!, 0) : 0;
    const measured: number[] = [];
    for (const step of [1e-4, 2e-5, 4e-6]) {
      measured.push(slope(tensor, direction, step));
      if (error(promised, measured.at(-1)!) <= tolerance) break;
    }
    if (error(promised, measured.at(-1)!) <= tolerance) continue;
    const settled = measured.slice(1).some((value, j) => error(value, measured[j]!) <= tolerance);
    if (settled || Number.isNaN(promised))
      throw new Error(
        `gradient of %${tensor.name}: promised ${promised}, measured ${measured.join(", ")}\n${printGraph(graph, { origins: false })}`,
      );
  }
}
