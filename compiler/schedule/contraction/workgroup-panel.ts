/** Operands of a contraction in workgroup memory. */
import type { Scalar } from "../../graph/graph.ts";
import { invariant } from "../../invariant.ts";
import type { KernelBuilder } from "../../kernel/build.ts";
import { add, constant, lane, load, lt, min, mul, select, splat, vector } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";
import { divide, localThread } from "../gpu/grid.ts";
import type { Lowering } from "../lower.ts";
import type { Side } from "./side.ts";

const zeros = constant("f32", 0, 4);

/**
 * Threads that fill neighbouring lines write `width` elements apart, all in one bank of the memory if that is a multiple
 * of 32: a vector more a line spreads them over the banks.
 */
const padding = 4;
export const panelElements = (width: number, depth: number): number => (width + padding) * depth;

/** A panel of an operand in workgroup memory: `depth` lines of `width` neighbours. */
export class Panel {
  readonly #kernel: KernelBuilder;
  readonly #name: string;
  readonly width: number;
  readonly depth: number;

  constructor(kernel: KernelBuilder, hint: string, width: number, depth: number) {
    invariant(width % 4 === 0, "a panel is filled by fours");
    this.#kernel = kernel;
    this.width = width;
    this.depth = depth;
    this.#name = kernel.local(`${hint}_panel`, "f32", "workgroup", panelElements(width, depth));
  }
  #at(depth: Expression, across: Expression): Expression {
    return add(mul(depth, this.width + padding), across);
  }
  store(depth: Expression, across: Expression, four: Expression): void {
    this.#kernel.store(this.#name, this.#at(depth, across), four);
  }
  vector(depth: Expression, across: Expression): Expression {
    return this.#kernel.letIn("b", load(this.#name, "f32", this.#at(depth, across), 4));
  }
  /** `count` neighbours, one by one. */
  rows(depth: Expression, across: Expression, count: number): Expression[] {
    if (count % 4 === 0)
      return Array.from({ length: count / 4 }, (_, v) => this.vector(depth, add(across, 4 * v))).flatMap((four) =>
        [0, 1, 2, 3].map((l) => lane(four, l)),
      );
    return Array.from({ length: count }, (_, r) =>
      this.#kernel.letIn("a", load(this.#name, "f32", this.#at(depth, add(across, r)))),
    );
  }
}

/** What a panel is filled with. */
export interface PanelOperand {
  readonly factor: Scalar;
  readonly across: Side;
  readonly summed: Side;
  /** The number of the panel's first row or column. */
  readonly first: Expression;
  /** Neighbouring threads take neighbouring steps of the summation. */
  readonly depthFastest: boolean;
}

/**
 * Prepares to fill a panel: returns what fills it for one step of the summation. Neighbouring threads take neighbours of
 * the index that is contiguous in memory.
 */
export function filler(
  kernel: KernelBuilder,
  outer: Lowering,
  panel: Panel,
  operand: PanelOperand,
  threads: number,
): (step: Expression) => void {
  const { factor, first, depthFastest } = operand;
  const k = operand.summed.extent;
  const { depth } = panel;
  const quarters = panel.width / 4;
  const total = quarters * depth;
  const inner = depthFastest ? depth : quarters;
  const offsets = Array.from({ length: Math.ceil(total / threads) }, (_, s) => s * threads);
  // Where the threads are a multiple of the inner extent, all slots of a thread differ in the outer number alone.
  const aligned = threads % inner === 0;
  const [outerOwn, innerOwn] = divide(kernel, localThread, inner);
  const numbersOf = (offset: number): [Expression, Expression] =>
    aligned ? [add(outerOwn, offset / inner), innerOwn] : divide(kernel, add(localThread, offset), inner);
  const place = (quarter: Expression) => {
    const across = kernel.letIn("across", mul(quarter, 4));
    const number = kernel.letIn("place", add(first, across));
    return { across, indices: operand.across.fourAt(kernel, number, operand.across.extent % panel.width === 0) };
  };
  const fill = (step: Expression, slot: Expression, along: Expression, at: ReturnType<typeof place>): void => {
    const store = (): void => {
      const asked = kernel.letIn("k", add(step, along));
      const ragged = k % depth !== 0;
      const summed = operand.summed.at(kernel, ragged ? kernel.letIn("k", min(asked, k - 1)) : asked);
      const values = at.indices.map((map) => outer.child(new Map([...map, ...summed])).lower(factor));
      const four = values.length === 1 ? splat(values[0]!) : vector(values.map((value) => lane(value, 0)));
      // Both operands become 0 beyond the end: 0 times what lies there need not be 0.
      panel.store(along, at.across, ragged ? select(splat(lt(asked, k)), four, zeros) : four);
    };
    if (total % threads === 0) store();
    else kernel.ifThen(lt(slot, total), store);
  };
  if (aligned && !depthFastest) {
    const at = place(innerOwn);
    return (step) =>
      kernel.forLoop("s", 0, offsets.length, 1, (s) => {
        const along = kernel.letIn("along", add(outerOwn, mul(s, threads / inner)));
        fill(step, add(localThread, mul(s, threads)), along, at);
      });
  }
  const slots = offsets.map((offset) => {
    const [high, low] = numbersOf(offset);
    const [quarter, along] = depthFastest ? [high, low] : [low, high];
    return { slot: add(localThread, offset), along, at: place(quarter) };
  });
  return (step) => {
    for (const { slot, along, at } of slots) fill(step, slot, along, at);
  };
}
