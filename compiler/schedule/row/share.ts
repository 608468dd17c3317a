/**
 * Dear values that several members of a row group compute alike (softmax's exponential, in the sum and in the quotient)
 * become a member of their own, so that one pass can keep them for another.
 */
import { at, read } from "../../graph/builder.ts";
import type { Coordinate, GenericNode, Scalar, Tensor } from "../../graph/graph.ts";
import { Keys } from "../../graph/keys.ts";
import { indicesOf } from "../../graph/traverse.ts";
import type { FusionGroup, Member } from "../group.ts";
import { isFull } from "../group.ts";
import { costOf, dear } from "./analysis.ts";

export function shareDear(group: FusionGroup): FusionGroup {
  const inPasses = group.members.filter((member) => member.node.combiner !== "map" || isFull(group, member));
  const keys = new Keys();
  const users = new Map<number, Set<Member>>();
  const candidates = new Map<number, Scalar>();
  const note = (scalar: Scalar, member: Member, seen: Set<Scalar>): void => {
    if (scalar.kind !== "apply" || seen.has(scalar)) return;
    seen.add(scalar);
    if (scalar.type === "f32" && movesWithRow(scalar, group) && costOf(scalar) >= dear) {
      const key = keys.scalar(scalar);
      users.set(key, (users.get(key) ?? new Set()).add(member));
      candidates.set(key, scalar);
    }
    for (const argument of scalar.arguments) note(argument, member, seen);
  };
  for (const member of inPasses) note(member.body, member, new Set());
  const isShared = (scalar: Scalar): boolean =>
    scalar.kind === "apply" && (users.get(keys.scalar(scalar))?.size ?? 0) > 1;
  if (![...candidates.values()].some(isShared)) return group;

  const places = [...group.parallel, ...group.reduction].map((_, position): Coordinate => at(position));
  const made = new Map<number, Member>();
  const members = group.members.flatMap((member): Member[] => {
    const fresh: Member[] = [];
    const replace = (scalar: Scalar): Scalar => {
      if (scalar.kind !== "apply") return scalar;
      if (!isShared(scalar)) {
        const replaced = scalar.arguments.map(replace);
        return replaced.some((argument, k) => argument !== scalar.arguments[k])
          ? { ...scalar, arguments: replaced }
          : scalar;
      }
      const key = keys.scalar(scalar);
      let own = made.get(key);
      if (own === undefined) {
        own = mapMember(group, `${member.node.results[0]!.name}.shared`, scalar, places, member.node);
        made.set(key, own);
        fresh.push(own);
      }
      return read(own.node.results[0]!, places);
    };
    const body = inPasses.includes(member) ? replace(member.body) : member.body;
    return [...fresh, { ...member, body }];
  });
  return { ...group, members };
}

const movesWithRow = (scalar: Scalar, group: FusionGroup): boolean =>
  [...indicesOf(scalar)].some((position) => position >= group.parallel.length);

function mapMember(
  group: FusionGroup,
  name: string,
  body: Scalar,
  places: readonly Coordinate[],
  { origin }: GenericNode,
): Member {
  const parallel = [...group.parallel, ...group.reduction];
  const shape = parallel.map(({ extent }) => extent);
  const tensor: Tensor = { name, type: { dtype: "f32", shape } };
  const node: GenericNode = {
    kind: "generic",
    combiner: "map",
    results: [tensor],
    parallel,
    reduction: [],
    body,
    origin,
  };
  return { node, body, at: places, position: { offset: 0, terms: [] } };
}
