/**
 * A contraction with an index cut in two, `i = size * block + element`. Blocks of a row or a column become batch indices:
 * what is packed for one fits a cache. Blocks of the sum run outside of the tiles.
 */
import { normalize } from "../../graph/affine.ts";
import type { Axis, Coordinate, Scalar } from "../../graph/graph.ts";
import { indexSubstituter, indicesOf } from "../../graph/traverse.ts";
import type { FusionGroup, Member } from "../group.ts";
import type { Contraction, Factor } from "./analysis.ts";

/** Undefined where some place has no form over the new indices. `size` divides the index's extent. */
export function splitIndex(contraction: Contraction, position: number, size: number): Contraction | undefined {
  const { group } = contraction;
  const axes = [...group.parallel, ...group.reduction];
  const { name, extent } = axes[position]!;
  const halves: Axis[] = [
    { name: `${name}_block`, extent: extent / size },
    { name, extent: size },
  ];
  const split = [...axes.slice(0, position), ...halves, ...axes.slice(position + 1)];
  /** The index that has the same values, or the elements of the blocks. */
  const moved = (old: number): number => (old < position ? old : old + 1);
  const by = (old: number): Coordinate =>
    normalize(0, [
      ...(old === position ? [{ kind: "affine", coefficient: size, position } as const] : []),
      { kind: "affine", coefficient: 1, position: moved(old) },
    ]);
  const index = (at: number): Scalar => ({ kind: "index", type: "i32", position: at });
  const value = (old: number): Scalar => {
    if (old !== position) return index(moved(old));
    const start: Scalar = {
      kind: "apply",
      type: "i32",
      name: "mul",
      arguments: [index(position), { kind: "constant", type: "i32", value: size }],
    };
    return { kind: "apply", type: "i32", name: "add", arguments: [start, index(position + 1)] };
  };
  const substituter = indexSubstituter({ by, value, extents: split.map((axis) => axis.extent) });

  const members = new Map<Member, Member>();
  for (const member of group.members) {
    const body = substituter.scalar(member.body);
    const at = member.at.map((coordinate) => substituter.coordinate(coordinate));
    const found = at.filter((coordinate) => coordinate !== undefined);
    const own = substituter.coordinate(member.position);
    if (body === undefined || own === undefined || found.length < at.length) return undefined;
    members.set(member, { ...member, body, at: found, position: own });
  }
  const factor = ({ body }: Factor): Factor | undefined => {
    const over = substituter.scalar(body);
    return over && { body: over, positions: indicesOf(over) };
  };
  const [left, right] = [factor(contraction.left), factor(contraction.right)];
  if (left === undefined || right === undefined) return undefined;
  const isParallel = position < group.parallel.length;
  const parallel = group.parallel.length + Number(isParallel);
  const all = [...members.values()];
  const whole: FusionGroup = {
    ...group,
    parallel: split.slice(0, parallel),
    reduction: split.slice(parallel),
    members: all,
  };
  const rest = (positions: readonly number[]): number[] => positions.map(moved);
  return {
    group: whole,
    root: members.get(contraction.root)!,
    left,
    right,
    batch: [...rest(contraction.batch), ...(isParallel ? [position] : [])],
    rows: rest(contraction.rows),
    columns: rest(contraction.columns),
    summed: [...(isParallel ? [] : [position]), ...rest(contraction.summed)],
    epilogue: contraction.epilogue.map((member) => members.get(member)!),
  };
}
