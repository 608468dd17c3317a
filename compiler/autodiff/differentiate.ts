/**
 * Reverse mode, graph to graph: adjoint nodes are appended to the builder that holds the forward nodes. The result is made
 * of the same kinds, so it can be differentiated again.
 *
 * A Jacobian times a vector needs no rule of its own: the adjoint is linear in the outputs' adjoints u, so differentiating
 * `<J^T u, v>` by u gives `J v`. The u may be zeros; dead code removes what depended on their values.
 */
import type { GraphBuilder } from "../graph/builder.ts";
import { readHere } from "../graph/builder.ts";
import type { Node, Tensor, TensorType } from "../graph/graph.ts";
import { operandsOf } from "../graph/traverse.ts";
import { isFloat } from "../types/dtype.ts";
import { type Contribution, everywhere, total, zeros } from "./contributions.ts";
import { adjointOfNode } from "./rules.ts";
import type { Contributions, Seed, Sweep } from "./sweep.ts";

export type { Seed } from "./sweep.ts";

export interface DifferentiateOptions {
  /**
   * Tensors through which no derivative is taken, those inside scan bodies included. Copies of them that the adjoint holds
   * are added, so that the same set is right for derivatives of the result.
   */
  readonly stopped?: Set<Tensor>;
  /** What a tensor gets on which the outputs do not depend: nothing (the default), or zeros. */
  readonly unreached?: "undefined" | "zeros";
}
export interface Differentiated {
  /** One for every `wrt`, of its dtype and shape. */
  readonly gradients: readonly (Tensor | undefined)[];
}

export function differentiate(
  builder: GraphBuilder,
  outputs: readonly Seed[],
  wrt: readonly Tensor[],
  options: DifferentiateOptions = {},
): Differentiated {
  const origin = builder.origin;
  const contributions = contributionsTo(builder, outputs, wrt, options.stopped ?? new Set());
  const gradients = wrt.map((tensor) => {
    const sum = contributions.total(tensor);
    if (!sum)
      return options.unreached === "zeros" && isFloat(tensor.type.dtype) ? zeros(builder, tensor.type) : undefined;
    if (sum.type.dtype === tensor.type.dtype) return sum;
    return builder.map(`d_${tensor.name}`, tensor.type.shape, readHere(sum), tensor.type.dtype);
  });
  builder.origin = origin;
  return { gradients };
}

function contributionsTo(
  builder: GraphBuilder,
  outputs: readonly Seed[],
  wrt: readonly Tensor[],
  stopped: Set<Tensor>,
): Contributions {
  const nodes = ancestors(builder, outputs);
  const active = new Set<Tensor>(wrt.filter(({ type }) => isFloat(type.dtype)));
  const isActive = (tensor: Tensor): boolean => active.has(tensor);
  const activate = (node: Node): void => {
    if (!operandsOf(node).some(isActive)) return;
    for (const result of node.results) if (isFloat(result.type.dtype) && !stopped.has(result)) active.add(result);
  };
  for (const node of nodes) activate(node);

  const received = new Map<Tensor, Contribution[]>();
  const totals = new Map<Tensor, Tensor | undefined>();
  const sum = (tensor: Tensor): Tensor | undefined => {
    if (totals.has(tensor)) return totals.get(tensor);
    const type: TensorType = { dtype: "f32", shape: tensor.type.shape };
    const result = total(builder, `d_${tensor.name}`, type, received.get(tensor) ?? []);
    totals.set(tensor, result);
    return result;
  };
  const sweep: Sweep = {
    builder,
    isActive,
    stopped,
    adjointOf: (tensor) => (isActive(tensor) ? sum(tensor) : undefined),
    contribute(tensor, contribution) {
      const list = received.get(tensor);
      if (list) list.push(contribution);
      else received.set(tensor, [contribution]);
    },
    through(more) {
      for (const node of more) activate(node);
      backwards(more);
    },
    inside: (other, seeds, by) => contributionsTo(other, seeds, by, stopped),
  };
  const backwards = (list: readonly Node[]): void => {
    for (const node of list.toReversed()) {
      if (!node.results.some(isActive)) continue;
      builder.origin = node.origin;
      adjointOfNode(sweep, node);
    }
  };
  for (const { tensor, adjoint } of outputs)
    if (isActive(tensor)) sweep.contribute(tensor, { tensor: adjoint, at: everywhere(tensor.type.shape) });
  backwards(nodes);
  return { of: (tensor) => received.get(tensor) ?? [], total: sum };
}

/** The nodes that the outputs depend on, in order. */
function ancestors(builder: GraphBuilder, outputs: readonly Seed[]): Node[] {
  const found = new Set<Node>();
  const pending = outputs.map(({ tensor }) => tensor);
  for (let tensor = pending.pop(); tensor; tensor = pending.pop()) {
    const node = builder.definition(tensor);
    if (!node || found.has(node)) continue;
    found.add(node);
    pending.push(...operandsOf(node));
  }
  return builder.nodes.filter((node) => found.has(node));
}
