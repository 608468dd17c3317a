/**
 * `scatter_add` on a GPU without float atomics, so that the same sums come out every time. Points of the domain whose
 * targets may meet are linked in lists, in order: one kernel computes each point's target, one finds for each point the
 * next point with the same target (every pair is compared, by tiles in workgroup memory), and one walks the list of every
 * first point. Indices that alone address an axis of the result (the features of an embedding) never meet: they are not
 * part of the lists, and the walk runs for all of them side by side.
 */
import { isAffine, provedInRange } from "../../graph/affine.ts";
import { fixed } from "../../graph/builder.ts";
import type { Axis, ScatterAddNode } from "../../graph/graph.ts";
import { indicesOfCoordinate } from "../../graph/traverse.ts";
import { invariant } from "../../invariant.ts";
import { add, and, constant, eq, ge, gt, i32, KernelBuilder, load, lt, min, mul, select } from "../../kernel/build.ts";
import type { Dispatch, Expression } from "../../kernel/ir.ts";
import { type IndexValue, indexAt, sharedBase } from "../address.ts";
import { divide, gridOf, localThread, pointOf, product } from "../gpu/grid.ts";
import type { BuildContext } from "../group.ts";
import { Lowering } from "../lower.ts";
import { Operands } from "../operands.ts";
import type { Placed } from "../program.ts";

const threads = 256;

/** Positions of indices that alone make up a coordinate: different values never share a target. */
function freeIndices(node: ScatterAddNode): number[] {
  const extents = node.domain.map(({ extent }) => extent);
  const { shape } = node.results[0]!.type;
  return node.domain.flatMap((_, position) => {
    const users = node.coordinates.flatMap((coordinate, axis) =>
      indicesOfCoordinate(coordinate).has(position) ? [{ coordinate, axis }] : [],
    );
    const [user, ...more] = users;
    if (!user || more.length > 0 || user.coordinate.terms.length !== 1 || !isAffine(user.coordinate)) return [];
    return provedInRange(user.coordinate, extents, shape[user.axis]!) ? [position] : [];
  });
}

export function scatterGpu(node: ScatterAddNode, context: BuildContext): readonly Dispatch<Placed>[] {
  const [result] = node.results;
  invariant(result !== undefined, "scatter_add has a result");
  const free = freeIndices(node);
  const listed = node.domain.map((_, position) => position).filter((position) => !free.includes(position));
  const axesAt = (positions: readonly number[]): Axis[] => positions.map((position) => node.domain[position]!);
  const count = product(axesAt(listed));
  const width = product(axesAt(free));
  const cells = { target: context.scratch(count), next: context.scratch(count), later: context.scratch(count) };
  const follows = context.scratch(count);
  const label = result.name;

  function begin(name: string, workgroups: number) {
    const kernel = new KernelBuilder(context.name(`${label} ${name}`), "gpu", [threads, 1, 1]);
    const operands = new Operands(kernel, context);
    const grid = gridOf(kernel, workgroups);
    const number = kernel.letIn("number", add(mul(grid.number, threads), localThread));
    const cell = (hint: string, place: Placed, access: "read" | "write") => operands.bind(hint, "i32", place, access);
    const finish = () => operands.dispatch({ label, origin: node.origin, workgroups: grid.workgroups });
    return { kernel, operands, grid, number, cell, finish };
  }
  function indicesAt(kernel: KernelBuilder, number: Expression, positions: readonly number[]): [number, IndexValue][] {
    const extents = positions.map((position) => node.domain[position]!.extent);
    return pointOf(kernel, number, extents).map((value, k) => [positions[k]!, indexAt(value, 0, extents[k]! - 1)]);
  }
  const unknown = (): (IndexValue | undefined)[] => node.domain.map(() => undefined);

  /** Each listed point's target (the free indices at 0), or -1 where it is dropped. */
  function findTargets(): Dispatch<Placed> {
    const { kernel, operands, number, cell, finish } = begin("targets", Math.ceil(count / threads));
    kernel.ifThen(lt(number, count), () => {
      const lowering = new Lowering(operands, { indices: unknown() }).child(new Map(indicesAt(kernel, number, listed)));
      const coordinates = node.coordinates.map((coordinate) =>
        free.some((position) => indicesOfCoordinate(coordinate).has(position)) ? fixed(0) : coordinate,
      );
      const strides = context.layout(result!).strides;
      const { offset, inside } = lowering.place({ buffer: "", type: "i32", strides }, result!, coordinates);
      const target = sharedBase(offset);
      invariant(target, "a point has one target");
      const dropped = inside !== undefined && node.outside === "drop";
      kernel.store(cell("target", cells.target, "write"), number, dropped ? select(inside, target, i32(-1)) : target);
      kernel.store(cell("follows", follows, "write"), number, i32(0));
    });
    return finish();
  }

  /** For each point the next one with the same target, and how many there are from it on. */
  function link(): Dispatch<Placed> {
    const tiles = Math.ceil(count / threads);
    const { kernel, grid, number, cell, finish } = begin("links", tiles);
    const tile = kernel.local("tile", "i32", "workgroup", threads);
    const targets = cell("target", cells.target, "read");
    const own = kernel.letIn("own", load(targets, "i32", min(number, count - 1)));
    const next = kernel.declare("next", i32(count));
    const later = kernel.declare("later", i32(0));
    kernel.forLoop("t", grid.number, tiles, 1, (t) => {
      const start = kernel.letIn("start", mul(t, threads));
      kernel.store(tile, localThread, load(targets, "i32", min(add(start, localThread), count - 1)));
      kernel.barrier();
      kernel.forLoop("i", 0, threads, 1, (i) => {
        const other = kernel.letIn("other", add(start, i));
        const meets = kernel.letIn(
          "meets",
          and(eq(load(tile, "i32", i), own), and(ge(other, number), lt(other, count))),
        );
        kernel.assign(later, select(meets, add(later, 1), later));
        kernel.assign(next, select(and(meets, gt(other, number)), min(next, other), next));
      });
      kernel.barrier();
    });
    kernel.ifThen(lt(number, count), () => {
      kernel.store(cell("next", cells.next, "write"), number, next);
      kernel.store(cell("later", cells.later, "write"), number, later);
      // Every point follows one other at most.
      kernel.ifThen(lt(next, count), () => kernel.store(cell("follows", follows, "write"), next, i32(1)));
    });
    return finish();
  }

  /** A thread for each listed point that follows none, and each value of the free indices. */
  function addUp(): Dispatch<Placed> {
    const { kernel, operands, number, cell, finish } = begin("sum", Math.ceil((count * width) / threads));
    kernel.ifThen(lt(number, count * width), () => {
      const [point, along] = divide(kernel, number, width);
      const first = kernel.letIn("first", load(cell("follows", follows, "read"), "i32", point));
      const target = kernel.letIn("target_here", load(cell("target", cells.target, "read"), "i32", point));
      kernel.ifThen(and(eq(first, 0), ge(target, 0)), () => {
        const outer = new Lowering(operands, { indices: unknown() }).child(new Map(indicesAt(kernel, along, free)));
        const type = node.body.type;
        const sum = kernel.declare("sum", constant(type, 0));
        const current = kernel.declare("current", point);
        const length = kernel.letIn("length", load(cell("later", cells.later, "read"), "i32", point));
        kernel.forLoop("i", 0, length, 1, () => {
          const here = kernel.letIn("here", min(current, count - 1));
          const inner = outer.child(new Map(indicesAt(kernel, here, listed)));
          kernel.assign(sum, add(sum, inner.lower(node.body)));
          kernel.assign(current, load(cell("next", cells.next, "read"), "i32", here));
        });
        const last = outer.child(new Map(indicesAt(kernel, point, listed)));
        const operand = operands.write(result!);
        const { offset } = last.place(operand, result!, node.coordinates);
        const at = sharedBase(offset);
        invariant(at, "a point has one target");
        kernel.store(operand.buffer, at, sum);
      });
    });
    return finish();
  }

  return [findTargets(), link(), addUp()];
}
