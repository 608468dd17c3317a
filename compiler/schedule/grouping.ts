/**
 * Which nodes become one kernel. Groups grow greedily, in this order: pointwise consumers join the contraction that they
 * follow (its epilogue), then everything that can joins a reduction over the same domain (rows), then maps join maps, then
 * groups that read the same memory over the same domain join each other. A merge is legal if the domains align, every value
 * passed on stays at its point, and no path leads from the group through others back into it.
 */
import { elementCount } from "../graph/builder.ts";
import type { GenericNode, Graph, Node, Tensor } from "../graph/graph.ts";
import { Keys } from "../graph/keys.ts";
import { operandsOf, readsOf } from "../graph/traverse.ts";
import type { Draft, Source } from "./draft.ts";
import { alignments, combine, draftOf, hasReduction } from "./draft.ts";
import type { FusionGroup } from "./group.ts";
import { withKnownSigns } from "./signs.ts";

export interface GroupingOptions {
  /** Whether a group of one node and its epilogue has the form of a contraction. */
  readonly isContraction: (group: FusionGroup) => boolean;
  /** Whether launches are cheap, so that groups which share nothing but a number stay apart: then their kernels are alike. */
  readonly launchesAreCheap: boolean;
  /** Memories that one kernel may bind. */
  readonly maximumBuffers: number;
  /** Whether what a node computes is computed once, not at every call: it shares no kernel with what is not. */
  readonly isOnce: (node: GenericNode) => boolean;
}

/** What runs as one: a group of generic nodes, or one node of another kind. In execution order. */
export type Unit =
  | { readonly kind: "group"; readonly group: FusionGroup; readonly contraction: boolean }
  | { readonly kind: "node"; readonly node: Exclude<Node, GenericNode> };

export function groupNodes(graph: Graph, options: GroupingOptions): Unit[] {
  const grouping = new Grouping(graph, options);
  grouping.run();
  return grouping.units();
}

interface Cell {
  draft: Draft | undefined;
  readonly node: Node;
  readonly once: boolean;
  /** The tensors it reads that others make. */
  operands: readonly Tensor[];
  /** What it waits for besides. */
  after: readonly Tensor[];
  /** The last search that came here. */
  seen: number;
}

class Grouping {
  readonly #graph: Graph;
  readonly #options: GroupingOptions;
  readonly #order = new Map<Node, number>();
  readonly #definition = new Map<Tensor, Node>();
  readonly #cellOf = new Map<Node, Cell>();
  /** The nodes that read a memory, views looked through; undefined stands for the host. */
  readonly #readers = new Map<Tensor, Set<Node | undefined>>();

  constructor(graph: Graph, options: GroupingOptions) {
    this.#graph = graph;
    this.#options = options;
    for (const [position, node] of graph.nodes.entries()) {
      this.#order.set(node, position);
      for (const result of node.results) this.#definition.set(result, node);
    }
    for (const node of graph.nodes)
      if (node.kind !== "view") for (const tensor of operandsOf(node)) this.#addReader(tensor, node);
    for (const { tensor } of graph.outputs) this.#addReader(tensor, undefined);
    for (const node of graph.nodes) {
      const once = node.kind === "generic" && options.isOnce(node);
      const operands = operandsOf(node);
      const cell: Cell = { draft: undefined, node, once, operands, after: waitingOf([node]), seen: 0 };
      if (node.kind === "generic") {
        const alone = draftOf(node, false);
        const contraction = node.combiner === "sum" && options.isContraction(this.#finished(alone));
        cell.draft = contraction ? draftOf(node, true) : alone;
      }
      this.#cellOf.set(node, cell);
    }
  }

  #addReader(tensor: Tensor, node: Node | undefined): void {
    const memory = this.#source(tensor);
    const readers = this.#readers.get(memory);
    if (readers) readers.add(node);
    else this.#readers.set(memory, new Set([node]));
  }

  run(): void {
    const pointwise = (draft: Draft): boolean => !hasReduction(draft) && !draft.contraction;
    const row = (draft: Draft): boolean => hasReduction(draft) && !draft.contraction;
    this.#mergeConnected((a, b) => (a.contraction && pointwise(b)) || (pointwise(a) && b.contraction));
    this.#mergeConnected((a, b) => (row(a) && (row(b) || pointwise(b))) || (pointwise(a) && row(b)));
    this.#mergeConnected((a, b) => pointwise(a) && pointwise(b));
    this.#mergeSiblings((a, b) => (row(a) && row(b)) || (pointwise(a) && pointwise(b)));
  }

  readonly #source: Source = (tensor) => {
    let current = tensor;
    for (;;) {
      const node = this.#definition.get(current);
      if (node?.kind !== "view") return current;
      current = node.source;
    }
  };

  /** Every cell once, groups at their first member. */
  #cells(): Cell[] {
    return [...new Set(this.#graph.nodes.map((node) => this.#cellOf.get(node)!))];
  }

  #mergeConnected(allowed: (producer: Draft, consumer: Draft) => boolean): void {
    const tryProducers = (consumer: Cell): boolean => {
      const producers = new Set(consumer.operands.map((tensor) => this.#producer(tensor)));
      return [...producers].some(
        (producer) =>
          producer?.draft &&
          consumer.draft &&
          producer !== consumer &&
          allowed(producer.draft, consumer.draft) &&
          this.#merge(producer, consumer),
      );
    };
    for (let changed = true; changed; ) {
      changed = false;
      for (const node of this.#graph.nodes) while (tryProducers(this.#cellOf.get(node)!)) changed = true;
    }
  }

  #mergeSiblings(allowed: (first: Draft, second: Draft) => boolean): void {
    const readers = new Map<Tensor, Set<Cell>>();
    const isCurrent = (cell: Cell): boolean => this.#cellOf.get(cell.node) === cell;
    /** Merges a cell with one that reads what it reads; the merged cell, if any. */
    const isWorthSharing = (tensor: Tensor, { axes }: Draft): boolean =>
      !this.#options.launchesAreCheap || elementCount(tensor.type.shape) > 1 || axes.length === 0;
    const mergeOnce = (cell: Cell): Cell | undefined => {
      for (const tensor of cell.operands.filter((operand) => cell.draft && isWorthSharing(operand, cell.draft)))
        for (const other of readers.get(this.#source(tensor)) ?? []) {
          if (other === cell || !other.draft || !cell.draft || !isCurrent(other)) continue;
          if (allowed(other.draft, cell.draft) && this.#merge(other, cell)) return this.#cellOf.get(cell.node)!;
        }
      return undefined;
    };
    for (const start of this.#cells()) {
      if (!start.draft || !isCurrent(start)) continue;
      let cell = start;
      for (let merged = mergeOnce(cell); merged !== undefined; merged = mergeOnce(cell)) cell = merged;
      for (const tensor of cell.operands) {
        const memory = this.#source(tensor);
        readers.set(memory, (readers.get(memory) ?? new Set()).add(cell));
      }
    }
  }

  #producer(tensor: Tensor): Cell | undefined {
    const node = this.#definition.get(this.#source(tensor));
    return node && this.#cellOf.get(node);
  }

  /** A pair that did not fit never will: other merges only add paths, and a grown group is another cell. */
  #merge(first: Cell, second: Cell): boolean {
    if (!first.draft || !second.draft || first.once !== second.once) return false;
    const refused = this.#refused.get(first) ?? new Set();
    this.#refused.set(first, refused);
    if (refused.has(second) || !sizesFit(first.draft, second.draft)) return false;
    if (!this.#wouldCycle(first, second)) {
      const tried = new Set<string>();
      for (const alignment of alignments(first.draft, second.draft, this.#source)) {
        const key = JSON.stringify([alignment.first, alignment.second]);
        if (tried.has(key)) continue;
        tried.add(key);
        const draft = combine(first.draft, second.draft, alignment, this.#source, (node) => this.#order.get(node)!);
        if (draft !== undefined && this.#accept(draft)) return true;
      }
    }
    refused.add(second);
    return false;
  }
  readonly #refused = new Map<Cell, Set<Cell>>();

  #wouldCycle(first: Cell, second: Cell): boolean {
    const isOwn = (cell: Cell | undefined): boolean => cell === first || cell === second;
    // What one reads of the other becomes a register.
    const outside = [first, second]
      .flatMap(({ operands, after }) => [...operands, ...after])
      .filter((tensor) => !isOwn(this.#producer(tensor)));
    // Whether something that the two read depends on what they compute.
    const search = ++this.#searches;
    for (let tensor = outside.pop(); tensor !== undefined; tensor = outside.pop()) {
      const node = this.#definition.get(tensor);
      const cell = node && this.#cellOf.get(node);
      if (cell === undefined || cell.seen === search) continue;
      if (isOwn(cell)) return true;
      cell.seen = search;
      for (const operand of cell.operands) outside.push(operand);
      for (const earlier of cell.after) outside.push(earlier);
    }
    return false;
  }
  #searches = 0;

  #accept(draft: Draft): boolean {
    const nodes = new Set<Node>(draft.members.map(({ node }) => node));
    const own = new Set(draft.members.flatMap(({ node }) => node.results));
    const operands = [...new Set(readsOf(...draft.members.map(({ body }) => body)).map(({ tensor }) => tensor))].filter(
      (tensor) => !own.has(tensor),
    );
    const group = this.#finished(draft);
    if (draft.contraction && !this.#options.isContraction(group)) return false;
    if (this.#bufferCount(group, operands) > this.#options.maximumBuffers) return false;
    const first = draft.members.reduce((a, b) => (this.#order.get(a.node)! <= this.#order.get(b.node)! ? a : b)).node;
    const { once } = this.#cellOf.get(first)!;
    const cell: Cell = { draft, node: first, once, operands, after: waitingOf(nodes), seen: 0 };
    for (const node of nodes) this.#cellOf.set(node, cell);
    return true;
  }

  #bufferCount(group: FusionGroup, operands: readonly Tensor[]): number {
    return new Set([...operands.map(this.#source), ...group.stored]).size;
  }

  /** What a group leaves in memory: results that other cells read (through views perhaps), and outputs. */
  #finished(draft: Draft): FusionGroup {
    const inside = new Set<Node | undefined>(draft.members.map(({ node }) => node));
    const stored = new Set<Tensor>();
    for (const { node } of draft.members)
      for (const result of node.results)
        if ([...(this.#readers.get(result) ?? [])].some((reader) => !inside.has(reader))) stored.add(result);
    return {
      parallel: draft.axes.slice(0, draft.parallel),
      reduction: draft.axes.slice(draft.parallel),
      members: draft.members,
      stored,
    };
  }

  /** The cells, each after those it depends on. */
  units(): Unit[] {
    const done = new Set<Cell>();
    const units: Unit[] = [];
    const place = (cell: Cell): void => {
      if (done.has(cell)) return;
      done.add(cell);
      for (const tensor of [...cell.operands, ...cell.after]) {
        const node = this.#definition.get(tensor);
        if (node) place(this.#cellOf.get(node)!);
      }
      if (cell.draft)
        units.push({
          kind: "group",
          group: interned(this.#finished(cell.draft)),
          contraction: cell.draft.contraction,
        });
      else if (cell.node.kind !== "generic") units.push({ kind: "node", node: cell.node });
    };
    for (const cell of this.#cells()) place(cell);
    return units;
  }
}

function waitingOf(nodes: Iterable<Node>): readonly Tensor[] {
  return [...nodes].flatMap(({ after }) => after ?? []);
}

/** Equal subtrees of the members' bodies become one object, which is computed once. */
function interned(group: FusionGroup): FusionGroup {
  const keys = new Keys();
  const members = group.members.map((member) => ({ ...member, body: keys.interned(member.body) }));
  return withKnownSigns({ ...group, members });
}

/** Whether the domains have the right numbers of points to be one: cheap, and it settles most pairs. */
function sizesFit(first: Draft, second: Draft): boolean {
  const points = ({ axes, parallel }: Draft): [number, number] => [
    axes.slice(0, parallel).reduce((product, { extent }) => product * extent, 1),
    axes.slice(parallel).reduce((product, { extent }) => product * extent, 1),
  ];
  const [p, r] = points(first);
  const [q, s] = points(second);
  if (hasReduction(first) && hasReduction(second)) return p === q && r === s;
  if (hasReduction(first)) return q === p || q === p * r;
  if (hasReduction(second)) return p === q || p === q * s;
  return p === q;
}
