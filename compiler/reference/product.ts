/**
 * Sums of one read, or of a product of two, are most of the work of every network. They are computed here by a loop along
 * the longest reduction index, in which addresses only grow; everything else goes through `body.ts`. Same meaning: where a
 * coordinate leaves the tensor the read's `else` value is multiplied in, so that infinities and NaNs spread as they should.
 */
import type { AffineTerm, GenericNode, Scalar, ScalarRead } from "../graph/graph.ts";
import { forEachPoint, type Point, type SlotOf, stridesOf } from "./body.ts";

/** A read whose coordinates are affine. */
interface AffineRead {
  /** The range of inner iterations in which every coordinate is inside, at the current point: `from` to `to`. */
  locate(): void;
  from: number;
  to: number;
  /** Address at inner iteration 0. */
  base: number;
  readonly step: number;
  readonly outside: number;
}

/** The reads of a body that is one read or a product of two, all affine. */
export function factorsOf(node: GenericNode): readonly ScalarRead[] | undefined {
  if (node.combiner !== "sum" || node.body.type !== "f32") return undefined;
  const factors = node.body.kind === "apply" && node.body.name === "mul" ? node.body.arguments : [node.body];
  return factors.every(isAffine) ? factors : undefined;
}

function isAffine(scalar: Scalar): scalar is ScalarRead {
  return (
    scalar.kind === "read" &&
    scalar.type === "f32" &&
    scalar.coordinates.every(({ terms }) => terms.every((term) => term.kind === "affine"))
  );
}

/** `point` holds the indices; the one at `inner` is 0 whenever a read is located. */
function affineRead(read: ScalarRead, point: Point, inner: number, count: number): AffineRead {
  const { shape } = read.tensor.type;
  const strides = stridesOf(shape);
  const axes = read.coordinates.map(({ offset, terms }, axis) => {
    const affine = terms.filter((term): term is AffineTerm => term.kind === "affine");
    return {
      offset,
      outer: affine.filter(({ position }) => position !== inner),
      slope: affine.find(({ position }) => position === inner)?.coefficient ?? 0,
      extent: shape[axis] ?? 1,
      stride: strides[axis] ?? 1,
    };
  });
  return {
    from: 0,
    to: count,
    base: 0,
    step: axes.reduce((sum, { slope, stride }) => sum + slope * stride, 0),
    outside: read.otherwise ?? Number.NaN,
    locate() {
      this.from = 0;
      this.to = count;
      this.base = 0;
      for (const { offset, outer, slope, extent, stride } of axes) {
        let position = offset;
        for (const { coefficient, position: index } of outer) position += coefficient * (point[index] ?? 0);
        this.base += position * stride;
        // 0 <= position + slope * k < extent
        if (slope === 0) {
          if (position < 0 || position >= extent) this.to = 0;
          continue;
        }
        const low = -position / slope;
        const high = (extent - 1 - position) / slope;
        this.from = Math.max(this.from, Math.ceil(Math.min(low, high)));
        this.to = Math.min(this.to, Math.floor(Math.max(low, high)) + 1);
      }
    },
  };
}

/** Fills the node's result, as a step that may be run again with other operands. */
export function evaluateProduct(node: GenericNode, factors: readonly ScalarRead[], slotOf: SlotOf): () => Float64Array {
  const domain = [...node.parallel, ...node.reduction];
  const extents = domain.map(({ extent }) => extent);
  const parallel = extents.slice(0, node.parallel.length);
  const longest = Math.max(...node.reduction.map(({ extent }) => extent));
  const inner = node.parallel.length + node.reduction.findIndex(({ extent }) => extent === longest);
  const point: Point = new Int32Array(domain.length);
  // The reduction without its longest index, which stays 0 in `point`.
  const rest = extents.map((extent, k) => (k === inner ? 1 : extent)).slice(node.parallel.length);
  const [a, b] = factors.map((read) => affineRead(read, point, inner, longest));
  const [slotA, slotB] = factors.map(({ tensor }) => slotOf(tensor));
  const size = parallel.reduce((product, extent) => product * extent, 1);

  const value = (read: AffineRead, values: Float64Array, k: number) =>
    k >= read.from && k < read.to ? (values[read.base + k * read.step] ?? 0) : read.outside;
  return () => {
    const result = new Float64Array(size);
    const valuesA = slotA?.values ?? result;
    const valuesB = slotB?.values ?? result;
    let element = 0;
    forEachPoint(point, 0, parallel, () => {
      let sum = 0;
      forEachPoint(point, parallel.length, rest, () => {
        if (!a) return;
        a.locate();
        b?.locate();
        const from = Math.min(Math.max(a.from, b?.from ?? 0), longest);
        const to = Math.max(from, Math.min(a.to, b?.to ?? longest));
        const edge = (k: number) => value(a, valuesA, k) * (b ? value(b, valuesB, k) : 1);
        for (let k = 0; k < from; k++) sum += edge(k);
        let atA = a.base + from * a.step;
        if (b) {
          let atB = b.base + from * b.step;
          for (let k = from; k < to; k++, atA += a.step, atB += b.step) sum += valuesA[atA]! * valuesB[atB]!;
        } else for (let k = from; k < to; k++, atA += a.step) sum += valuesA[atA]!;
        for (let k = to; k < longest; k++) sum += edge(k);
      });
      result[element++] = sum;
    });
    return result;
  };
}
