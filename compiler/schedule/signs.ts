/**
 * Exponentials that cannot overflow: of a value less the greatest of its row (softmax), of `-|x|` (sigmoid). They need
 * neither an upper bound nor more than one scale.
 */
import type { Scalar } from "../graph/graph.ts";
import { scalarRewriter, visitScalars } from "../graph/traverse.ts";
import type { FusionGroup } from "./group.ts";
import { memberOf } from "./group.ts";

/** Equal subtrees of the members' bodies are one object. */
export function withKnownSigns(group: FusionGroup): FusionGroup {
  const isBounded = (scalar: Scalar): boolean => {
    const [x] = argumentsOf(scalar, "exp") ?? [];
    return x !== undefined && isNotPositive(x, group);
  };
  let some = false;
  visitScalars(
    group.members.map(({ body }) => body),
    (scalar) => {
      some ||= isBounded(scalar);
    },
  );
  if (!some) return group;
  const rewrite = scalarRewriter((scalar) =>
    scalar.kind === "apply" && isBounded(scalar) ? { ...scalar, name: "exp_not_positive" } : scalar,
  );
  return { ...group, members: group.members.map((member) => ({ ...member, body: rewrite(member.body) })) };
}

const argumentsOf = (scalar: Scalar, name: string): readonly Scalar[] | undefined =>
  scalar.kind === "apply" && scalar.name === name ? scalar.arguments : undefined;
const isConstant = (scalar: Scalar | undefined, value: number): boolean =>
  scalar?.kind === "constant" && scalar.value === value;

function isNotPositive(scalar: Scalar, group: FusionGroup): boolean {
  const [value, bound] = argumentsOf(scalar, "sub") ?? [];
  // A product could be rounded here in another way than where the greatest was found.
  if (value && bound) return argumentsOf(value, "mul") === undefined && isGreatest(bound, value, group);
  const [condition, yes, no] = argumentsOf(scalar, "select") ?? [];
  if (!condition || !yes) return false;
  const [x, limit] = argumentsOf(condition, "gt") ?? [];
  return no === x && isConstant(limit, 0) && argumentsOf(yes, "neg")?.[0] === x;
}

/** Whether `bound` is the maximum over the row of what `value` is; where that is -infinity, anything finite will do. */
function isGreatest(bound: Scalar, value: Scalar, group: FusionGroup): boolean {
  const [condition, replacement, most] = argumentsOf(bound, "select") ?? [];
  if (condition && most) {
    const [left, right] = argumentsOf(condition, "eq") ?? [];
    const isEmpty = left === most && isConstant(right, Number.NEGATIVE_INFINITY);
    return isEmpty && replacement?.kind === "constant" && isGreatest(most, value, group);
  }
  if (bound.kind !== "read") return false;
  const member = memberOf(group, bound.tensor);
  if (member === undefined) return false;
  if (member.node.combiner === "map") return isGreatest(member.body, value, group);
  const isMaximum = member.node.combiner === "max" || member.node.combiner === "max_first";
  return isMaximum && member.node.results[0] === bound.tensor && member.body === value;
}
