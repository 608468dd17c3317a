/**
 * Merge sort on a GPU, a thread an element. An element of a run finds its place among both runs of a pair by itself: its
 * own place and, by halving, how many elements of the other run stand before it. Pieces of rows that fit a workgroup are
 * sorted in its memory, longer runs are merged by one dispatch each. Whole numbers alone are compared, and equal ones by
 * which run they are of, so that every device finds the same positions.
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
  max,
  min,
  mul,
  or,
  select,
  sub,
} from "../../kernel/build.ts";
import type { Dispatch, Expression } from "../../kernel/ir.ts";
import { divide, gridOf, localThread, powerOfTwoFrom } from "../gpu/grid.ts";
import type { BuildContext } from "../group.ts";
import { Operands } from "../operands.ts";
import type { Placed } from "../program.ts";
import { lastKey, rowsOf, sortKey } from "./analysis.ts";

const threads = 256;

export function sortGpu(node: SortNode, context: BuildContext): readonly Dispatch<Placed>[] {
  const { positions, count, length, start } = rowsOf(node);
  const label = positions.name;
  const piece = Math.min(threads, powerOfTwoFrom(length));
  const pieces = Math.ceil(length / piece);

  function begin(name: string, work: number) {
    const kernel = new KernelBuilder(context.name(`${label} ${name}`), "gpu", [threads, 1, 1]);
    const operands = new Operands(kernel, context);
    const grid = gridOf(kernel, Math.ceil(work / threads));
    const number = kernel.letIn("number", add(mul(grid.number, threads), localThread));
    const finish = (scalars: readonly number[] = []) =>
      operands.dispatch({ label, origin: node.origin, workgroups: grid.workgroups, scalars });
    return { kernel, operands, number, finish };
  }
  const write = (kernel: KernelBuilder, operands: Operands, row: Expression, slot: Expression, place: Expression) => {
    const target = operands.write(positions);
    const at = add(start(kernel, row, target.strides), mul(slot, target.strides[node.axis]!));
    kernel.store(target.buffer, at, place);
  };

  /** Every piece of every row. Behind a row's end stand keys that no element's is greater than. */
  function sortPieces(keys: Placed | undefined, places: Placed | undefined): Dispatch<Placed> {
    const { kernel, operands, number, finish } = begin("pieces", count * pieces * piece);
    const [asked, element] = divide(kernel, number, pieces * piece);
    const valid = kernel.letIn("valid", and(lt(asked, count), lt(element, length)));
    const row = kernel.letIn("row", min(asked, count - 1));
    const source = operands.read(node.source);
    const from = add(start(kernel, row, source.strides), mul(min(element, length - 1), source.strides[node.axis]!));
    const value = kernel.letIn("value", load(source.buffer, source.type, from));
    const key = kernel.letIn("key", select(valid, sortKey(kernel, value), lastKey));
    const shared = kernel.local("shared", "u32", "workgroup", threads);
    const slot = kernel.declare("slot", localThread);
    kernel.store(shared, localThread, key);
    kernel.barrier();
    kernel.forLoop("level", 0, Math.log2(piece), 1, (level) => {
      const run = runOf(kernel, slot, level);
      const before = countBefore(kernel, key, run, level, undefined, (at) => load(shared, "u32", add(run.other, at)));
      kernel.barrier();
      kernel.assign(slot, add(run.own, before));
      kernel.store(shared, slot, key);
      kernel.barrier();
    });
    const first = sub(element, apply("bit_and", "i32", localThread, i32(piece - 1)));
    const place = kernel.letIn("place", add(first, apply("bit_and", "i32", slot, i32(piece - 1))));
    kernel.ifThen(valid, () => {
      if (keys === undefined || places === undefined) {
        write(kernel, operands, row, place, element);
        return;
      }
      const at = kernel.letIn("at", add(mul(row, length), place));
      kernel.store(operands.bind("keys", "u32", keys, "write"), at, key);
      kernel.store(operands.bind("places", "i32", places, "write"), at, element);
    });
    return finish();
  }

  /** The pairs of runs of `2^level` elements, into other memory or, the last ones, into the result. */
  function mergeRuns(level: number, from: Run, to: Run | undefined): Dispatch<Placed> {
    const { kernel, operands, number, finish } = begin("merge", count * length);
    const exponent = kernel.scalar("level");
    kernel.ifThen(lt(number, count * length), () => {
      const keys = operands.bind("keys", "u32", from.keys, "read");
      const places = operands.bind("places", "i32", from.places, "read");
      const [row, slot] = divide(kernel, number, length);
      const key = kernel.letIn("key", load(keys, "u32", number));
      const place = kernel.letIn("place", load(places, "i32", number));
      const run = runOf(kernel, slot, exponent);
      const start = kernel.letIn("start", mul(row, length));
      const size = kernel.letIn("size", max(min(sub(length, run.other), run.width), 0));
      const other = (at: Expression) => load(keys, "u32", add(start, min(add(run.other, at), length - 1)));
      const next = kernel.letIn("next", add(run.own, countBefore(kernel, key, run, exponent, size, other)));
      if (to === undefined) {
        write(kernel, operands, row, next, place);
        return;
      }
      const at = kernel.letIn("at", add(start, next));
      kernel.store(operands.bind("next_keys", "u32", to.keys, "write"), at, key);
      kernel.store(operands.bind("next_places", "i32", to.places, "write"), at, place);
    });
    return finish([level]);
  }

  if (pieces === 1) return [sortPieces(undefined, undefined)];
  const memory = (): Run => ({ keys: context.scratch(count * length), places: context.scratch(count * length) });
  let [from, to] = [memory(), memory()];
  const dispatches = [sortPieces(from.keys, from.places)];
  for (let level = Math.log2(piece); 2 ** level < length; level++) {
    dispatches.push(mergeRuns(level, from, 2 ** (level + 1) < length ? to : undefined));
    [from, to] = [to, from];
  }
  return dispatches;
}

interface Run {
  readonly keys: Placed;
  readonly places: Placed;
}

/** The pair of runs of `2^level` slots that a slot is in. */
function runOf(kernel: KernelBuilder, slot: Expression, level: Expression) {
  const width = kernel.letIn("width", apply("shift_left", "i32", i32(1), level));
  const run = kernel.letIn("run", apply("shift_right", "i32", slot, level));
  const isRight = kernel.letIn("is_right", eq(apply("bit_and", "i32", run, i32(1)), 1));
  const other = kernel.letIn("other", apply("shift_left", "i32", apply("bit_xor", "i32", run, i32(1)), level));
  // The slot in the merged pair if nothing of the other run stood before it.
  const own = kernel.letIn("own", select(isRight, sub(slot, width), slot));
  return { width, isRight, other, own };
}

/** How many keys of the other run, of `size` elements (all of its width if not given), stand before one of this run. */
function countBefore(
  kernel: KernelBuilder,
  key: Expression,
  { width, isRight }: ReturnType<typeof runOf>,
  level: Expression,
  size: Expression | undefined,
  other: (at: Expression) => Expression,
): Expression {
  const found = kernel.declare("found", i32(0));
  kernel.forLoop("k", 0, kernel.letIn("halvings", add(level, 1)), 1, (k) => {
    const more = kernel.letIn("more", add(found, apply("shift_right", "i32", width, k)));
    const limit = size ?? width;
    const candidate = kernel.letIn("candidate", other(sub(min(more, width), 1)));
    const isBefore = or(lt(candidate, key), and(isRight, le(candidate, key)));
    kernel.assign(found, select(and(le(more, limit), isBefore), more, found));
  });
  return found;
}
