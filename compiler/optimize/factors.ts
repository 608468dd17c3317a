/**
 * A sum over a product of three or more differently indexed factors costs the product of all extents; taken two factors at a
 * time, cheapest pair first, it costs the sum of the pairs' (the order of a tensor network's contraction).
 */
import { at, elementCount, type GraphBuilder, read } from "../graph/builder.ts";
import type { Axis, GenericNode, Graph, Scalar } from "../graph/graph.ts";
import { everywhere, rebuild } from "../graph/rewrite.ts";
import { apply } from "../graph/scalars.ts";
import { indicesOf, renumber } from "../graph/traverse.ts";
import type { Pass } from "./pass.ts";
import { isRow } from "./scalar-rules.ts";
import { product } from "./terms.ts";

interface Factor {
  readonly scalar: Scalar;
  readonly indices: ReadonlySet<number>;
}

/** The factors of a product, however nested. */
export function factorsOf(scalar: Scalar): Scalar[] {
  return isRow(scalar, "mul") ? scalar.arguments.flatMap(factorsOf) : [scalar];
}
const union = (a: ReadonlySet<number>, b: ReadonlySet<number>): Set<number> => new Set([...a, ...b]);

class Contractions {
  readonly #axes: readonly Axis[];
  readonly #parallel: number;

  constructor(node: GenericNode) {
    this.#axes = [...node.parallel, ...node.reduction];
    this.#parallel = node.parallel.length;
  }
  points(indices: ReadonlySet<number>): number {
    return elementCount([...indices].map((position) => this.#axes[position]!.extent));
  }
  /** The indices of a pair's product that the result or another factor still needs. */
  needed(pair: readonly [Factor, Factor], others: readonly Factor[]): Set<number> {
    const both = union(pair[0].indices, pair[1].indices);
    return new Set(
      [...both].filter((index) => index < this.#parallel || others.some((other) => other.indices.has(index))),
    );
  }
  /** The cheapest pair that sums something away; ties go to the smaller result. */
  best(factors: readonly Factor[]): { pair: [Factor, Factor]; others: Factor[]; cost: number } | undefined {
    let found: { pair: [Factor, Factor]; others: Factor[]; cost: number; size: number } | undefined;
    for (const [k, a] of factors.entries())
      for (const b of factors.slice(k + 1)) {
        const others = factors.filter((factor) => factor !== a && factor !== b);
        const cost = this.points(union(a.indices, b.indices));
        const kept = this.needed([a, b], others);
        if (kept.size === union(a.indices, b.indices).size) continue;
        const size = this.points(kept);
        if (!found || cost < found.cost || (cost === found.cost && size < found.size))
          found = { pair: [a, b], others, cost, size };
      }
    return found;
  }
  /** The pair's product, summed over what nothing else needs. */
  contracted(pair: readonly [Factor, Factor], others: readonly Factor[], hint: string, builder: GraphBuilder): Factor {
    const kept = this.needed(pair, others);
    const both = union(pair[0].indices, pair[1].indices);
    const order = (indices: Iterable<number>): number[] => [...indices].sort((a, b) => a - b);
    const outer = order(kept);
    const inner = order([...both].filter((index) => !kept.has(index)));
    const to: number[] = [];
    for (const [k, position] of [...outer, ...inner].entries()) to[position] = k;
    const [tensor] = builder.generic({
      hint,
      combiner: inner.length > 0 ? "sum" : "map",
      parallel: outer.map((position) => this.#axes[position]!),
      reduction: inner.map((position) => this.#axes[position]!),
      body: renumber(apply("mul", pair[0].scalar, pair[1].scalar), to),
    });
    const scalar = read(
      tensor!,
      outer.map((position) => at(position)),
    );
    return { scalar, indices: kept };
  }
}

function rewritten(node: GenericNode, builder: GraphBuilder): GenericNode {
  const factors = factorsOf(node.body).map((scalar): Factor => ({ scalar, indices: indicesOf(scalar) }));
  if (factors.length < 3) return node;
  // An index that no factor uses counts how often the product is added: `unused-indices.ts` makes a factor of it.
  const inFactors = indicesOf(node.body);
  if (node.reduction.some((_, k) => !inFactors.has(node.parallel.length + k))) return node;
  const contractions = new Contractions(node);
  const whole = new Set([...node.parallel.keys(), ...node.reduction.map((_, k) => node.parallel.length + k)]);
  const steps: { pair: [Factor, Factor]; others: Factor[] }[] = [];
  // A rehearsal on index sets alone: the order must pay before any node is made.
  let rehearsed: Factor[] = factors;
  let cost = 0;
  while (rehearsed.length > 2) {
    const step = contractions.best(rehearsed);
    if (!step) break;
    steps.push(step);
    cost += step.cost;
    rehearsed = [...step.others, { ...step.pair[0], indices: contractions.needed(step.pair, step.others) }];
  }
  cost += contractions.points(rehearsed.reduce((all, factor) => union(all, factor.indices), new Set<number>()));
  if (steps.length === 0 || cost >= contractions.points(whole)) return node;
  let current: Factor[] = factors;
  while (current.length > 2) {
    const step = contractions.best(current);
    if (!step) break;
    const made = contractions.contracted(step.pair, step.others, `${node.results[0]!.name}.part`, builder);
    current = [...step.others, made];
  }
  const body = product(current.map((factor) => factor.scalar));
  const used = indicesOf(body);
  const to: number[] = [...node.parallel.keys()];
  const reduction = node.reduction.filter((_, k) => used.has(node.parallel.length + k));
  let next = node.parallel.length;
  for (const k of node.reduction.keys()) if (used.has(node.parallel.length + k)) to[node.parallel.length + k] = next++;
  return { ...node, combiner: reduction.length === 0 ? "map" : "sum", reduction, body: renumber(body, to) };
}

export const pairFactors: Pass = {
  name: "pair factors",
  description: "a product of three or more differently indexed factors is contracted two at a time, cheapest first",
  run: everywhere((graph: Graph) =>
    rebuild(graph, (node, { builder }) =>
      node.kind === "generic" && node.combiner === "sum" && node.body.type === "f32" ? rewritten(node, builder) : node,
    ),
  ),
};
