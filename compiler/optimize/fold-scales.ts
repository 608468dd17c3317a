/**
 * A contraction whose result is scaled by numbers that depend on parameters and state alone takes the scale into its weights:
 * batch_norm behind a convolution costs an addition at prediction. Where the weights are scaled at every call, because the
 * entry changes them, only if they are far fewer than the results; elsewhere the scale stays in the epilogue.
 */
import { plainIndex } from "../graph/affine.ts";
import { at, elementCount, type GraphBuilder, read } from "../graph/builder.ts";
import { fixedTensors } from "../graph/fixed.ts";
import type { Axis, GenericNode, Graph, Node, Scalar, ScalarRead, Tensor } from "../graph/graph.ts";
import { everywhere, rebuild } from "../graph/rewrite.ts";
import { apply } from "../graph/scalars.ts";
import { indicesOf, operandsOf, readsOf, renumber, rewriteScalar, usesOf } from "../graph/traverse.ts";
import { factorsOf } from "./factors.ts";
import type { Pass } from "./pass.ts";
import { isRow } from "./scalar-rules.ts";
import { product } from "./terms.ts";

/** Results a weight, at least, where weights are not fixed. */
const leastShare = 4;

/** `scale * value + offset`; each undefined where it is 1 or 0. */
interface Affine {
  readonly scale: Scalar | undefined;
  readonly offset: Scalar | undefined;
}

interface Known {
  isSettled(tensor: Tensor): boolean;
  isFixed(tensor: Tensor): boolean;
}

/** What parameters and state alone decide: `fixed` ones, and those that the entry writes. */
function settledTensors(graph: Graph, fixed: ReadonlySet<Tensor>): Set<Tensor> {
  const settled = new Set(fixed);
  for (const { tensor, role } of graph.inputs) if (role === "parameter" || role === "state") settled.add(tensor);
  for (const node of graph.nodes)
    if (operandsOf(node).every((tensor) => settled.has(tensor))) for (const result of node.results) settled.add(result);
  return settled;
}

class Folding {
  readonly #value: ScalarRead;
  readonly #isSettled: (tensor: Tensor) => boolean;

  constructor(value: ScalarRead, isSettled: (tensor: Tensor) => boolean) {
    this.#value = value;
    this.#isSettled = isSettled;
  }

  contains(scalar: Scalar): boolean {
    return readsOf(scalar).includes(this.#value);
  }
  settled(scalar: Scalar): boolean {
    return readsOf(scalar).every((inner) => this.#isSettled(inner.tensor));
  }

  affine(scalar: Scalar): Affine | undefined {
    if (scalar === this.#value) return { scale: undefined, offset: undefined };
    if (scalar.kind !== "apply" || scalar.type !== "f32") return undefined;
    const [a, b] = scalar.arguments;
    if (!a) return undefined;
    if (isRow(scalar, "neg")) {
      const inner = this.affine(a);
      const scale = inner?.scale ?? { kind: "constant", type: "f32", value: 1 };
      return inner && { scale: apply("neg", scale), offset: inner.offset && apply("neg", inner.offset) };
    }
    if (!b || this.contains(a) === this.contains(b)) return undefined;
    const [inside, other] = this.contains(a) ? [a, b] : [b, a];
    const inner = this.affine(inside);
    if (!inner) return undefined;
    if (isRow(scalar, "add")) return { ...inner, offset: inner.offset ? apply("add", inner.offset, other) : other };
    if (isRow(scalar, "sub") && inside === a)
      return { ...inner, offset: inner.offset ? apply("sub", inner.offset, other) : apply("neg", other) };
    if (!this.settled(other)) return undefined;
    if (isRow(scalar, "mul") || (isRow(scalar, "div") && inside === a)) {
      const one: Scalar = { kind: "constant", type: "f32", value: 1 };
      const scale = inner.scale ?? (isRow(scalar, "mul") ? undefined : one);
      return {
        scale: scale ? apply(scalar.name, scale, other) : other,
        offset: inner.offset && apply(scalar.name, inner.offset, other),
      };
    }
    return undefined;
  }

  /** The outermost affine subtree that holds every use of the value. */
  outermost(scalar: Scalar): { root: Scalar; form: Affine } | undefined {
    const form = this.affine(scalar);
    if (form) return form.scale ? { root: scalar, form } : undefined;
    if (scalar.kind !== "apply") return undefined;
    const holders = [...new Set(scalar.arguments.filter((argument) => this.contains(argument)))];
    return holders.length === 1 ? this.outermost(holders[0]!) : undefined;
  }
}

/** The scaled weights, and the contraction that uses them. */
function scaledContraction(
  contraction: GenericNode,
  value: ScalarRead,
  scale: Scalar,
  builder: GraphBuilder,
  { isSettled, isFixed }: Known,
): GenericNode | undefined {
  const results = contraction.results[0]!.type.shape;
  const indexed = value.coordinates.filter((_, axis) => results[axis] !== 1).map(plainIndex);
  // The reader's index k is the contraction's index where that result axis is addressed by k.
  const to: number[] = [];
  for (const [own, index] of indexed.entries()) if (index !== undefined) to[index] = own;
  const used = [...indicesOf(scale)];
  if (indexed.includes(undefined) || used.some((index) => to[index] === undefined)) return undefined;
  const here = renumber(scale, to);
  const axes: readonly Axis[] = [...contraction.parallel, ...contraction.reduction];
  const factors = factorsOf(contraction.body);
  const weight = factors.findIndex((factor) => {
    const indices = indicesOf(factor);
    return (
      readsOf(factor).length > 0 &&
      readsOf(factor).every((inner) => isSettled(inner.tensor)) &&
      [...indicesOf(here)].every((index) => indices.has(index))
    );
  });
  const factor = factors[weight];
  if (!factor || factors.length < 2) return undefined;
  const positions = [...indicesOf(factor)].sort((a, b) => a - b);
  const parallel = positions.map((position) => axes[position]!);
  const once = readsOf(factor, here).every((inner) => isFixed(inner.tensor));
  const share = once ? 0 : leastShare;
  if (elementCount(parallel.map((axis) => axis.extent)) * share > elementCount(results)) return undefined;
  const local: number[] = [];
  for (const [k, position] of positions.entries()) local[position] = k;
  const [scaled] = builder.generic({
    hint: `${contraction.results[0]!.name}.weight`,
    combiner: "map",
    parallel,
    body: renumber(apply("mul", factor, here), local),
  });
  const replaced = read(
    scaled!,
    positions.map((position) => at(position)),
  );
  return { ...contraction, body: product(factors.toSpliced(weight, 1, replaced)) };
}

function folded(
  map: GenericNode,
  contraction: GenericNode,
  value: ScalarRead,
  builder: GraphBuilder,
  known: Known,
): GenericNode | undefined {
  const found = new Folding(value, known.isSettled).outermost(map.body);
  if (!found?.form.scale) return undefined;
  const scaled = scaledContraction(contraction, value, found.form.scale, builder, known);
  if (!scaled) return undefined;
  const [result] = scaled.results;
  const tensor = builder.tensor(`${result!.name}.scaled`, result!.type.dtype, result!.type.shape);
  builder.add({ ...scaled, results: [tensor] });
  const sum: Scalar = { ...value, tensor };
  const { offset } = found.form;
  const instead = offset ? apply("add", sum, offset) : sum;
  return { ...map, body: rewriteScalar(map.body, (scalar) => (scalar === found.root ? instead : scalar)) };
}

export const foldScales: Pass = {
  name: "fold scales",
  description: "a contraction's scale that depends on parameters and state alone goes into its weights",
  run: everywhere((graph: Graph) => {
    const fixed = fixedTensors(graph);
    const settled = settledTensors(graph, fixed);
    const uses = usesOf(graph);
    const known: Known = { isSettled: (tensor) => settled.has(tensor), isFixed: (tensor) => fixed.has(tensor) };
    return rebuild(graph, (node, { builder, definition }): Node => {
      if (node.kind !== "generic" || node.combiner !== "map") return node;
      for (const value of readsOf(node.body)) {
        const source = definition(value.tensor);
        if (source?.kind !== "generic" || source.combiner !== "sum" || value.otherwise !== undefined) continue;
        const once = readsOf(node.body).filter((other) => other.tensor === value.tensor).length === 1;
        if (!once || uses.isOutput(value.tensor) || uses.of(value.tensor).length !== 1) continue;
        const done = folded(node, source, value, builder, known);
        if (done) return done;
      }
      return node;
    });
  }),
};
