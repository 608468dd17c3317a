/** Structural keys: equal keys mean equal values. Interning makes equal subtrees one object. */
import { rowOf } from "../scalar/table.ts";
import type { Coordinate, Graph, Node, Scalar, Stride, Tensor } from "./graph.ts";
import { scalarRewriter } from "./traverse.ts";

/** Numbers for tensors and scalars, such that equal structure has equal numbers. */
export class Keys {
  readonly #scalars = new Map<Scalar, number>();
  readonly #numbers = new Map<string, number>();
  readonly #canonical: Scalar[] = [];
  readonly #tensors = new Map<Tensor, number>();

  tensor(tensor: Tensor): number {
    const known = this.#tensors.get(tensor);
    if (known !== undefined) return known;
    const next = this.#tensors.size;
    this.#tensors.set(tensor, next);
    return next;
  }

  scalar(scalar: Scalar): number {
    const known = this.#scalars.get(scalar);
    if (known !== undefined) return known;
    const key = this.#keyOf(scalar);
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#canonical.length;
      this.#canonical.push(scalar);
      this.#numbers.set(key, number);
    }
    this.#scalars.set(scalar, number);
    return number;
  }

  /** Every tensor and what every scalar is made of, by their numbers. */
  tensors(): Tensor[] {
    return [...this.#tensors.keys()];
  }
  scalars(): string[] {
    return [...this.#numbers.keys()];
  }

  /** The same body with every repeated subtree one object. */
  interned(root: Scalar): Scalar {
    return scalarRewriter((scalar) => this.#canonical[this.scalar(scalar)] ?? scalar)(root);
  }

  coordinates(coordinates: readonly Coordinate[]): string {
    return coordinates
      .map(({ offset, terms }) => {
        const parts = terms.map((term) => {
          switch (term.kind) {
            case "affine":
              return `${term.coefficient}i${term.position}`;
            case "table":
              return `{${term.table.join()}}${term.position}`;
            case "data":
              return `${term.coefficient}s${this.scalar(term.read)}`;
          }
          return term satisfies never;
        });
        return `${offset}+${parts.sort().join("+")}`;
      })
      .join(";");
  }

  #keyOf(scalar: Scalar): string {
    switch (scalar.kind) {
      case "constant":
        return `${scalar.type} ${Object.is(scalar.value, -0) ? "-0" : scalar.value}`;
      case "index":
        return `i${scalar.position}`;
      case "read":
        return `t${this.tensor(scalar.tensor)}[${this.coordinates(scalar.coordinates)}]${scalar.otherwise ?? ""}`;
      case "apply": {
        const numbers = scalar.arguments.map((argument) => this.scalar(argument));
        if (rowOf(scalar.name).commutative) numbers.sort((a, b) => a - b);
        return `${scalar.name}(${numbers.join()})`;
      }
    }
    return scalar satisfies never;
  }

  /** What a node computes, its results' shapes and types included, their names not. */
  node(node: Node): string {
    const types = node.results.map(({ type }) => `${type.dtype}[${type.shape.join()}]`).join();
    return `${types}=${this.#nodeKey(node)}`;
  }

  #nodeKey(node: Node): string {
    switch (node.kind) {
      case "generic": {
        const extents = (axes: typeof node.parallel): string => axes.map(({ extent }) => extent).join();
        return `${node.combiner}[${extents(node.parallel)}|${extents(node.reduction)}]${this.scalar(node.body)}`;
      }
      case "view":
        return `view ${this.tensor(node.source)}`;
      case "join": {
        const box = (at: readonly Stride[]): string => at.map((s) => `${s.start}:${s.step}:${s.count}`).join();
        const pieces = node.pieces.map(({ tensor, at }) => `${this.tensor(tensor)}@${box(at)}`);
        return `join ${node.fill} ${pieces.sort().join(" ")}`;
      }
      case "scatter_add": {
        const extents = node.domain.map(({ extent }) => extent).join();
        const place = this.coordinates(node.coordinates);
        return `scatter[${extents}][${place}]${node.outside} ${this.scalar(node.body)}`;
      }
      case "scan": {
        const lists = [node.carries, node.slices, node.captured].map((list) => list.map((t) => this.tensor(t)).join());
        return `scan ${node.length} ${node.reverse} ${lists.join("|")} ${this.graph(node.body)}`;
      }
      case "random": {
        const counters = [node.seed, node.step, node.iteration].map((t) => (t ? this.tensor(t) : "-"));
        return `random ${node.stream} ${counters.join()}`;
      }
      case "sort":
        return `sort ${this.tensor(node.source)} ${node.axis}`;
      case "custom": {
        const operands = node.operands.map((tensor) => this.tensor(tensor)).join();
        return `custom ${operands} ${this.graph(node.forward)} ${this.graph(node.backward)}`;
      }
      case "constant":
        return `constant ${node.values.map((value) => (Object.is(value, -0) ? "-0" : value)).join()}`;
    }
    return node satisfies never;
  }

  /** A nested graph by what it computes: its tensors are numbered in order, whatever they are called. */
  graph(graph: Graph): string {
    const inner = new Keys();
    for (const { tensor } of graph.inputs) inner.tensor(tensor);
    const nodes = graph.nodes.map((node) => {
      const key = inner.node(node);
      for (const result of node.results) inner.tensor(result);
      return key;
    });
    return `{${nodes.join("\n")}\n${graph.outputs.map(({ tensor }) => inner.tensor(tensor)).join()}}`;
  }
}
