/** Walks over scalar bodies and nodes: what they read, which indices they use, and copies with something replaced. */
import { substitute } from "./affine.ts";
import type { Axis, Coordinate, DataTerm, Graph, Node, Scalar, ScalarRead, Tensor, Term } from "./graph.ts";

/** Every distinct subtree once, children first; the reads inside data coordinates included. */
export function visitScalars(roots: Iterable<Scalar>, visit: (scalar: Scalar) => void): void {
  const seen = new Set<Scalar>();
  const walk = (scalar: Scalar): void => {
    if (seen.has(scalar)) return;
    seen.add(scalar);
    if (scalar.kind === "apply") for (const argument of scalar.arguments) walk(argument);
    if (scalar.kind === "read")
      for (const { terms } of scalar.coordinates) for (const term of terms) if (term.kind === "data") walk(term.read);
    visit(scalar);
  };
  for (const root of roots) walk(root);
}

/** The distinct reads of a body, those inside data coordinates included. */
export function readsOf(...roots: readonly Scalar[]): readonly ScalarRead[] {
  const [root, ...more] = roots;
  if (!root) return [];
  return more.length === 0 ? readsOfOne(root) : [...new Set(roots.flatMap(readsOfOne))];
}
function readsOfOne(root: Scalar): readonly ScalarRead[] {
  const known = knownReads.get(root);
  if (known) return known;
  const reads: ScalarRead[] = [];
  knownReads.set(root, reads);
  visitScalars([root], (scalar) => {
    if (scalar.kind === "read") reads.push(scalar);
  });
  return reads;
}

/** The positions of the indices that a coordinate uses, directly or inside data. */
export function indicesOfCoordinate(coordinate: Coordinate): Set<number> {
  const found = new Set<number>();
  for (const term of coordinate.terms)
    if (term.kind === "data") for (const position of indicesOf(term.read)) found.add(position);
    else found.add(term.position);
  return found;
}

/** Bodies and nodes are immutable: what was found once holds. */
const knownReads = new WeakMap<Scalar, readonly ScalarRead[]>();
const knownIndices = new WeakMap<Scalar, ReadonlySet<number>>();
const knownOperands = new WeakMap<Node, readonly Tensor[]>();

/** The positions of the indices that a body uses. */
export function indicesOf(root: Scalar): ReadonlySet<number> {
  const known = knownIndices.get(root);
  if (known) return known;
  const found = new Set<number>();
  knownIndices.set(root, found);
  visitScalars([root], (scalar) => {
    if (scalar.kind === "index") found.add(scalar.position);
    if (scalar.kind === "read")
      for (const { terms } of scalar.coordinates)
        for (const term of terms) if (term.kind !== "data") found.add(term.position);
  });
  return found;
}

/** The number of distinct subtrees: what a body costs. */
export function sizeOf(root: Scalar): number {
  let count = 0;
  visitScalars([root], () => count++);
  return count;
}

function mapTerms(coordinate: Coordinate, change: (read: ScalarRead) => ScalarRead): Coordinate {
  let changed = false;
  const terms = coordinate.terms.map((term): Term => {
    if (term.kind !== "data") return term;
    const read = change(term.read);
    if (read === term.read) return term;
    changed = true;
    return { ...term, read };
  });
  return changed ? { ...coordinate, terms } : coordinate;
}

/**
 * Rebuilds a body bottom-up: `leave` sees every distinct subtree once, its children already replaced. What does not change
 * keeps its identity. A read inside a data coordinate must stay a read; if `leave` makes something else of it, it stays as
 * it was.
 */
export function rewriteScalar(root: Scalar, leave: (scalar: Scalar) => Scalar): Scalar {
  return scalarRewriter(leave)(root);
}

/** As `rewriteScalar`, with one memo for several roots. */
export function scalarRewriter(leave: (scalar: Scalar) => Scalar): (root: Scalar) => Scalar {
  const memo = new Map<Scalar, Scalar>();
  const walk = (scalar: Scalar): Scalar => {
    const known = memo.get(scalar);
    if (known) return known;
    let inner: Scalar = scalar;
    if (scalar.kind === "apply") {
      const replaced = scalar.arguments.map(walk);
      if (replaced.some((argument, k) => argument !== scalar.arguments[k])) inner = { ...scalar, arguments: replaced };
    } else if (scalar.kind === "read") {
      const coordinates = scalar.coordinates.map((coordinate) =>
        mapTerms(coordinate, (read) => {
          const replaced = walk(read);
          return replaced.kind === "read" ? replaced : read;
        }),
      );
      if (coordinates.some((coordinate, k) => coordinate !== scalar.coordinates[k])) inner = { ...scalar, coordinates };
    }
    const result = leave(inner);
    memo.set(scalar, result);
    return result;
  };
  return walk;
}

/** What takes an index's place: a coordinate, and its value as a scalar where bodies use the index itself. */
export interface IndexSubstitution {
  readonly by: (position: number) => Coordinate;
  readonly value: (position: number) => Scalar | undefined;
  /** The extents of the new domain. */
  readonly extents: readonly number[];
}

/** A body over another domain; undefined where some coordinate has no form there. */
export function substituteIndices(root: Scalar, substitution: IndexSubstitution): Scalar | undefined {
  const substitution_ = indexSubstituter(substitution);
  return substitution_.scalar(root);
}

export interface IndexSubstituter {
  scalar(root: Scalar): Scalar | undefined;
  coordinate(coordinate: Coordinate): Coordinate | undefined;
}

export function indexSubstituter({ by, value, extents }: IndexSubstitution): IndexSubstituter {
  const memo = new Map<Scalar, Scalar | undefined>();
  const data = (term: DataTerm): DataTerm | undefined => {
    const read = walk(term.read);
    return read?.kind === "read" ? { ...term, read } : undefined;
  };
  const coordinate = (c: Coordinate): Coordinate | undefined => substitute(c, by, extents, data);
  const walk = (scalar: Scalar): Scalar | undefined => {
    if (memo.has(scalar)) return memo.get(scalar);
    const result = step(scalar);
    memo.set(scalar, result);
    return result;
  };
  const step = (scalar: Scalar): Scalar | undefined => {
    switch (scalar.kind) {
      case "constant":
        return scalar;
      case "index":
        return value(scalar.position);
      case "read": {
        const coordinates: Coordinate[] = [];
        for (const old of scalar.coordinates) {
          const replaced = coordinate(old);
          if (!replaced) return undefined;
          coordinates.push(replaced);
        }
        return { ...scalar, coordinates };
      }
      case "apply": {
        const replaced: Scalar[] = [];
        for (const argument of scalar.arguments) {
          const inner = walk(argument);
          if (!inner) return undefined;
          replaced.push(inner);
        }
        return { ...scalar, arguments: replaced };
      }
    }
    return scalar satisfies never;
  };
  return { scalar: walk, coordinate };
}

/** Only renumbers: index k becomes index `to[k]`. */
export function renumber(root: Scalar, to: readonly number[]): Scalar {
  const target = (position: number): number => to[position] ?? position;
  const moved = (coordinate: Coordinate): Coordinate => ({
    offset: coordinate.offset,
    terms: coordinate.terms.map((term) => (term.kind === "data" ? term : { ...term, position: target(term.position) })),
  });
  return rewriteScalar(root, (scalar) => {
    if (scalar.kind === "index") return { ...scalar, position: target(scalar.position) };
    if (scalar.kind === "read") return { ...scalar, coordinates: scalar.coordinates.map(moved) };
    return scalar;
  });
}

/** The scalars and coordinates of a node's own domain. */
export function rootsOf(node: Node): Scalar[] {
  switch (node.kind) {
    case "generic":
      return [node.body];
    case "scatter_add": {
      const reads = node.coordinates.flatMap(({ terms }) =>
        terms.flatMap((term) => (term.kind === "data" ? [term.read] : [])),
      );
      return [node.body, ...reads];
    }
    default:
      return [];
  }
}

/** The iteration domain of a node's body. */
export function domainOf(node: Node): readonly Axis[] {
  switch (node.kind) {
    case "generic":
      return [...node.parallel, ...node.reduction];
    case "scatter_add":
      return node.domain;
    default:
      return [];
  }
}

/** Every distinct tensor that a node uses. */
export function operandsOf(node: Node): readonly Tensor[] {
  let operands = knownOperands.get(node);
  if (!operands) {
    operands = findOperands(node);
    knownOperands.set(node, operands);
  }
  return operands;
}

function findOperands(node: Node): Tensor[] {
  switch (node.kind) {
    case "generic":
    case "scatter_add":
      return [...new Set(readsOf(...rootsOf(node)).map((read) => read.tensor))];
    case "view":
    case "sort":
      return [node.source];
    case "join":
      return [...new Set(node.pieces.map((piece) => piece.tensor))];
    case "scan":
      return [...new Set([...node.carries, ...node.slices, ...node.captured])];
    case "random":
      return [node.seed, node.step, node.iteration].filter((tensor) => tensor !== undefined);
    case "custom":
      return [...new Set(node.operands)];
    case "constant":
      return [];
  }
  return node satisfies never;
}

/** Every distinct tensor that has to be there before a node runs: what it uses, and what it waits for. */
export function dependenciesOf(node: Node): readonly Tensor[] {
  return node.after === undefined ? operandsOf(node) : [...operandsOf(node), node.after];
}

/** The same node over other tensors, of the same types. */
export function withOperands(node: Node, replace: (tensor: Tensor) => Tensor): Node {
  const after = node.after && replace(node.after);
  const waiting = after === undefined || after === node.after ? node : { ...node, after };
  return withUses(waiting, replace);
}

function withUses(node: Node, replace: (tensor: Tensor) => Tensor): Node {
  if (operandsOf(node).every((tensor) => replace(tensor) === tensor)) return node;
  switch (node.kind) {
    case "generic":
      return { ...node, body: rewriteScalar(node.body, (scalar) => replaceRead(scalar, replace)) };
    case "scatter_add": {
      const rewrite = scalarRewriter((scalar) => replaceRead(scalar, replace));
      return { ...node, body: rewrite(node.body), coordinates: rewriteCoordinates(node.coordinates, rewrite) };
    }
    case "view":
    case "sort":
      return { ...node, source: replace(node.source) };
    case "join":
      return { ...node, pieces: node.pieces.map((piece) => ({ ...piece, tensor: replace(piece.tensor) })) };
    case "scan":
      return {
        ...node,
        carries: node.carries.map(replace),
        slices: node.slices.map(replace),
        captured: node.captured.map(replace),
      };
    case "random":
      return {
        ...node,
        seed: replace(node.seed),
        step: node.step && replace(node.step),
        iteration: node.iteration && replace(node.iteration),
      };
    case "custom":
      return { ...node, operands: node.operands.map(replace) };
    case "constant":
      return node;
  }
  return node satisfies never;
}

function replaceRead(scalar: Scalar, replace: (tensor: Tensor) => Tensor): Scalar {
  return scalar.kind === "read" ? { ...scalar, tensor: replace(scalar.tensor) } : scalar;
}

export function rewriteCoordinates(
  coordinates: readonly Coordinate[],
  rewrite: (scalar: Scalar) => Scalar,
): readonly Coordinate[] {
  return coordinates.map((coordinate) =>
    mapTerms(coordinate, (read) => {
      const replaced = rewrite(read);
      return replaced.kind === "read" ? replaced : read;
    }),
  );
}

export interface Uses {
  /** The nodes that use a tensor, in order, each once. */
  of(tensor: Tensor): readonly Node[];
  isOutput(tensor: Tensor): boolean;
}

export function usesOf(graph: Graph): Uses {
  const users = new Map<Tensor, Node[]>();
  for (const node of graph.nodes)
    for (const tensor of operandsOf(node)) {
      const known = users.get(tensor);
      if (known) known.push(node);
      else users.set(tensor, [node]);
    }
  const outputs = new Set(graph.outputs.map(({ tensor }) => tensor));
  return { of: (tensor) => users.get(tensor) ?? [], isOutput: (tensor) => outputs.has(tensor) };
}

/** The tensor whose memory a tensor is: what stands before all views. */
export function sourceIn(graph: Graph): (tensor: Tensor) => Tensor {
  const views = new Map(graph.nodes.flatMap((node) => (node.kind === "view" ? [[node.results[0]!, node.source]] : [])));
  return (tensor) => {
    let current = tensor;
    for (let next = views.get(current); next !== undefined; next = views.get(current)) current = next;
    return current;
  };
}
