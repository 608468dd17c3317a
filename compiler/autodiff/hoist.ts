/**
 * Takes work out of a scan: a node whose result does not feed the carries is computed once for all iterations, over the
 * stacks of its operands, with the iteration as one more index.
 */
import { normalize } from "../graph/affine.ts";
import { at, fixed, type GraphBuilder, readHere } from "../graph/builder.ts";
import type { Axis, Coordinate, Node, Scalar, ScalarRead, Tensor, Term } from "../graph/graph.ts";
import { indicesOf, operandsOf, renumber, rewriteScalar } from "../graph/traverse.ts";
import { invariant } from "../invariant.ts";

/** What is known of the tensors of the loop's body. */
export interface Inside {
  /** Slices of tensors outside, by their stacks. */
  slice(tensor: Tensor): (() => Tensor) | undefined;
  captured(tensor: Tensor): Tensor | undefined;
  definition(tensor: Tensor): Node | undefined;
  readonly iteration: Tensor;
}

/** "contraction": a sum over stacked operands. "linear": anything that commutes with the sum over all iterations. */
export function isHoistable(body: GraphBuilder, tensor: Tensor, what: "contraction" | "linear"): boolean {
  const node = body.definition(tensor);
  if (!node) return what === "linear";
  switch (node.kind) {
    case "generic":
      return node.combiner === "sum" || (what === "linear" && node.combiner === "map");
    case "scatter_add":
      return what === "linear";
    case "view":
      return what === "linear" && isHoistable(body, node.source, what);
    case "join":
      return (
        what === "linear" && node.fill === 0 && node.pieces.every((piece) => isHoistable(body, piece.tensor, what))
      );
    case "scan":
    case "custom":
    case "sort":
    case "random":
    case "constant":
      return false;
  }
  return node satisfies never;
}

/** Gives a tensor once the loop has been built. */
export type Take = () => Tensor;

export class Hoist {
  readonly #builder: GraphBuilder;
  readonly #length: number;
  readonly #inside: Inside;
  readonly #wanted = new Map<Tensor, number>();
  #stacks: readonly Tensor[] = [];

  constructor(builder: GraphBuilder, length: number, inside: Inside) {
    this.#builder = builder;
    this.#length = length;
    this.#inside = inside;
  }

  /** What the loop has to stack, in order. */
  get wanted(): readonly Tensor[] {
    return [...this.#wanted.keys()];
  }
  provide(stacks: readonly Tensor[]): void {
    this.#stacks = stacks;
  }

  /** The stack of a tensor, made by the loop if it is not known outside. */
  operand(tensor: Tensor): Take {
    const known = this.#inside.slice(tensor);
    if (known) return known;
    const captured = this.#inside.captured(tensor);
    if (captured) return () => this.#repeated(captured);
    if (!this.#wanted.has(tensor)) this.#wanted.set(tensor, this.#wanted.size);
    const place = this.#wanted.get(tensor)!;
    return () => {
      const stack = this.#stacks[place];
      invariant(stack, "the loop has been built");
      return stack;
    };
  }
  #repeated(tensor: Tensor): Tensor {
    const shape = [this.#length, ...tensor.type.shape];
    return this.#builder.map(
      `${tensor.name}.repeated`,
      shape,
      readHere(tensor, this.#length === 1 ? 0 : 1),
      tensor.type.dtype,
    );
  }

  /** The stack of what a sum inside the loop computes, as one sum. */
  stacked(tensor: Tensor): Take {
    const node = this.#inside.definition(tensor);
    invariant(node?.kind === "generic", "only sums are hoisted with their iterations apart");
    const prepare = this.#operands(node);
    return () => {
      const axis = this.#axis();
      const body = this.#moved(node.body, 0, axis.length, prepare());
      const [result] = this.#builder.generic({
        hint: tensor.name,
        combiner: node.combiner,
        parallel: [...axis, ...node.parallel],
        reduction: node.reduction,
        body,
        shape: [this.#length, ...tensor.type.shape],
        dtype: "f32",
      });
      invariant(result, "one result");
      return result;
    };
  }

  /** The sum over all iterations. */
  summed(tensor: Tensor): Take {
    const node = this.#inside.definition(tensor);
    switch (node?.kind) {
      case "generic":
      case "scatter_add": {
        const prepare = this.#operands(node);
        return () => this.#summed(node, tensor, prepare());
      }
      case "view": {
        const source = this.summed(node.source);
        return () => this.#builder.view(source(), tensor.type.shape, tensor.name);
      }
      case "join": {
        const pieces = node.pieces.map(({ tensor: piece, at: box }) => ({ take: this.summed(piece), at: box }));
        return () =>
          this.#builder.join(
            tensor.name,
            tensor.type,
            pieces.map(({ take, at: box }) => ({ tensor: take(), at: box })),
          );
      }
      default: {
        const stack = this.operand(tensor);
        return () => this.#sumOfStack(stack(), tensor);
      }
    }
  }

  #summed(node: Extract<Node, { kind: "generic" | "scatter_add" }>, tensor: Tensor, outer: Outer): Tensor {
    const axis = this.#axis();
    if (node.kind === "scatter_add") {
      const carrier = this.#moved(
        { ...readHere(tensor), coordinates: node.coordinates },
        0,
        axis.length,
        outer,
        tensor,
      );
      invariant(carrier.kind === "read", "a read stays a read");
      return this.#builder.scatterAdd(tensor.name, tensor.type, {
        domain: [...axis, ...node.domain],
        coordinates: carrier.coordinates,
        outside: node.outside,
        body: this.#moved(node.body, 0, axis.length, outer),
      });
    }
    const place = node.parallel.length;
    const reduction = [...axis, ...node.reduction];
    const [result] = this.#builder.generic({
      hint: tensor.name,
      combiner: reduction.length === 0 ? "map" : "sum",
      parallel: node.parallel,
      reduction,
      body: this.#moved(node.body, place, axis.length, outer),
      shape: tensor.type.shape,
      dtype: "f32",
    });
    invariant(result, "one result");
    return result;
  }

  #sumOfStack(stack: Tensor, { name, type }: Tensor): Tensor {
    if (this.#length === 1) return this.#builder.view(stack, type.shape, name);
    const extents = type.shape.filter((extent) => extent !== 1);
    let position = 0;
    const coordinates = type.shape.map((extent) => (extent === 1 ? fixed(0) : at(position++)));
    const [result] = this.#builder.generic({
      hint: name,
      combiner: "sum",
      parallel: extents.map((extent, k) => ({ name: `i${k}`, extent })),
      reduction: this.#axis(),
      body: {
        kind: "read",
        type: "f32",
        tensor: stack,
        coordinates: [at(extents.length), ...coordinates],
        otherwise: undefined,
      },
      shape: type.shape,
    });
    invariant(result, "one result");
    return result;
  }

  #axis(): Axis[] {
    return this.#length === 1 ? [] : [{ name: "step", extent: this.#length }];
  }

  /** What a node inside reads, as it will be read outside. */
  #operands(node: Node): () => Outer {
    const plans = operandsOf(node).map((tensor): [Tensor, () => { tensor: Tensor; stacked: boolean }] => {
      const captured = this.#inside.captured(tensor);
      if (captured) return [tensor, () => ({ tensor: captured, stacked: false })];
      const constant = this.#inside.definition(tensor);
      if (constant?.kind === "constant")
        return [
          tensor,
          () => ({ tensor: this.#builder.constant(tensor.name, tensor.type, constant.values), stacked: false }),
        ];
      if (tensor === this.#inside.iteration) return [tensor, () => ({ tensor, stacked: false })];
      const take = this.operand(tensor);
      return [tensor, () => ({ tensor: take(), stacked: true })];
    });
    return () => new Map(plans.map(([tensor, make]) => [tensor, make()] as const));
  }

  /** A body with the iteration as index `place`; the indices from there on move by `by` (0 if there is one iteration). */
  #moved(root: Scalar, place: number, by: number, outer: Outer, own?: Tensor): Scalar {
    const to = [...indicesOf(root)].reduce<number[]>((list, position) => {
      list[position] = position < place ? position : position + by;
      return list;
    }, []);
    const step: Coordinate = by === 0 ? fixed(0) : at(place);
    const { iteration } = this.#inside;
    const counted = (coordinate: Coordinate): Coordinate => {
      if (!coordinate.terms.some((term) => term.kind === "data" && term.read.tensor === iteration)) return coordinate;
      const terms = coordinate.terms.flatMap((term): Term[] => {
        if (term.kind !== "data" || term.read.tensor !== iteration) return [term];
        return by === 0 ? [] : [{ kind: "affine", coefficient: term.coefficient, position: place }];
      });
      return normalize(coordinate.offset, terms);
    };
    return rewriteScalar(renumber(root, to), (scalar): Scalar => {
      if (scalar.kind !== "read") return scalar;
      if (scalar.tensor === iteration)
        return by === 0 ? { kind: "constant", type: "i32", value: 0 } : { kind: "index", type: "i32", position: place };
      const coordinates = scalar.coordinates.map(counted);
      if (scalar.tensor === own) return { ...scalar, coordinates };
      const target = outer.get(scalar.tensor);
      invariant(target, `%${scalar.tensor.name} is known outside`);
      const read: ScalarRead = { ...scalar, tensor: target.tensor };
      return { ...read, coordinates: target.stacked ? [step, ...coordinates] : coordinates };
    });
  }
}

type Outer = ReadonlyMap<Tensor, { readonly tensor: Tensor; readonly stacked: boolean }>;
