/** Writes what takes a sum's place: smaller sums over exactly the indices they use, and one map with the sum's own result. */
import { at, elementCount, fixed, type GraphBuilder, read } from "../graph/builder.ts";
import type { Axis, GenericNode, Scalar } from "../graph/graph.ts";
import { indicesOf, renumber } from "../graph/traverse.ts";
import { outside, type SumTerm } from "./terms.ts";

export class Emission {
  readonly #node: GenericNode;
  readonly #builder: GraphBuilder;

  constructor(node: GenericNode, builder: GraphBuilder) {
    this.#node = node;
    this.#builder = builder;
  }

  /** A map over the sum's parallel indices that defines the sum's result. */
  map(body: Scalar): GenericNode {
    return { ...this.#node, combiner: "map", reduction: [], body };
  }

  /**
   * A new sum of a body over this node's domain (without the reduction indices it does not use: the caller accounts for
   * those), read at the parallel indices.
   */
  sum(body: Scalar): Scalar {
    const { parallel, reduction, results } = this.#node;
    const used = indicesOf(body);
    const axes = [...parallel, ...reduction];
    const kept = axes.flatMap((axis, position) => (used.has(position) ? [{ axis, position }] : []));
    const isParallel = ({ position }: { position: number }): boolean => position < parallel.length;
    const parallelKept = kept.filter(isParallel);
    const reductionKept = kept.filter((entry) => !isParallel(entry));
    const to: number[] = [];
    for (const [position, entry] of [...parallelKept, ...reductionKept].entries()) to[entry.position] = position;
    const whole = parallelKept.length === parallel.length;
    const { shape } = results[0]!.type;
    const [result] = this.#builder.generic({
      hint: `${results[0]!.name}.sum`,
      combiner: reductionKept.length > 0 ? "sum" : "map",
      parallel: parallelKept.map(({ axis }): Axis => axis),
      reduction: reductionKept.map(({ axis }): Axis => axis),
      body: renumber(body, to),
      ...(whole && { shape }),
    });
    let position = 0;
    const coordinates = whole
      ? shape.map((extent) => (extent === 1 ? fixed(0) : at(position++)))
      : parallelKept.map((entry) => at(entry.position));
    return read(result!, coordinates);
  }

  /** A one-hot term: its value, summed over the reduction indices that are left. */
  collapsed(term: SumTerm, { value, position }: { readonly value: Scalar; readonly position: number }): GenericNode {
    const { parallel, reduction } = this.#node;
    const used = indicesOf(value);
    const left = reduction.filter((_, k) => parallel.length + k !== position && used.has(parallel.length + k));
    const unused = reduction.filter((_, k) => parallel.length + k !== position && !used.has(parallel.length + k));
    const scaled = { ...term, coefficient: term.coefficient * elementCount(unused.map((axis) => axis.extent)) };
    return this.map(outside(scaled, left.length > 0 ? this.sum(value) : value));
  }
}
