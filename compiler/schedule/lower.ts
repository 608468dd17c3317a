/**
 * Lowers scalar bodies to kernel expressions, for one point of a group's domain or for four lanes of it. A `Lowering`
 * belongs to one block of a kernel: what it names is in scope there and in its children, the blocks inside.
 *
 * Memory is never touched out of range: coordinates that interval arithmetic cannot prove are clamped first, and the
 * read's `else` is selected afterwards. Values that all lanes share stay scalar until a vector needs them.
 */

import type { Coordinate, DataTerm, Scalar, ScalarRead, Tensor } from "../graph/graph.ts";
import { invariant } from "../invariant.ts";
import type { KernelBuilder } from "../kernel/build.ts";
import { add, and, apply, constant, lane, load, ne, select, shuffle, splat, u32, vector } from "../kernel/build.ts";
import type { Expression } from "../kernel/ir.ts";
import { printExpression } from "../kernel/print.ts";
import type { Bounded, CoordinateSource, IndexValue, LaneValue } from "./address.ts";
import { confine, flatten, lowerCoordinate, mapValue, sharedBase, toExpression } from "./address.ts";
import { positionsOf } from "./group.ts";
import type { Operand, Operands } from "./operands.ts";

export interface Scope {
  /** What every index of the group's domain stands for here; undefined where it is not known yet (an inner loop's). */
  readonly indices: readonly (IndexValue | undefined)[];
  /** Tensors that live in registers here: a read of one is its value at this point. */
  readonly values?: ReadonlyMap<Tensor, Expression>;
  /** Answers reads in another way (a packed panel, workgroup memory). */
  readonly answer?: (read: ScalarRead) => Expression | undefined;
}

export interface Place {
  readonly offset: LaneValue;
  readonly inside: Expression | undefined;
}

export class Lowering {
  readonly #operands: Operands;
  readonly #kernel: KernelBuilder;
  readonly #scope: Scope;
  readonly #parent: Lowering | undefined;
  readonly #memo = new Map<Scalar, Expression>();
  #loads = new Map<string, Expression>();
  readonly #values: Map<Tensor, Expression>;

  constructor(operands: Operands, scope: Scope, parent?: Lowering) {
    this.#operands = operands;
    this.#kernel = operands.kernel;
    this.#scope = scope;
    this.#parent = parent;
    this.#values = new Map(scope.values ?? []);
  }

  /** A lowering for a block inside this one, where the indices given replace or complete this one's. */
  child(indices: ReadonlyMap<number, IndexValue>, scope: Omit<Scope, "indices"> = {}): Lowering {
    const merged = this.#scope.indices.map((known, position) => indices.get(position) ?? known);
    const answer = scope.answer ?? this.#scope.answer;
    return new Lowering(
      this.#operands,
      { ...scope, indices: merged, ...(answer !== undefined && { answer }) },
      this.#changesKnown(indices) ? undefined : this,
    );
  }
  /** As `child`, in this very block: what either loads the other finds. For bodies that are unrolled. */
  inline(indices: ReadonlyMap<number, IndexValue>, scope: Omit<Scope, "indices"> = {}): Lowering {
    const copy = this.child(indices, scope);
    copy.#loads = this.#loads;
    return copy;
  }
  /** What a parent has computed holds in the child only if no index has changed its meaning. */
  #changesKnown(indices: ReadonlyMap<number, IndexValue>): boolean {
    return [...indices.keys()].some((position) => this.#scope.indices[position] !== undefined);
  }

  /** From here on a read of `tensor` is this value. */
  define(tensor: Tensor, value: Expression): void {
    this.#values.set(tensor, value);
  }
  value(tensor: Tensor): Expression | undefined {
    return this.#values.get(tensor) ?? this.#parent?.value(tensor);
  }

  /**
   * Computes here whatever of a body does not depend on indices that are unknown here, so that the blocks inside find it:
   * loop-invariant code motion by construction. Registers that the inner blocks define are given in `later`.
   */
  hoist(body: Scalar, later: ReadonlySet<Tensor> = new Set()): void {
    this.#hoist(body, later, new Map());
  }
  #hoist(body: Scalar, later: ReadonlySet<Tensor>, known: Map<Scalar, boolean>): boolean {
    const before = known.get(body);
    if (before !== undefined) return before;
    let here: boolean;
    switch (body.kind) {
      case "constant":
        here = true;
        break;
      case "index":
        here = this.#scope.indices[body.position] !== undefined;
        break;
      case "apply": {
        const parts = body.arguments.map((argument) => this.#hoist(argument, later, known));
        here = parts.every(Boolean);
        if (!here) for (const [k, argument] of body.arguments.entries()) if (parts[k]) this.#place(argument);
        break;
      }
      case "read": {
        const data = body.coordinates.flatMap(({ terms }) => terms.filter((term) => term.kind === "data"));
        const parts = data.map((term) => this.#hoist(term.read, later, known));
        here =
          !later.has(body.tensor) &&
          parts.every(Boolean) &&
          [...positionsOf(body.coordinates)].every((position) => this.#scope.indices[position] !== undefined);
        if (!here) for (const [k, term] of data.entries()) if (parts[k]) this.#place(term.read);
        break;
      }
      default:
        return body satisfies never;
    }
    known.set(body, here);
    return here;
  }
  /** Lowers a subtree that is invariant inside, if it is worth a name. */
  #place(body: Scalar): void {
    if (body.kind === "apply" || body.kind === "read") this.lower(body);
  }
  /** `hoist`, and the body itself too if nothing in it is unknown. */
  hoistWhole(body: Scalar, later: ReadonlySet<Tensor> = new Set()): void {
    if (this.#hoist(body, later, new Map())) this.#place(body);
  }

  lower(body: Scalar): Expression {
    const known = this.#find(body);
    if (known !== undefined) return known;
    const value = this.#lower(body);
    // Naming every application keeps a shared subtree from being written twice.
    const named = body.kind === "apply" ? this.#kernel.letIn("t", value) : value;
    this.#memo.set(body, named);
    return named;
  }
  #find(body: Scalar): Expression | undefined {
    return this.#memo.get(body) ?? (this.#parent === undefined ? undefined : this.#parent.#find(body));
  }

  #lower(body: Scalar): Expression {
    switch (body.kind) {
      case "constant":
        return constant(body.type, body.value);
      case "index": {
        const { base, lanes } = this.#index(body.position);
        return lanes === undefined ? base : toExpression({ base, lanes });
      }
      case "apply":
        return this.#apply(
          body.name,
          body.type,
          body.arguments.map((argument) => this.lower(argument)),
        );
      case "read":
        return this.#read(body);
      default:
        return body satisfies never;
    }
  }
  #apply(name: string, type: Expression["type"], operands: Expression[]): Expression {
    const [condition, yes, no] = operands;
    if (name === "select" && condition && yes && no) return select(condition, yes, no);
    return apply(name, type, ...operands);
  }

  #index(position: number): IndexValue {
    const index = this.#scope.indices[position];
    invariant(index !== undefined, `index ${position} is not known in this block`);
    return index;
  }

  readonly #source: CoordinateSource = {
    index: (position) => this.#index(position),
    table: (table, at) => this.#table(table, at),
    data: (term) => this.#data(term),
  };

  #data(term: DataTerm): Expression {
    const value = this.lower(term.read);
    return value.type === "i32" ? value : this.#kernel.letIn("at", apply("to_i32", "i32", value));
  }

  /** The value of an affine coordinate. */
  coordinate(coordinate: Coordinate): Expression {
    return toExpression(lowerCoordinate(coordinate, this.#source).value);
  }

  #table(table: readonly number[], at: LaneValue): LaneValue {
    const entry = (e: Expression): Expression =>
      e.kind === "constant"
        ? constant("i32", table[e.value] ?? 0)
        : this.#load(this.#operands.read(this.#operands.context.constant("i32", table)), e);
    return mapValue(at, entry);
  }

  #read(read: ScalarRead): Expression {
    const answered = this.#scope.answer?.(read) ?? this.value(read.tensor);
    if (answered !== undefined) return answered;
    const { shape } = read.tensor.type;
    const coordinates = read.coordinates.map((coordinate) => lowerCoordinate(coordinate, this.#source));
    const outside = (axis: number, { min, max }: Bounded): boolean => max < 0 || min > (shape[axis] ?? 0) - 1;
    if (read.otherwise !== undefined && coordinates.some((coordinate, axis) => outside(axis, coordinate)))
      return constant(read.type, read.otherwise);
    const confined = coordinates.map((coordinate, axis) => confine(coordinate, shape[axis] ?? 1));
    const uniform = this.#operands.context.uniform(read.tensor);
    const value =
      uniform !== undefined
        ? constant(read.type, uniform)
        : this.#element(
            this.#operands.read(read.tensor),
            read,
            confined.map((coordinate) => coordinate.value),
          );
    if (read.otherwise === undefined) return value;
    const inside = confined.reduce<Expression | undefined>(
      (all, { inside }) => (all === undefined ? inside : inside === undefined ? all : and(all, inside)),
      undefined,
    );
    if (inside === undefined) return value;
    return this.#kernel.letIn("t", select(inside, value, constant(read.type, read.otherwise)));
  }

  #element(operand: Operand, read: ScalarRead, coordinates: readonly LaneValue[]): Expression {
    const stored = this.#gather(operand, flatten(coordinates, operand.strides));
    return read.type === "bool" ? this.#kernel.letIn("t", ne(stored, splat(u32(0), stored.lanes))) : stored;
  }

  /** Elements at the offsets of the lanes, with as few loads as touch nothing between the first and the last only. */
  #gather(operand: Operand, at: LaneValue): Expression {
    const shared = sharedBase(at);
    if (shared !== undefined) return this.#load(operand, shared);
    if (at.each !== undefined) return vector(at.each.map((e) => this.#load(operand, e)));
    const { base, lanes } = at;
    const [first, last] = [Math.min(...lanes), Math.max(...lanes)];
    const low = lanes.map((offset) => offset - first);
    if (last - first === 3 && low.every((offset, l) => offset === l)) return this.#load(operand, add(base, first), 4);
    if (last - first >= 3 && low.every((offset) => offset <= 3 || offset >= last - first - 3)) {
      const left = this.#load(operand, add(base, first), 4);
      const right = last - first === 3 ? left : this.#load(operand, add(base, last - 3), 4);
      const pick = (offset: number): number => (offset - first <= 3 ? offset - first : 4 + offset - (last - 3));
      const [a, b, c, d] = lanes;
      return this.#kernel.letIn("t", shuffle(left, right, [pick(a), pick(b), pick(c), pick(d)]));
    }
    const [one, other, ...more] = [...new Set(lanes)];
    if (one !== undefined && other !== undefined && more.length === 0) {
      // Two elements in four lanes: both splatted, and lanes picked from them.
      const from = [one, other].map((offset) => splat(this.#load(operand, add(base, offset))));
      const pick = (offset: number): number => (offset === one ? 0 : 4);
      const [a, b, c, d] = lanes;
      return this.#kernel.letIn("t", shuffle(from[0]!, from[1]!, [pick(a), pick(b), pick(c), pick(d)]));
    }
    return vector(lanes.map((offset) => this.#load(operand, add(base, offset))));
  }

  /** Writes one lane or four of a tensor at the point (or points) that coordinates name. */
  store(tensor: Tensor, at: readonly Coordinate[], value: Expression): void {
    const operand = this.#operands.write(tensor);
    const stored = value.type === "bool" ? select(value, u32(1), u32(0)) : value;
    const place = flatten(
      at.map((coordinate) => lowerCoordinate(coordinate, this.#source).value),
      operand.strides,
    );
    const shared = sharedBase(place);
    if (shared !== undefined) {
      invariant(stored.lanes === 1, `four lanes of ${tensor.name} go to one place`);
      this.#kernel.store(operand.buffer, shared, stored);
      return;
    }
    invariant(place.each === undefined, "results lie at affine coordinates");
    const [first] = place.lanes;
    const vectorValue = splat(stored);
    if (place.lanes.every((offset, l) => offset === first + l))
      this.#kernel.store(operand.buffer, add(place.base, first), vectorValue);
    else {
      const named = this.#kernel.letIn("t", vectorValue);
      place.lanes.forEach((offset, l) => {
        this.#kernel.store(operand.buffer, add(place.base, offset), lane(named, l));
      });
    }
  }

  /** Where coordinates that may leave a tensor point to, clamped, and the condition that they did not leave it. */
  place(operand: Operand, tensor: Tensor, coordinates: readonly Coordinate[]): Place {
    const confined = coordinates.map((coordinate, axis) =>
      confine(lowerCoordinate(coordinate, this.#source), tensor.type.shape[axis] ?? 1),
    );
    const inside = confined.flatMap((coordinate) => coordinate.inside ?? []);
    return {
      offset: flatten(
        confined.map(({ value }) => value),
        operand.strides,
      ),
      inside: inside.length === 0 ? undefined : inside.reduce(and),
    };
  }

  #load(operand: Operand, at: Expression, lanes: 1 | 4 = 1): Expression {
    // A result may lie where an operand did: what was loaded before it was stored is not what is there now.
    const key = `${operand.buffer} ${this.#kernel.storesTo(operand.buffer)}:${lanes}:${printExpression(at)}`;
    const known = this.#findLoad(key);
    if (known !== undefined) return known;
    const value = this.#kernel.letIn("x", load(operand.buffer, operand.type, at, lanes));
    this.#loads.set(key, value);
    return value;
  }
  #findLoad(key: string): Expression | undefined {
    return this.#loads.get(key) ?? (this.#parent === undefined ? undefined : this.#parent.#findLoad(key));
  }
}
