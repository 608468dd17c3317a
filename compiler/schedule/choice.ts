/** Where a builder knows several ways, one is taken. */
import type { Tensor } from "../graph/graph.ts";
import type { Dispatch } from "../kernel/ir.ts";
import type { BuildContext, FusionGroup } from "./group.ts";
import type { Placed } from "./program.ts";
import { structureOfGroup } from "./structure.ts";

export interface Ways<Scheme> {
  readonly schemes: readonly Scheme[];
  /** Unlike those of the other schemes. */
  readonly nameOf: (scheme: Scheme) => string;
  readonly build: (scheme: Scheme, context: BuildContext) => readonly Dispatch<Placed>[];
}

/** The scheme that the build's chooser takes, or else the one that costs least. */
export function chooseScheme<Scheme extends { readonly cost: number }>(
  group: FusionGroup,
  context: BuildContext,
  { schemes, nameOf, build }: Ways<Scheme>,
): Scheme {
  const cheapest = schemes.reduce((best, scheme) => (scheme.cost < best.cost ? scheme : best));
  const { choose } = context.options;
  if (choose === undefined || schemes.length < 2) return cheapest;
  const constants = new Map<Tensor, readonly number[]>();
  const trial = trialContext(context, constants);
  const ways = schemes.map((scheme) => ({ name: nameOf(scheme), build: () => build(scheme, trial) }));
  const results = group.members.flatMap(({ node }) => node.results.filter((result) => group.stored.has(result)));
  const chosen = choose({
    key: structureOfGroup(group, context).text,
    label: results.map(({ name }) => name).join(", "),
    ways,
    usual: ways[schemes.indexOf(cheapest)]!,
    constants,
    fixed: (tensor) => context.fixed(tensor),
  });
  return chosen === undefined ? cheapest : schemes[ways.indexOf(chosen)]!;
}

/** What is built on trial leaves no trace: names, scratch memory and constants are its own. */
function trialContext(context: BuildContext, constants: Map<Tensor, readonly number[]>): BuildContext {
  let scratch = 0;
  return {
    ...context,
    scratch: (elements) => ({ kind: "scratch", id: scratch++, elements }),
    constant: (type, values) => {
      const tensor: Tensor = { name: "table", type: { dtype: type, shape: [values.length] } };
      constants.set(tensor, values);
      return tensor;
    },
    name: (hint) => hint.replace(/[^A-Za-z0-9_]/g, "_").replace(/^(?![A-Za-z])/, "k"),
  };
}
