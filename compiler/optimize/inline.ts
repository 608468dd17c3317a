/**
 * Maps are written into the bodies of the nodes that read them, so that chains of elementwise work, prologues of
 * contractions and rows are one node. Never where that repeats work: a map that computes something is inlined only if all
 * its readers together evaluate it about once an element, so that it vanishes; mere data movement always is. And never
 * what could be computed once into what every call computes.
 */
import { hasData, provedInRange } from "../graph/affine.ts";
import { elementCount } from "../graph/builder.ts";
import { composed, withoutData } from "../graph/compose.ts";
import { fixedTensors, mayBeKept } from "../graph/fixed.ts";
import type { Coordinate, GenericNode, Graph, Node, Scalar, ScalarRead, Tensor, ViewNode } from "../graph/graph.ts";
import { throughView } from "../graph/reshape.ts";
import { everywhere } from "../graph/rewrite.ts";
import { domainOf, operandsOf, readsOf, rootsOf, scalarRewriter, sizeOf, visitScalars } from "../graph/traverse.ts";
import { rowOf } from "../scalar/table.ts";
import { scalarType } from "../types/dtype.ts";
import type { Pass } from "./pass.ts";
import { bodySimplifier } from "./simplify.ts";

/** WebGPU's default is eight storage buffers a kernel; one is the result. */
const mostTensors = 7;
const largestBody = 200;
/** Operations that a body without reads may cost and still be computed again by every reader. */
const cheapIndexWork = 4;
/**
 * The same for a body that reads one tensor of its own size (and small ones beside it: a channel's mean), if each reader uses
 * each element at most once: reading that tensor again costs what reading the result would.
 */
const cheapWork = 4;
const fewReaders = 6;
const smallShare = 1 / 8;

export function workOf(body: Scalar): number {
  let cost = 0;
  visitScalars([body], (scalar) => {
    if (scalar.kind === "apply") cost += rowOf(scalar.name).cost;
  });
  return cost;
}

/**
 * Whether a value is worth a node of its own because it is the same at every call, if its readers are not: it is more than
 * one operation, and takes not much more memory than what it is made of.
 */
export function isWorthOnce(body: Scalar, elements: number, fixed: ReadonlySet<Tensor>): boolean {
  const sources = [...new Set(readsOf(body).map(({ tensor }) => tensor))];
  if (sources.length === 0 || workOf(body) < 2 || !sources.every((tensor) => fixed.has(tensor))) return false;
  const read = sources.reduce((sum, { type }) => sum + elementCount(type.shape), 0);
  return mayBeKept(4 * elements, 4 * read);
}

/** Nodes by position, with the readers of every tensor kept current. */
class Worksheet {
  readonly nodes: (Node | undefined)[];
  readonly #definitions = new Map<Tensor, number>();
  readonly #readers = new Map<Tensor, Set<number>>();
  readonly #outputs: ReadonlySet<Tensor>;

  constructor(graph: Graph) {
    this.nodes = [...graph.nodes];
    this.#outputs = new Set(graph.outputs.map(({ tensor }) => tensor));
    for (const [position, node] of graph.nodes.entries()) {
      for (const result of node.results) this.#definitions.set(result, position);
      this.#link(position, node, true);
    }
  }

  #link(position: number, node: Node, present: boolean): void {
    for (const tensor of operandsOf(node)) {
      const readers = this.#readers.get(tensor) ?? new Set();
      this.#readers.set(tensor, readers);
      if (present) readers.add(position);
      else readers.delete(position);
    }
  }
  set(position: number, node: Node | undefined): void {
    const old = this.nodes[position];
    if (old) this.#link(position, old, false);
    this.nodes[position] = node;
    if (node) this.#link(position, node, true);
  }
  definition(tensor: Tensor): Node | undefined {
    const position = this.#definitions.get(tensor);
    return position === undefined ? undefined : this.nodes[position];
  }
  isOutput(tensor: Tensor): boolean {
    return this.#outputs.has(tensor);
  }
  readers(tensor: Tensor): number[] {
    return [...(this.#readers.get(tensor) ?? [])].sort((a, b) => a - b);
  }
  /** The nodes that read a tensor directly or through views, and those views; undefined where one must stay. */
  readersBehindViews(tensor: Tensor): { readers: Set<number>; views: number[]; complete: boolean } {
    const found = { readers: new Set<number>(), views: [] as number[], complete: !this.isOutput(tensor) };
    for (const position of this.readers(tensor)) {
      const node = this.nodes[position]!;
      if (node.kind === "generic" || node.kind === "scatter_add") found.readers.add(position);
      else if (node.kind === "view") {
        const inner = this.readersBehindViews(node.results[0]!);
        for (const reader of inner.readers) found.readers.add(reader);
        found.views.push(...inner.views, position);
        if (!inner.complete) found.complete = false;
      } else found.complete = false;
    }
    return found;
  }
}

/** The coordinates of a read on `target`, behind the views between; undefined if it reads something else. */
function coordinatesOn(
  read: ScalarRead,
  target: Tensor,
  extents: readonly number[],
  sheet: Worksheet,
): readonly Coordinate[] | undefined {
  let { tensor } = read;
  let coordinates: readonly Coordinate[] = read.coordinates;
  while (tensor !== target) {
    const view: Node | undefined = sheet.definition(tensor);
    if (view?.kind !== "view") return undefined;
    const source: Tensor = (view satisfies ViewNode).source;
    const behind = throughView(coordinates, tensor.type.shape, source.type.shape, extents);
    if (!behind) return undefined;
    coordinates = behind;
    tensor = source;
  }
  return coordinates;
}

function leadsTo(tensor: Tensor, target: Tensor, sheet: Worksheet): boolean {
  for (let current = tensor; ; ) {
    if (current === target) return true;
    const view = sheet.definition(current);
    if (view?.kind !== "view") return false;
    current = view.source;
  }
}

/** The reader with every read of `map` composed; undefined if some read cannot be. */
function inlinedInto(reader: Node, map: GenericNode, sheet: Worksheet): Node | undefined {
  if (reader.kind !== "generic" && reader.kind !== "scatter_add") return undefined;
  const target = map.results[0]!;
  const extents = domainOf(reader).map((axis) => axis.extent);
  const fold = bodySimplifier([], () => undefined);
  const bodyAt = (read: ScalarRead): Scalar | undefined => {
    const coordinates = coordinatesOn(read, target, extents, sheet);
    return coordinates && composed(map, read, coordinates, extents, fold);
  };
  const indexOf = (read: ScalarRead): Scalar | undefined =>
    leadsTo(read.tensor, target, sheet) ? bodyAt(read) : undefined;
  const freed = (coordinate: Coordinate): Coordinate =>
    hasData(coordinate) ? (withoutData(coordinate, indexOf) ?? coordinate) : coordinate;
  const rewrite = scalarRewriter((scalar) => {
    if (scalar.kind !== "read") return scalar;
    let read: ScalarRead = scalar;
    if (read.coordinates.some(hasData)) {
      const coordinates = read.coordinates.map(freed);
      const { shape } = read.tensor.type;
      const meansTheSame = coordinates.every(
        (coordinate, axis) =>
          coordinate === read.coordinates[axis] ||
          read.otherwise !== undefined ||
          hasData(coordinate) ||
          provedInRange(coordinate, extents, shape[axis]!),
      );
      if (meansTheSame) read = { ...read, coordinates };
    }
    return leadsTo(read.tensor, target, sheet) ? (bodyAt(read) ?? read) : read;
  });
  const body = rewrite(reader.body);
  const result: Node =
    reader.kind === "generic"
      ? { ...reader, body }
      : {
          ...reader,
          body,
          coordinates: reader.coordinates.map((coordinate) => rewriteData(coordinate, rewrite, freed)),
        };
  const left = readsOf(...rootsOf(result));
  if (left.some((read) => leadsTo(read.tensor, target, sheet))) return undefined;
  if (new Set(left.map((read) => read.tensor)).size > mostTensors || sizeOf(body) > largestBody) return undefined;
  return result;
}

function rewriteData(
  coordinate: Coordinate,
  rewrite: (scalar: Scalar) => Scalar,
  freed: (coordinate: Coordinate) => Coordinate,
): Coordinate {
  const terms = coordinate.terms.map((term) => {
    if (term.kind !== "data") return term;
    const read = rewrite(term.read);
    return read.kind === "read" ? { ...term, read } : term;
  });
  return freed({ ...coordinate, terms });
}

/** How often the reader evaluates a map that it reads: points of its domain times different reads. */
function evaluations(reader: Node, target: Tensor, sheet: Worksheet): number {
  const reads = readsOf(...rootsOf(reader)).filter((read) => leadsTo(read.tensor, target, sheet));
  return elementCount(domainOf(reader).map((axis) => axis.extent)) * new Set(reads).size;
}

function largeTensors(reads: readonly ScalarRead[], least: number): number {
  const large = reads.map((read) => read.tensor).filter(({ type }) => elementCount(type.shape) > least);
  return new Set(large).size;
}

function tryInline(position: number, map: GenericNode, sheet: Worksheet, fixed: ReadonlySet<Tensor>): void {
  const target = map.results[0]!;
  // Rounding to f16 or to bytes happens where the map is stored.
  if (map.combiner !== "map" || scalarType(target.type.dtype) !== target.type.dtype) return;
  const { readers, views, complete } = sheet.readersBehindViews(target);
  if (readers.size === 0) return;
  const reads = readsOf(map.body);
  const work = workOf(map.body);
  const movement = work === 0 || (reads.length === 0 && work <= cheapIndexWork);
  const elements = elementCount(target.type.shape);
  if (!movement) {
    if (!complete) return;
    const costs = [...readers].map((reader) => evaluations(sheet.nodes[reader]!, target, sheet));
    const total = costs.reduce((sum, count) => sum + count, 0);
    const shared =
      readers.size <= fewReaders &&
      work <= cheapWork &&
      largeTensors(reads, elements * smallShare) <= 1 &&
      costs.every((count) => count <= elements);
    if (total > elements && !shared) return;
    const outside = [...readers].some((reader) => !fixed.has(sheet.nodes[reader]!.results[0]!));
    if (outside && isWorthOnce(map.body, elements, fixed)) return;
  }
  const replaced = new Map<number, Node>();
  for (const reader of readers) {
    const inlined = inlinedInto(sheet.nodes[reader]!, map, sheet);
    if (inlined) replaced.set(reader, inlined);
    else if (!movement) return;
  }
  for (const [reader, node] of replaced) sheet.set(reader, node);
  if (!complete || replaced.size !== readers.size) return;
  for (const view of views) sheet.set(view, undefined);
  sheet.set(position, undefined);
}

export const inlineMaps: Pass = {
  name: "inline maps",
  description:
    "elementwise producers become part of the nodes that read each element once; data movement of all readers",
  run: everywhere((graph: Graph) => {
    const sheet = new Worksheet(graph);
    const fixed = fixedTensors(graph);
    for (let position = 0; position < sheet.nodes.length; position++) {
      const node = sheet.nodes[position];
      if (node?.kind === "generic") tryInline(position, node, sheet, fixed);
    }
    const nodes = sheet.nodes.filter((node) => node !== undefined);
    return nodes.every((node, k) => node === graph.nodes[k]) && nodes.length === graph.nodes.length
      ? graph
      : { ...graph, nodes };
  }),
};
