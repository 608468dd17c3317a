/** What the members of a group become inside a GPU kernel: maps, accumulators of a pass, stores. */
import type { Coordinate, Tensor } from "../../graph/graph.ts";
import { invariant } from "../../invariant.ts";
import type { KernelBuilder } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";
import { Accumulator } from "../accumulate.ts";
import type { IndexValue } from "../address.ts";
import { lowerCoordinate, toExpression } from "../address.ts";
import type { FusionGroup, Member } from "../group.ts";
import type { Lowering } from "../lower.ts";
import type { Pass, RowAnalysis } from "../row/analysis.ts";
import { combiningOnGpu, partialOf } from "./combining.ts";
import type { Indices } from "./domain.ts";

/** A reduction's own row-major position at a point. */
export function positionOf(coordinate: Coordinate, parallel: Indices, reduction: Indices): Expression {
  const index = (position: number): IndexValue => {
    const value = reduction.get(position) ?? parallel.get(position);
    invariant(value, "a position is affine in the group's indices");
    return value;
  };
  const never = (): never => invariant(false, "a position is affine") as never;
  return toExpression(lowerCoordinate(coordinate, { index, table: never, data: never }).value);
}

export function accumulatorsOf(kernel: KernelBuilder, pass: Pass): Accumulator[] {
  return pass.reductions.map(({ node, body }) => new Accumulator(kernel, combiningOnGpu(node.combiner, body.type), 1));
}

/** Computes in front of a pass's loop what does not change in it. */
export function hoistPass(outer: Lowering, pass: Pass): void {
  const inside = new Set(pass.evaluate.flatMap(({ node }) => node.results));
  for (const member of [...pass.evaluate, ...pass.reductions]) outer.hoist(member.body, inside);
}

/** One element of a row in one pass. */
export function passBody(
  kernel: KernelBuilder,
  inner: Lowering,
  group: FusionGroup,
  pass: Pass,
  accumulators: readonly Accumulator[],
  positionAt: (coordinate: Coordinate) => Expression,
  valid: Expression | undefined,
): void {
  defineMaps(inner, pass.evaluate);
  for (const [k, member] of pass.reductions.entries()) {
    const value = kernel.letIn("value", inner.lower(member.body));
    accumulators[k]!.take(
      partialOf(member.node.combiner, value, () => positionAt(member.position)),
      true,
    );
  }
  storeRows(kernel, inner, group, [...pass.write], valid);
}

export function defineMaps(lowering: Lowering, maps: readonly Member[]): void {
  for (const { node, body } of maps) lowering.define(node.results[0]!, lowering.lower(body));
}
export function defineResults(
  kernel: KernelBuilder,
  lowering: Lowering,
  results: readonly Tensor[],
  values: readonly Expression[],
): void {
  for (const [k, result] of results.entries()) lowering.define(result, kernel.letIn(result.name, values[k]!));
}

/** The members with one value a row. */
export function rowMembers({ before, passes }: RowAnalysis): Member[] {
  return [...before, ...passes.flatMap((pass) => [...pass.reductions, ...pass.after])];
}

/** Stores those of the members' results that are read outside of the group. */
export function storeRows(
  kernel: KernelBuilder,
  lowering: Lowering,
  group: FusionGroup,
  members: readonly Member[],
  condition: Expression | undefined,
): void {
  const stored = members.flatMap((member) =>
    member.node.results.filter((result) => group.stored.has(result)).map((result) => ({ result, at: member.at })),
  );
  if (stored.length === 0) return;
  const write = (inside: Lowering): void => {
    for (const { result, at } of stored) {
      const value = inside.value(result);
      invariant(value, `${result.name} is computed before it is stored`);
      inside.store(result, at, value);
    }
  };
  if (condition === undefined) write(lowering);
  else kernel.ifThen(condition, () => write(lowering.child(new Map())));
}

export const labelOf = (group: FusionGroup): string =>
  [...group.stored].map(({ name }) => name).join(" ") || group.members.at(-1)!.node.results[0]!.name;
export const originOf = (group: FusionGroup) => group.members.at(-1)?.node.origin;
