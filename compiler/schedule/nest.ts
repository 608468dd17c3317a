/**
 * Loop nests on the CPU for groups of maps and reductions: parallel loops outside, passes over the reduction inside, four
 * lanes along whichever loop moves through memory best. Pointwise, window and row groups differ only in what is unrolled.
 */
import type { Tensor } from "../graph/graph.ts";
import { visitScalars } from "../graph/traverse.ts";
import { add, and, bool, ge, i32, KernelBuilder, lt } from "../kernel/build.ts";
import type { Dispatch, Expression } from "../kernel/ir.ts";
import { bind, bindLanes, type Range, stepOf } from "./bind.ts";
import type { BuildContext, Member } from "./group.ts";
import type { Accesses, Lanes, Loop } from "./loops.ts";
import { accessesOf, chooseLanes, collapse, interior } from "./loops.ts";
import { Lowering } from "./lower.ts";
import { Operands } from "./operands.ts";
import type { Placed } from "./program.ts";
import type { RowAnalysis } from "./row/analysis.ts";
import { costOf } from "./row/analysis.ts";
import type { Points } from "./row/pass.ts";
import { RowPass } from "./row/pass.ts";

export interface NestOptions {
  /** Reductions of at most so many elements are written out. */
  readonly unrolled: number;
  /** Whether a reduction index may fill the lanes. */
  readonly reductionsMayFill: boolean;
}

export function writeNest(analysis: RowAnalysis, context: BuildContext, options: NestOptions): Dispatch<Placed> {
  const names = analysis.group.members.flatMap(({ node }) => node.results.map(({ name }) => name));
  const stored = names.filter((_, k) => [...analysis.group.stored].some(({ name }) => name === names[k]));
  const kernel = new KernelBuilder(context.name(stored[0] ?? names[0] ?? "kernel"), "cpu");
  const operands = new Operands(kernel, context);
  new Nest(analysis, operands, options).write();
  return operands.dispatch({ label: stored.join(", "), origin: analysis.group.members.at(-1)?.node.origin });
}

/** Reductions of at least so many elements are long. */
const longColumn = 24;

class Nest {
  readonly #analysis: RowAnalysis;
  readonly #operands: Operands;
  readonly #kernel: KernelBuilder;
  readonly #accesses: Accesses;
  readonly #parallel: readonly Loop[];
  readonly #lanes: Lanes | undefined;
  readonly #pass: RowPass;
  readonly #made: ReadonlySet<Tensor>;
  readonly #mayRepeat: boolean;

  constructor(analysis: RowAnalysis, operands: Operands, options: NestOptions) {
    const { group } = analysis;
    this.#analysis = analysis;
    this.#operands = operands;
    this.#kernel = operands.kernel;
    this.#accesses = accessesOf(group, operands.context);
    const loops = collapse(group, this.#accesses);
    this.#lanes = chooseLanes(loops, this.#accesses, options.reductionsMayFill);
    const filling = [this.#lanes?.loop, this.#lanes?.pair];
    this.#parallel = loops.filter((loop) => loop.parallel && !filling.includes(loop));
    this.#made = new Set(group.members.flatMap(({ node }) => node.results));
    const reduction = loops.filter((loop) => !loop.parallel && !filling.includes(loop));
    this.#pass = new RowPass({
      analysis,
      operands,
      accesses: this.#accesses,
      loops: reduction,
      lanes: this.#lanes,
      unrolled: options.unrolled,
    });
    this.#mayRepeat = !this.#readsWhatItWrites();
  }

  write(): void {
    const unknown = this.#accesses.extents.map(() => undefined);
    const outermost = new Lowering(this.#operands, { indices: unknown });
    this.#open(0, outermost, true);
  }

  /** Writing an element twice is harmless unless the group reads the memory that it writes. */
  #readsWhatItWrites(): boolean {
    const { group } = this.#analysis;
    const memory = (tensor: Tensor): unknown => {
      const { place } = this.#operands.context.layout(tensor);
      return place.kind === "tensor" ? place.tensor : place.id;
    };
    const written = new Set([...group.stored].map(memory));
    let found = false;
    visitScalars(
      group.members.map(({ body }) => body),
      (scalar) => {
        if (scalar.kind === "read" && !this.#made.has(scalar.tensor) && written.has(memory(scalar.tensor)))
          found = true;
      },
    );
    return found;
  }

  #hoist(lowering: Lowering): void {
    for (const { body } of this.#analysis.group.members) lowering.hoist(body, this.#made);
  }

  /** The parallel loops from the k-th on. Where `split`, boundary conditions are kept out of the interior. */
  #open(k: number, lowering: Lowering, split: boolean): void {
    this.#hoist(lowering);
    const loop = this.#parallel[k];
    if (loop === undefined) {
      if (this.#lanes?.loop.parallel) this.#fillLanes(this.#lanes, lowering, split);
      else this.#point([lowering], false);
      return;
    }
    const [only] = loop.positions;
    const inside =
      split && loop.positions.length === 1 ? interior(this.#accesses, only!) : { from: 0, to: 0, guarded: false };
    const body = (base: Expression): void => {
      const go = (range: Range, splitInside: boolean): void =>
        this.#open(k + 1, lowering.child(bind(this.#accesses, loop, base, undefined, range)), splitInside);
      const whole = { from: 0, to: loop.extent };
      if (!inside.guarded || inside.from >= inside.to) {
        go(whole, split);
        return;
      }
      this.#kernel.ifThen(
        and(
          inside.from > 0 ? ge(base, inside.from) : bool(true),
          inside.to < loop.extent ? lt(base, inside.to) : bool(true),
        ),
        () => go(inside, split),
        () => go(whole, false),
      );
    };
    this.#kernel.forLoop("i", 0, loop.extent, 1, body, { outer: k === 0 });
  }

  #fillLanes(lanes: Lanes, lowering: Lowering, split: boolean): void {
    const { loop } = lanes;
    const [only] = loop.positions;
    const inside =
      split && loop.positions.length === 1 && lanes.pair === undefined
        ? interior(this.#accesses, only!)
        : { from: 0, to: 0, guarded: false };
    const segments: Range[] =
      inside.guarded && inside.to - inside.from >= 4
        ? [{ from: 0, to: inside.from }, inside, { from: inside.to, to: loop.extent }]
        : [{ from: 0, to: loop.extent }];
    for (const segment of segments) this.#segment(lanes, lowering, segment);
  }

  #segment(lanes: Lanes, lowering: Lowering, range: Range): void {
    const { loop, pair } = lanes;
    const { from, to } = range;
    const step = stepOf(lanes);
    const full = from + Math.floor((to - from) / step) * step;
    const outer = this.#parallel.length === 0;
    const fill = (base: Expression, times = 1): void => {
      const block = lowering.child(new Map());
      const points = Array.from({ length: times }, (_, u) =>
        block.inline(bindLanes(this.#accesses, lanes, add(base, u * step), range)),
      );
      this.#point(points, true);
    };
    const together = this.#columnsTogether(Math.floor((to - from) / step));
    const many = from + Math.floor((to - from) / (step * together)) * step * together;
    this.#kernel.forLoop("v", from, many, step * together, (base) => fill(base, together), { outer });
    this.#kernel.forLoop("v", many, full, step, (base) => fill(base), { outer });
    if (full === to) return;
    if (this.#mayRepeat && to - from >= step) {
      fill(i32(to - step));
      return;
    }
    this.#kernel.forLoop("s", full, to, 1, (base) => {
      const one = lowering.child(bind(this.#accesses, loop, base, undefined, range));
      if (pair === undefined) return this.#point([one], false);
      this.#kernel.forLoop("s", 0, pair.extent, 1, (second) =>
        this.#point([one.child(bind(this.#accesses, pair, second))], false),
      );
    });
  }

  /** Columns of a long reduction go through it several vectors at a time, so that whole lines of memory are used. */
  #columnsTogether(vectors: number): number {
    const { passes, group } = this.#analysis;
    const length = group.reduction.reduce((product, { extent }) => product * extent, 1);
    if (passes.length !== 1 || length < longColumn) return 1;
    const work = group.members.reduce((total, { body }) => total + costOf(body), 0);
    return Math.max(1, Math.min(work <= 4 ? 8 : work <= 10 ? 4 : work <= 20 ? 2 : 1, vectors));
  }

  /**
   * Everything at one point of the parallel domain, at four, or at several times four. Results of maps over the parallel
   * domain are stored last: they may lie where the point's old values were.
   */
  #point(points: Points, wide: boolean): void {
    const stores: (() => void)[] = [];
    const maps = (members: readonly Member[]): void => {
      for (const lowering of points)
        for (const member of members) {
          const value = lowering.lower(member.body);
          const [result] = member.node.results;
          lowering.define(result!, value);
          if (this.#analysis.group.stored.has(result!)) stores.push(() => lowering.store(result!, member.at, value));
        }
    };
    maps(this.#analysis.before);
    for (const pass of this.#analysis.passes) {
      this.#pass.write(pass, points, wide);
      maps(pass.after);
    }
    for (const store of stores) store();
  }
}
