/** The domain that builds: every handle is a tensor of a graph in normal form. */
import { differentiate } from "../autodiff/differentiate.ts";
import { explainMissing } from "../autodiff/missing.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Axis, Derivative, Graph, GraphOutput, InputRole, Origin, Tensor } from "../graph/graph.ts";
import { operandsOf } from "../graph/traverse.ts";
import { invariant } from "../invariant.ts";
import * as dims from "../types/dims.ts";
import type { DType } from "../types/dtype.ts";
import { type Shape, shapeOf } from "../types/shape.ts";
import { type Computation, ForeignTensor, type TensorDomain } from "./domain.ts";
import { type Element, type Handle, type Index, indicesOf, inOrder } from "./element.ts";
import { lowerBody, sizesOf } from "./lower.ts";
import { rewriteIntegers, splitIndices } from "./split.ts";
import { formulaOf, isOfBatch } from "./totals.ts";
import { endOf } from "./ways.ts";

/** One graph under construction; the bodies of scans and custom gradients have the graph around them as parent. */
interface Frame {
  readonly builder: GraphBuilder;
  readonly parent: Frame | undefined;
  /** Outer tensors used inside, and the inputs that stand for them. */
  readonly captured: Map<Tensor, Tensor>;
  readonly views: Map<string, Tensor>;
  readonly derivatives: Derivative[];
}

interface GraphHandle extends Handle {
  readonly tensor: Tensor;
  readonly frame: Frame;
}

export class GraphDomain implements TensorDomain {
  readonly symbolic = false;
  readonly #root: Frame = newFrame(undefined);
  #frame: Frame = this.#root;

  get origin(): Origin | undefined {
    return this.#frame.builder.origin;
  }
  set origin(origin: Origin | undefined) {
    this.#frame.builder.origin = origin;
  }
  get nodeCount(): number {
    return this.#frame.builder.nodes.length;
  }

  /** An input of the whole graph, wherever it is asked for. */
  input(hint: string, dtype: DType, shape: Shape, role: InputRole, path: string): GraphHandle {
    const sizes = sizesOf({ dtype, shape });
    const tensor = this.#root.builder.input(hint, { dtype, shape: sizes }, role, path);
    return { ...this.#handle(tensor), frame: this.#root };
  }
  finish(outputs: readonly (Omit<GraphOutput, "tensor"> & { readonly handle: Handle })[]): Graph {
    const graph = this.#frame.builder.finish(
      outputs.map(({ handle, role, path }) => ({ tensor: this.#tensor(handle), role, path })),
    );
    return { ...graph, derivatives: this.#frame.derivatives };
  }

  compute({ hint, combiner, parallel, reduction, element, dtype }: Computation): readonly Handle[] {
    const { builder } = this.#frame;
    if (combiner === "map" && element.kind === "constant") {
      const type = { dtype, shape: parallel.map(extentOf) };
      return [this.#handle(builder.constant(hint, type, [element.value]))];
    }
    const { parts, rewrite } = splitIndices([...parallel, ...reduction], element);
    const body = rewriteIntegers(element, rewrite);
    const real = (indices: readonly Index[]) =>
      indices.flatMap((index) => (parts.get(index) ?? [index]).filter((part) => extentOf(part) !== 1));
    const outer = real(parallel);
    const inner = real(reduction);
    const domain = [...outer, ...inner];
    const positions = new Map(domain.map((index, position) => [index, position]));
    const scalar = lowerBody(body, {
      position: (index) => {
        const position = positions.get(index);
        invariant(position !== undefined, `${index.name} is no index of ${hint}`);
        return position;
      },
      tensor: (handle) => this.#tensor(handle),
      view: (tensor, shape) => this.#view(tensor, shape),
      store: (indices, one) => this.#tensor(this.#store(hint, indices, one)),
    });
    const shape = parallel.map(extentOf);
    const split = parallel.flatMap((index) => parts.get(index) ?? [index]).map(extentOf);
    // Every reduction axis has extent 1: the value is its own maximum, at position 0.
    const combinerUsed = inner.length === 0 ? "map" : combiner;
    const results = builder.generic({
      hint,
      combiner: combinerUsed,
      parallel: outer.map(axisOf),
      reduction: inner.map(axisOf),
      body: scalar,
      shape: split,
      dtype,
    });
    const tensors = results.map((tensor) => (split.length === shape.length ? tensor : builder.view(tensor, shape)));
    if (combinerUsed === "map" && combiner.endsWith("_first"))
      tensors.push(builder.constant(`${hint}.at`, { dtype: "i32", shape }, [0]));
    return tensors.map((tensor) => this.#handle(tensor));
  }

  #store(hint: string, indices: readonly Index[], element: Element): Handle {
    const used = inOrder(indicesOf(element)).filter((index) => indices.includes(index));
    invariant(used.length === indices.length, `${hint} stores a coordinate over indices it does not use`);
    const [handle] = this.compute({
      hint: `${hint}.coordinate`,
      combiner: "map",
      parallel: indices,
      reduction: [],
      element,
      dtype: "i32",
    });
    invariant(handle, "a map has a result");
    return handle;
  }

  constant(dtype: DType, shape: Shape, values: readonly (number | undefined)[]): Handle {
    const numbers = values.map((value) => {
      invariant(value !== undefined, "every number of a list is known");
      return value;
    });
    return this.#handle(this.#frame.builder.constant("list", { dtype, shape: shape.map(sizeOf) }, numbers));
  }
  reshape(handle: Handle, shape: Shape): Handle {
    return this.#handle(this.#view(this.#tensor(handle), shape.map(sizeOf)));
  }
  concat(pieces: readonly Handle[], axis: number, starts: readonly dims.Dim[], shape: Shape): Handle {
    const sizes = shape.map(sizeOf);
    const placed = pieces.map((piece, k) => {
      const tensor = this.#tensor(piece);
      const at = tensor.type.shape.map((count, one) => {
        const start = one === axis ? starts[k] : undefined;
        return { start: start ? sizeOf(start) : 0, step: 1, count };
      });
      return { tensor, at };
    });
    const dtype = placed[0]?.tensor.type.dtype ?? "f32";
    return this.#handle(this.#frame.builder.join("joined", { dtype, shape: sizes }, placed));
  }
  sort(handle: Handle, axis: number): Handle {
    return this.#handle(this.#frame.builder.sort("positions", this.#tensor(handle), axis));
  }
  alias(handle: Handle, hint?: string): Handle {
    const tensor = this.#tensor(handle);
    return this.#handle(this.#frame.builder.view(tensor, tensor.type.shape, hint ?? `${tensor.name}.use`));
  }

  stop(handle: Handle, own = false): Handle {
    const stopped = own ? handle : this.alias(handle);
    this.#stopped.add(this.#tensor(stopped));
    return stopped;
  }
  readonly #stopped = new Set<Tensor>();

  total(handle: Handle): Handle {
    const part = this.alias(handle, "total");
    this.totals.add(this.#tensor(part));
    return part;
  }
  /** In the order of the program. */
  readonly totals = new Set<Tensor>();
  closingOf(result: Handle): { ofTotals: boolean; reads: string | undefined } {
    const { builder } = this.#root;
    const { totals, leaves } = formulaOf(
      [this.#tensor(result)],
      (tensor) => this.totals.has(tensor),
      (tensor) => builder.definition(tensor),
    );
    const read = builder.inputs.find((input) => isOfBatch(input) && leaves.has(input.tensor));
    return { ofTotals: totals.size > 0, reads: read?.path };
  }

  random(shape: Shape, stream: number, seed: Handle, step: Handle | undefined): Handle {
    const counter = step && this.#tensor(step);
    const iteration = this.#iteration;
    return this.#handle(
      this.#frame.builder.random("random", shape.map(sizeOf), {
        seed: this.#tensor(seed),
        stream,
        ...(counter && { step: counter }),
        ...(iteration && { iteration: this.#tensor(iteration) }),
      }),
    );
  }
  #iteration: Handle | undefined;

  differentiate(
    results: Parameters<TensorDomain["differentiate"]>[0],
    sources: readonly Handle[],
  ): readonly (Handle | undefined)[] {
    const { builder } = this.#frame;
    const wrt = sources.map((source) => this.#tensor(source));
    const outputs = results.map(({ result, adjoint: given }) => {
      const tensor = this.#tensor(result);
      const type = { dtype: "f32", shape: tensor.type.shape } as const;
      return { tensor, adjoint: given ? this.#tensor(given) : builder.constant(`d_${tensor.name}`, type, [1]) };
    });
    const { gradients } = differentiate(builder, outputs, wrt, { stopped: this.#stopped });
    this.#frame.derivatives.push({ outputs, wrt, gradients, stopped: this.#stopped, origin: builder.origin });
    return gradients.map((gradient) => gradient && this.#handle(gradient));
  }

  scan(spec: Parameters<TensorDomain["scan"]>[0]): readonly Handle[] {
    const carries = spec.carries.map((handle) => this.#tensor(handle));
    const slices = spec.slices.map((handle) => this.#tensor(handle));
    const outerIteration = this.#iteration;
    const frame = newFrame(this.#frame);
    const inputs = [
      ...carries.map((tensor) => frame.builder.input(tensor.name, tensor.type)),
      ...slices.map(({ name, type }) => frame.builder.input(name, { ...type, shape: type.shape.slice(1) })),
    ];
    const iteration = frame.builder.tensor("iteration", "i32", []);
    const handles = this.#inside(frame, () => {
      try {
        this.#iteration = this.#handle(iteration);
        const results = spec.body([...inputs, iteration].map((tensor) => this.#handle(tensor)));
        return results.map((handle) => this.#tensor(handle));
      } finally {
        this.#iteration = outerIteration;
      }
    });
    frame.builder.inputs.push({ tensor: iteration, role: "argument", path: iteration.name });
    const captured = [...frame.captured.keys()].map((tensor) => tensor);
    const body = frame.builder.finish(
      handles.map((tensor, k) => ({
        tensor,
        role: "result",
        path: k < carries.length ? `carry_${k + 1}` : `stacked_${k + 1 - carries.length}`,
      })),
    );
    const results = this.#frame.builder.scan(spec.hint, {
      length: sizeOf(spec.length),
      carries,
      slices,
      captured,
      body,
    });
    return results.map((tensor) => this.#handle(tensor));
  }

  custom(spec: Parameters<TensorDomain["custom"]>[0]): readonly Handle[] {
    const operands = spec.operands.map((handle) => this.#tensor(handle));
    const build = (hints: readonly Tensor[], run: (inputs: readonly Handle[]) => readonly Handle[]) => {
      const frame = newFrame(this.#frame);
      const inputs = hints.map((tensor) => frame.builder.input(tensor.name, tensor.type));
      const tensors = this.#inside(frame, () =>
        run(inputs.map((tensor) => this.#handle(tensor))).map((handle) => this.#tensor(handle)),
      );
      return { frame, tensors };
    };
    const forward = build(operands, spec.forward);
    const results = forward.tensors.map(({ name, type }) => ({ name: `${name}.adjoint`, type }));
    const backward = build([...operands, ...forward.tensors, ...results], spec.backward);
    // What either body captured becomes an operand of both, whose adjoint is 0.
    const captured = [...new Set([...forward.frame.captured.keys(), ...backward.frame.captured.keys()])];
    const graph = ({ frame, tensors }: typeof forward, position: number, extra: readonly Tensor[]): Graph => {
      const inputs = frame.builder.inputs.filter(({ tensor }) => ![...frame.captured.values()].includes(tensor));
      const more = captured.map((tensor) => {
        const known =
          frame.captured.get(tensor) ?? frame.builder.tensor(tensor.name, tensor.type.dtype, tensor.type.shape);
        return { tensor: known, role: "argument" as const, path: known.name };
      });
      const { nodes } = frame.builder.finish([]);
      const outputs = [...tensors, ...extra].map((tensor, k) => ({
        tensor,
        role: "result" as const,
        path: `result_${k + 1}`,
      }));
      return { inputs: [...inputs.slice(0, position), ...more, ...inputs.slice(position)], nodes, outputs };
    };
    const zeros = captured.map((tensor) =>
      backward.frame.builder.constant(`${tensor.name}.zero`, { ...tensor.type }, [0]),
    );
    const made = this.#frame.builder.custom(
      spec.hint,
      [...operands, ...captured],
      graph(forward, operands.length, []),
      graph(backward, operands.length, zeros),
    );
    return made.map((tensor) => this.#handle(tensor));
  }

  whyNoGradient(result: Handle, source: Handle): { path: string; by: string } | undefined {
    const { builder, derivatives } = this.#frame;
    const [target, wanted] = [this.#tensor(result), this.#tensor(source)];
    // The derivative of a derivative vanishes where a function is piecewise linear: that is no mistake.
    const gradients = derivatives.flatMap((one) => one.gradients);
    if (gradients.some((gradient) => gradient && this.#leadsTo(target, gradient))) return undefined;
    const why = explainMissing(builder, [target], wanted, this.#stopped);
    if (why.reason === "unused" || why.reason === "stopped") return undefined;
    return {
      path: why.path.map(({ name }) => name.replace(/\.use(_\d+)?$/, "")).join(" -> "),
      by: endOf(why.by ?? (why.node ? "whole numbers" : "its element type"), why.node?.origin),
    };
  }
  /** Whether a result is computed from a tensor. */
  dependsOn(result: Handle, source: Handle): boolean {
    return this.#leadsTo(this.#tensor(result), this.#tensor(source));
  }
  #leadsTo(target: Tensor, wanted: Tensor): boolean {
    const seen = new Set<Tensor>();
    const pending = [target];
    for (let tensor = pending.pop(); tensor; tensor = pending.pop()) {
      if (tensor === wanted) return true;
      if (seen.has(tensor)) continue;
      seen.add(tensor);
      const node = this.#frame.builder.definition(tensor);
      if (node) pending.push(...operandsOf(node));
    }
    return false;
  }
  reaches(handle: Handle): boolean {
    const { frame } = this.#own(handle);
    for (let at: Frame | undefined = this.#frame; at; at = at.parent) if (at === frame) return true;
    return false;
  }

  #inside<T>(frame: Frame, run: () => T): T {
    const outer = this.#frame;
    frame.builder.origin = outer.builder.origin;
    this.#frame = frame;
    try {
      return run();
    } finally {
      this.#frame = outer;
    }
  }

  #handle(tensor: Tensor): GraphHandle {
    return { dtype: tensor.type.dtype, shape: shapeOf(...tensor.type.shape), tensor, frame: this.#frame };
  }
  #own(handle: Handle): GraphHandle {
    invariant("tensor" in handle && "frame" in handle, "a handle of another domain");
    return handle as GraphHandle;
  }
  #tensor(handle: Handle): Tensor {
    const { tensor, frame } = this.#own(handle);
    return capture(tensor, frame, this.#frame);
  }
  #view(tensor: Tensor, shape: readonly number[]): Tensor {
    if (tensor.type.shape.length === shape.length && tensor.type.shape.every((extent, axis) => extent === shape[axis]))
      return tensor;
    const key = `${tensor.name}:${shape.join(",")}`;
    const known = this.#frame.views.get(key);
    if (known) return known;
    const made = this.#frame.builder.view(tensor, shape);
    this.#frame.views.set(key, made);
    return made;
  }
}

function newFrame(parent: Frame | undefined): Frame {
  return { builder: new GraphBuilder(), parent, captured: new Map(), views: new Map(), derivatives: [] };
}
/** A tensor of an outer graph, brought inward one graph at a time. */
function capture(tensor: Tensor, from: Frame, into: Frame): Tensor {
  if (from === into) return tensor;
  if (!into.parent) throw new ForeignTensor(tensor.name);
  const outer = capture(tensor, from, into.parent);
  const known = into.captured.get(outer);
  if (known) return known;
  const inner = into.builder.input(outer.name, outer.type);
  into.captured.set(outer, inner);
  return inner;
}
function extentOf(index: Index): number {
  return sizeOf(index.extent);
}
function sizeOf(dim: dims.Dim): number {
  const size = dims.constantOf(dim);
  invariant(size !== undefined, `the size ${dims.printDim(dim)} is not known`);
  return size;
}
function axisOf(index: Index): Axis {
  return { name: index.name, extent: extentOf(index) };
}
