/** The adjoint of one read: `sum over every d with M(d) = t of adjoint(d)`, as dense pieces without guards where possible. */
import { hasData, provedInRange, rangeOf } from "../graph/affine.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import { fixed, at as index, read as readAt, readHere } from "../graph/builder.ts";
import type { Axis, Coordinate, Scalar, ScalarRead, Tensor, TensorType } from "../graph/graph.ts";
import { indicesOf, indicesOfCoordinate, renumber } from "../graph/traverse.ts";
import { invariant } from "../invariant.ts";
import { type Contribution, everywhere, total } from "./contributions.ts";
import { clamped, scalarOf } from "./coordinate.ts";
import { invert } from "./invert.ts";
import { permuted } from "./permuted.ts";
import { isConstant, type Scalars } from "./scalars.ts";
import { NotInvertible, type Solution, type Target } from "./solution.ts";
import { Substitution } from "./substitution.ts";

export interface Problem {
  readonly builder: GraphBuilder;
  readonly scalars: Scalars;
  /** The forward node's parallel and reduction indices. */
  readonly domain: readonly Axis[];
  readonly read: ScalarRead;
  /** Over `domain`. */
  readonly adjoint: Scalar;
}

export function adjointOfRead(problem: Problem): Contribution[] {
  const { read, domain, adjoint } = problem;
  try {
    const isFree = (index: number): boolean => annihilates(problem, adjoint, index);
    const solutions = invert(read, domain, isFree).toSorted(inPlaceOrder);
    return solutions.map((solution) => piece(problem, solution));
  } catch (error) {
    if (error instanceof NotInvertible) return throughSort(problem) ?? [scattered(problem)];
    throw error;
  }
}

function inPlaceOrder(a: Solution, b: Solution): number {
  for (const [axis, target] of a.targets.entries()) {
    const difference = target.start - b.targets[axis]!.start;
    if (difference !== 0) return difference;
  }
  return 0;
}

// ---- One dense piece ------------------------------------------------------------------------------------------------------

function piece(problem: Problem, solution: Solution): Contribution {
  const { builder, scalars, read, adjoint } = problem;
  const { variables, values, targets } = solution;
  const parallel = targets.flatMap(({ variable, phase }) => [variable, phase].filter((one) => one !== undefined));
  const inBox = new Set(parallel);
  const summed = [...variables.keys()].filter((variable) => !values.has(variable) && !inBox.has(variable));
  const order = [...parallel, ...summed];
  const axes = order.map((variable) => variables[variable]!);
  const extents = axes.map(({ extent }) => extent);
  const place = new Map(order.map((variable, position) => [variable, position] as const));

  const renumbered = (coordinate: Coordinate): Coordinate => ({
    offset: coordinate.offset,
    terms: coordinate.terms.map((term) => {
      if (term.kind === "data") return { ...term, read: renumberRead(term.read) };
      const position = place.get(term.position);
      invariant(position !== undefined, "only free variables are left");
      return { ...term, position };
    }),
  });
  // Data read where an index has left its extent: the point does not exist, its place does not matter.
  const renumberRead = (inner: ScalarRead): ScalarRead => {
    const coordinates = inner.coordinates.map(renumbered);
    const { shape } = inner.tensor.type;
    const leaves = coordinates.some(
      (coordinate, axis) => !hasData(coordinate) && !provedInRange(coordinate, extents, shape[axis]!),
    );
    if (!leaves || inner.otherwise !== undefined) return { ...inner, coordinates };
    if (coordinates.some(hasData)) throw new NotInvertible();
    return { ...inner, coordinates, otherwise: 0 };
  };
  const by = (variable: number): Coordinate =>
    renumbered(values.get(variable) ?? { offset: 0, terms: [{ kind: "affine", coefficient: 1, position: variable }] });
  const value = (variable: number): Scalar => scalarOf(builder, scalars, by(variable));
  const moved = new Substitution(scalars, by, value, extents);
  const body = moved.scalar(adjoint);
  const guards: Scalar[] = [];
  for (const { axis, coordinate, clamp } of solution.equalities) {
    const known = scalarOf(builder, scalars, moved.coordinate(coordinate));
    const { start, variable } = targets[axis]!;
    const own = scalars.apply(
      "add",
      variable === undefined ? scalars.constant("i32", 0) : scalars.index(place.get(variable)!),
      scalars.constant("i32", start),
    );
    guards.push(scalars.apply("eq", own, clamp ? clamped(scalars, known, read.tensor.type.shape[axis]!) : known));
  }
  for (const index of solution.unproved) {
    if (annihilates(problem, adjoint, index)) continue;
    guards.push(...within(scalars, by(index), variables[index]!.extent, extents, value(index)));
  }
  const whole = guards.reduceRight<Scalar>((inner, guard) => scalars.apply("select", guard, inner, scalars.zero), body);
  const shape = targets.flatMap(({ count, step, phase }) => (phase === undefined ? [count] : [count, step]));
  const residues = targets.flatMap(({ start, step, phase }) => (step > 1 && phase === undefined ? [start] : []));
  const hint = `d_${read.tensor.name}${residues.length === 0 ? "" : `.${residues.join(residues.some((r) => r > 9) ? "_" : "")}`}`;
  const tensor = reduce(problem, hint, axes.slice(0, parallel.length), axes.slice(parallel.length), whole, shape);
  return placed(problem, tensor, targets);
}

/** Where the piece goes. Phases are merged into their axis, and what lies outside the tensor is cut off. */
function placed({ builder, read }: Problem, piece: Tensor, targets: readonly Target[]): Contribution {
  const at = targets.map(({ start, step, count }) => ({ start, step, count }));
  if (targets.every(({ phase }) => phase === undefined)) return { tensor: piece, at };
  const merged = targets.map(({ count, step, phase }) => (phase === undefined ? count : count * step));
  const whole = builder.view(piece, merged);
  const boxes = targets.map(({ start, step, count, phase }, axis) => {
    if (phase === undefined) return { start, step, count, skipped: 0 };
    const first = Math.max(0, start);
    const stop = Math.min(read.tensor.type.shape[axis]!, start + count * step);
    return { start: first, step: 1, count: stop - first, skipped: first - start };
  });
  const shape = boxes.map(({ count }) => count);
  const places = boxes.map(({ start, step, count }) => ({ start, step, count }));
  if (shape.every((count, axis) => count === merged[axis])) return { tensor: whole, at: places };
  let position = 0;
  const coordinates = boxes.map(({ count, skipped }) => (count === 1 ? fixed(skipped) : index(position++, 1, skipped)));
  return { tensor: builder.map(piece.name, shape, readAt(whole, coordinates), "f32"), at: places };
}

/** The comparisons that are not known to hold. */
function within(
  scalars: Scalars,
  coordinate: Coordinate,
  extent: number,
  extents: readonly number[],
  value: Scalar,
): Scalar[] {
  const range = rangeOf(coordinate, extents);
  const guards: Scalar[] = [];
  if (!range || range.min < 0) guards.push(scalars.apply("ge", value, scalars.constant("i32", 0)));
  if (!range || range.max >= extent) guards.push(scalars.apply("lt", value, scalars.constant("i32", extent)));
  return guards;
}

/** A sum over the indices that the body uses; those that it does not use only multiply it. */
function reduce(
  { builder, scalars }: Problem,
  hint: string,
  parallel: readonly Axis[],
  reduction: readonly Axis[],
  body: Scalar,
  shape: readonly number[],
): Tensor {
  const used = indicesOf(body);
  const kept = [...reduction.keys()].filter((k) => used.has(parallel.length + k));
  const unused = reduction.filter((_, k) => !used.has(parallel.length + k));
  const times = unused.reduce((product, { extent }) => product * extent, 1);
  const to = [...parallel.keys()];
  for (const [position, k] of kept.entries()) to[parallel.length + k] = parallel.length + position;
  const moved = unused.length === 0 ? body : renumber(body, to);
  const scaled = scalars.apply("mul", scalars.intern(moved), scalars.constant("f32", times));
  const summed = kept.map((k) => reduction[k]!);
  if (summed.length === 0 && scaled.kind === "read" && isWhole(scaled, shape)) return scaled.tensor;
  const [result] = builder.generic({
    hint,
    combiner: summed.length === 0 ? "map" : "sum",
    parallel,
    reduction: summed,
    body: scaled,
    shape,
    dtype: "f32",
  });
  invariant(result, "one result");
  return result;
}

/** Whether a body is just a tensor of this shape, element by element. */
function isWhole(body: ScalarRead, shape: readonly number[]): boolean {
  const { type } = body.tensor;
  if (type.dtype !== "f32" || type.shape.length !== shape.length) return false;
  let position = 0;
  return shape.every((extent, axis) => {
    const { offset, terms } = body.coordinates[axis]!;
    if (type.shape[axis] !== extent || offset !== 0) return false;
    const [term, ...more] = terms;
    if (extent === 1) return term === undefined;
    return more.length === 0 && term?.kind === "affine" && term.coefficient === 1 && term.position === position++;
  });
}

// ---- Range checks for free ------------------------------------------------------------------------------------------------

/**
 * Whether `adjoint` is 0 by itself as soon as an index leaves its extent: some factor is a read that is then out of range,
 * where it may as well read 0, and every other factor stays finite.
 */
function annihilates({ domain }: Problem, adjoint: Scalar, index: number): boolean {
  const extent = domain[index]?.extent;
  if (extent === undefined) return false;
  const memo = new Map<Scalar, boolean>();
  const vanishes = (scalar: Scalar): boolean => {
    const known = memo.get(scalar);
    if (known !== undefined) return known;
    const result = step(scalar);
    memo.set(scalar, result);
    return result;
  };
  const step = (scalar: Scalar): boolean => {
    if (isConstant(scalar, 0)) return true;
    if (scalar.kind === "read") return leavesWith(scalar, index, extent);
    if (scalar.kind !== "apply") return false;
    const [a, b, c] = scalar.arguments;
    switch (scalar.name) {
      case "neg":
        return vanishes(a!);
      case "mul":
        return (vanishes(a!) && staysFinite(b!)) || (vanishes(b!) && staysFinite(a!));
      case "div":
        return vanishes(a!) && b?.kind === "constant" && b.value !== 0;
      case "add":
      case "sub":
        return vanishes(a!) && vanishes(b!);
      case "select":
        return vanishes(b!) && vanishes(c!);
      default:
        return false;
    }
  };
  return vanishes(adjoint);
}

/** The read is out of range whenever the index is. */
function leavesWith(read: ScalarRead, index: number, extent: number): boolean {
  if (read.otherwise !== undefined && read.otherwise !== 0) return false;
  if (read.otherwise === undefined && read.coordinates.some(hasData)) return false;
  return read.coordinates.some(({ offset, terms }, axis) => {
    const [term, ...more] = terms;
    if (more.length > 0 || term?.kind !== "affine" || term.position !== index) return false;
    const before = offset - term.coefficient;
    const after = offset + term.coefficient * extent;
    const last = read.tensor.type.shape[axis]!;
    return Math.min(before, after) < 0 && Math.max(before, after) >= last;
  });
}

const bounded = new Set(["add", "sub", "mul", "neg", "abs", "sign", "min", "max", "select", "erf", "sin", "cos"]);
const rounded = new Set(["floor", "ceil", "trunc", "round", "to_f32"]);

/** Finite for finite tensors: nothing that divides, takes a logarithm or can overflow by itself. */
function staysFinite(scalar: Scalar): boolean {
  switch (scalar.kind) {
    case "constant":
      return Number.isFinite(scalar.value);
    case "index":
      return true;
    case "read":
      return scalar.otherwise === undefined || Number.isFinite(scalar.otherwise);
    case "apply":
      if (scalar.type !== "f32" || rounded.has(scalar.name)) return true;
      return bounded.has(scalar.name) && scalar.arguments.every(staysFinite);
  }
  return scalar satisfies never;
}

// ---- What has no inverse -----------------------------------------------------------------------------------------------------

/** First the adjoint of what was read in sorted order, whose coordinates hold no data; then its permutation back. */
function throughSort(problem: Problem): Contribution[] | undefined {
  const { builder, read } = problem;
  const found = permuted(builder, read);
  if (!found) return undefined;
  const { sorted, adjoint } = found;
  const type: TensorType = { dtype: "f32", shape: read.tensor.type.shape };
  const sum = total(builder, `d_${sorted.tensor.name}`, type, adjointOfRead({ ...problem, read: sorted }));
  return sum === undefined ? [] : [{ tensor: adjoint(sum), at: everywhere(type.shape) }];
}

/** Adds at the places themselves, after summing what the places do not depend on. */
function scattered({ builder, scalars, domain, read, adjoint }: Problem): Contribution {
  const { tensor } = read;
  const used = new Set(read.coordinates.flatMap((coordinate) => [...indicesOfCoordinate(coordinate)]));
  const kept = [...domain.keys()].filter((index) => used.has(index));
  const others = [...domain.keys()].filter((index) => !used.has(index));
  const to: number[] = [];
  for (const [position, index] of [...kept, ...others].entries()) to[index] = position;
  const axes = kept.map((index) => domain[index]!);
  const shape = axes.map(({ extent }) => extent);
  let body = scalars.intern(renumber(adjoint, to));
  if (others.length > 0) {
    const reduction = others.map((index) => domain[index]!);
    const problem = { builder, scalars, domain, read, adjoint };
    const summed = reduce(problem, `d_${tensor.name}.terms`, axes, reduction, body, shape);
    body = readHere(summed);
  }
  const carrier = renumber(read, to);
  invariant(carrier.kind === "read", "a read stays a read");
  const result = builder.scatterAdd(
    `d_${tensor.name}`,
    { dtype: "f32", shape: tensor.type.shape },
    {
      domain: axes,
      coordinates: carrier.coordinates,
      outside: read.otherwise === undefined ? "clamp" : "drop",
      body,
    },
  );
  return { tensor: result, at: everywhere(tensor.type.shape) };
}
