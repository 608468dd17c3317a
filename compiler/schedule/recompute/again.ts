/** The graph in which some nodes are computed a second time, for those that need their values late. */
import { GraphBuilder } from "../../graph/builder.ts";
import type { Graph, Node, Tensor } from "../../graph/graph.ts";
import { reserveNames } from "../../graph/rewrite.ts";
import { dependenciesOf, withOperands } from "../../graph/traverse.ts";
import type { Lives, Return, Stop } from "./lives.ts";

export function computedAgain(graph: Graph, lives: Lives, again: ReadonlySet<Stop>): Graph {
  const returns = lives.returns(again);
  const builder = new GraphBuilder();
  reserveNames(graph, builder);
  const copies = new Map<Tensor, Tensor>();
  for (const { node } of returns.keys())
    for (const result of node.results)
      copies.set(result, builder.tensor(`${result.name}.again`, result.type.dtype, result.type.shape));

  const views = new Map(
    graph.nodes.flatMap((node) => (node.kind === "view" ? [[node.results[0]!, node] as const] : [])),
  );
  const nodes: Node[] = [];
  const lateViews = new Map<Tensor, Tensor>();
  /** The second value of a tensor, behind copies of the views before it. */
  const second = (tensor: Tensor): Tensor => {
    const copy = copies.get(tensor) ?? lateViews.get(tensor);
    const view = views.get(tensor);
    if (copy || !view) return copy ?? tensor;
    const made = builder.tensor(`${tensor.name}.again`, tensor.type.dtype, tensor.type.shape);
    nodes.push({ ...view, source: second(view.source), results: [made] });
    lateViews.set(tensor, made);
    return made;
  };
  const makerOf = (tensor: Tensor): Stop | undefined => lives.maker(lives.source(tensor));

  for (const [stop, found] of returns) {
    const { node } = stop;
    const moved = withOperands(node, (tensor) => {
      const maker = makerOf(tensor);
      return maker && returns.has(maker) ? second(tensor) : tensor;
    });
    const after = waitFor(stop, found, lives, returns);
    nodes.push({ ...moved, results: node.results.map((tensor) => copies.get(tensor)!), ...(after && { after }) });
  }
  for (const stop of lives.stops) {
    const moved = withOperands(stop.node, (tensor) => {
      const maker = makerOf(tensor);
      return maker && returns.has(maker) && lives.isLate(stop, maker) ? second(tensor) : tensor;
    });
    nodes.push(moved);
  }
  const rest = graph.nodes.filter(({ kind }) => kind === "view" || kind === "constant");
  const order = new Map(graph.nodes.map((node, k) => [node.results[0]!, k]));
  const position = (node: Node): number => order.get(node.results[0]!) ?? graph.nodes.length;
  const all = [...rest, ...nodes].sort((a, b) => position(a) - position(b));
  return { inputs: graph.inputs, nodes: inOrder(all, graph), outputs: graph.outputs };
}

/** What the reader waits for last, so that nothing is computed again before there is room for it. */
function waitFor(stop: Stop, { reader }: Return, lives: Lives, returns: ReadonlyMap<Stop, Return>): Tensor | undefined {
  const lastOf = (candidates: readonly Stop[]): Stop | undefined => {
    const between = candidates.filter(
      (other) => other.last < reader.first && other.last > stop.split && !returns.has(other),
    );
    return between.reduce<Stop | undefined>((a, b) => (a === undefined || b.last > a.last ? b : a), undefined);
  };
  const operands = reader.operands.flatMap((tensor) => lives.maker(tensor) ?? []);
  return (lastOf(operands) ?? lastOf(lives.stops))?.node.results[0];
}

/** Every node after those it depends on, otherwise in the order given; without those that nothing leads to. */
function inOrder(nodes: readonly Node[], { outputs }: Graph): Node[] {
  const makers = new Map(nodes.flatMap((node) => node.results.map((tensor) => [tensor, node] as const)));
  const live = new Set<Node>();
  const reach = [...outputs.map(({ tensor }) => tensor)];
  for (let tensor = reach.pop(); tensor; tensor = reach.pop()) {
    const node = makers.get(tensor);
    if (!node || live.has(node)) continue;
    live.add(node);
    reach.push(...dependenciesOf(node));
  }
  const done = new Set<Node>();
  const order: Node[] = [];
  const place = (node: Node): void => {
    if (done.has(node)) return;
    done.add(node);
    for (const tensor of dependenciesOf(node)) {
      const maker = makers.get(tensor);
      if (maker) place(maker);
    }
    order.push(node);
  };
  for (const node of nodes) if (live.has(node)) place(node);
  return order;
}
