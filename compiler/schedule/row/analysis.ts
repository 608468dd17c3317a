/**
 * A row group as passes over the reduction indices, for one point of the parallel ones. Reductions of a pass are known
 * when it ends; what needs them comes in a later pass. Groups without reductions are rows of one element.
 */
import type { Scalar } from "../../graph/graph.ts";
import { readsOf, visitScalars } from "../../graph/traverse.ts";
import { isScalarName, rowOf } from "../../scalar/table.ts";
import type { FusionGroup, Member } from "../group.ts";
import { isFull, memberOf } from "../group.ts";

export interface Pass {
  /** Maps over the whole domain that are computed at every point of this pass, in dependency order. */
  readonly evaluate: readonly Member[];
  /** Those of them whose results are written in this pass; later passes read them back. */
  readonly write: ReadonlySet<Member>;
  readonly reductions: readonly Member[];
  /** Maps over the parallel indices that are known when the pass has ended, in dependency order. */
  readonly after: readonly Member[];
}
export interface RowAnalysis {
  readonly group: FusionGroup;
  /** Maps over the parallel indices that need no reduction. */
  readonly before: readonly Member[];
  readonly passes: readonly Pass[];
}

export function analyseRow(group: FusionGroup): RowAnalysis {
  // For a map over the whole domain and for a reduction: the first pass that can compute it. For a map over the parallel
  // indices: the number of passes that must have ended.
  const first = new Map<Member, number>();
  // A counter that is increased reads its own memory: what lay there before.
  const operands = (member: Member): Member[] =>
    readsOf(member.body)
      .flatMap(({ tensor }) => memberOf(group, tensor) ?? [])
      .filter((operand) => operand !== member);
  const full = (member: Member): boolean => member.node.combiner === "map" && isFull(group, member);
  for (const member of group.members) {
    const ready = operands(member).map((operand) => first.get(operand)! + (operand.node.combiner === "map" ? 0 : 1));
    first.set(member, Math.max(0, ...ready));
  }
  const inPass = (member: Member): boolean => member.node.combiner !== "map" || full(member);
  const count = Math.max(0, ...group.members.filter(inPass).map((member) => first.get(member)! + 1));
  const isStored = (member: Member): boolean => member.node.results.some((result) => group.stored.has(result));
  const scalars = (pass: number): Member[] =>
    group.members.filter((member) => !inPass(member) && first.get(member) === pass);

  const passes = Array.from({ length: count }, (_, pass): Pass => {
    const here = group.members.filter((member) => inPass(member) && first.get(member) === pass);
    const reductions = here.filter((member) => member.node.combiner !== "map");
    const write = new Set(here.filter((member) => full(member) && isStored(member)));
    const needed = new Set<Member>();
    const need = (member: Member): void => {
      if (needed.has(member)) return;
      needed.add(member);
      for (const operand of operands(member))
        if (full(operand) && !(isStored(operand) && first.get(operand)! < pass)) need(operand);
    };
    for (const member of [...reductions, ...write]) need(member);
    const evaluate = group.members.filter((member) => full(member) && needed.has(member));
    return { evaluate, write, reductions, after: scalars(pass + 1) };
  });
  return { group, before: scalars(0), passes };
}

/** Values dearer than this are worth keeping in memory rather than computing again. */
export const dear = 8;

/** Rough cost of a body: floating-point operations, a load counting as one. */
export function costOf(body: Scalar): number {
  let cost = 0;
  visitScalars([body], (scalar) => {
    if (scalar.kind === "apply") cost += isScalarName(scalar.name) ? rowOf(scalar.name).cost : 1;
    if (scalar.kind === "read") cost += 1;
  });
  return cost;
}
