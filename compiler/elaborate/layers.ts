/** Layers, models, their instances, and the tensors that instances own. */
import type { ParamStatement } from "../../grammar/ast.ts";
import { suggest } from "../diagnostics/index.ts";
import { printType, sameShape } from "../types/shape.ts";
import { bindArguments, finishResult, prepareWhere, runWhere } from "./arguments.ts";
import { scopeOfInstance } from "./configuration.ts";
import { type Machine, type Owner, placeOf } from "./context.ts";
import { shapeOfType } from "./convert.ts";
import { parametersOf, treeOf } from "./trees.ts";
import {
  type ArgumentValue,
  describe,
  type Instance,
  type LayerValue,
  type Place,
  Scope,
  type Slot,
  type TensorValue,
  type Value,
} from "./values.ts";

/** A local path that nothing in this application has: `dense`, else `dense_2`, .. */
function claim(owner: Owner, wanted: string): string {
  let name = wanted;
  for (let k = 2; owner.taken.has(name); k++) name = `${wanted}_${k}`;
  owner.taken.add(name);
  return name;
}
function localPath(owner: Owner, name: string): string {
  return [...owner.prefix, name].join(".");
}

/** `conv2d(6, kernel: 5)`: the instance of this place in its owner's body, made when the body first comes by. */
export function instantiate(
  machine: Machine,
  { declaration, scope: outer }: LayerValue,
  args: readonly ArgumentValue[],
  place: Place,
): Value {
  const name = declaration.name.text;
  const scope = new Scope(outer.source, outer);
  if (!machine.dynamic.owner) return machine.raise("E0219", place, { name });
  machine.framed({ what: name, site: place }, () =>
    bindArguments(machine, declaration.configuration, args, scope, name, place),
  );
  return { kind: "instance", instance: childOf(machine, { declaration, scope }, place) };
}

/** The next child of its kind in the owner's body. */
export function childOf(
  machine: Machine,
  { declaration, scope }: Pick<Instance, "declaration" | "scope">,
  place: Place,
): Instance {
  const name = declaration.name.text;
  const { owner } = machine.dynamic;
  if (!owner) return machine.raise("E0219", place, { name });
  const stem = localPath(owner, name);
  const count = (owner.counters.get(stem) ?? 0) + 1;
  owner.counters.set(stem, count);
  const local = claim(owner, `${stem}_${count}`);
  const known = owner.instance.children.get(local);
  if (known?.declaration === declaration) {
    known.scope = scope;
    return known;
  }
  const instance: Instance = {
    path: `${owner.instance.path}.${local}`,
    declaration,
    scope,
    parent: owner.instance,
    children: new Map(),
    slots: new Map(),
    order: [],
    applied: undefined,
  };
  owner.instance.children.set(local, instance);
  owner.instance.order.push(local);
  return instance;
}

/** `let head = dense(10)`: the instance takes the name, unless it was made elsewhere. */
export function renameInstance(machine: Machine, value: Value, letName: string): Value {
  const owner = machine.dynamic.owner;
  if (value.kind !== "instance" || !owner || value.instance.parent !== owner.instance) return value;
  const { instance } = value;
  const local = instance.path.slice(owner.instance.path.length + 1);
  const counted = `${localPath(owner, letName)}.${instance.declaration.name.text}_`;
  if (instance.applied || !local.startsWith(counted) || /\D/.test(local.slice(counted.length))) return value;
  owner.taken.delete(local);
  const name = claim(owner, localPath(owner, letName));
  const known = owner.instance.children.get(name);
  owner.instance.children.delete(local);
  const at = owner.instance.order.indexOf(local);
  if (known?.declaration === instance.declaration) {
    owner.instance.order.splice(at, 1);
    known.scope = instance.scope;
    return { kind: "instance", instance: known };
  }
  owner.instance.order[at] = name;
  owner.instance.children.set(name, instance);
  instance.path = `${owner.instance.path}.${name}`;
  return value;
}

export function applyInstance(
  machine: Machine,
  instance: Instance,
  args: readonly ArgumentValue[],
  place: Place,
): Value {
  const { declaration } = instance;
  const name = declaration.name.text;
  const training = args.find((arg) => arg.name === "training");
  const tensors = args.filter((arg) => arg !== training);
  const configured = scopeOfInstance(machine, instance);
  const scope = new Scope(configured.source, configured);
  return machine.framed({ what: name, site: place }, () => {
    prepareWhere(declaration, scope, machine);
    bindArguments(machine, declaration.parameters, tensors, scope, name, place);
    runWhere(machine, declaration.where, scope, place);
    instance.applied ??= place;
    const owner: Owner = { instance, prefix: [], counters: new Map(), taken: new Set() };
    const mode = training ? flag(machine, training) : machine.dynamic.training;
    const result = machine.within({ owner, training: mode }, () => machine.evaluate(declaration.body, scope));
    return finishResult(machine, result, declaration.result, declaration.body, scope, name, place, tensors);
  });
}
function flag(machine: Machine, { value, place }: ArgumentValue): boolean {
  if (value.kind === "bool" && value.value !== undefined) return value.value;
  return machine.raise("E0205", place, { name: "training", expected: "bool", got: describe(value) });
}

/** `with_params(LeNet, tree)`: applies it with these tensors in the place of its parameters. */
export function withParameters(machine: Machine, instance: Instance, tree: Value, place: Place): Value {
  const slots = parametersOf(machine, instance).entries;
  const values = treeOf(tree);
  const same =
    values?.length === slots.length &&
    values.every((value, k) => sameShape(value.shape, slots[k]?.value.shape ?? []) !== "no");
  if (!values || !same)
    return machine.raise("E0316", place, {
      operation: "with_params",
      first: `${describe(parametersOf(machine, instance))} of ${instance.path}`,
      second: describe(tree),
    });
  return {
    kind: "builtin",
    name: instance.path,
    call: (args, at) => {
      const before = slots.map(({ slot }) => slot && machine.readSlot(slot));
      slots.forEach(({ slot }, k) => {
        const value = values[k];
        if (slot && value) machine.entry.current.set(slot, value);
      });
      try {
        return applyInstance(machine, instance, args, at);
      } finally {
        slots.forEach(({ slot }, k) => {
          const value = before[k];
          if (slot && value) machine.entry.current.set(slot, value);
        });
      }
    },
  };
}

// ---- param and state --------------------------------------------------------------------------------------------------------

export function declareSlot(machine: Machine, statement: ParamStatement, scope: Scope): void {
  const { type, name } = statement;
  const place = placeOf(scope, statement);
  if (type.kind === "like-type") {
    declareTree(machine, statement, machine.evaluate(type.value, scope), scope);
    return;
  }
  if (type.kind !== "tensor-type")
    machine.raise("E0206", place, { what: `${statement.kind} of this type`, where: "a train block" });
  const shape = shapeOfType(machine, type, scope, (unknown) =>
    machine.raise("E0201", placeOf(scope, type), { name: unknown, suggestion: suggest(unknown, scope.names()) }),
  );
  const slot = machine.declare({
    role: statement.kind === "param" ? "parameter" : "state",
    name: name.text,
    dtype: type.dtype,
    shape,
    initial: () => machine.evaluate(statement.value, scope),
    place,
  });
  scope.set(name.text, { kind: "slot", slot });
}

/** `state average: like(LeNet.params) = LeNet.params`: one state for each tensor of the tree. */
function declareTree(machine: Machine, statement: ParamStatement, like: Value, scope: Scope): void {
  const place = placeOf(scope, statement);
  const tree = like.kind === "instance" ? parametersOf(machine, like.instance) : like;
  if (tree.kind !== "tree")
    machine.raise("E0205", place, { name: "like", expected: "a tree of tensors", got: describe(like) });
  let leaves: TensorValue[] | undefined;
  const leaf = (k: number): Value => {
    leaves ??= initialLeaves(machine, statement, tree.entries.length, scope);
    return (
      leaves[k] ??
      machine.raise("E0316", place, { operation: "state", first: describe(tree), second: `${leaves.length} tensors` })
    );
  };
  const slots = tree.entries.map(({ path, value }, k) =>
    machine.declare({
      role: statement.kind === "param" ? "parameter" : "state",
      name: `${statement.name.text}.${path}`,
      dtype: value.dtype,
      shape: value.shape,
      initial: () => leaf(k),
      place,
    }),
  );
  scope.set(statement.name.text, {
    kind: "lazy",
    get: () => ({
      kind: "tree",
      entries: tree.entries.flatMap(({ path }, k) => {
        const slot = slots[k];
        return slot ? [{ path, value: machine.readSlot(slot), slot }] : [];
      }),
    }),
  });
}
function initialLeaves(machine: Machine, { value }: ParamStatement, count: number, scope: Scope): TensorValue[] {
  const initial = machine.evaluate(value, scope);
  const leaves = treeOf(initial) ?? [];
  const [only] = leaves;
  // A number fills every tensor of the tree.
  if (only && leaves.length === 1 && only.shape.length === 0) return Array.from({ length: count }, () => only);
  return leaves;
}

/** The slot of this name in the current owner: found again, or made. */
export function slotOfOwner(
  machine: Machine,
  owner: Owner,
  spec: Parameters<Machine["declare"]>[0],
  make: (path: string) => Slot,
): { slot: Slot; made: boolean } {
  const wanted = localPath(owner, spec.name);
  if (owner.taken.has(wanted) && owner.prefix.length === 0)
    machine.raise("E0220", spec.place, { name: spec.name, what: owner.instance.declaration.name.text });
  const local = claim(owner, wanted);
  const known = owner.instance.slots.get(local);
  if (known) {
    if (sameShape(known.shape, spec.shape) === "no" || known.dtype !== spec.dtype)
      machine.raise(
        "E0312",
        machine.frames.at(-1)?.site ?? spec.place,
        {
          path: known.path,
          first: printType(known.dtype, known.shape),
          second: printType(spec.dtype, spec.shape),
        },
        {
          related: owner.instance.applied
            ? [{ ...owner.instance.applied, message: `${known.path} came into being here` }]
            : [],
        },
      );
    return { slot: known, made: false };
  }
  const slot = make(`${owner.instance.path}.${local}`);
  owner.instance.slots.set(local, slot);
  owner.instance.order.push(local);
  return { slot, made: true };
}

/** The instance's member of this name. */
export function memberOf(machine: Machine, instance: Instance, name: string, place: Place): Value {
  if (name === "params") return parametersOf(machine, instance);
  const slot = instance.slots.get(name);
  if (slot) return machine.readSlot(slot);
  const child = instance.children.get(name);
  if (child) return { kind: "instance", instance: child };
  return machine.raise("E0213", place, {
    name,
    // Its tensors come into being when it is first applied.
    what: `${describe({ kind: "instance", instance })}${instance.applied ? "" : ", not applied yet,"}`,
    suggestion: suggest(name, ["params", ...instance.slots.keys(), ...instance.children.keys()]),
    known: ["params", ...instance.slots.keys(), ...instance.children.keys()].join(", "),
  });
}
