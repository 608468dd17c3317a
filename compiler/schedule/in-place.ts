/**
 * Results that are written where an operand lay. A result may take the memory of what its kernel reads for the last time if
 * every point reads that memory only at the place where it writes the result, and before it does: then no point, and no
 * thread, meets what another has written.
 */
import type { GenericNode, Node, Tensor } from "../graph/graph.ts";
import { readsOf } from "../graph/traverse.ts";
import { flatOffset, flatRead, sameCoordinate } from "./align.ts";
import type { FusionGroup, Member, Target } from "./group.ts";
import { isFull, memberOf } from "./group.ts";
import type { Unit } from "./grouping.ts";
import { bytesOf } from "./liveness.ts";
import { storageType } from "./operands.ts";
import { operandsOfUnit } from "./order.ts";
import type { RowAnalysis } from "./row/analysis.ts";
import { analyseRow } from "./row/analysis.ts";
import { shareDear } from "./row/share.ts";

/** Whether a group that may read `memory` reads it only where, and before, it writes `value`. */
export function mayOverwrite(
  group: FusionGroup,
  memory: Tensor,
  value: Tensor,
  source: (tensor: Tensor) => Tensor,
  target: Target,
): boolean {
  const readsIt = ({ body }: Member) => readsOf(body).filter(({ tensor }) => source(tensor) === memory);
  const reads = group.members.flatMap(readsIt);
  if (reads.length === 0) return true;
  const member = memberOf(group, value);
  if (member?.node.combiner !== "map") return false;
  const extents = [...group.parallel, ...group.reduction].map(({ extent }) => extent);
  const place = flatOffset(member.at, value.type.shape);
  const isHere = reads.every((read) => {
    const flat = flatRead(read, extents);
    return flat !== undefined && sameCoordinate(flat, place);
  });
  if (!isHere) return false;
  const full = isFull(group, member);
  if (target === "cpu" ? !full : full) return target === "cpu";
  // A row is passed several times; on a GPU by several threads, of which each computes for itself what a pass needs.
  return neededLater(analyseRow(shareDear(group)), member.node).every((other) => readsIt(other).length === 0);
}

/** What passes compute after the one in which a map's result may be written: maps again, but for what lies in memory. */
function neededLater({ group, passes }: RowAnalysis, { results }: GenericNode): Member[] {
  const isIt = ({ node }: Member): boolean => node.results === results;
  const written = passes.findIndex(({ write, after }) => [...write, ...after].some(isIt));
  const needed = new Set(
    passes
      .slice(Math.max(0, written) + 1)
      .flatMap(({ evaluate, reductions, after }) => [...evaluate, ...reductions, ...after]),
  );
  for (const { body } of needed)
    for (const { tensor } of readsOf(body)) {
      const operand = memberOf(group, tensor);
      if (operand?.node.combiner !== "map" || (isFull(group, operand) && group.stored.has(tensor))) continue;
      needed.add(operand);
    }
  return [...needed];
}

export interface Reuse {
  readonly units: readonly Unit[];
  readonly target: Target;
  readonly source: (tensor: Tensor) => Tensor;
  /** Whether a result has its place already. */
  readonly isPlaced: (value: Tensor) => boolean;
  /** Whether memory is read when all units have run, or is a part of other memory. */
  readonly isKept: (memory: Tensor) => boolean;
}

const hasMemory: ReadonlySet<Node["kind"]> = new Set(["generic", "join", "scatter_add", "sort", "random", "scan"]);

/** For results the operand whose memory each takes, in the order of the units. */
export function reuseOperands({ units, target, source, isPlaced, isKept }: Reuse): Map<Tensor, Tensor> {
  const last = new Map<Tensor, number>();
  const made = new Set<Tensor>();
  for (const [k, unit] of units.entries()) {
    if (unit.kind === "node" && unit.node.kind === "view") continue;
    for (const tensor of operandsOfUnit(unit)) last.set(source(tensor), k);
    if (unit.kind === "group") for (const tensor of unit.group.stored) made.add(tensor);
    else if (hasMemory.has(unit.node.kind)) for (const tensor of unit.node.results) made.add(tensor);
  }
  const reused = new Map<Tensor, Tensor>();
  for (const [k, unit] of units.entries()) {
    if (unit.kind !== "group") continue;
    const { group } = unit;
    const dying = new Set(operandsOfUnit(unit).map(source));
    for (const memory of dying) if (last.get(memory) !== k || !made.has(memory) || isKept(memory)) dying.delete(memory);
    for (const value of group.stored) {
      if (dying.size === 0) break;
      if (isPlaced(value)) continue;
      const fits = (memory: Tensor): boolean =>
        bytesOf(memory) === bytesOf(value) &&
        storageType(memory) === storageType(value) &&
        mayOverwrite(group, memory, value, source, target);
      const memory = [...dying].find(fits);
      if (memory === undefined) continue;
      dying.delete(memory);
      reused.set(value, memory);
    }
  }
  return reused;
}
