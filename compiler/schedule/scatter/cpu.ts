/**
 * `scatter_add` on the CPU: a loop over the domain that adds to memory, after a fill with zeros. Lanes run along an index
 * that moves the target by one element at a time, so that they never meet; the rest is one after the other, in order.
 */
import { provedInRange } from "../../graph/affine.ts";
import type { ScatterAddNode } from "../../graph/graph.ts";
import { indicesOf, indicesOfCoordinate } from "../../graph/traverse.ts";
import { invariant } from "../../invariant.ts";
import { add, KernelBuilder, load } from "../../kernel/build.ts";
import type { Dispatch, Expression } from "../../kernel/ir.ts";
import type { IndexValue } from "../address.ts";
import { indexAt, indexLanes, sharedBase } from "../address.ts";
import type { BuildContext } from "../group.ts";
import { Lowering } from "../lower.ts";
import { Operands } from "../operands.ts";
import type { Placed } from "../program.ts";

/** The index along which four neighbours add to four neighbouring elements. */
function laneIndex(node: ScatterAddNode, strides: readonly number[]): number | undefined {
  const extents = node.domain.map(({ extent }) => extent);
  const { shape } = node.results[0]!.type;
  for (let position = node.domain.length - 1; position >= 0; position--) {
    if (extents[position]! < 4) continue;
    const users = node.coordinates.flatMap((coordinate, axis) =>
      indicesOfCoordinate(coordinate).has(position) ? [{ coordinate, axis }] : [],
    );
    const [user, ...more] = users;
    if (user === undefined || more.length > 0 || strides[user.axis] !== 1) continue;
    const { coordinate, axis } = user;
    const own = coordinate.terms.find((term) => term.kind === "affine" && term.position === position);
    if (own?.kind !== "affine" || own.coefficient !== 1) continue;
    if (coordinate.terms.some((term) => term.kind === "data" && indicesOf(term.read).has(position))) continue;
    if (provedInRange(coordinate, extents, shape[axis]!)) return position;
  }
  return undefined;
}

export function scatterCpu(node: ScatterAddNode, context: BuildContext): Dispatch<Placed> {
  const [result] = node.results;
  invariant(result !== undefined, "scatter_add has a result");
  const kernel = new KernelBuilder(context.name(result.name), "cpu");
  const operands = new Operands(kernel, context);
  const lanes = laneIndex(node, context.layout(result).strides);
  const order = node.domain.map((_, position) => position).filter((position) => position !== lanes);

  const addHere = (lowering: Lowering): void => {
    const value = lowering.lower(node.body);
    const target = operands.write(result);
    operands.read(result);
    const { offset, inside } = lowering.place(target, result, node.coordinates);
    const width = value.lanes === 4 || (sharedBase(offset) === undefined && offset.each === undefined) ? 4 : 1;
    const first = offset.each === undefined ? offset.base : offset.each[0];
    const write = (): void => {
      const place = kernel.letIn("at", first);
      kernel.store(target.buffer, place, add(load(target.buffer, target.type, place, width), value));
    };
    if (inside === undefined || node.outside === "clamp") write();
    else kernel.ifThen(inside, write);
  };
  const open = (k: number, lowering: Lowering): void => {
    lowering.hoist(node.body);
    const position = order[k];
    if (position !== undefined) {
      const { extent } = node.domain[position]!;
      kernel.forLoop("i", 0, extent, 1, (base) =>
        open(k + 1, lowering.child(new Map([[position, indexAt(base, 0, extent - 1)]]))),
      );
      return;
    }
    if (lanes === undefined) {
      addHere(lowering);
      return;
    }
    const { extent } = node.domain[lanes]!;
    const full = Math.floor(extent / 4) * 4;
    const here = (index: (base: Expression) => IndexValue) => (base: Expression) =>
      addHere(lowering.child(new Map([[lanes, index(base)]])));
    kernel.forLoop(
      "v",
      0,
      full,
      4,
      here((base) => indexLanes(base, 0, extent - 1)),
    );
    kernel.forLoop(
      "s",
      full,
      extent,
      1,
      here((base) => indexAt(base, 0, extent - 1)),
    );
  };
  open(0, new Lowering(operands, { indices: node.domain.map(() => undefined) }));
  return operands.dispatch({ label: result.name, origin: node.origin });
}
