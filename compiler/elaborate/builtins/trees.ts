/** Functions over trees: `map`, `fold`, `like`, `with_params`. */
import { withParameters } from "../layers.ts";
import { filled } from "../tensors.ts";
import { requireTree, treeOf, withLeaves } from "../trees.ts";
import { describe, type Value } from "../values.ts";
import type { Builtin } from "./define.ts";

export const treeBuiltins: readonly Builtin[] = [
  {
    name: "map",
    parameters: ["f", "tree", "more..."],
    run: (machine, args, place) => {
      const f = args.get("f");
      const tree = args.get("tree");
      const leaves = leavesOf(tree) ?? requireTree(machine, tree, "tree of map", args.placeOf("tree"));
      const others = args.rest.map(({ value, place: at }) => {
        const more = leavesOf(value) ?? requireTree(machine, value, "tree of map", at);
        if (more.length !== leaves.length)
          machine.raise("E0316", at, { operation: "map", first: describe(tree), second: describe(value) });
        return more;
      });
      const results = leaves.map((leaf, k) =>
        machine.invoke(f, [leaf, ...others.flatMap((list) => list[k] ?? [])], place),
      );
      return withLeaves(tree, results);
    },
  },
  {
    name: "fold",
    parameters: ["f", "initial", "tree"],
    run: (machine, args, place) => {
      const f = args.get("f");
      const tree = args.get("tree");
      const leaves = leavesOf(tree) ?? requireTree(machine, tree, "tree of fold", args.placeOf("tree"));
      return leaves.reduce<Value>((total, leaf) => machine.invoke(f, [total, leaf], place), args.get("initial"));
    },
  },
  {
    name: "like",
    parameters: ["tree"],
    run: (machine, args) => {
      const tree = args.get("tree");
      const leaves = requireTree(machine, tree, "tree of like", args.placeOf("tree"));
      return withLeaves(
        tree,
        leaves.map(({ dtype, shape }) => filled(dtype, shape, 0)),
      );
    },
  },
  {
    name: "with_params",
    parameters: ["model", "params"],
    makesFunction: true,
    run: (machine, args, place) => {
      const model = args.get("model");
      if (model.kind !== "instance")
        return machine.raise("E0205", args.placeOf("model"), {
          name: "model of with_params",
          expected: "a model or a layer's instance",
          got: describe(model),
        });
      if (!model.instance.applied) machine.fieldOf(model.instance, "params", place);
      return withParameters(machine, model.instance, args.get("params"), place);
    },
  },
];
/** Lists of compile-time values fold as well as trees of tensors. */
function leavesOf(value: Value): readonly Value[] | undefined {
  const flat = (one: Value): boolean => one.kind !== "list" && one.kind !== "tuple" && one.kind !== "record";
  if (value.kind === "list" && value.elements.every(flat)) return value.elements;
  return treeOf(value);
}
