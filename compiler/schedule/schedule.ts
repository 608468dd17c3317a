/** From a graph to dispatches: nodes are grouped, ordered, given their memory, and built group by group. */
import { elementCount } from "../graph/builder.ts";
import { cloneGraph } from "../graph/clone.ts";
import { fixedTensors, mayBeKept } from "../graph/fixed.ts";
import type { GenericNode, Graph, JoinNode, Node, ScanNode, Tensor } from "../graph/graph.ts";
import { everywhere } from "../graph/rewrite.ts";
import { operandsOf, sourceIn, usesOf } from "../graph/traverse.ts";
import { invariant } from "../invariant.ts";
import type { Dispatch } from "../kernel/ir.ts";
import type { ScalarType } from "../types/dtype.ts";
import { methodFor } from "./builders.ts";
import { Builds } from "./builds.ts";
import { analyseContraction } from "./contraction/analysis.ts";
import type { BuildContext, FusionGroup, Target } from "./group.ts";
import type { Unit } from "./grouping.ts";
import { groupNodes } from "./grouping.ts";
import { mayOverwrite, reuseOperands } from "./in-place.ts";
import { bytesOf, dispatchesOf } from "./liveness.ts";
import { Memory, moving } from "./memory.ts";
import type { ScheduleOptions } from "./options.ts";
import { plainOptions } from "./options.ts";
import { orderUnits, resultsOf } from "./order.ts";
import { randomOf, scatterOf, sortOf } from "./others.ts";
import { cutReductions } from "./partials.ts";
import { assignGroup, copyGroup, fillGroup, needsFill, pieceGroup } from "./pieces.ts";
import type { Claim } from "./prepare.ts";
import { claimOutputs, expandMoments, isPersistent } from "./prepare.ts";
import type { Placed, Schedule, Slot, Step } from "./program.ts";
import { bodyOutputs, plus } from "./scan.ts";

/** The most memories that one kernel binds: WebGPU promises 8 storage buffers a stage. */
const maximumBuffers: Readonly<Record<Target, number>> = { cpu: 24, gpu: 8 };

/** `builds`: what has been built for other graphs of the program. */
export function schedule(
  graph: Graph,
  target: Target,
  options: ScheduleOptions = plainOptions,
  builds: Builds = new Builds(),
): Schedule {
  const shared: Shared = {
    ...{ target, options, builds },
    constants: new Map(),
    tables: new Map(),
    names: new Map(),
    reused: new Map(),
    scratch: 0,
  };
  const { graph: claimed, claims } = claimOutputs(prepared(graph, target));
  const memory = new Memory();
  const scheduler = new Scheduler(claimed, claims, memory, shared, 0);
  const steps = scheduler.run();
  const inputs = new Set(graph.inputs.map(({ tensor }) => tensor));
  const slots: Slot[] = [
    ...graph.inputs.flatMap(({ tensor, role, path }) => (isPersistent(role) ? [{ tensor, role, path }] : [])),
    ...claims.flatMap(({ slot, role, path }) => (inputs.has(slot) ? [] : [{ tensor: slot, role, path }])),
  ];
  return {
    graph: claimed,
    steps,
    once: [],
    aliases: memory.aliases(),
    reused: shared.reused,
    constants: shared.constants,
    slots,
    launches: scheduler.launches,
  };
}

/** The graph as the target computes it. */
export function prepared(graph: Graph, target: Target): Graph {
  return target === "cpu" ? everywhere(forThreads)(graph) : graph;
}

const forThreads = (graph: Graph): Graph => cutReductions(expandMoments(graph));

/** What a graph and the graphs inside it share. */
interface Shared {
  readonly target: Target;
  readonly options: ScheduleOptions;
  readonly builds: Builds;
  readonly constants: Map<Tensor, readonly number[]>;
  readonly tables: Map<string, Tensor>;
  readonly names: Map<string, number>;
  readonly reused: Map<Tensor, Tensor>;
  scratch: number;
}

class Scheduler {
  readonly #graph: Graph;
  readonly #claims: readonly Claim[];
  readonly #memory: Memory;
  readonly #shared: Shared;
  readonly #depth: number;
  readonly #steps: Step[] = [];
  readonly #context: BuildContext;
  readonly #source: (tensor: Tensor) => Tensor;
  readonly #fixed: ReadonlySet<Tensor>;
  /** Joins whose pieces are (partly) written in place, and whether what the pieces leave has been filled. */
  readonly #placed = new Map<JoinNode, { readonly direct: Set<Tensor>; filled: boolean }>();
  readonly #joinOf = new Map<Tensor, JoinNode>();
  readonly launches = new Map<Tensor, readonly Dispatch<Placed>[]>();

  constructor(
    graph: Graph,
    claims: readonly Claim[],
    memory: Memory,
    shared: Shared,
    depth: number,
    fixed: readonly Tensor[] = [],
  ) {
    this.#graph = graph;
    this.#claims = claims;
    this.#memory = memory;
    this.#shared = shared;
    this.#depth = depth;
    this.#source = sourceIn(graph);
    this.#fixed = fixedTensors(graph, fixed);
    this.#context = {
      target: shared.target,
      options: shared.options,
      layout: (tensor) => memory.layout(tensor),
      uniform: (tensor) => this.#uniform(tensor),
      fixed: (tensor) => this.#fixed.has(tensor) || shared.constants.has(tensor),
      scratch: (elements) => ({ kind: "scratch", id: shared.scratch++, elements }),
      constant: (type, values) => this.#constant(type, values),
      name: (hint) => this.#name(hint),
    };
  }

  run(): Step[] {
    for (const node of this.#graph.nodes)
      if (node.kind === "constant") this.#shared.constants.set(node.results[0]!, node.values);
    const grouped = groupNodes(this.#graph, {
      isContraction: (group) => analyseContraction(group) !== undefined,
      launchesAreCheap: this.#shared.target === "cpu",
      maximumBuffers: maximumBuffers[this.#shared.target],
      isOnce: (node) => this.#isOnce(node),
    });
    // What a scan stacks has its place already.
    const free = this.#claims.filter(({ value }) => !this.#memory.isAlias(value));
    const { units, inPlace } = orderUnits(
      grouped,
      free,
      this.#source,
      (unit, { slot, value }) =>
        unit.kind === "group" && mayOverwrite(unit.group, slot, value, this.#source, this.#shared.target),
    );
    const generic = new Set(grouped.flatMap((unit) => (unit.kind === "group" ? resultsOf(unit) : [])));
    for (const { slot, value } of inPlace) this.#memory.aliasTo(value, slot);
    this.#placePieces(generic);
    this.#reuse(units);
    for (const unit of units) {
      const before = this.#steps.length;
      this.#unit(unit);
      const made = dispatchesOf(this.#steps.slice(before));
      for (const result of resultsOf(unit)) this.launches.set(result, made);
    }
    const copied = this.#claims.filter((claim) => !inPlace.includes(claim));
    for (const { slot, value } of copied) this.#group(copyGroup(value, slot));
    return this.#steps;
  }

  /** What `hoist` will take out of the calls, as far as one node shows. */
  #isOnce(node: GenericNode): boolean {
    const bytes = (tensors: readonly Tensor[]): number => tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
    return this.#fixed.has(node.results[0]!) && mayBeKept(bytes(node.results), bytes(operandsOf(node)));
  }

  #name(hint: string): string {
    const word = hint.replace(/[^A-Za-z0-9_]/g, "_").replace(/^(?![A-Za-z])/, "k");
    const count = this.#shared.names.get(word) ?? 0;
    this.#shared.names.set(word, count + 1);
    return count === 0 ? word : this.#name(`${word}_${count}`);
  }
  #uniform(tensor: Tensor): number | undefined {
    const values = this.#shared.constants.get(this.#source(tensor));
    return values?.length === 1 ? values[0] : undefined;
  }
  #constant(type: ScalarType, values: readonly number[]): Tensor {
    const key = `${type} ${values.join()}`;
    const known = this.#shared.tables.get(key);
    if (known !== undefined) return known;
    const tensor: Tensor = { name: this.#name("table"), type: { dtype: type, shape: [values.length] } };
    this.#shared.tables.set(key, tensor);
    this.#shared.constants.set(tensor, values);
    return tensor;
  }

  /** Pieces of joins that a group computes and nothing else reads are written where they belong. */
  #placePieces(generic: ReadonlySet<Tensor>): void {
    const uses = usesOf(this.#graph);
    for (const node of this.#graph.nodes) {
      if (node.kind !== "join") continue;
      const direct = new Set<Tensor>();
      for (const piece of node.pieces) {
        const { tensor } = piece;
        const users = uses.of(tensor);
        const once = node.pieces.filter((other) => other.tensor === tensor).length === 1;
        if (!generic.has(tensor) || users.length !== 1 || !once || uses.isOutput(tensor)) continue;
        if (this.#memory.isAlias(tensor)) continue;
        direct.add(tensor);
        this.#joinOf.set(tensor, node);
        this.#memory.aliasPiece(node, piece);
      }
      this.#placed.set(node, { direct, filled: false });
    }
  }

  /** Results that may be written over an operand that nobody reads later. */
  #reuse(units: readonly Unit[]): void {
    const results = new Set(this.#graph.outputs.map(({ tensor }) => this.#source(tensor)));
    const isElsewhere = (tensor: Tensor): boolean => this.#fixed.has(tensor) || this.#memory.isAlias(tensor);
    const reused = reuseOperands({
      units,
      target: this.#shared.target,
      source: this.#source,
      isPlaced: isElsewhere,
      isKept: (memory) => results.has(memory) || isElsewhere(memory),
    });
    for (const [value, memory] of reused) {
      this.#memory.aliasTo(value, memory);
      this.#shared.reused.set(value, memory);
    }
  }

  #unit(unit: Unit): void {
    if (unit.kind === "group") {
      for (const tensor of unit.group.stored) {
        const join = this.#joinOf.get(tensor);
        if (join) this.#fillOnce(join);
      }
      this.#group(unit.group);
      return;
    }
    this.#node(unit.node);
  }

  #group(group: FusionGroup): void {
    const { target, builds } = this.#shared;
    this.#launch(
      builds.launches(group, this.#context, (context) => {
        const method = methodFor(group);
        invariant(method, `no builder takes the group of %${group.members[0]?.node.results[0]?.name}`);
        return method[target](context);
      }),
    );
  }
  #launch(dispatches: readonly Dispatch<Placed>[]): void {
    for (const dispatch of dispatches) this.#steps.push({ kind: "launch", dispatch });
  }

  #node(node: Exclude<Node, { kind: "generic" }>): void {
    switch (node.kind) {
      case "view":
        this.#memory.aliasTo(node.results[0]!, node.source);
        break;
      case "constant":
        break;
      case "join":
        this.#join(node);
        break;
      case "scatter_add":
        this.#group(fillGroup(node.results[0]!, 0, node.origin));
        this.#launch(scatterOf(node, this.#context));
        break;
      case "random":
        this.#launch(randomOf(node, this.#context));
        break;
      case "sort":
        this.#launch(sortOf(node, this.#context));
        break;
      case "scan":
        this.#scan(node);
        break;
      case "custom":
        invariant(false, "custom nodes are inlined before scheduling");
        break;
      default:
        node satisfies never;
    }
  }

  #fillOnce(join: JoinNode): void {
    const state = this.#placed.get(join);
    if (state === undefined || state.filled) return;
    state.filled = true;
    if (needsFill(join)) this.#group(fillGroup(join.results[0]!, join.fill, join.origin));
  }
  #join(join: JoinNode): void {
    this.#fillOnce(join);
    for (const piece of join.pieces)
      if (!this.#placed.get(join)?.direct.has(piece.tensor)) this.#group(pieceGroup(join, piece));
  }

  /**
   * The carries live in the results' memory: filled with the initial values, overwritten at the end of every iteration.
   * Slices are read and stacked values written in place, through places that move with the iteration.
   */
  #scan(node: ScanNode): void {
    const body = cloneGraph(node.body, (hint) => this.#name(hint));
    const inputs = body.inputs.map(({ tensor }) => tensor);
    const count = node.carries.length;
    const captured = count + node.slices.length;
    const carried = node.results.slice(0, count);
    const iteration = inputs[captured + node.captured.length];
    invariant(iteration !== undefined, "a scan's body takes the iteration number");
    const [first, step] = node.reverse ? [node.length - 1, -1] : [0, 1];
    /** `part` is the slice of `whole` at the iteration. */
    const slide = (part: Tensor, whole: Tensor): void => {
      const elements = elementCount(part.type.shape);
      const start = moving(this.#memory.place(whole), this.#depth, first * elements, step * elements);
      this.#memory.alias(part, start);
    };
    for (const [k, carry] of node.carries.entries()) {
      this.#group(copyGroup(carry, carried[k]!, node.origin));
      this.#memory.aliasTo(inputs[k]!, carried[k]!);
    }
    for (const [k, slice] of node.slices.entries()) slide(inputs[count + k]!, slice);
    for (const [k, tensor] of node.captured.entries()) this.#memory.aliasTo(inputs[captured + k]!, tensor);

    const { graph, stacked, nextCarries } = bodyOutputs(body, count);
    const counts = usesOf(graph).of(iteration).length > 0;
    if (counts) this.#group(assignGroup(iteration, { kind: "constant", type: "i32", value: first }));
    for (const [k, tensor] of stacked.entries()) slide(tensor, node.results[count + k]!);
    const claims = nextCarries.flatMap((value, k): Claim[] =>
      value === inputs[k] ? [] : [{ slot: inputs[k]!, role: "state", path: `${k}`, value }],
    );
    const fixed = node.captured.flatMap((tensor, k) => (this.#fixed.has(tensor) ? [inputs[captured + k]!] : []));
    const inner = new Scheduler(graph, claims, this.#memory, this.#shared, this.#depth + 1, fixed);
    inner.run();
    if (counts) inner.#group(assignGroup(iteration, plus(iteration, step)));
    this.#steps.push({ kind: "repeat", length: node.length, steps: inner.#steps });
  }
}
