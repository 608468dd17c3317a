/** The order of units: each after what it reads, and writers of a persistent tensor after the readers of its old value. */
import type { Tensor } from "../graph/graph.ts";
import { operandsOf, readsOf } from "../graph/traverse.ts";
import type { Unit } from "./grouping.ts";
import type { Claim } from "./prepare.ts";

export interface Ordered {
  readonly units: readonly Unit[];
  /** Claims whose value may be written over the old one. */
  readonly inPlace: readonly Claim[];
}

export function resultsOf(unit: Unit): readonly Tensor[] {
  return unit.kind === "node" ? unit.node.results : unit.group.members.flatMap(({ node }) => node.results);
}
export function operandsOfUnit(unit: Unit): readonly Tensor[] {
  if (unit.kind === "node") return operandsOf(unit.node);
  const own = new Set(resultsOf(unit));
  const reads = readsOf(...unit.group.members.map(({ body }) => body));
  return [...new Set(reads.map(({ tensor }) => tensor))].filter((tensor) => !own.has(tensor));
}

function dependenciesOfUnit(unit: Unit): readonly Tensor[] {
  const nodes = unit.kind === "node" ? [unit.node] : unit.group.members.map(({ node }) => node);
  return [...operandsOfUnit(unit), ...nodes.flatMap(({ after }) => after ?? [])];
}

/** `mayOverwrite`: whether a unit that may read the old value reads it only where, and before, it writes the new one. */
export function orderUnits(
  units: readonly Unit[],
  claims: readonly Claim[],
  source: (tensor: Tensor) => Tensor,
  mayOverwrite: (unit: Unit, claim: Claim) => boolean,
): Ordered {
  const maker = new Map(units.flatMap((unit) => resultsOf(unit).map((result) => [result, unit] as const)));
  const before = new Map<Unit, Set<Unit>>();
  for (const unit of units) {
    const makers = dependenciesOfUnit(unit).flatMap((tensor) => maker.get(tensor) ?? []);
    before.set(unit, new Set(makers.filter((other) => other !== unit)));
  }
  const readers = new Map<Tensor, Unit[]>();
  for (const unit of units) {
    if (unit.kind === "node" && unit.node.kind === "view") continue;
    for (const memory of new Set(operandsOfUnit(unit).map(source)))
      readers.set(memory, [...(readers.get(memory) ?? []), unit]);
  }
  /** Whether `unit` must run after `other`. */
  const follows = (unit: Unit, other: Unit): boolean => {
    const seen = new Set<Unit>();
    const stack = [unit];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (next === other) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      stack.push(...(before.get(next) ?? []));
    }
    return false;
  };
  const inPlace: Claim[] = [];
  for (const claim of claims) {
    const writer = maker.get(claim.value);
    if (writer === undefined || !mayOverwrite(writer, claim)) continue;
    const others = (readers.get(claim.slot) ?? []).filter((unit) => unit !== writer);
    if (others.some((unit) => follows(unit, writer))) continue;
    for (const unit of others) before.get(writer)!.add(unit);
    inPlace.push(claim);
  }
  return { units: sorted(units, before), inPlace };
}

function sorted(units: readonly Unit[], before: ReadonlyMap<Unit, ReadonlySet<Unit>>): Unit[] {
  const done = new Set<Unit>();
  const order: Unit[] = [];
  const place = (unit: Unit): void => {
    if (done.has(unit)) return;
    done.add(unit);
    for (const earlier of before.get(unit) ?? []) place(earlier);
    order.push(unit);
  };
  for (const unit of units) place(unit);
  return order;
}
