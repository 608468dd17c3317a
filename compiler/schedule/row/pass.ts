/** One pass over the reduction indices at one point of the parallel ones, or at four of them. */
import { elementCount } from "../../graph/builder.ts";
import type { Tensor } from "../../graph/graph.ts";
import { invariant } from "../../invariant.ts";
import type { KernelBuilder } from "../../kernel/build.ts";
import { add, f32, i32, load, mul, splat, sub } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";
import type { Combining, Partial, Taking } from "../accumulate.ts";
import { accumulatorOf, Chain, combining, mergeAll, mergeLanes, momentsOf, takesPosition } from "../accumulate.ts";
import { bind, bindLanes, stepOf } from "../bind.ts";
import type { Member } from "../group.ts";
import type { Accesses, Lanes, Loop } from "../loops.ts";
import { meetsInOrder } from "../loops.ts";
import type { Lowering } from "../lower.ts";
import type { Operands } from "../operands.ts";
import { accumulatorCount, readAhead, vectorsAbreast } from "./abreast.ts";
import type { Pass, RowAnalysis } from "./analysis.ts";
import type { Kept } from "./keep.ts";
import { keptIn } from "./keep.ts";

export interface RowPassOptions {
  readonly analysis: RowAnalysis;
  readonly operands: Operands;
  readonly accesses: Accesses;
  /** The reduction loops that do not fill the lanes. */
  readonly loops: readonly Loop[];
  readonly lanes: Lanes | undefined;
  readonly unrolled: number;
  /** Whether the results lie in memory that the group does not read otherwise. */
  readonly ownResults: boolean;
}

/**
 * An accumulator adds at most so many values before it is added to the next level's: the error of a sum grows with the
 * depth of this tree, not with the number of terms.
 */
const chunk = 128;

/** The accumulators of one reduction at one level: `wide` of four lanes, and one for what does not fill four. */
interface Sums {
  readonly wide: readonly Taking[];
  readonly narrow: Taking | undefined;
}
type Level = ReadonlyMap<Member, Sums>;

/** One lowering, or several that run through the reduction together: neighbouring columns share its memory lines. */
export type Points = readonly Lowering[];

const blockOf = (lowering: Lowering): Lowering => lowering.child(new Map());

/** A loop of the nest, or a number of iterations of it. */
interface Stage {
  readonly loop: Loop;
  readonly fills: boolean;
  readonly from: Expression;
  readonly count: number;
}

export class RowPass {
  readonly #options: RowPassOptions;
  readonly #kernel: KernelBuilder;
  readonly #fills: Lanes | undefined;
  readonly #kept: Kept;
  #wide = false;
  #narrow = false;
  /** The accumulators of a level belong to different points: they are not merged. */
  #separate = false;

  constructor(options: RowPassOptions) {
    this.#options = options;
    this.#kernel = options.operands.kernel;
    this.#fills = options.lanes?.loop.parallel === false ? options.lanes : undefined;
    this.#kept = keptIn(options, this.#fills !== undefined);
  }

  /** `wide`: four parallel points at once; where `points` has several, so many times four. */
  write(pass: Pass, points: Points, wide: boolean): void {
    this.#wide = wide;
    this.#separate = points.length > 1;
    const { loops } = this.#options;
    const elements = loops.reduce((product, { extent }) => product * extent, 1);
    const unroll = this.#fills === undefined && elements <= this.#options.unrolled;
    const sets = this.#separate ? points.length : this.#setCount(pass);
    this.#narrow = this.#fills !== undefined && this.#fills.loop.extent % stepOf(this.#fills) !== 0;
    const outer = this.#level(pass.reductions, sets, unroll);
    const stages: Stage[] = loops.map((loop) => ({ loop, fills: false, from: i32(0), count: loop.extent }));
    if (this.#fills) stages.push({ loop: this.#fills.loop, fills: true, from: i32(0), count: this.#fills.loop.extent });
    for (const lowering of points) this.#findOrigins(pass, stages, lowering);
    if (unroll) this.#unrolled(pass, stages, points, outer, new Map());
    else this.#stage(pass, stages, points, outer, new Map());
    for (const member of pass.reductions) {
      const combine = this.#combining(member);
      const { wide: sums, narrow } = outer.get(member)!;
      for (const [u, lowering] of points.entries()) {
        const total = this.#finish(combine, { wide: this.#separate ? [sums[u]!] : sums, narrow });
        const value = this.#result(member, total, lowering);
        for (const [k, result] of member.node.results.entries()) {
          lowering.define(result, value[k]!);
          if (this.#options.analysis.group.stored.has(result)) lowering.store(result, member.at, value[k]!);
        }
      }
    }
  }

  #result(member: Member, total: Partial, lowering: Lowering): Partial {
    const origin = this.#originAt(member, lowering);
    if (origin === undefined) return total;
    const count = elementCount(this.#options.analysis.group.reduction.map(({ extent }) => extent));
    return momentsOf(total, origin, count).map((part) => this.#kernel.letIn("moment", part));
  }

  /** Moments are taken around the mean of the row's first values, which is known where this tensor is defined. */
  readonly #origins = new Map<Member, Tensor>();
  #originAt(member: Member, lowering: Lowering): Expression | undefined {
    return this.#origins.has(member) ? lowering.value(this.#origins.get(member)!) : undefined;
  }
  #findOrigins(pass: Pass, stages: readonly Stage[], lowering: Lowering): void {
    for (const member of pass.reductions.filter(({ node }) => node.combiner === "moments")) {
      const origin: Tensor = this.#origins.get(member) ?? { ...member.node.results[0]!, name: "origin" };
      const start = this.#startOf(pass, { ...member, node: { ...member.node, combiner: "sum" } }, stages, lowering);
      this.#origins.set(member, origin);
      lowering.define(origin, this.#kernel.letIn("origin", start));
    }
  }

  /** The mean of a row's first values: a thirty-second of them, as far as the innermost loop goes. */
  #startOf(pass: Pass, sum: Member, stages: readonly Stage[], lowering: Lowering): Expression {
    const first: Pass = { ...pass, write: new Set(), reductions: [sum] };
    const outside = stages.slice(0, -1);
    const innermost = stages.at(-1)!;
    const { accesses } = this.#options;
    const bases = new Map(outside.map(({ loop }) => [loop, i32(0)] as const));
    const here = lowering.child(new Map(outside.flatMap(({ loop }) => [...bind(accesses, loop, i32(0))])));
    const elements = stages.reduce((product, { loop }) => product * loop.extent, 1);
    const step = innermost.fills ? 16 : 1;
    const count = Math.min(innermost.count, Math.ceil(elements / 32 / step) * step);
    const level = this.#level([sum], innermost.fills ? this.#setCount(first) : 1);
    if (innermost.fills) this.#fill(first, { ...innermost, count }, here, level, bases);
    else
      this.#kernel.forLoop("first", 0, count, 1, (base) => {
        const known = new Map([...bases, [innermost.loop, base] as const]);
        this.#at(first, here.child(bind(accesses, innermost.loop, base)), level, known, 0);
      });
    const [total] = this.#finish(this.#combining(sum), level.get(sum)!);
    const pair = innermost.fills ? (this.#fills?.pair?.extent ?? 1) : 1;
    return mul(total!, splat(f32(1 / (count * pair)), total!.lanes));
  }

  #combining(member: Member): Combining {
    return combining(member.node.combiner, member.body.type);
  }

  #setCount(pass: Pass): number {
    const fills = this.#fills;
    return fills === undefined ? 1 : accumulatorCount(pass, Math.floor(fills.loop.extent / stepOf(fills)));
  }

  #level(reductions: readonly Member[], sets: number, inOneBlock = false): Level {
    const level = new Map<Member, Sums>();
    for (const member of reductions) {
      const make = (count: 1 | 4) => accumulatorOf(this.#kernel, member.node.combiner, member.body.type, count);
      const lanes = this.#wide || this.#fills ? 4 : 1;
      level.set(member, {
        wide: Array.from({ length: sets }, () =>
          inOneBlock ? new Chain(this.#kernel, this.#combining(member), lanes) : make(lanes),
        ),
        narrow: this.#narrow ? make(1) : undefined,
      });
    }
    return level;
  }

  #finish(combine: Combining, sums: Sums): Partial {
    const wide = mergeAll(
      this.#kernel,
      combine,
      sums.wide.map(({ variables }) => variables),
    );
    const parts = this.#fills ? [mergeLanes(this.#kernel, combine, wide)] : [wide];
    if (sums.narrow) parts.push(sums.narrow.variables);
    return mergeAll(this.#kernel, combine, parts).map((part) => this.#kernel.letIn("total", part));
  }

  /** Every point written out, in one block. */
  #unrolled(
    pass: Pass,
    [stage, ...inner]: readonly Stage[],
    points: Points,
    level: Level,
    bases: ReadonlyMap<Loop, Expression>,
  ): void {
    if (stage === undefined) {
      for (const [set, lowering] of points.entries()) this.#at(pass, lowering, level, bases, set);
      return;
    }
    for (let k = 0; k < stage.loop.extent; k++) {
      const here = bind(this.#options.accesses, stage.loop, i32(k));
      const next = points.map((lowering) => lowering.inline(here));
      this.#unrolled(pass, inner, next, level, new Map([...bases, [stage.loop, i32(k)]]));
    }
  }

  #stage(
    pass: Pass,
    stages: readonly Stage[],
    points: Points,
    level: Level,
    bases: ReadonlyMap<Loop, Expression>,
  ): void {
    const [stage, ...inner] = stages;
    if (stage === undefined) {
      for (const [set, lowering] of points.entries()) this.#at(pass, lowering, level, bases, set);
      return;
    }
    for (const lowering of points) this.#hoist(pass, lowering);
    const perStep = stage.fills ? stepOf(this.#fills!) * this.#setsOf(level) : 1;
    const long = chunk * perStep;
    if (stage.count > 2 * long && this.#sums(pass).length > 0) {
      // The remainder comes first, so that all chunks are of one size.
      const rest = stage.count % long;
      const part = (from: Expression, count: number): void =>
        this.#nested(pass, level, (own) =>
          this.#stage(pass, [{ ...stage, from, count }, ...inner], points, own, bases),
        );
      if (rest > 0) part(stage.from, rest);
      this.#kernel.forLoop("chunk", add(stage.from, rest), add(stage.from, stage.count), long, (from) =>
        this.#nested(pass, level, (own) =>
          this.#stage(pass, [{ ...stage, from, count: long }, ...inner], points.map(blockOf), own, bases),
        ),
      );
      return;
    }
    if (stage.fills) {
      for (const lowering of points) this.#fill(pass, stage, lowering, level, bases);
      return;
    }
    const { loop } = stage;
    const innerSteps = inner.reduce((product, { count, fills }) => product * (fills ? count / perStep : count), 1);
    this.#kernel.forLoop("r", stage.from, add(stage.from, stage.count), 1, (base) => {
      const here = bind(this.#options.accesses, loop, base);
      const next = points.map((lowering) => lowering.child(here));
      const known = new Map([...bases, [loop, base] as const]);
      if (innerSteps >= 16 && stage.count > 1)
        this.#nested(pass, level, (own) => this.#stage(pass, inner, next, own, known));
      else this.#stage(pass, inner, next, level, known);
    });
  }

  #setsOf(level: Level): number {
    for (const { wide } of level.values()) return wide.length;
    return 1;
  }
  #sums(pass: Pass): Member[] {
    return pass.reductions.filter(
      ({ node, body }) => node.combiner === "moments" || (node.combiner === "sum" && body.type === "f32"),
    );
  }
  #hoist(pass: Pass, lowering: Lowering): void {
    const later = new Set(pass.evaluate.flatMap(({ node }) => node.results));
    for (const { body } of [...pass.evaluate, ...pass.reductions]) lowering.hoist(body, later);
  }

  /** Sums start anew inside and are added to the level outside at the end. */
  #nested(pass: Pass, level: Level, write: (own: Level) => void): void {
    const sums = this.#sums(pass);
    const own = this.#level(sums, this.#setsOf(level));
    write(new Map([...level, ...own]));
    for (const member of sums) {
      const [inside, outside] = [own.get(member)!, level.get(member)!];
      if (this.#separate) {
        for (const [u, { variables }] of inside.wide.entries()) outside.wide[u]!.take(variables, true);
        continue;
      }
      const total = mergeAll(
        this.#kernel,
        this.#combining(member),
        inside.wide.map(({ variables }) => variables),
      );
      outside.wide[0]!.take(total, true);
      if (inside.narrow) outside.narrow?.take(inside.narrow.variables, true);
    }
  }

  /** The loop that fills the lanes: several vectors a step, then one, then single elements. */
  #fill(pass: Pass, stage: Stage, lowering: Lowering, level: Level, bases: ReadonlyMap<Loop, Expression>): void {
    const lanes = this.#fills;
    invariant(lanes !== undefined, "a stage fills the lanes that were chosen");
    const { accesses } = this.#options;
    const step = stepOf(lanes);
    const sets = this.#setsOf(level);
    const unrolled = vectorsAbreast(pass, Math.floor(stage.count / step), sets);
    const many = Math.floor(stage.count / (step * unrolled)) * step * unrolled;
    const full = Math.floor(stage.count / step) * step;
    const end = (count: number): Expression => add(stage.from, count);
    const vectors = (from: number, to: number, count: number): void =>
      this.#kernel.forLoop("v", end(from), end(to), step * count, (base) => {
        const block = lowering.child(new Map());
        const vectors = Array.from({ length: count }, (_, set) => {
          const at = add(base, set * step);
          return { at, lowering: block.inline(bindLanes(accesses, lanes, at)) };
        });
        if (count > 1) for (const vector of vectors) readAhead(pass, this.#options.analysis.group, vector.lowering);
        for (const [set, vector] of vectors.entries())
          this.#at(pass, vector.lowering, level, new Map([...bases, [stage.loop, vector.at]]), set % sets);
      });
    if (many > 0) vectors(0, many, unrolled);
    if (full > many) vectors(many, full, 1);
    if (full === stage.count) return;
    this.#kernel.forLoop("s", end(full), end(stage.count), 1, (base) => {
      const known = new Map([...bases, [stage.loop, base] as const]);
      const one = lowering.child(bind(accesses, stage.loop, base));
      if (lanes.pair === undefined) return this.#at(pass, one, level, known, undefined);
      const { pair } = lanes;
      this.#kernel.forLoop("s", 0, pair.extent, 1, (second) => {
        const at = new Map([...known, [pair, second] as const]);
        this.#at(pass, one.child(bind(accesses, pair, second)), level, at, undefined);
      });
    });
  }

  /** The work of one point or four; `set` names the accumulators, undefined those of single elements. */
  #at(
    pass: Pass,
    lowering: Lowering,
    level: Level,
    bases: ReadonlyMap<Loop, Expression>,
    set: number | undefined,
  ): void {
    const lanes = set !== undefined && (this.#wide || this.#fills) ? 4 : 1;
    // Stored last: a result may lie where another member's operand was.
    const stores: (() => void)[] = [];
    for (const member of pass.evaluate) stores.push(...this.#evaluate(pass, member, lowering, bases, lanes));
    for (const member of pass.reductions) {
      const { wide, narrow } = level.get(member)!;
      const accumulator = set === undefined ? narrow : wide[set];
      invariant(accumulator !== undefined, "every element has an accumulator");
      accumulator.take(this.#taken(member, lowering), meetsInOrder(member.position, this.#allLoops()));
    }
    for (const store of stores) store();
  }

  #taken(member: Member, lowering: Lowering): Partial {
    const value = lowering.lower(member.body);
    if (takesPosition(member.node.combiner)) return [value, lowering.coordinate(member.position)];
    const origin = this.#originAt(member, lowering);
    if (origin === undefined) return [value];
    const difference = this.#kernel.letIn("t", sub(value, origin));
    return [difference, this.#kernel.letIn("t", mul(difference, difference))];
  }

  /** What remains to be stored. */
  #evaluate(
    pass: Pass,
    member: Member,
    lowering: Lowering,
    bases: ReadonlyMap<Loop, Expression>,
    lanes: 1 | 4,
  ): (() => void)[] {
    const [result] = member.node.results;
    const [kept, host] = [this.#kept.scratch.get(member), this.#kept.hosts.get(member)];
    const { passes } = this.#options.analysis;
    const isKnown = passes.find(({ evaluate }) => evaluate.includes(member)) !== pass;
    if (!passes.includes(pass)) {
      // The first values of a row, before the pass itself begins.
      lowering.define(result!, lowering.lower(member.body));
      return [];
    }
    if (kept !== undefined && isKnown) {
      lowering.define(result!, this.#kernel.letIn("x", load(kept, "f32", this.#keptAt(bases), lanes)));
      return [];
    }
    if (host !== undefined && isKnown) {
      lowering.define(result!, lowering.lower(host));
      return [];
    }
    const value = lowering.lower(member.body);
    lowering.define(result!, value);
    if (host !== undefined) lowering.store(host.tensor, host.coordinates, value);
    if (kept !== undefined) this.#kernel.store(kept, this.#keptAt(bases), splat(value, lanes));
    if (!pass.write.has(member)) return [];
    const store = (): void => lowering.store(result!, member.at, value);
    if (!this.#options.ownResults) return [store];
    store();
    return [];
  }
  /** Outermost first. */
  #allLoops(): Loop[] {
    return [...this.#options.loops, this.#fills?.loop, this.#fills?.pair].filter((loop) => loop !== undefined);
  }
  #keptAt(bases: ReadonlyMap<Loop, Expression>): Expression {
    let place: Expression = i32(0);
    let stride = 1;
    for (const loop of this.#allLoops().toReversed()) {
      place = add(place, mul(bases.get(loop) ?? i32(0), stride));
      stride *= loop.extent;
    }
    return this.#fills ? place : mul(place, 4);
  }
}
