/**
 * Merge sort from the bottom up: neighbouring runs of 1, 2, 4, .. elements are merged from one half of the scratch memory
 * into the other. Which run gives the next element is chosen without a branch. Rows are independent.
 */
import type { SortNode } from "../../graph/graph.ts";
import {
  add,
  and,
  apply,
  eq,
  i32,
  KernelBuilder,
  le,
  load,
  lt,
  min,
  mul,
  or,
  select,
  sub,
} from "../../kernel/build.ts";
import type { Dispatch, Expression } from "../../kernel/ir.ts";
import type { BuildContext } from "../group.ts";
import { Operands } from "../operands.ts";
import type { Placed } from "../program.ts";
import { rowsOf, sortKey } from "./analysis.ts";

export function sortCpu(node: SortNode, context: BuildContext): Dispatch<Placed> {
  const { positions, count, length, start } = rowsOf(node);
  const kernel = new KernelBuilder(context.name(positions.name), "cpu");
  const operands = new Operands(kernel, context);
  const source = operands.read(node.source);
  const target = operands.write(positions);
  const keys = kernel.ownScratch("keys", "u32", 2 * length);
  const places = kernel.ownScratch("places", "i32", 2 * length);
  const levels = Math.ceil(Math.log2(length));

  const shifted = (value: Expression, by: Expression) => apply("shift_left", "i32", value, by);
  /** Merges the pairs of runs of `2^level` elements. */
  const merge = (level: Expression): void => {
    const width = kernel.letIn("width", shifted(i32(1), level));
    const from = kernel.letIn("from", mul(apply("bit_and", "i32", level, i32(1)), length));
    const to = kernel.letIn("to", sub(length, from));
    const pairs = add(apply("shift_right", "i32", i32(length - 1), add(level, 1)), 1);
    kernel.forLoop("pair", 0, kernel.letIn("pairs", pairs), 1, (pair) => {
      const first = kernel.letIn("first", shifted(pair, add(level, 1)));
      const middle = kernel.letIn("middle", min(add(first, width), length));
      const last = kernel.letIn("last", min(add(first, mul(width, 2)), length));
      const left = kernel.declare("left", first);
      const right = kernel.declare("right", middle);
      kernel.forLoop("k", first, last, 1, (k) => {
        const one = kernel.letIn("one", load(keys, "u32", add(from, min(left, length - 1))));
        const other = kernel.letIn("other", load(keys, "u32", add(from, min(right, length - 1))));
        const takesLeft = kernel.letIn("takes_left", and(lt(left, middle), or(eq(right, last), le(one, other))));
        const taken = kernel.letIn("taken", add(from, select(takesLeft, left, right)));
        kernel.store(keys, add(to, k), select(takesLeft, one, other));
        kernel.store(places, add(to, k), load(places, "i32", taken));
        kernel.assign(right, select(takesLeft, right, add(right, 1)));
        kernel.assign(left, select(takesLeft, add(left, 1), left));
      });
    });
  };

  const sortRow = (row: Expression): void => {
    const read = start(kernel, row, source.strides);
    kernel.forLoop("k", 0, length, 1, (k) => {
      const value = kernel.letIn(
        "value",
        load(source.buffer, source.type, add(read, mul(k, source.strides[node.axis]!))),
      );
      kernel.store(keys, k, sortKey(kernel, value));
      kernel.store(places, k, k);
    });
    kernel.forLoop("level", 0, levels, 1, merge);
    const write = start(kernel, row, target.strides);
    kernel.forLoop("k", 0, length, 1, (k) => {
      const place = load(places, "i32", add(k, levels % 2 === 0 ? 0 : length));
      kernel.store(target.buffer, add(write, mul(k, target.strides[node.axis]!)), place);
    });
  };
  kernel.forLoop("row", 0, count, 1, sortRow, { outer: true });
  return operands.dispatch({ label: positions.name, origin: node.origin });
}
