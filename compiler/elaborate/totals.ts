/**
 * Metrics of `total(..)`: what stands inside is summed over all batches of an evaluation, what stands around it is computed
 * once, of the sums. So the graph of an evaluation comes apart in what runs for each batch and gives the summands, and the
 * closing formulas, which read the sums in their place.
 */
import type { InputSlot } from "../../runtime/plan.ts";
import { cloneGraph } from "../graph/clone.ts";
import type { Graph, GraphInput, GraphOutput, Node, Tensor } from "../graph/graph.ts";
import { operandsOf } from "../graph/traverse.ts";

/** What leads to a tensor, back to inputs and marked tensors. */
export interface Formula {
  readonly nodes: ReadonlySet<Node>;
  readonly totals: ReadonlySet<Tensor>;
  /** Other tensors that no node found computes. */
  readonly leaves: ReadonlySet<Tensor>;
}

export function formulaOf(
  results: readonly Tensor[],
  isTotal: (tensor: Tensor) => boolean,
  definition: (tensor: Tensor) => Node | undefined,
): Formula {
  const nodes = new Set<Node>();
  const totals = new Set<Tensor>();
  const leaves = new Set<Tensor>();
  const pending = [...results];
  for (let tensor = pending.pop(); tensor; tensor = pending.pop()) {
    if (isTotal(tensor)) {
      totals.add(tensor);
      continue;
    }
    const node = definition(tensor);
    if (!node) leaves.add(tensor);
    else if (!nodes.has(node)) {
      nodes.add(node);
      pending.push(...operandsOf(node));
    }
  }
  return { nodes, totals, leaves };
}

/** What changes from batch to batch: a formula of totals may not read it. */
export function isOfBatch({ role }: GraphInput): boolean {
  return role === "argument" || role === "knob" || role === "seed";
}

export interface Split {
  /** Loss and metrics that are means over rows, then the summands. */
  readonly evaluation: Graph;
  /** Of the sums: arguments in the order of the summands. */
  readonly closing: { readonly graph: Graph; readonly inputs: readonly InputSlot[] };
}

/** Undefined where no output is a formula of totals. */
export function splitTotals(graph: Graph, marked: ReadonlySet<Tensor>): Split | undefined {
  const definitions = new Map(graph.nodes.flatMap((node) => node.results.map((result) => [result, node] as const)));
  const formula = (tensors: readonly Tensor[]): Formula =>
    formulaOf(
      tensors,
      (tensor) => marked.has(tensor),
      (tensor) => definitions.get(tensor),
    );
  const isClosed = ({ tensor }: GraphOutput): boolean => formula([tensor]).totals.size > 0;
  const closed = graph.outputs.filter(isClosed);
  if (closed.length === 0) return undefined;
  const { nodes, totals, leaves } = formula(closed.map(({ tensor }) => tensor));
  const summands = [...marked].filter((tensor) => totals.has(tensor));
  const names = summands.map((tensor, k) => ({ tensor, path: `total ${k + 1}` }));
  const evaluation: Graph = {
    ...graph,
    outputs: [
      ...graph.outputs.filter((output) => !closed.includes(output)),
      ...names.map((name): GraphOutput => ({ ...name, role: "total" })),
    ],
  };
  const closing: Graph = {
    inputs: [
      ...names.map((name): GraphInput => ({ ...name, role: "argument" })),
      ...graph.inputs.filter(({ tensor }) => leaves.has(tensor)),
    ],
    nodes: graph.nodes.filter((node) => nodes.has(node)),
    outputs: closed,
  };
  return {
    evaluation,
    closing: {
      // Each graph has tensors of its own.
      graph: cloneGraph(closing, (name) => name),
      inputs: names.map(({ tensor, path }) => ({ name: path, ...tensor.type })),
    },
  };
}
