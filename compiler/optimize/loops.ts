/**
 * Work that a scan does anew in every iteration although it needs not: what depends on no iteration leaves the loop; sums
 * that depend on the slices alone (a recurrent layer's input projection) and sums that do not feed the carries (its output
 * projection) become one node each over all iterations, before and behind the loop.
 */
import type { GraphBuilder } from "../graph/builder.ts";
import type { Graph, GraphInput, GraphOutput, Node, ScanNode, Tensor } from "../graph/graph.ts";
import { everywhere, rebuild } from "../graph/rewrite.ts";
import { operandsOf, rootsOf, visitScalars, withOperands } from "../graph/traverse.ts";
import { Batch, isBatchable } from "./batched.ts";
import type { Pass } from "./pass.ts";

/** Where each node of the body goes. */
type Place = "once" | "before" | "inside" | "behind";

/** Whether a node does enough to be worth moving for its own sake. */
function isSubstantial(node: Node): boolean {
  if (node.kind === "generic") return node.reduction.length > 0;
  return node.kind === "scan" || node.kind === "scatter_add" || node.kind === "sort" || node.kind === "random";
}

/** A data coordinate that clamps, once it is the loop's own index, would be a read without proof: such nodes stay. */
function readsIterationAsData(node: Node, iteration: Tensor | undefined): boolean {
  let found = false;
  visitScalars(rootsOf(node), (scalar) => {
    if (scalar.kind !== "read") return;
    for (const { terms } of scalar.coordinates)
      for (const term of terms) if (term.kind === "data" && term.read.tensor === iteration) found = true;
  });
  return found;
}

function placesOf(scan: ScanNode): Map<Node, Place> {
  const { body, carries, slices } = scan;
  const inputs = body.inputs.map(({ tensor }) => tensor);
  const iteration = inputs.at(-1);
  const definition = new Map<Tensor, Node>();
  for (const node of body.nodes) for (const result of node.results) definition.set(result, node);
  const fromCarry = new Set(inputs.slice(0, carries.length));
  const fromTime = new Set([...inputs.slice(carries.length, carries.length + slices.length), iteration]);
  for (const node of body.nodes)
    for (const set of [fromCarry, fromTime])
      if (operandsOf(node).some((tensor) => set.has(tensor))) for (const result of node.results) set.add(result);
  const feeds = new Set<Node>();
  const feed = (tensor: Tensor): void => {
    const node = definition.get(tensor);
    if (!node || feeds.has(node)) return;
    feeds.add(node);
    for (const operand of operandsOf(node)) feed(operand);
  };
  for (const { tensor } of body.outputs.slice(0, carries.length)) feed(tensor);

  const places = new Map<Node, Place>();
  const canBatch = (node: Node): boolean => isBatchable(node) && !readsIterationAsData(node, iteration);
  // Backwards: what a moved node needs of its own kind moves with it.
  const wanted = new Set<Tensor>();
  for (const node of [...body.nodes].reverse()) {
    const isWanted = isSubstantial(node) || node.results.some((result) => wanted.has(result));
    const carried = node.results.some((result) => fromCarry.has(result));
    const timed = node.results.some((result) => fromTime.has(result));
    if (carried || !isWanted || (timed && !canBatch(node))) continue;
    places.set(node, timed ? "before" : "once");
    for (const operand of operandsOf(node)) wanted.add(operand);
  }
  // A moved node whose own needs could not move stays after all.
  const known = (tensor: Tensor): boolean => {
    const node = definition.get(tensor);
    return node ? places.get(node) === "before" || places.get(node) === "once" : !fromCarry.has(tensor);
  };
  for (const node of body.nodes) if (places.has(node) && !operandsOf(node).every(known)) places.delete(node);
  for (const node of body.nodes) {
    if (places.has(node) || feeds.has(node) || !canBatch(node)) continue;
    const follows = operandsOf(node).some((tensor) => places.get(definition.get(tensor) ?? node) === "behind");
    if (isSubstantial(node) || follows) places.set(node, "behind");
  }
  // What stays inside keeps what it needs inside.
  for (const node of [...body.nodes].reverse()) {
    if (places.get(node) === "behind") continue;
    for (const operand of operandsOf(node)) {
      const source = definition.get(operand);
      if (source && places.get(source) === "behind") places.delete(source);
    }
  }
  return places;
}

/** Adds what leaves the loop and the loop that is left; gives what each old result is now. */
function moved(scan: ScanNode, builder: GraphBuilder): { replaced: Map<Tensor, Tensor> } | undefined {
  const places = placesOf(scan);
  if (places.size === 0 || scan.length === 1) return undefined;
  const { body, carries, slices, captured } = scan;
  const inputs = body.inputs.map(({ tensor }) => tensor);
  const iteration = inputs.at(-1)!;
  const batch = new Batch(scan.length, iteration, builder, scan.results[0]?.name ?? "scan");
  for (const [k, tensor] of slices.entries()) batch.set(inputs[carries.length + k]!, tensor, true);
  for (const [k, tensor] of captured.entries()) batch.set(inputs[carries.length + slices.length + k]!, tensor, false);
  batch.set(iteration, iteration, false);
  const inside: Node[] = [];
  const behind: Node[] = [];
  for (const node of body.nodes) {
    const place = places.get(node) ?? "inside";
    if (place === "inside") inside.push(node);
    else if (place === "behind") behind.push(node);
    else if (place === "once") once(node, batch, builder);
    else if (isBatchable(node)) batch.add(node);
  }
  const defined = new Set([...inputs, ...inside.flatMap((node) => node.results)]);
  const used = new Set([...inside.flatMap(operandsOf), ...body.outputs.slice(0, carries.length).map((o) => o.tensor)]);
  const isOutside = (tensor: Tensor): boolean => !defined.has(tensor);
  const imported = [...used].filter(isOutside);
  const timed = imported.filter((tensor) => batch.get(tensor)!.timed);
  const constant = imported.filter((tensor) => !batch.get(tensor)!.timed);
  // Stacked: what the old loop stacked and still makes, and what the nodes behind it read.
  const stacked = body.outputs.slice(carries.length);
  const kept = stacked.map(({ tensor }) => defined.has(tensor) || (batch.get(tensor) && !batch.get(tensor)!.timed));
  const cut = [...new Set(behind.flatMap(operandsOf))].filter((tensor) => defined.has(tensor) && !batch.get(tensor));
  const passed = stacked.flatMap(({ tensor }, k) => (kept[k] && isOutside(tensor) ? [tensor] : []));
  const port = (tensor: Tensor): GraphInput => ({ tensor, role: "argument", path: tensor.name });
  const firstCaptured = carries.length + slices.length;
  const newCaptured = [...new Set([...constant, ...passed])];
  const newInputs = [
    ...body.inputs.slice(0, firstCaptured),
    ...timed.map(port),
    ...body.inputs.slice(firstCaptured, -1),
    ...newCaptured.map(port),
    ...body.inputs.slice(-1),
  ];
  const cutOutputs = cut.map((tensor): GraphOutput => ({ tensor, role: "result", path: `${tensor.name}.each` }));
  const outputs = [...body.outputs.slice(0, carries.length), ...stacked.filter((_, k) => kept[k]), ...cutOutputs];
  const cutResults = cut.map(({ name, type }) =>
    builder.tensor(`${scan.results[0]?.name ?? "scan"}.${name}.each`, type.dtype, [scan.length, ...type.shape]),
  );
  const oldStacked = scan.results.slice(carries.length);
  builder.add({
    ...scan,
    results: [...scan.results.slice(0, carries.length), ...oldStacked.filter((_, k) => kept[k]), ...cutResults],
    slices: [...slices, ...timed.map((tensor) => batch.get(tensor)!.tensor)],
    captured: [...captured, ...newCaptured.map((tensor) => batch.get(tensor)!.tensor)],
    body: { inputs: newInputs, nodes: inside, outputs },
  });
  for (const [k, tensor] of cut.entries()) batch.set(tensor, cutResults[k]!, true);
  for (const node of behind) if (isBatchable(node)) batch.add(node);
  const replaced = new Map<Tensor, Tensor>();
  for (const [k, { tensor }] of stacked.entries())
    if (!kept[k]) replaced.set(oldStacked[k]!, batch.get(tensor)!.tensor);
  return { replaced };
}

/** A node that depends on no iteration, as it is. */
function once(node: Node, batch: Batch, builder: GraphBuilder): void {
  const copy = withOperands(node, (tensor) => batch.get(tensor)?.tensor ?? tensor);
  const results = node.results.map((result) => {
    const fresh = builder.tensor(result.name, result.type.dtype, result.type.shape);
    batch.set(result, fresh, false);
    return fresh;
  });
  builder.add({ ...copy, results });
}

export const looseLoops: Pass = {
  name: "loose loops",
  description:
    "work of a scan that needs no iteration, or not its carries, is done outside, for all iterations at once",
  run: everywhere((graph: Graph) =>
    rebuild(graph, (node, { builder, replace }) => {
      if (node.kind !== "scan") return node;
      const done = moved(node, builder);
      if (!done) return node;
      for (const [from, to] of done.replaced) replace(from, to);
      return undefined;
    }),
  ),
};
