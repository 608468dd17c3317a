/** How many vectors of a row are computed side by side, so that they do not wait for each other's operations. */
import { hasData } from "../../graph/affine.ts";
import { visitScalars } from "../../graph/traverse.ts";
import type { FusionGroup } from "../group.ts";
import type { Lowering } from "../lower.ts";
import type { Pass } from "./analysis.ts";
import { costOf } from "./analysis.ts";

const workOf = (pass: Pass): number =>
  [...pass.evaluate, ...pass.reductions].reduce((total, { body }) => total + costOf(body), 0);

/** About four, so that few are left over: what is left runs one by one. */
const about = (vectors: number): number => [4, 5, 3].find((count) => vectors % count === 0) ?? 4;

/** Accumulators of a pass over so many vectors: they hide the latency of the combination; dear bodies have enough to do. */
export function accumulatorCount(pass: Pass, vectors: number): number {
  if (pass.reductions.length === 0) return 1;
  const work = workOf(pass);
  const count = work <= 8 ? about(vectors) : work <= 20 ? 2 : 1;
  return Math.max(1, Math.min(count, vectors));
}

/** Rows of fewer vectors are over before several at a time would gain what their code costs. */
const longRow = 32;

/**
 * Vectors of one iteration: dear bodies are chains of operations, and not much code up to some length. What gathers makes its
 * vectors of single elements: much code, that waits for memory anyhow.
 */
export function vectorsAbreast(pass: Pass, vectors: number, accumulators: number): number {
  const work = workOf(pass);
  if (vectors < longRow || gathers(pass)) return accumulators;
  return work > 8 && work <= 40 ? about(vectors) : accumulators;
}
function gathers(pass: Pass): boolean {
  let found = false;
  for (const { body } of [...pass.evaluate, ...pass.reductions])
    visitScalars([body], (scalar) => {
      if (scalar.kind === "read" && scalar.coordinates.some(hasData)) found = true;
    });
  return found;
}

/**
 * Reads what a pass needs of memory that its group does not write: before the first result of an iteration is stored, so
 * that engines, who do not know that a store changes none of it, may compute its vectors in any order.
 */
export function readAhead(pass: Pass, group: FusionGroup, lowering: Lowering): void {
  const own = new Set(group.members.flatMap(({ node }) => node.results));
  for (const { body } of [...pass.evaluate, ...pass.reductions])
    visitScalars([body], (scalar) => {
      if (scalar.kind === "read" && !own.has(scalar.tensor)) lowering.lower(scalar);
    });
}
