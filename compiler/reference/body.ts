/**
 * Scalar bodies as closures: every distinct subtree becomes one register and one step that fills it, so a body that shares
 * subtrees costs what it says. Both arms of a `select` are evaluated; out-of-range reads never touch memory.
 */

import type { AffineTerm, Coordinate, Scalar, ScalarRead, Tensor } from "../graph/graph.ts";
import { invariant } from "../invariant.ts";
import { rowOf } from "../scalar/table.ts";

/** Row-major elements. Integers and bools are stored as exact doubles. */
export type Values = Float64Array;

/** Where a tensor's values will be when the step runs. */
export interface Slot {
  values: Values;
}
export type SlotOf = (tensor: Tensor) => Slot;

/** The current value of every domain index. */
export type Point = Int32Array;

export interface Body {
  /** Evaluates at the current point. */
  value(): number;
}

export function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

export class BodyCompiler {
  readonly #point: Point;
  readonly #slotOf: SlotOf;
  readonly #steps: (() => void)[] = [];
  readonly #registers: { value: number }[] = [];
  readonly #registerOf = new Map<Scalar, { value: number }>();

  constructor(point: Point, slotOf: SlotOf) {
    this.#point = point;
    this.#slotOf = slotOf;
  }

  /** The register that holds the scalar after `run`. */
  register(scalar: Scalar): { readonly value: number } {
    const known = this.#registerOf.get(scalar);
    if (known) return known;
    const register = { value: 0 };
    this.#step(scalar, register);
    this.#registers.push(register);
    this.#registerOf.set(scalar, register);
    return register;
  }

  /** The function that evaluates a coordinate, unclamped. */
  coordinate(coordinate: Coordinate): () => number {
    const point = this.#point;
    const parts: (() => number)[] = coordinate.terms.map((term) => {
      switch (term.kind) {
        case "affine":
          return () => term.coefficient * point[term.position]!;
        case "table":
          return () => term.table[point[term.position]!]!;
        case "data": {
          const source = this.register(term.read);
          return () => term.coefficient * source.value;
        }
      }
      return term satisfies never;
    });
    const { offset } = coordinate;
    if (parts.length === 0) return () => offset;
    if (parts.length === 1) {
      const only = parts[0]!;
      return () => offset + only();
    }
    return () => parts.reduce((sum, part) => sum + part(), offset);
  }

  run(): void {
    for (const step of this.#steps) step();
  }

  #step(scalar: Scalar, target: { value: number }): void {
    switch (scalar.kind) {
      case "constant":
        target.value = scalar.value;
        return;
      case "index": {
        const point = this.#point;
        this.#steps.push(() => {
          target.value = point[scalar.position]!;
        });
        return;
      }
      case "read":
        this.#read(scalar, target);
        return;
      case "apply": {
        const operand = scalar.arguments.at(-1)?.type;
        const compute = operand && rowOf(scalar.name).js[operand];
        invariant(compute, `${scalar.name} has no overload for ${operand}`);
        const [a, b, c, ...more] = scalar.arguments.map((argument) => this.register(argument));
        invariant(more.length === 0, `${scalar.name} has more than three arguments`);
        this.#steps.push(
          c && b && a
            ? () => {
                target.value = compute(a.value, b.value, c.value);
              }
            : b && a
              ? () => {
                  target.value = compute(a.value, b.value);
                }
              : () => {
                  target.value = compute(a?.value ?? 0);
                },
        );
        return;
      }
    }
    scalar satisfies never;
  }

  #read(read: ScalarRead, target: { value: number }): void {
    const { shape } = read.tensor.type;
    const slot = this.#slotOf(read.tensor);
    const strides = stridesOf(shape);
    const plain = read.coordinates.every((coordinate) => coordinate.terms.every((term) => term.kind === "affine"));
    if (plain && read.otherwise === undefined) {
      this.#plainRead(read, slot, strides, target);
      return;
    }
    const coordinates = read.coordinates.map((coordinate) => this.coordinate(coordinate));
    const { otherwise } = read;
    this.#steps.push(() => {
      let address = 0;
      for (let axis = 0; axis < shape.length; axis++) {
        const extent = shape[axis]!;
        let position = coordinates[axis]!();
        if (position < 0 || position >= extent) {
          if (otherwise !== undefined) {
            target.value = otherwise;
            return;
          }
          position = position < 0 ? 0 : extent - 1;
        }
        address += position * strides[axis]!;
      }
      target.value = slot.values[address]!;
    });
  }

  /** All coordinates affine and proved in range: one linear form over the indices. */
  #plainRead(read: ScalarRead, slot: Slot, strides: readonly number[], target: { value: number }): void {
    const point = this.#point;
    let base = 0;
    const coefficients = new Map<number, number>();
    for (const [axis, coordinate] of read.coordinates.entries()) {
      base += coordinate.offset * strides[axis]!;
      for (const term of coordinate.terms as readonly AffineTerm[])
        coefficients.set(term.position, (coefficients.get(term.position) ?? 0) + term.coefficient * strides[axis]!);
    }
    const positions = [...coefficients.keys()];
    const factors = [...coefficients.values()];
    this.#steps.push(() => {
      let address = base;
      for (let k = 0; k < positions.length; k++) address += factors[k]! * point[positions[k]!]!;
      target.value = slot.values[address]!;
    });
  }
}

/** Calls `visit` for every point of a box, the last index fastest. `first` is the position of the box's first index. */
export function forEachPoint(point: Point, first: number, extents: readonly number[], visit: () => void): void {
  const rank = extents.length;
  for (let k = 0; k < rank; k++) point[first + k] = 0;
  for (;;) {
    visit();
    let k = rank - 1;
    for (; k >= 0; k--) {
      const next = point[first + k]! + 1;
      if (next < extents[k]!) {
        point[first + k] = next;
        break;
      }
      point[first + k] = 0;
    }
    if (k < 0) return;
  }
}
