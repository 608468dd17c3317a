/** What a group's kernels depend on, as text: equal for groups that differ in names, origins and places alone. */
import type { Tensor } from "../graph/graph.ts";
import { Keys } from "../graph/keys.ts";
import type { BuildContext, FusionGroup } from "./group.ts";
import type { Placed } from "./program.ts";

export interface Structure {
  readonly text: string;
  /** The tensors that members read and make, in the order in which the text numbers them. */
  readonly tensors: readonly Tensor[];
}

export function structureOfGroup(group: FusionGroup, context: BuildContext): Structure {
  const keys = new Keys();
  const axes = (list: FusionGroup["parallel"]): string => list.map(({ extent }) => extent).join();
  const members = group.members.map(({ node, body, at, position }) => {
    const results = node.results.map((result) => `${keys.tensor(result)}${group.stored.has(result) ? "!" : ""}`);
    const own = `${node.combiner}[${axes(node.parallel)}|${axes(node.reduction)}]`;
    return `${results.join()}=${own}${keys.scalar(body)} at ${keys.coordinates(at)} position ${keys.coordinates([position])}`;
  });
  const places = new Map<string, number>();
  const placeOf = (place: Placed): string => {
    const base = place.kind === "tensor" ? `t${keys.tensor(place.tensor)}` : `s${place.id}`;
    const whole = place.kind === "tensor" ? `${base}+${place.offset} ${place.advance?.join() ?? ""}` : base;
    const number = places.get(whole) ?? places.size;
    places.set(whole, number);
    return `p${number}`;
  };
  const describe = (tensor: Tensor): string => {
    const { place, strides } = context.layout(tensor);
    const { dtype, shape } = tensor.type;
    const value = context.uniform(tensor) ?? "";
    const fixed = context.fixed(tensor) ? "fixed" : "";
    return `${dtype}[${shape.join()}]${placeOf(place)}[${strides.join()}]${value}${fixed}`;
  };
  // Places may name tensors that nothing reads, so the list is taken first.
  const tensors = keys.tensors();
  const described = tensors.map(describe);
  const domain = `${context.target}[${axes(group.parallel)}|${axes(group.reduction)}]`;
  return { text: [domain, ...members, ...described, ...keys.scalars()].join("\n"), tensors };
}
