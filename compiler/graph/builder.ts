/** Makes graphs: fresh names, shapes and types of results. It checks nothing else; `verify.ts` does. */
import { invariant } from "../invariant.ts";
import type { DType, ScalarType } from "../types/dtype.ts";
import { scalarType } from "../types/dtype.ts";
import type {
  Axis,
  Combiner,
  Coordinate,
  Derivative,
  Graph,
  GraphInput,
  GraphOutput,
  InputRole,
  JoinNode,
  Node,
  Origin,
  Scalar,
  ScalarRead,
  Tensor,
  TensorType,
} from "./graph.ts";

/** A coordinate that is one index, or a number. */
export function at(position: number, coefficient = 1, offset = 0): Coordinate {
  return { offset, terms: [{ kind: "affine", coefficient, position }] };
}
export function fixed(offset: number): Coordinate {
  return { offset, terms: [] };
}

export function read(tensor: Tensor, coordinates: readonly Coordinate[], otherwise?: number): ScalarRead {
  return { kind: "read", type: scalarType(tensor.type.dtype), tensor, coordinates, otherwise };
}

/** Reads `tensor` at the parallel indices of a node with the same shape: index k for the k-th axis of extent > 1. */
export function readHere(tensor: Tensor, first = 0): ScalarRead {
  let position = first;
  return read(
    tensor,
    tensor.type.shape.map((extent) => (extent === 1 ? fixed(0) : at(position++))),
  );
}

/** One axis for every extent > 1 of a shape. */
export function axesOf(shape: readonly number[], names = "ijklmnpqrstuvw"): Axis[] {
  return shape.filter((extent) => extent !== 1).map((extent, k) => ({ name: names[k] ?? `i${k}`, extent }));
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

export class GraphBuilder {
  readonly inputs: GraphInput[] = [];
  readonly nodes: Node[] = [];
  readonly derivatives: Derivative[] = [];
  #definitions = new Map<Tensor, Node>();
  #names = new Map<string, number>();
  /** Attached to every node made while it is set. */
  origin: Origin | undefined;

  /** `hint` itself if free, else `hint_2`, `hint_3`, ... */
  fresh(hint: string): string {
    const seen = this.#names.get(hint);
    if (seen === undefined) {
      this.#names.set(hint, 1);
      return hint;
    }
    for (let k = seen + 1; ; k++) {
      const candidate = `${hint}_${k}`;
      if (!this.#names.has(candidate)) {
        this.#names.set(hint, k);
        this.#names.set(candidate, 1);
        return candidate;
      }
    }
  }

  tensor(hint: string, dtype: DType, shape: readonly number[]): Tensor {
    return { name: this.fresh(hint), type: { dtype, shape } };
  }

  /** The node that computes a tensor; undefined for graph inputs. */
  definition(tensor: Tensor): Node | undefined {
    return this.#definitions.get(tensor);
  }

  add<N extends Node>(node: N): N {
    this.nodes.push(node);
    for (const result of node.results) this.#definitions.set(result, node);
    return node;
  }

  /** Puts a node in another's place that computes the same results and perhaps more. */
  replaceNode(old: Node, by: Node): void {
    const place = this.nodes.lastIndexOf(old);
    invariant(place >= 0, "the node to replace is in the graph");
    invariant(
      old.results.every((result) => by.results.includes(result)),
      "no result is lost",
    );
    this.nodes[place] = by;
    for (const result of by.results) this.#definitions.set(result, by);
  }

  /** `path` is the tensor's own name if not given. */
  input(hint: string, type: TensorType, role: InputRole = "argument", path?: string): Tensor {
    const tensor = this.tensor(hint, type.dtype, type.shape);
    this.inputs.push({ tensor, role, path: path ?? tensor.name });
    return tensor;
  }

  constant(hint: string, type: TensorType, values: readonly number[]): Tensor {
    return this.add({
      kind: "constant",
      results: [this.tensor(hint, type.dtype, type.shape)],
      origin: this.origin,
      values,
    }).results[0]!;
  }

  /**
   * Every combiner. `shape` is the result's shape with its 1s (default: the extents of `parallel`); `dtype` the first
   * result's (default: the body's type). Returns one tensor, or two for the pair combiners.
   */
  generic(spec: {
    hint: string;
    combiner: Combiner;
    parallel: readonly Axis[];
    reduction?: readonly Axis[];
    body: Scalar;
    shape?: readonly number[];
    dtype?: DType;
  }): readonly Tensor[] {
    const shape = spec.shape ?? spec.parallel.map((axis) => axis.extent);
    const results = [this.tensor(spec.hint, spec.dtype ?? spec.body.type, shape)];
    if (spec.combiner === "max_first" || spec.combiner === "min_first")
      results.push(this.tensor(`${spec.hint}.at`, "i32", shape));
    if (spec.combiner === "moments") results.push(this.tensor(`${spec.hint}.squares`, "f32", shape));
    this.add({
      kind: "generic",
      results,
      origin: this.origin,
      combiner: spec.combiner,
      parallel: spec.parallel,
      reduction: spec.reduction ?? [],
      body: spec.body,
    });
    return results;
  }

  /** A map over the axes of `shape` that are not 1. */
  map(hint: string, shape: readonly number[], body: Scalar, dtype?: DType): Tensor {
    return this.generic({ hint, combiner: "map", parallel: axesOf(shape), body, shape, ...(dtype && { dtype }) })[0]!;
  }

  view(source: Tensor, shape: readonly number[], hint = `${source.name}.v`): Tensor {
    return this.add({
      kind: "view",
      results: [this.tensor(hint, source.type.dtype, shape)],
      origin: this.origin,
      source,
    }).results[0]!;
  }

  join(hint: string, type: TensorType, pieces: JoinNode["pieces"], fill = 0): Tensor {
    return this.add({
      kind: "join",
      results: [this.tensor(hint, type.dtype, type.shape)],
      origin: this.origin,
      pieces,
      fill,
    }).results[0]!;
  }

  scatterAdd(
    hint: string,
    type: TensorType,
    spec: {
      domain: readonly Axis[];
      coordinates: readonly Coordinate[];
      outside: "drop" | "clamp";
      body: Scalar;
    },
  ): Tensor {
    return this.add({
      kind: "scatter_add",
      results: [this.tensor(hint, type.dtype, type.shape)],
      origin: this.origin,
      ...spec,
    }).results[0]!;
  }

  scan(
    hint: string,
    spec: {
      length: number;
      reverse?: boolean;
      carries: readonly Tensor[];
      slices: readonly Tensor[];
      captured: readonly Tensor[];
      body: Graph;
    },
  ): readonly Tensor[] {
    const results = spec.body.outputs.map(({ tensor, path }, k) =>
      this.tensor(
        `${hint}.${path}`,
        tensor.type.dtype,
        k < spec.carries.length ? tensor.type.shape : [spec.length, ...tensor.type.shape],
      ),
    );
    this.add({ kind: "scan", results, origin: this.origin, ...spec, reverse: spec.reverse ?? false });
    return results;
  }

  random(
    hint: string,
    shape: readonly number[],
    spec: { seed: Tensor; stream: number; step?: Tensor; iteration?: Tensor },
  ): Tensor {
    return this.add({
      kind: "random",
      results: [this.tensor(hint, "u32", shape)],
      origin: this.origin,
      seed: spec.seed,
      stream: spec.stream,
      step: spec.step,
      iteration: spec.iteration,
    }).results[0]!;
  }

  sort(hint: string, source: Tensor, axis: number): Tensor {
    return this.add({
      kind: "sort",
      results: [this.tensor(hint, "i32", source.type.shape)],
      origin: this.origin,
      source,
      axis,
    }).results[0]!;
  }

  custom(hint: string, operands: readonly Tensor[], forward: Graph, backward: Graph): readonly Tensor[] {
    const results = forward.outputs.map(({ tensor }) => this.tensor(hint, tensor.type.dtype, tensor.type.shape));
    this.add({ kind: "custom", results, origin: this.origin, operands, forward, backward });
    return results;
  }

  finish(outputs: readonly GraphOutput[]): Graph {
    return { inputs: [...this.inputs], nodes: [...this.nodes], outputs, derivatives: [...this.derivatives] };
  }
}

/** Shorthand for bodies: `S.apply("add", a, b)` with the result type taken from the scalar table by the caller. */
export function constantScalar(type: ScalarType, value: number): Scalar {
  return { kind: "constant", type, value };
}
