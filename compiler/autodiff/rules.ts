/** The adjoint of every node kind: from the adjoints of its results to contributions to its operands. */

import { hasData, provedInRange } from "../graph/affine.ts";
import { at, fixed, type GraphBuilder, read, readHere } from "../graph/builder.ts";
import type {
  Coordinate,
  CustomNode,
  GenericNode,
  JoinNode,
  Node,
  Scalar,
  ScalarRead,
  ScatterAddNode,
  Tensor,
  ViewNode,
} from "../graph/graph.ts";
import { indicesOf, indicesOfCoordinate, renumber } from "../graph/traverse.ts";
import { invariant } from "../invariant.ts";
import { rowOf } from "../scalar/table.ts";
import type { DType } from "../types/dtype.ts";
import { type ReadAdjoint, readAdjoints } from "./body.ts";
import { zeros } from "./contributions.ts";
import { clamped, scalarOf } from "./coordinate.ts";
import { inline } from "./inline.ts";
import { productTree } from "./product.ts";
import { adjointOfRead } from "./read-adjoint.ts";
import { Scalars } from "./scalars.ts";
import { adjointOfScan } from "./scan.ts";
import { contributeWhole, type Sweep } from "./sweep.ts";

export function adjointOfNode(sweep: Sweep, node: Node): void {
  switch (node.kind) {
    case "generic":
      adjointOfGeneric(sweep, node);
      return;
    case "view":
      adjointOfView(sweep, node);
      return;
    case "join":
      adjointOfJoin(sweep, node);
      return;
    case "scatter_add":
      adjointOfScatterAdd(sweep, node);
      return;
    case "scan":
      adjointOfScan(sweep, node);
      return;
    case "custom":
      adjointOfCustom(sweep, node);
      return;
    // Positions are integers; random words and constants depend on nothing.
    case "sort":
    case "random":
    case "constant":
      return;
  }
  node satisfies never;
}

// ---- generic ----------------------------------------------------------------------------------------------------------------

function adjointOfGeneric(sweep: Sweep, node: GenericNode): void {
  const { builder } = sweep;
  const scalars = new Scalars();
  const body = scalars.intern(node.body);
  const seed = seedOf(sweep, scalars, node, body);
  if (!seed) return;
  const active = (inner: ScalarRead): boolean => sweep.isActive(inner.tensor);
  const adjoints = readAdjoints(scalars, body, seed, active, knownValue(scalars, node, body));
  const domain = [...node.parallel, ...node.reduction];
  const shared = node.combiner === "map" ? shareAdjoint(builder, scalars, node, adjoints) : adjoints;
  for (const { read: inner, adjoint } of shared)
    for (const contribution of adjointOfRead({ builder, scalars, domain, read: inner, adjoint }))
      sweep.contribute(inner.tensor, contribution);
}

/** From here on reading a value costs less than computing it again. */
const costly = 10;

/** The value of a map's body: read, if it was dear to compute. */
function knownValue(scalars: Scalars, { combiner, results }: GenericNode, body: Scalar): Scalar {
  const [result] = results;
  const isDear = body.kind === "apply" && rowOf(body.name).cost >= costly;
  return combiner === "map" && isDear && result?.type.dtype === "f32" ? scalars.read(readHere(result)) : body;
}

/** The adjoint of the body's value; undefined if the results have none. */
function seedOf(sweep: Sweep, scalars: Scalars, node: GenericNode, body: Scalar): Scalar | undefined {
  const [first, second] = node.results;
  invariant(first, "a node has a result");
  const here = (tensor: Tensor | undefined): Scalar | undefined => {
    const known = tensor && sweep.builder.definition(tensor);
    if (known?.kind === "constant" && known.values.length === 1) return scalars.constant("f32", known.values[0]!);
    return tensor && scalars.read(readHere(tensor));
  };
  const seed = here(sweep.adjointOf(first));
  switch (node.combiner) {
    case "map":
    case "sum":
      return seed;
    case "max":
    case "min": {
      if (!seed) return undefined;
      const at = sweep.builder.tensor(`${first.name}.at`, "i32", first.type.shape);
      const combiner = node.combiner === "max" ? "max_first" : "min_first";
      sweep.builder.replaceNode(node, { ...node, combiner, results: [first, at] });
      return atExtremum(scalars, node, at, seed);
    }
    case "max_first":
    case "min_first":
      return seed && second && atExtremum(scalars, node, second, seed);
    case "prod":
      if (seed) throughProduct(sweep, node);
      return undefined;
    case "moments": {
      const squares = here(second && sweep.adjointOf(second));
      const count = node.reduction.reduce((product, { extent }) => product * extent, 1);
      const ofMean = seed && scalars.apply("mul", seed, scalars.constant("f32", 1 / count));
      const centred = scalars.apply("sub", body, scalars.read(readHere(first)));
      // The sum of squares does not move with the mean: the derivative by it is twice the sum of centred values, 0.
      const ofSquares =
        squares && scalars.apply("mul", scalars.constant("f32", 2), scalars.apply("mul", squares, centred));
      return ofMean && ofSquares ? scalars.apply("add", ofMean, ofSquares) : (ofMean ?? ofSquares);
    }
    case "any":
    case "all":
      return undefined;
  }
  return node.combiner satisfies never;
}

/** The adjoint goes to the element whose position, row-major over the reduction indices, won. */
function atExtremum(scalars: Scalars, node: GenericNode, winner: Tensor, seed: Scalar): Scalar {
  let own = scalars.constant("i32", 0);
  for (const [k, { extent }] of node.reduction.entries()) {
    const scaled = scalars.apply("mul", scalars.constant("i32", extent), own);
    own = scalars.apply("add", scaled, scalars.index(node.parallel.length + k));
  }
  const won = scalars.apply("eq", scalars.read(readHere(winner)), own);
  return scalars.apply("select", won, seed, scalars.zero);
}

function throughProduct(sweep: Sweep, node: GenericNode): void {
  const [result] = node.results;
  const adjoint = result && sweep.adjointOf(result);
  invariant(adjoint, "only called with an adjoint");
  const { nodes, product } = productTree(sweep.builder, node);
  contributeWhole(sweep, product, adjoint);
  sweep.through(nodes);
}

/**
 * Reads of a map that have the same adjoint (up to sign) share it as a tensor, unless some factor of it uses fewer indices
 * than the map: that factor is to be hoisted out of the sums that the adjoints become.
 */
function shareAdjoint(
  builder: GraphBuilder,
  scalars: Scalars,
  node: GenericNode,
  adjoints: readonly ReadAdjoint[],
): readonly ReadAdjoint[] {
  const positive = (scalar: Scalar): Scalar =>
    scalar.kind === "apply" && scalar.name === "neg" ? scalar.arguments[0]! : scalar;
  const uses = new Map<Scalar, ScalarRead[]>();
  for (const { read: inner, adjoint } of adjoints) {
    const key = positive(adjoint);
    uses.set(key, [...(uses.get(key) ?? []), inner]);
  }
  const tensors = new Map<Scalar, Scalar>();
  for (const [adjoint, reads] of uses) {
    if (reads.length < 2 || adjoint.kind !== "apply") continue;
    const all = node.parallel.length;
    if (factorsOf(adjoint).some((factor) => factor.kind !== "constant" && indicesOf(factor).size < all)) continue;
    const [result] = node.results;
    invariant(result, "a node has a result");
    const { shape } = result.type;
    const whole = reads.find(({ tensor }) => tensor.type.shape.join() === shape.join());
    const [tensor] = builder.generic({
      hint: `d_${(whole?.tensor ?? result).name}`,
      combiner: "map",
      parallel: node.parallel,
      body: adjoint,
      shape,
      dtype: "f32",
    });
    invariant(tensor, "one result");
    tensors.set(adjoint, scalars.read(readHere(tensor)));
  }
  return adjoints.map(({ read: inner, adjoint }) => {
    const key = positive(adjoint);
    const tensor = tensors.get(key);
    if (!tensor) return { read: inner, adjoint };
    return { read: inner, adjoint: key === adjoint ? tensor : scalars.apply("neg", tensor) };
  });
}

function factorsOf(scalar: Scalar): Scalar[] {
  if (scalar.kind === "apply") {
    if (scalar.name === "mul" || scalar.name === "div") return scalar.arguments.flatMap(factorsOf);
    if (scalar.name === "neg") return factorsOf(scalar.arguments[0]!);
  }
  return [scalar];
}

// ---- The other kinds -------------------------------------------------------------------------------------------------------

function adjointOfView(sweep: Sweep, { source, results }: ViewNode): void {
  const adjoint = sweep.adjointOf(results[0]!);
  if (!adjoint || !sweep.isActive(source)) return;
  contributeWhole(sweep, source, sweep.builder.view(adjoint, source.type.shape, `d_${source.name}`));
}

/** Each piece takes its box. */
function adjointOfJoin(sweep: Sweep, { pieces, results }: JoinNode): void {
  const adjoint = sweep.adjointOf(results[0]!);
  if (!adjoint) return;
  for (const { tensor, at: box } of pieces) {
    if (!sweep.isActive(tensor)) continue;
    let position = 0;
    const coordinates = box.map(({ start, step, count }) => (count === 1 ? fixed(start) : at(position++, step, start)));
    const taken = sweep.builder.map(`d_${tensor.name}`, tensor.type.shape, read(adjoint, coordinates), "f32");
    contributeWhole(sweep, tensor, taken);
  }
}

/** The adjoint of an addition at a place is the read of that place. */
function adjointOfScatterAdd(sweep: Sweep, node: ScatterAddNode): void {
  const adjoint = sweep.adjointOf(node.results[0]!);
  if (!adjoint) return;
  const scalars = new Scalars();
  const clamps = node.outside === "clamp";
  const coordinates = clamps ? clampedCoordinates(sweep.builder, scalars, node) : node.coordinates;
  const seed = scalars.read(read(adjoint, coordinates, clamps ? undefined : 0));
  const adjoints = readAdjoints(scalars, scalars.intern(node.body), seed, (inner) => sweep.isActive(inner.tensor));
  for (const { read: inner, adjoint: value } of adjoints) {
    const problem = { builder: sweep.builder, scalars, domain: node.domain, read: inner, adjoint: value };
    for (const contribution of adjointOfRead(problem)) sweep.contribute(inner.tensor, contribution);
  }
}

/** Reads clamp data alone: a place that leaves its axis without data is clamped in an integer tensor first. */
function clampedCoordinates(builder: GraphBuilder, scalars: Scalars, node: ScatterAddNode): readonly Coordinate[] {
  const extents = node.domain.map(({ extent }) => extent);
  return node.coordinates.map((coordinate, axis) => {
    const extent = node.results[0]!.type.shape[axis]!;
    if (hasData(coordinate) || provedInRange(coordinate, extents, extent)) return coordinate;
    const used = [...indicesOfCoordinate(coordinate)].sort((a, b) => a - b);
    const to: number[] = [];
    for (const [position, index] of used.entries()) to[index] = position;
    const value = scalarOf(builder, scalars, coordinate);
    const [places] = builder.generic({
      hint: "place",
      combiner: "map",
      parallel: used.map((index) => node.domain[index]!),
      body: renumber(clamped(scalars, value, extent), to),
    });
    invariant(places, "a map has a result");
    const own = read(
      places,
      used.map((index) => at(index)),
    );
    return { offset: 0, terms: [{ kind: "data", coefficient: 1, read: own }] };
  });
}

function converted(builder: GraphBuilder, tensor: Tensor, dtype: DType): Tensor {
  if (tensor.type.dtype === dtype) return tensor;
  return builder.map(tensor.name, tensor.type.shape, readHere(tensor), dtype);
}

/** `backward` has one output an operand; those of operands that are no floats are not looked at. */
function adjointOfCustom(sweep: Sweep, node: CustomNode): void {
  const { builder } = sweep;
  const adjoints = node.results.map((result) => sweep.adjointOf(result));
  if (adjoints.every((adjoint) => adjoint === undefined)) return;
  const given = node.results.map((result, k) => {
    const adjoint = adjoints[k];
    return adjoint ? converted(builder, adjoint, result.type.dtype) : zeros(builder, result.type);
  });
  const inputs = [...node.operands, ...node.results, ...given];
  const { outputs } = inline(builder, node.backward, inputs, sweep.stopped);
  for (const [k, operand] of node.operands.entries()) {
    const output = outputs[k];
    if (output && sweep.isActive(operand)) contributeWhole(sweep, operand, converted(builder, output, "f32"));
  }
}
