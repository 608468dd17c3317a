/**
 * What a body computes again at every point although it depends on few of the indices (`1 / sqrt(variance[c] + eps)`) becomes
 * a small node of its own; a division by such a value becomes a product with its reciprocal. What is
 * the same at every call (a batch_norm's scale and offset at prediction) is computed once, so it need not be reused to pay.
 */
import { at, elementCount, type GraphBuilder, read } from "../graph/builder.ts";
import { fixedTensors } from "../graph/fixed.ts";
import type { Axis, Graph, Node, Scalar, Tensor } from "../graph/graph.ts";
import { everywhere, rebuild } from "../graph/rewrite.ts";
import { apply, constant } from "../graph/scalars.ts";
import { domainOf, indicesOf, readsOf, renumber } from "../graph/traverse.ts";
import { isWorthOnce, workOf } from "./inline.ts";
import type { Pass } from "./pass.ts";
import { isConstant } from "./scalar-rules.ts";

/** A value that is used this many times, and costs this much, is worth a node. */
const leastReuse = 32;
const leastWork = 4;

class Hoister {
  readonly #axes: readonly Axis[];
  readonly #builder: GraphBuilder;
  readonly #hint: string;
  readonly #bodies = new Map<Scalar, Scalar>();
  readonly #made = new Map<Scalar, Scalar>();

  /** Empty where the whole node is fixed: nothing in it is gained then. */
  readonly #fixed: ReadonlySet<Tensor>;

  constructor(node: Node, builder: GraphBuilder, fixed: ReadonlySet<Tensor>) {
    this.#axes = domainOf(node);
    this.#fixed = fixed.has(node.results[0]!) ? new Set() : fixed;
    this.#builder = builder;
    this.#hint = `${node.results[0]?.name ?? "value"}.factor`;
  }

  /** Whether the value is constant over so much of the domain, or of time, that computing it beforehand pays. */
  isWorth(scalar: Scalar, work: number): boolean {
    if (scalar.type !== "f32" || scalar.kind === "constant" || readsOf(scalar).length === 0) return false;
    const used = indicesOf(scalar);
    const elements = elementCount(this.#axes.flatMap((axis, k) => (used.has(k) ? [axis.extent] : [])));
    if (isWorthOnce(scalar, elements, this.#fixed)) return true;
    if (work < leastWork) return false;
    return elementCount(this.#axes.flatMap((axis, k) => (used.has(k) ? [] : [axis.extent]))) >= leastReuse;
  }

  hoisted(scalar: Scalar): Scalar {
    const known = this.#made.get(scalar);
    if (known) return known;
    const positions = [...indicesOf(scalar)].sort((a, b) => a - b);
    const to: number[] = [];
    for (const [k, position] of positions.entries()) to[position] = k;
    const [tensor] = this.#builder.generic({
      hint: this.#hint,
      combiner: "map",
      parallel: positions.map((position) => this.#axes[position]!),
      body: renumber(scalar, to),
    });
    const value = read(
      tensor!,
      positions.map((position) => at(position)),
    );
    this.#made.set(scalar, value);
    return value;
  }

  /** Outermost first: what is hoisted as a whole is not looked into. */
  body(scalar: Scalar): Scalar {
    const known = this.#bodies.get(scalar);
    if (known) return known;
    const result = this.#body(scalar);
    this.#bodies.set(scalar, result);
    return result;
  }

  #body(scalar: Scalar): Scalar {
    if (scalar.kind !== "apply") return scalar;
    if (this.isWorth(scalar, workOf(scalar))) return this.hoisted(scalar);
    const [a, b] = scalar.arguments;
    if (scalar.name === "div" && scalar.type === "f32" && a && b && !isConstant(a, 1)) {
      const reciprocal = apply("div", constant("f32", 1), b);
      if (this.isWorth(reciprocal, workOf(reciprocal))) return apply("mul", this.body(a), this.hoisted(reciprocal));
    }
    const operands = scalar.arguments.map((argument) => this.body(argument));
    return operands.every((operand, k) => operand === scalar.arguments[k])
      ? scalar
      : { ...scalar, arguments: operands };
  }
}

function hoistNode(node: Node, builder: GraphBuilder, fixed: ReadonlySet<Tensor>): Node {
  if (node.kind !== "generic" && node.kind !== "scatter_add") return node;
  const body = new Hoister(node, builder, fixed).body(node.body);
  return body === node.body ? node : { ...node, body };
}

export const hoistInvariants: Pass = {
  name: "hoist invariants",
  description: "costly values that depend on few indices are computed once, not at every point",
  run: everywhere((graph: Graph) => {
    const fixed = fixedTensors(graph);
    return rebuild(graph, (node, { builder }) => hoistNode(node, builder, fixed));
  }),
};
