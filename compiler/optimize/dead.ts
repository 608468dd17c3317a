/** What nothing uses: nodes, second results, scan carries and stacked outputs. */
import { elementCount, readHere } from "../graph/builder.ts";
import type { GenericNode, Graph, Node, ScanNode, Tensor } from "../graph/graph.ts";
import { everywhere, rebuild } from "../graph/rewrite.ts";
import { apply, constant } from "../graph/scalars.ts";
import { operandsOf, usesOf } from "../graph/traverse.ts";
import type { Pass } from "./pass.ts";

function withoutDeadNodes(graph: Graph): Graph {
  const live = new Set<Tensor>(graph.outputs.map(({ tensor }) => tensor));
  const kept: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.results.some((tensor) => live.has(tensor))) continue;
    for (const operand of operandsOf(node)) live.add(operand);
    kept.push(node);
  }
  return kept.length === graph.nodes.length ? graph : { ...graph, nodes: kept.reverse() };
}

/** `max_first` whose position nobody reads is `max`; `moments` whose squares nobody reads are a mean. */
function withoutSecondResults(graph: Graph): Graph {
  const uses = usesOf(graph);
  const dead = (tensor: Tensor | undefined): boolean =>
    tensor !== undefined && uses.of(tensor).length === 0 && !uses.isOutput(tensor);
  return rebuild(graph, (node, { builder, replace }) => {
    if (node.kind !== "generic") return node;
    const [first, second] = node.results;
    if (!first || !dead(second)) return node;
    if (node.combiner === "max_first" || node.combiner === "min_first") {
      const combiner = node.combiner === "max_first" ? "max" : "min";
      return { ...node, combiner, results: [first] } satisfies GenericNode;
    }
    if (node.combiner === "moments") {
      const { shape } = first.type;
      const count = elementCount(node.reduction.map((axis) => axis.extent));
      const [total] = builder.generic({ ...node, hint: `${first.name}.sum`, combiner: "sum", shape });
      replace(first, builder.map(first.name, shape, apply("mul", readHere(total!), constant("f32", 1 / count))));
      return undefined;
    }
    return node;
  });
}

/** Carries that only feed themselves, stacks that nobody reads, slices and captures that the body does not use. */
function withoutDeadCarries(node: ScanNode, isUsed: (tensor: Tensor) => boolean): ScanNode | undefined {
  const { body, carries, slices, captured } = node;
  const inputs = body.inputs.map(({ tensor }) => tensor);
  const definitions = new Map<Tensor, Node>();
  for (const inner of body.nodes) for (const result of inner.results) definitions.set(result, inner);
  const live = body.outputs.map((_, k) => isUsed(node.results[k]!));
  const reached = new Set<Tensor>();
  const reach = (tensor: Tensor): void => {
    if (reached.has(tensor)) return;
    reached.add(tensor);
    const position = inputs.indexOf(tensor);
    if (position >= 0 && position < carries.length) live[position] = true;
    const definition = definitions.get(tensor);
    if (definition) for (const operand of operandsOf(definition)) reach(operand);
  };
  // Reaching a carry's input makes the carry live, so its next value must be reached too.
  for (let before = -1; before !== reached.size; ) {
    before = reached.size;
    for (const [k, { tensor }] of body.outputs.entries()) if (live[k]) reach(tensor);
  }
  const keepCarry = carries.map((_, k) => live[k] === true);
  const keepInput = inputs.map((tensor, k) => {
    if (k < carries.length) return keepCarry[k]!;
    return k === inputs.length - 1 || reached.has(tensor);
  });
  if (live.every((fact) => fact) && keepInput.every((fact) => fact)) return undefined;
  const firstCaptured = carries.length + slices.length;
  return {
    ...node,
    results: node.results.filter((_, k) => live[k]),
    carries: carries.filter((_, k) => keepCarry[k]),
    slices: slices.filter((_, k) => keepInput[carries.length + k]),
    captured: captured.filter((_, k) => keepInput[firstCaptured + k]),
    body: withoutDeadNodes({
      inputs: body.inputs.filter((_, k) => keepInput[k]),
      nodes: body.nodes,
      outputs: body.outputs.filter((_, k) => live[k]),
    }),
  };
}

export const deadCode: Pass = {
  name: "dead code",
  description: "nodes, second results, scan carries and stacked outputs that nothing uses",
  run: everywhere((graph: Graph) => {
    const trimmed = withoutSecondResults(withoutDeadNodes(graph));
    const uses = usesOf(trimmed);
    const isUsed = (tensor: Tensor): boolean => uses.isOutput(tensor) || uses.of(tensor).length > 0;
    const scans = rebuild(trimmed, (node) =>
      node.kind === "scan" ? (withoutDeadCarries(node, isUsed) ?? node) : node,
    );
    return withoutDeadNodes(scans);
  }),
};
