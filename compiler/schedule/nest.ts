/**
 * Loop nests on the CPU for groups of maps and reductions: parallel loops outside, passes over the reduction inside, four
 * lanes along whichever loop moves through memory best. Pointwise, window and row groups differ only in what is unrolled.
 */
import type { Tensor } from "../graph/graph.ts";
import { visitScalars } from "../graph/traverse.ts";
import { add, and, apply, bool, ge, i32, KernelBuilder, load, lt, min, mul, sub } from "../kernel/build.ts";
import type { Dispatch, Expression } from "../kernel/ir.ts";
import type { IndexValue } from "./address.ts";
import { bind, bindLanes, type Range, stepOf } from "./bind.ts";
import { lineElements } from "./cache.ts";
import type { BuildContext, Member } from "./group.ts";
import type { Accesses, Lanes, Loop } from "./loops.ts";
import { accessesOf, chooseLanes, collapse, interior } from "./loops.ts";
import { Lowering } from "./lower.ts";
import { Operands } from "./operands.ts";
import type { Transposition } from "./pointwise/transpose.ts";
import { transposed, transpositionOf } from "./pointwise/transpose.ts";
import type { Placed } from "./program.ts";
import type { Pass, RowAnalysis } from "./row/analysis.ts";
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
  const scalars = new Nest(analysis, operands, options).write();
  return operands.dispatch({ label: stored.join(", "), origin: analysis.group.members.at(-1)?.node.origin, scalars });
}

/** Reductions of at least so many elements are long. */
const longColumn = 24;
/** Operations after a reduction that are too many to be written out for every vector of columns. */
const longEpilogue = 4;
/** Iterations of a loop that threads share without one of them waiting long, and points that are worth sharing. */
const [manyIterations, worthThreads] = [16, 2 ** 12];

const costOfAll = (members: readonly Member[]): number => members.reduce((total, { body }) => total + costOf(body), 0);

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
  readonly #turned: Transposition | undefined;

  constructor(analysis: RowAnalysis, operands: Operands, options: NestOptions) {
    const { group } = analysis;
    this.#analysis = analysis;
    this.#operands = operands;
    this.#kernel = operands.kernel;
    this.#accesses = accessesOf(group, operands.context);
    const loops = collapse(group, this.#accesses);
    this.#lanes = chooseLanes(loops, this.#accesses, options.reductionsMayFill);
    this.#made = new Set(group.members.flatMap(({ node }) => node.results));
    const { loop: columns, pair } = this.#lanes ?? {};
    this.#mayRepeat = !this.#readsWhatItWrites();
    if (columns?.parallel && pair === undefined && this.#mayRepeat)
      this.#turned = transpositionOf(analysis, this.#accesses, loops, columns);
    const filling = [columns, pair, this.#turned?.rows];
    this.#parallel = loops.filter((loop) => loop.parallel && !filling.includes(loop));
    const reduction = loops.filter((loop) => !loop.parallel && !filling.includes(loop));
    this.#pass = new RowPass({
      analysis,
      operands,
      accesses: this.#accesses,
      loops: reduction,
      lanes: this.#lanes,
      unrolled: options.unrolled,
      ownResults: this.#mayRepeat,
    });
  }

  /** The scalars that the kernel takes. */
  write(): readonly number[] {
    const unknown = this.#accesses.extents.map(() => undefined);
    const outermost = new Lowering(this.#operands, { indices: unknown });
    const length = this.#flatLength();
    if (length === undefined) this.#open(0, outermost, true);
    else this.#flat(length, outermost);
    return length === undefined ? [] : [length];
  }

  /** The points of a map that runs through all memory alike: how many comes with the call, so that such kernels are shared. */
  #flatLength(): number | undefined {
    const { loop, pair } = this.#lanes ?? {};
    const isFlat = this.#analysis.passes.length === 0 && loop !== undefined && pair === undefined;
    const isAlone = this.#parallel.length === 0 && this.#turned === undefined;
    const isPlain = this.#accesses.list.every(({ guarded }) => !guarded);
    return isFlat && isAlone && isPlain && loop.extent % 4 === 0 ? loop.extent : undefined;
  }
  #flat(length: number, lowering: Lowering): void {
    this.#hoist(lowering);
    const body = (base: Expression): void =>
      this.#point([lowering.child(bindLanes(this.#accesses, this.#lanes!, base))], true);
    this.#kernel.forLoop("v", 0, this.#kernel.scalar("length"), 4, body, { outer: length >= worthThreads });
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
    const together = k === 0 ? this.#loopsTogether() : 1;
    if (together > 1) this.#outermost(this.#parallel.slice(0, together), lowering, split);
    else if (loop !== undefined)
      this.#kernel.forLoop("i", 0, loop.extent, 1, (base) => this.#at([base], k, lowering, split), { outer: k === 0 });
    else if (this.#lanes && this.#turned) this.#turn(this.#turned, this.#lanes.loop, lowering);
    else if (this.#lanes?.loop.parallel) this.#fillLanes(this.#lanes, lowering, split);
    else this.#point([lowering], false);
  }

  /** Threads share the iterations of the outermost loop: a short one runs together with those inside, if that is worth it. */
  #loopsTogether(): number {
    const points = this.#accesses.extents.reduce((product, extent) => product * extent, 1);
    if (points < worthThreads) return 1;
    let together = 0;
    for (let iterations = 1; together < this.#parallel.length && iterations < manyIterations; together++)
      iterations *= this.#parallel[together]!.extent;
    return together;
  }

  /** Several loops as one: their counters are the digits of its own. */
  #outermost(loops: readonly Loop[], lowering: Lowering, split: boolean): void {
    const count = loops.reduce((product, { extent }) => product * extent, 1);
    const digits = (index: Expression): Expression[] => {
      let rest = index;
      const bases = loops
        .slice(1)
        .toReversed()
        .map(({ extent }) => {
          const quotient = this.#kernel.letIn("i", apply("raw_div", "i32", rest, i32(extent)));
          const digit = this.#kernel.letIn("i", sub(rest, mul(quotient, extent)));
          rest = quotient;
          return digit;
        });
      return [rest, ...bases.toReversed()];
    };
    this.#kernel.forLoop("i", 0, count, 1, (index) => this.#at(digits(index), 0, lowering, split), { outer: true });
  }

  /** At one point of the parallel loops from the k-th on, as many as there are `bases`; then the loops inside. */
  #at([base, ...bases]: readonly Expression[], k: number, lowering: Lowering, split: boolean): void {
    if (base === undefined) {
      this.#open(k, lowering, split);
      return;
    }
    const loop = this.#parallel[k]!;
    const [only] = loop.positions;
    const inside =
      split && loop.positions.length === 1 ? interior(this.#accesses, only!) : { from: 0, to: 0, guarded: false };
    const go = (range: Range, splitInside: boolean): void =>
      this.#at(bases, k + 1, lowering.child(bind(this.#accesses, loop, base, undefined, range)), splitInside);
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
  }

  /** Blocks of four rows by four columns, the rows of a memory line at a time. What four do not divide is done twice. */
  #turn({ rows, reads }: Transposition, columns: Loop, lowering: Lowering): void {
    const outer = this.#parallel.length === 0;
    const block = (row: Expression, column: Expression): void => {
      const here = lowering.child(new Map());
      const along = bind(this.#accesses, rows, row, [0, 1, 2, 3]);
      const loaded = [0, 1, 2, 3].map((c) =>
        here.inline(new Map([...along, ...bind(this.#accesses, columns, add(column, c))])),
      );
      const turned = new Map(
        reads.map((read) => [
          read,
          transposed(
            this.#kernel,
            loaded.map((lowered) => lowered.lower(read)),
          ),
        ]),
      );
      const across = bind(this.#accesses, columns, column, [0, 1, 2, 3]);
      for (const r of [0, 1, 2, 3]) {
        const indices = new Map([...across, ...bind(this.#accesses, rows, add(row, r))]);
        this.#point([here.inline(indices, { answer: (read) => turned.get(read)?.[r] })], true);
      }
    };
    const sweep = (from: Expression, to: Expression, split: boolean): void => {
      const whole = columns.extent - (columns.extent % 4);
      const strip = (column: Expression): void => this.#kernel.forLoop("r", from, to, 4, (row) => block(row, column));
      this.#kernel.forLoop("v", 0, whole, 4, strip, { outer: split });
      if (whole < columns.extent) strip(i32(columns.extent - 4));
    };
    const whole = rows.extent - (rows.extent % 4);
    const end = (start: Expression): Expression =>
      whole % lineElements === 0 ? add(start, lineElements) : min(add(start, lineElements), whole);
    this.#kernel.forLoop("i", 0, whole, lineElements, (start) => sweep(start, end(start), false), { outer });
    if (whole < rows.extent) sweep(i32(rows.extent - 4), i32(rows.extent), outer);
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
      const at = (column: Expression): Map<number, IndexValue> =>
        bindLanes(this.#accesses, lanes, add(base, column), range);
      const points = Array.from({ length: times }, (_, u) => block.inline(at(i32(u * step))));
      const [pass] = this.#analysis.passes;
      if (times > 1 && pair === undefined && pass && this.#followsInLoop(pass))
        this.#columns(pass, points, (column) => lowering.child(at(column)));
      else this.#point(points, true);
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
    const [pass] = passes;
    const length = group.reduction.reduce((product, { extent }) => product * extent, 1);
    if (pass === undefined || passes.length !== 1 || length < longColumn) return 1;
    const inLoop = this.#followsInLoop(pass);
    const rest = inLoop ? [] : [...this.#analysis.before, ...pass.after];
    const work = costOfAll([...pass.evaluate, ...pass.reductions, ...rest]);
    const useful = work <= 4 && !inLoop ? 8 : work <= 10 ? 4 : work <= 20 ? 2 : 1;
    const most = Math.max(1, Math.min(useful, vectors));
    // A number that leaves none over needs no second loop.
    for (let together = most; together > most / 2; together--) if (vectors % together === 0) return together;
    return most;
  }

  /** Whether what follows a reduction is long enough to be written once for several vectors of columns. */
  #followsInLoop({ reductions, after }: Pass): boolean {
    const results = reductions.flatMap(({ node }) => node.results);
    const plain = results.every(({ type }) => type.dtype === "f32");
    return plain && this.#analysis.before.length === 0 && costOfAll(after) > longEpilogue;
  }

  /** Several vectors of columns through a reduction; what follows takes their results one vector after another. */
  #columns(pass: Pass, points: Points, at: (column: Expression) => Lowering): void {
    this.#pass.write(pass, points, true);
    const results = pass.reductions.flatMap(({ node }) => node.results);
    const size = 4 * points.length;
    const sums = this.#kernel.ownScratch("sums", "f32", size * results.length);
    for (const [r, result] of results.entries())
      for (const [u, point] of points.entries()) this.#kernel.store(sums, r * size + 4 * u, point.value(result)!);
    this.#kernel.forLoop("u", 0, size, 4, (column) => {
      const lowering = at(column);
      for (const [r, result] of results.entries())
        lowering.define(result, this.#kernel.letIn("x", load(sums, "f32", add(column, r * size), 4)));
      for (const store of this.#maps([lowering], pass.after)) store();
    });
  }

  /**
   * Everything at one point of the parallel domain, at four, or at several times four. Results of maps over the parallel
   * domain are stored last: they may lie where the point's old values were.
   */
  #point(points: Points, wide: boolean): void {
    const stores = this.#maps(points, this.#analysis.before);
    for (const pass of this.#analysis.passes) {
      this.#pass.write(pass, points, wide);
      stores.push(...this.#maps(points, pass.after));
    }
    for (const store of stores) store();
  }

  /** Computes maps over the parallel domain. What stores them is left to the caller. */
  #maps(points: Points, members: readonly Member[]): (() => void)[] {
    const stores: (() => void)[] = [];
    for (const lowering of points)
      for (const member of members) {
        const value = lowering.lower(member.body);
        const [result] = member.node.results;
        lowering.define(result!, value);
        if (this.#analysis.group.stored.has(result!)) stores.push(() => lowering.store(result!, member.at, value));
      }
    return stores;
  }
}
