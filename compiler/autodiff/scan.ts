/**
 * The adjoint of a scan is a scan in the other direction. Its carries are the adjoints of the forward carries; it recomputes
 * the forward body from the carries of every iteration, which the forward scan is made to stack, and from the sums inside,
 * stacked too where the adjoint needs them (maps are recomputed).
 *
 * What a captured tensor or a slice receives does not feed the carries. Where it is computed by a sum, only the operands of
 * that sum are stacked, and one contraction over all iterations stands behind the scan; anything else accumulates in a carry.
 */
import type { GraphBuilder } from "../graph/builder.ts";
import { GraphBuilder as Builder } from "../graph/builder.ts";
import type { Graph, GraphInput, Node, ScanNode, Tensor, TensorType } from "../graph/graph.ts";
import { operandsOf, withOperands } from "../graph/traverse.ts";
import { invariant } from "../invariant.ts";
import { isFloat } from "../types/dtype.ts";
import { addAll, type Contribution, everywhere, zeros } from "./contributions.ts";
import { Hoist, isHoistable } from "./hoist.ts";
import { inline } from "./inline.ts";
import type { Sweep } from "./sweep.ts";

/** The inputs of a scan's body, by what they are. */
interface BodyInputs {
  readonly carries: readonly Tensor[];
  readonly slices: readonly Tensor[];
  readonly captured: readonly Tensor[];
  readonly iteration: Tensor;
}

function inputsOf(node: ScanNode): BodyInputs {
  const tensors = node.body.inputs.map(({ tensor }) => tensor);
  const slices = node.carries.length;
  const captured = slices + node.slices.length;
  const iteration = tensors.at(-1);
  invariant(iteration, "a scan's body has an iteration number");
  return {
    carries: tensors.slice(0, slices),
    slices: tensors.slice(slices, captured),
    captured: tensors.slice(captured, -1),
    iteration,
  };
}

export function adjointOfScan(sweep: Sweep, node: ScanNode): void {
  const adjoints = node.results.map((result) => sweep.adjointOf(result));
  if (adjoints.every((adjoint) => adjoint === undefined)) return;
  const reverse = new ReverseScan(sweep, node, adjoints);
  reverse.build();
}

/** Float dtype or not, an adjoint is f32. */
function adjointType({ shape }: TensorType): TensorType {
  return { dtype: "f32", shape };
}

class ReverseScan {
  readonly #sweep: Sweep;
  readonly #outer: GraphBuilder;
  readonly #node: ScanNode;
  readonly #adjoints: readonly (Tensor | undefined)[];
  readonly #inputs: BodyInputs;
  readonly #body = new Builder();
  /** Which carries have an adjoint that flows back. */
  readonly #flowing: readonly number[];
  /** Tensors of the reverse body that are slices of stacked tensors of the outer graph, and that are captured. */
  readonly #slices = new Map<Tensor, () => Tensor>();
  readonly #captured = new Map<Tensor, Tensor>();
  readonly #iteration: Tensor;
  /** What the forward scan stacks in addition: tensors of its body and their stacks. */
  readonly #saved = new Map<Tensor, Tensor>();

  constructor(sweep: Sweep, node: ScanNode, adjoints: readonly (Tensor | undefined)[]) {
    this.#sweep = sweep;
    this.#outer = sweep.builder;
    this.#node = node;
    this.#adjoints = adjoints;
    this.#inputs = inputsOf(node);
    this.#flowing = this.#flowingCarries();
    this.#iteration = this.#body.tensor("iteration", "i32", []);
  }

  build(): void {
    const { carries, slices, captured } = this.#inputs;
    const node = this.#node;
    const sweep = this.#sweep;
    const body = this.#body;

    const next = this.#flowing.map((k) => body.tensor(`d_${carries[k]!.name}`, "f32", carries[k]!.type.shape));
    const stacked = node.body.outputs.slice(node.carries.length).map(({ tensor }, k) => {
      const adjoint = this.#adjoints[node.carries.length + k];
      return adjoint && this.#slice(`d_${tensor.name}`, adjointType(tensor.type), () => adjoint);
    });
    const copies = this.#copyForward();
    const copyOf = copies.copyOf;

    const outputs = node.body.outputs.map(({ tensor }) => copyOf(tensor));
    const seeds = [
      ...this.#flowing.map((k, place) => ({ tensor: outputs[k]!, adjoint: next[place]! })),
      ...stacked.flatMap((adjoint, k) => (adjoint ? [{ tensor: outputs[node.carries.length + k]!, adjoint }] : [])),
    ];
    const activeSlices = slices.flatMap((slice, k) =>
      sweep.isActive(node.slices[k]!) ? [{ slice: copyOf(slice), k }] : [],
    );
    const activeCaptured = captured.flatMap((tensor, k) =>
      sweep.isActive(node.captured[k]!) ? [{ tensor: copyOf(tensor), k }] : [],
    );
    const wrt = [
      ...this.#flowing.map((k) => copyOf(carries[k]!)),
      ...activeSlices.map(({ slice }) => slice),
      ...activeCaptured.map(({ tensor }) => tensor),
    ];
    const contributions = sweep.inside(body, seeds, wrt);
    const previous = this.#flowing.map(
      (k) => contributions.total(copyOf(carries[k]!)) ?? zeros(body, adjointType(carries[k]!.type)),
    );
    const use = this.#useSavedSums(copies.sums);

    const hoist = new Hoist(this.#outer, node.length, {
      slice: (tensor) => this.#slices.get(tensor),
      captured: (tensor) => this.#captured.get(tensor),
      definition: (tensor) => body.definition(tensor),
      iteration: this.#iteration,
    });
    const ofSlices = activeSlices.map(({ slice, k }) => {
      const pieces = contributions.of(slice).map(({ tensor, at }) => {
        const source = use(tensor);
        return { at, take: isHoistable(body, source, "contraction") ? hoist.stacked(source) : hoist.operand(source) };
      });
      return { k, pieces };
    });
    const ofCaptured = activeCaptured.map(({ tensor, k }) => {
      const pieces = contributions.of(tensor).map((piece) => ({ ...piece, tensor: use(piece.tensor) }));
      const hoisted = pieces.filter((piece) => isHoistable(body, piece.tensor, "linear"));
      const inside = pieces.filter((piece) => !hoisted.includes(piece));
      const type = adjointType(tensor.type);
      const sum = addAll(
        body,
        `d_${tensor.name}`,
        type,
        inside.map((piece) => this.#placed(piece, type)),
      );
      return { k, type, hoisted: hoisted.map(({ tensor: source, at }) => ({ at, take: hoist.summed(source) })), sum };
    });

    const accumulators = ofCaptured.flatMap(({ k, type, sum }) => {
      if (!sum) return [];
      const before = body.tensor(`sum_${captured[k]!.name}`, "f32", type.shape);
      const after = addAll(body, before.name, type, [before, sum]);
      invariant(after, "a sum of two");
      return [{ k, type, before, after }];
    });
    const results = this.#finish({
      carries: [
        ...this.#flowing.map((k, place) => ({
          before: next[place]!,
          after: use(previous[place]!),
          start: this.#adjoints[k] ?? zeros(this.#outer, adjointType(carries[k]!.type)),
        })),
        ...accumulators.map(({ before, after, type }) => ({ before, after, start: zeros(this.#outer, type) })),
      ],
      stacks: hoist.wanted,
    });
    hoist.provide(results.stacks);
    for (const [place, k] of this.#flowing.entries()) this.#give(node.carries[k]!, results.carries[place]!);
    for (const [place, { k }] of accumulators.entries())
      this.#give(node.captured[k]!, results.carries[this.#flowing.length + place]!);
    for (const { k, pieces } of ofSlices)
      for (const { at, take } of pieces)
        sweep.contribute(node.slices[k]!, { tensor: take(), at: [...everywhere([node.length]), ...at] });
    for (const { k, hoisted } of ofCaptured)
      for (const { at, take } of hoisted) sweep.contribute(node.captured[k]!, { tensor: take(), at });
  }

  #give(operand: Tensor, tensor: Tensor): void {
    if (this.#sweep.isActive(operand)) this.#sweep.contribute(operand, { tensor, at: everywhere(operand.type.shape) });
  }

  #placed({ tensor, at }: Contribution, type: TensorType): Tensor {
    if (tensor.type.shape.join() === type.shape.join()) return tensor;
    return this.#body.join(tensor.name, type, [{ tensor, at }], 0);
  }

  #slice(hint: string, type: TensorType, stack: () => Tensor): Tensor {
    const tensor = this.#body.tensor(hint, type.dtype, type.shape);
    this.#slices.set(tensor, stack);
    return tensor;
  }

  /** Carries that depend on what is differentiated by, and on which some adjoint that is not 0 depends. */
  #flowingCarries(): number[] {
    const { carries, slices, captured } = this.#inputs;
    const { body, carries: initial } = this.#node;
    const active = new Set<Tensor>();
    const activate = (inner: readonly Tensor[], outer: readonly Tensor[]): void => {
      for (const [k, tensor] of outer.entries()) if (this.#sweep.isActive(tensor)) active.add(inner[k]!);
    };
    activate(carries, initial);
    activate(slices, this.#node.slices);
    activate(captured, this.#node.captured);
    for (let size = -1; size !== active.size; ) {
      size = active.size;
      for (const node of body.nodes)
        if (operandsOf(node).some((tensor) => active.has(tensor)))
          for (const result of node.results)
            if (isFloat(result.type.dtype) && !this.#sweep.stopped.has(result)) active.add(result);
      for (const [k, carry] of carries.entries()) if (active.has(body.outputs[k]!.tensor)) active.add(carry);
    }
    const needed = new Set<Tensor>();
    for (const [k, { tensor }] of body.outputs.entries()) if (this.#adjoints[k]) needed.add(tensor);
    const flows = (k: number): boolean => this.#adjoints[k] !== undefined || needed.has(carries[k]!);
    for (let size = -1; size !== needed.size; ) {
      size = needed.size;
      for (const [k] of carries.entries()) if (flows(k)) needed.add(body.outputs[k]!.tensor);
      for (const node of body.nodes.toReversed())
        if (node.results.some((result) => needed.has(result)))
          for (const operand of operandsOf(node)) needed.add(operand);
    }
    return [...carries.keys()].filter((k) => active.has(carries[k]!) && flows(k));
  }

  /** The forward body inside the reverse one, reading stacked carries. */
  #copyForward(): { copyOf(tensor: Tensor): Tensor; sums: [Tensor, Tensor][] } {
    const { carries, slices, captured } = this.#inputs;
    const node = this.#node;
    const inputs = [
      ...carries.map((carry) => this.#slice(carry.name, carry.type, () => this.#save(carry))),
      ...slices.map((slice, k) => this.#slice(slice.name, slice.type, () => node.slices[k]!)),
      ...captured.map((tensor, k) => {
        const copy = this.#body.tensor(tensor.name, tensor.type.dtype, tensor.type.shape);
        this.#captured.set(copy, node.captured[k]!);
        return copy;
      }),
      this.#iteration,
    ];
    const { copyOf } = inline(this.#body, node.body, inputs, this.#sweep.stopped);
    const sums = node.body.nodes.flatMap((inner): [Tensor, Tensor][] =>
      inner.kind === "generic" && inner.combiner === "sum"
        ? inner.results.map((result) => [result, copyOf(result)])
        : [],
    );
    return { copyOf, sums };
  }

  /** Reads the stacked value of every forward sum; its copy is left to be dropped. */
  #useSavedSums(sums: readonly [Tensor, Tensor][]): (tensor: Tensor) => Tensor {
    const replaced = new Map<Tensor, Tensor>();
    for (const [forward, copy] of sums)
      replaced.set(
        copy,
        this.#slice(forward.name, forward.type, () => this.#save(forward)),
      );
    const use = (tensor: Tensor): Tensor => replaced.get(tensor) ?? tensor;
    for (const node of [...this.#body.nodes]) {
      const moved = withOperands(node, use);
      if (moved !== node) this.#body.replaceNode(node, moved);
    }
    return use;
  }

  /** The stack over all iterations of a tensor of the forward body. */
  #save(tensor: Tensor): Tensor {
    const known = this.#saved.get(tensor);
    if (known) return known;
    const node = this.#forward();
    const place = node.body.outputs.findIndex((output, k) => k >= node.carries.length && output.tensor === tensor);
    if (place >= 0) return node.results[place]!;
    const path = `saved_${node.body.outputs.length - node.carries.length}`;
    const { dtype, shape } = tensor.type;
    const stack = this.#outer.tensor(`${tensor.name}.saved`, dtype, [node.length, ...shape]);
    const outputs = [...node.body.outputs, { tensor, role: "result" as const, path }];
    this.#outer.replaceNode(node, { ...node, results: [...node.results, stack], body: { ...node.body, outputs } });
    this.#saved.set(tensor, stack);
    return stack;
  }
  #forward(): ScanNode {
    const node = this.#outer.definition(this.#node.results[0]!);
    invariant(node?.kind === "scan", "the forward scan is in the graph");
    return node;
  }

  #finish(spec: { carries: readonly { before: Tensor; after: Tensor; start: Tensor }[]; stacks: readonly Tensor[] }): {
    carries: readonly Tensor[];
    stacks: readonly Tensor[];
  } {
    const outputs = [...spec.carries.map(({ after }) => after), ...spec.stacks];
    const { nodes, used } = reachable(this.#body.nodes, outputs);
    const slices = [...this.#slices].filter(([tensor]) => used.has(tensor));
    const captured = [...this.#captured].filter(([tensor]) => used.has(tensor));
    const argument = (tensor: Tensor): GraphInput => ({ tensor, role: "argument", path: tensor.name });
    const body: Graph = {
      inputs: [
        ...spec.carries.map(({ before }) => argument(before)),
        ...slices.map(([tensor]) => argument(tensor)),
        ...captured.map(([tensor]) => argument(tensor)),
        argument(this.#iteration),
      ],
      nodes,
      outputs: outputs.map((tensor, k) => ({
        tensor,
        role: "result",
        path: k < spec.carries.length ? `carry_${k + 1}` : `stacked_${k + 1 - spec.carries.length}`,
      })),
    };
    const results = this.#outer.scan("reverse", {
      length: this.#node.length,
      reverse: !this.#node.reverse,
      carries: spec.carries.map(({ start }) => start),
      slices: slices.map(([, stack]) => stack()),
      captured: captured.map(([, tensor]) => tensor),
      body,
    });
    return { carries: results.slice(0, spec.carries.length), stacks: results.slice(spec.carries.length) };
  }
}

function reachable(nodes: readonly Node[], outputs: readonly Tensor[]): { nodes: Node[]; used: Set<Tensor> } {
  const used = new Set(outputs);
  const kept = nodes.toReversed().filter((node) => {
    if (!node.results.some((result) => used.has(result))) return false;
    for (const operand of operandsOf(node)) used.add(operand);
    return true;
  });
  return { nodes: kept.reverse(), used };
}
