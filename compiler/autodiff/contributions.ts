/** What reads contribute to the adjoint of a tensor: boxes, merged into joins where they are disjoint, then added. */
import { elementCount, type GraphBuilder, readHere } from "../graph/builder.ts";
import type { Scalar, Stride, Tensor, TensorType } from "../graph/graph.ts";
import { disjoint } from "../graph/verify.ts";

/** A tensor's values at a strided box of the adjoint; 0 elsewhere. */
export interface Contribution {
  readonly tensor: Tensor;
  readonly at: readonly Stride[];
}

export function everywhere(shape: readonly number[]): Stride[] {
  return shape.map((count) => ({ start: 0, step: 1, count }));
}

function fills({ at }: Contribution, shape: readonly number[]): boolean {
  return at.every(
    ({ start, step, count }, axis) => start === 0 && count === shape[axis] && (step === 1 || count === 1),
  );
}

/** One tensor that holds the sum; undefined if nothing contributes. */
export function total(
  builder: GraphBuilder,
  hint: string,
  type: TensorType,
  contributions: readonly Contribution[],
): Tensor | undefined {
  const layers: Contribution[][] = [];
  for (const contribution of contributions) {
    const free = layers.find((layer) =>
      layer.every((other) => contribution.at.some((stride, axis) => disjoint(stride, other.at[axis]!))),
    );
    if (free) free.push(contribution);
    else layers.push([contribution]);
  }
  const terms = layers.map((layer) => {
    const [first] = layer;
    if (layer.length === 1 && first && fills(first, type.shape)) return first.tensor;
    const pieces = layer.map(({ tensor, at }) => ({ tensor, at }));
    return builder.join(hint, type, pieces, 0);
  });
  return addAll(builder, hint, type, terms);
}

export function addAll(
  builder: GraphBuilder,
  hint: string,
  type: TensorType,
  terms: readonly Tensor[],
): Tensor | undefined {
  const [first, ...more] = terms;
  if (!first || more.length === 0) return first;
  const body = more.reduce<Scalar>(
    (sum, term) => ({ kind: "apply", type: "f32", name: "add", arguments: [sum, readHere(term)] }),
    readHere(first),
  );
  return builder.map(hint, type.shape, body, type.dtype);
}

/** A tensor of zeros. */
export function zeros(builder: GraphBuilder, type: TensorType): Tensor {
  return builder.constant("zero", type, elementCount(type.shape) === 0 ? [] : [0]);
}
