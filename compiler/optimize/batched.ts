/** Nodes of a loop's body for all iterations at once: one more parallel index in front. */
import { at, type GraphBuilder } from "../graph/builder.ts";
import type { GenericNode, Node, Scalar, Tensor, ViewNode } from "../graph/graph.ts";
import { domainOf, renumber, rewriteScalar } from "../graph/traverse.ts";

/** Lengths are at least 2, reads of the iteration number never coordinates: the caller sees to both. */

/** What a tensor of the body is outside: one value, or one for each iteration along a leading axis. */
export interface Outside {
  readonly tensor: Tensor;
  readonly timed: boolean;
}

export function isBatchable(node: Node): node is GenericNode | ViewNode {
  return node.kind === "generic" || node.kind === "view";
}

export class Batch {
  readonly #length: number;
  readonly #iteration: Tensor | undefined;
  readonly #builder: GraphBuilder;
  readonly #prefix: string;
  readonly #outside = new Map<Tensor, Outside>();

  constructor(length: number, iteration: Tensor | undefined, builder: GraphBuilder, prefix: string) {
    this.#length = length;
    this.#iteration = iteration;
    this.#builder = builder;
    this.#prefix = prefix;
  }

  set(inner: Tensor, tensor: Tensor, timed: boolean): void {
    this.#outside.set(inner, { tensor, timed });
  }
  get(inner: Tensor): Outside | undefined {
    return this.#outside.get(inner);
  }

  /** Adds the node for all iterations. Everything it uses is known outside. */
  add(node: GenericNode | ViewNode): void {
    const shapes = node.results.map(({ type }) => type);
    const results = shapes.map((type, k) =>
      this.#builder.tensor(`${this.#prefix}.${node.results[k]!.name}`, type.dtype, [this.#length, ...type.shape]),
    );
    if (node.kind === "view") {
      const source = this.#outside.get(node.source)!;
      this.#builder.add({ ...node, results, source: source.tensor });
    } else {
      const parallel = [{ name: "t", extent: this.#length }, ...node.parallel];
      this.#builder.add({ ...node, results, parallel, body: this.#body(node) });
    }
    for (const [k, result] of node.results.entries()) this.set(result, results[k]!, true);
  }

  #body(node: GenericNode): Scalar {
    const shifted = renumber(
      node.body,
      domainOf(node).map((_, position) => position + 1),
    );
    return rewriteScalar(shifted, (scalar) => {
      if (scalar.kind !== "read") return scalar;
      if (scalar.tensor === this.#iteration) return { kind: "index", type: "i32", position: 0 };
      const found = this.#outside.get(scalar.tensor)!;
      const { coordinates } = scalar;
      return { ...scalar, tensor: found.tensor, coordinates: found.timed ? [at(0), ...coordinates] : coordinates };
    });
  }
}
