/** Which memory a tensor lies in: its own, or a part of another's. */
import type { JoinNode, Tensor } from "../graph/graph.ts";
import { invariant } from "../invariant.ts";
import { rowMajor } from "./align.ts";
import type { Layout } from "./group.ts";
import type { Placed } from "./program.ts";

type TensorPlace = Extract<Placed, { kind: "tensor" }>;
interface Alias {
  readonly place: TensorPlace;
  /** Undefined: row-major. */
  readonly strides: readonly number[] | undefined;
}

export class Memory {
  readonly #aliases = new Map<Tensor, Alias>();

  /** `tensor` lies where `place` is, row-major. */
  alias(tensor: Tensor, place: TensorPlace): void {
    this.#set(tensor, { place, strides: undefined });
  }
  aliasTo(tensor: Tensor, other: Tensor): void {
    const { place, strides } = this.#resolve(other);
    const contiguous = strides === undefined || String(strides) === String(rowMajor(other.type.shape));
    invariant(contiguous, `%${tensor.name} cannot be a view of %${other.name}, which is strided`);
    this.#set(tensor, { place, strides: undefined });
  }
  /** A piece that its producer writes straight into the join's memory. */
  aliasPiece(join: JoinNode, piece: JoinNode["pieces"][number]): void {
    const whole = this.layout(join.results[0]!);
    const start = piece.at.reduce((sum, stride, axis) => sum + stride.start * whole.strides[axis]!, 0);
    invariant(whole.place.kind === "tensor", "a join is a tensor");
    this.#set(piece.tensor, {
      place: { ...whole.place, offset: whole.place.offset + start },
      strides: piece.at.map((stride, axis) => stride.step * whole.strides[axis]!),
    });
  }
  #set(tensor: Tensor, alias: Alias): void {
    invariant(!this.#aliases.has(tensor), `%${tensor.name} would lie in two places`);
    this.#aliases.set(tensor, alias);
  }

  isAlias(tensor: Tensor): boolean {
    return this.#aliases.has(tensor);
  }
  #resolve(tensor: Tensor): Alias {
    return this.#aliases.get(tensor) ?? { place: { kind: "tensor", tensor, offset: 0 }, strides: undefined };
  }
  place(tensor: Tensor): TensorPlace {
    return this.#resolve(tensor).place;
  }
  layout(tensor: Tensor): Layout & { readonly place: TensorPlace } {
    const { place, strides } = this.#resolve(tensor);
    return { place, strides: strides ?? rowMajor(tensor.type.shape) };
  }
  aliases(): ReadonlyMap<Tensor, Placed> {
    return new Map([...this.#aliases].map(([tensor, { place }]) => [tensor, place]));
  }
}

/** `place`, moving by `elements` with every iteration of a loop at `depth`. */
export function moving(place: TensorPlace, depth: number, start: number, elements: number): TensorPlace {
  const advance = Array.from({ length: depth + 1 }, (_, level) =>
    level === depth ? elements : (place.advance?.[level] ?? 0),
  );
  return { ...place, offset: place.offset + start, advance };
}
