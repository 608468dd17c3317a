/** Trees of tensors: a model's parameters, and any record, tuple or list of tensors. */
import type { Machine } from "./context.ts";
import { asTensor } from "./tensors.ts";
import {
  describe,
  type Instance,
  type Place,
  type TensorValue,
  type TreeEntry,
  type TreeValue,
  type Value,
} from "./values.ts";

/** The tensors of a tree, in order; undefined if something in it is none. */
export function treeOf(value: Value): TensorValue[] | undefined {
  switch (value.kind) {
    case "tree":
      return value.entries.map((entry) => entry.value);
    case "tuple":
    case "list":
      return together(value.elements.map(treeOf));
    case "record":
      return together([...value.fields.values()].map(treeOf));
    default: {
      const tensor = asTensor(value);
      return tensor && [tensor];
    }
  }
}
function together(parts: readonly (TensorValue[] | undefined)[]): TensorValue[] | undefined {
  const all: TensorValue[] = [];
  for (const part of parts) {
    if (!part) return undefined;
    all.push(...part);
  }
  return all;
}

/** The tree with other leaves in the same places. */
export function withLeaves(tree: Value, leaves: readonly Value[]): Value {
  let next = 0;
  const take = (): Value => {
    const leaf = leaves[next++];
    if (!leaf) throw new Error("as many leaves as the tree has");
    return leaf;
  };
  const rebuild = (value: Value): Value => {
    switch (value.kind) {
      case "tree": {
        const entries = value.entries.map((entry) => ({ entry, leaf: take() }));
        const tensors = entries.map(({ entry, leaf }): TreeEntry | undefined =>
          leaf.kind === "tensor" ? { ...entry, value: leaf } : undefined,
        );
        // Functions over trees may give other things than tensors: then the tree is a plain list of them.
        return tensors.every((entry) => entry !== undefined)
          ? { kind: "tree", entries: tensors }
          : { kind: "list", elements: entries.map(({ leaf }) => leaf) };
      }
      case "tuple":
        return { kind: "tuple", elements: value.elements.map(rebuild) };
      case "list":
        return { kind: "list", elements: value.elements.map(rebuild) };
      case "record":
        return { kind: "record", fields: new Map([...value.fields].map(([name, field]) => [name, rebuild(field)])) };
      default:
        return take();
    }
  };
  return rebuild(tree);
}

export function requireTree(machine: Machine, value: Value, what: string, place: Place): TensorValue[] {
  return (
    treeOf(value) ??
    machine.raise("E0205", place, { name: what, expected: "a tensor or a tree of tensors", got: describe(value) })
  );
}

/** Every parameter below an instance, by path from it, with its current value. */
export function parametersOf(machine: Machine, root: Instance): TreeValue {
  const entries: TreeEntry[] = [];
  const visit = (instance: Instance) => {
    for (const name of instance.order) {
      const slot = instance.slots.get(name);
      if (slot?.role === "parameter")
        entries.push({ path: slot.path.slice(root.path.length + 1), value: machine.readSlot(slot), slot });
      const child = instance.children.get(name);
      if (child) visit(child);
    }
  };
  visit(root);
  return { kind: "tree", entries };
}
