/**
 * Dear values that several passes need and that no pass stores are kept: where a result will lie that is made of them, so
 * that its memory is fetched while they are computed, else in scratch memory.
 */
import { elementCount, read } from "../../graph/builder.ts";
import type { ScalarRead } from "../../graph/graph.ts";
import type { Member } from "../group.ts";
import { readsOf } from "../group.ts";
import type { Operands } from "../operands.ts";
import type { Pass, RowAnalysis } from "./analysis.ts";
import { costOf, dear } from "./analysis.ts";

export interface Kept {
  readonly scratch: ReadonlyMap<Member, string>;
  readonly hosts: ReadonlyMap<Member, ScalarRead>;
}

/** Elements that stay in the second-level cache from one pass to the next. */
const mostKept = 2 ** 16;

export function keptIn(
  options: { readonly analysis: RowAnalysis; readonly operands: Operands; readonly ownResults: boolean },
  reductionFillsLanes: boolean,
): Kept {
  const { analysis, operands } = options;
  const scratch = new Map<Member, string>();
  const hosts = new Map<Member, ScalarRead>();
  const row = elementCount(analysis.group.reduction.map(({ extent }) => extent));
  const elements = reductionFillsLanes ? row : 4 * row;
  if (elements > mostKept) return { scratch, hosts };
  for (const member of analysis.group.members) {
    const passes = analysis.passes.filter((pass) => pass.evaluate.includes(member));
    if (passes.length < 2 || passes.some((pass) => pass.write.has(member)) || costOf(member.body) < dear) continue;
    if (member.body.type !== "f32") continue;
    const host = options.ownResults ? hostOf(member, passes.at(-1)!, analysis, hosts) : undefined;
    if (host !== undefined) hosts.set(member, read(host.node.results[0]!, host.at));
    else scratch.set(member, operands.kernel.ownScratch("kept", "f32", elements));
  }
  return { scratch, hosts };
}

/** A result that the last pass to need the member makes of it, and that no later pass reads from its place. */
function hostOf(
  member: Member,
  pass: Pass,
  { passes }: RowAnalysis,
  hosts: ReadonlyMap<Member, ScalarRead>,
): Member | undefined {
  const later = passes
    .slice(passes.indexOf(pass) + 1)
    .flatMap(({ evaluate, reductions }) => [...evaluate, ...reductions]);
  const taken = new Set([
    ...[...hosts.values()].map(({ tensor }) => tensor),
    ...later.flatMap(({ body }) => readsOf(body)),
  ]);
  const [value] = member.node.results;
  return [...pass.write].find(({ node, body }) => {
    const [result] = node.results;
    return result?.type.dtype === "f32" && !taken.has(result) && readsOf(body).includes(value!);
  });
}
