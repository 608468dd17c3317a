/**
 * What a schedule keeps in memory at each of its launches, and what it would keep if some nodes were computed again where
 * their values are needed late (Griewank and Walther, "Revolve", 2000; Chen et al., "Training deep nets with sublinear
 * memory cost", 2016). An estimate: a changed graph may fuse differently, so the planner has the last word.
 *
 * Time is counted in halves: launch k is at 2k, what is computed again for it at 2k - 1.
 */
import { elementCount } from "../../graph/builder.ts";
import { nodeFlops } from "../../graph/flops.ts";
import type { Graph, Node, Tensor } from "../../graph/graph.ts";
import { operandsOf, sourceIn } from "../../graph/traverse.ts";
import { dispatchesOf, keptIn, livenessOf, type MemoryKey } from "../liveness.ts";
import { isPersistent } from "../prepare.ts";
import type { Schedule } from "../program.ts";

/** A node of the graph, with where it stands among the launches. */
export interface Stop {
  readonly node: Node;
  /** In the graph's order. */
  readonly index: number;
  /** The launches that compute it. */
  readonly first: number;
  readonly last: number;
  /** Floating-point operations, and the traffic of its results counted like operations. */
  readonly cost: number;
  readonly operands: readonly Tensor[];
  /** Whether it can be computed again at all. */
  readonly repeatable: boolean;
  /** The last launch before the longest time in which nothing uses it. */
  split: number;
}

interface Life {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Where something is computed again, and until when that is used. */
export interface Return {
  readonly at: number;
  readonly until: number;
  /** For whom it is needed first. */
  readonly reader: Stop;
}

const repeatableKinds: ReadonlySet<Node["kind"]> = new Set(["generic", "join", "random", "scatter_add"]);

export class Lives {
  readonly stops: readonly Stop[];
  readonly source: (tensor: Tensor) => Tensor;
  readonly #makers = new Map<Tensor, Stop>();
  readonly #readers = new Map<Stop, Stop[]>();
  readonly #lives = new Map<MemoryKey, Life>();
  readonly #always = new Set<Tensor>();
  readonly #launches: number;

  constructor(graph: Graph, schedule: Schedule, alignment: number) {
    const dispatches = dispatchesOf(schedule.steps);
    this.#launches = dispatches.length;
    const positions = new Map(dispatches.map((dispatch, k) => [dispatch, k]));
    this.source = sourceIn(graph);
    for (const { tensor, role } of graph.inputs) if (isPersistent(role)) this.#always.add(tensor);
    for (const tensor of schedule.constants.keys()) this.#always.add(tensor);
    const kept = keptIn(schedule);
    for (const key of kept) if (typeof key !== "string") this.#always.add(key);
    for (const { key, bytes, first, last } of livenessOf(schedule, kept))
      this.#lives.set(key, { bytes: Math.ceil(bytes / alignment) * alignment, first: 2 * first, last: 2 * last });
    for (const [value, memory] of schedule.reused) {
      const life = this.#lives.get(memory);
      const maker = schedule.launches.get(value)?.at(-1);
      const at = maker && positions.get(maker);
      if (life === undefined || at === undefined) continue;
      this.#lives.set(memory, { ...life, last: 2 * at - 1 });
      this.#lives.set(value, { ...life, first: 2 * at });
    }
    const outputs = new Set(graph.outputs.map(({ tensor }) => this.source(tensor)));
    const stops: Stop[] = [];
    for (const [index, node] of graph.nodes.entries()) {
      if (node.kind === "view" || node.kind === "constant") continue;
      const operands = [...new Set(operandsOf(node).map(this.source))];
      const at = (schedule.launches.get(node.results[0]!) ?? []).flatMap((launch) => positions.get(launch) ?? []);
      const before = Math.max(0, ...operands.map((tensor) => this.#makers.get(tensor)?.last ?? 0));
      const stop: Stop = {
        node,
        index,
        first: at.length > 0 ? Math.min(...at) : before,
        last: at.length > 0 ? Math.max(...at) : before,
        cost: nodeFlops(node) + node.results.reduce((sum, { type }) => sum + elementCount(type.shape), 0),
        operands,
        repeatable:
          repeatableKinds.has(node.kind) &&
          !(node.kind === "generic" && node.combiner === "moments") &&
          !node.results.some((tensor) => outputs.has(tensor)),
        split: 0,
      };
      stops.push(stop);
      for (const tensor of node.results) this.#makers.set(tensor, stop);
      for (const tensor of operands) {
        const maker = this.#makers.get(tensor);
        if (maker) this.#readers.set(maker, [...(this.#readers.get(maker) ?? []), stop]);
      }
    }
    this.stops = stops;
    for (const stop of stops) stop.split = splitOf(stop, this.readersOf(stop));
  }

  maker(tensor: Tensor): Stop | undefined {
    return this.#makers.get(tensor);
  }
  readersOf(stop: Stop): readonly Stop[] {
    return this.#readers.get(stop) ?? [];
  }
  isLate(reader: Stop, of: Stop): boolean {
    return reader.first > of.split;
  }
  isStored(tensor: Tensor): boolean {
    return this.#lives.has(tensor);
  }
  /** Weights and constants; arguments are stored. */
  isAlwaysThere(tensor: Tensor): boolean {
    return this.#always.has(tensor);
  }
  isThereUntil(tensor: Tensor, at: number): boolean {
    return this.isAlwaysThere(tensor) || (this.#lives.get(tensor)?.last ?? -1) >= at;
  }
  bytesOf(stop: Stop): number {
    return stop.node.results.reduce((sum, tensor) => sum + (this.#lives.get(tensor)?.bytes ?? 0), 0);
  }

  /** When each of some nodes is computed again; those that nothing needs late are left out. */
  returns(again: ReadonlySet<Stop>): Map<Stop, Return> {
    const found = new Map<Stop, Return>();
    for (const stop of [...again].sort((a, b) => b.index - a.index)) {
      let at = Number.POSITIVE_INFINITY;
      let until = 0;
      let first: Stop | undefined;
      for (const reader of this.readersOf(stop)) {
        const copy = found.get(reader);
        const late = this.isLate(reader, stop);
        if (copy === undefined && !late) continue;
        const need = Math.min(copy?.at ?? Number.POSITIVE_INFINITY, late ? 2 * reader.first - 1 : at);
        if (need < at) [at, first] = [need, copy !== undefined && copy.at === need ? copy.reader : reader];
        until = Math.max(until, copy?.at ?? 0, late ? 2 * reader.last : 0);
      }
      if (first) found.set(stop, { at, until, reader: first });
    }
    return found;
  }

  /** Bytes in use at every half launch. */
  usage(again: ReadonlySet<Stop>): Float64Array {
    const returns = this.returns(again);
    const length = 2 * this.#launches + 4;
    const changes = new Float64Array(length);
    const use = (bytes: number, first: number, last: number): void => {
      changes[first + 2]! += bytes;
      changes[Math.min(last, length - 4) + 3]! -= bytes;
    };
    const changed = new Map<Tensor, number>();
    for (const [stop, { at, until }] of returns) {
      for (const tensor of stop.operands) {
        const life = this.#lives.get(tensor);
        const maker = this.#makers.get(tensor);
        if (!life || (maker && returns.has(maker))) continue;
        changed.set(tensor, Math.max(changed.get(tensor) ?? life.last, at));
      }
      const early = this.readersOf(stop).filter((reader) => !this.isLate(reader, stop));
      for (const tensor of stop.node.results) {
        const life = this.#lives.get(tensor);
        if (!life) continue;
        changed.set(tensor, Math.max(life.first, ...early.map(({ last }) => 2 * last)));
        use(life.bytes, at, until);
      }
    }
    for (const [key, { bytes, first, last }] of this.#lives)
      use(bytes, first, (typeof key === "string" ? undefined : changed.get(key)) ?? last);
    for (let k = 1; k < length; k++) changes[k]! += changes[k - 1]!;
    return changes;
  }
}

function splitOf({ last: made }: Stop, readers: readonly Stop[]): number {
  const uses = [made, ...readers.map(({ first }) => first)].sort((a, b) => a - b);
  let [split, longest] = [uses.at(-1)!, 0];
  for (let k = 1; k < uses.length; k++) {
    const pause = uses[k]! - uses[k - 1]!;
    if (pause > longest) [split, longest] = [uses[k - 1]!, pause];
  }
  return longest > 1 ? split : uses.at(-1)!;
}
