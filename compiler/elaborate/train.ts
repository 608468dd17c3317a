/** Train blocks: `minimize` with its optimizer, `metric`, states of the block. */
import type { MetricStatement, MinimizeStatement } from "../../grammar/ast.ts";
import { isFloat } from "../types/dtype.ts";
import { type Machine, placeOf } from "./context.ts";
import { applyOptimizer } from "./optimizers.ts";
import { assignSlot } from "./statements.ts";
import { filled, force, handleOf, show, stored } from "./tensors.ts";
import { requireTree, treeOf } from "./trees.ts";
import {
  type ConfiguredOptimizer,
  describe,
  type Instance,
  isFunction,
  type Place,
  type Scope,
  type Slot,
  type TensorValue,
  type TreeEntry,
  type Value,
} from "./values.ts";

/** What running a block leaves behind. */
export interface TrainRun {
  readonly block: string;
  /** Whether parameters are updated, or the same block only evaluated. */
  readonly updates: boolean;
  /** The block's own tensors and its optimizers', as instances by path. */
  readonly instances: Map<string, Instance>;
  readonly outputs: { readonly role: "loss" | "metric"; readonly name: string; readonly value: TensorValue }[];
}

export function runMetric(machine: Machine, statement: MetricStatement, scope: Scope, run: TrainRun): void {
  const place = placeOf(scope, statement.value);
  const value = machine.evaluate(statement.value, scope);
  // A metric's name is the host's alone, so that `metric accuracy = accuracy(..)` hides nothing.
  output(machine, run, "metric", statement.name.text, value, place);
}
function output(
  machine: Machine,
  run: TrainRun,
  role: "loss" | "metric",
  name: string,
  value: Value,
  place: Place,
): void {
  if (run.outputs.some((one) => one.name === name)) machine.raise("E0220", place, { name, what: run.block });
  const [tensor, ...more] = treeOf(value) ?? [];
  if (!tensor || more.length > 0)
    machine.raise("E0205", place, { name: `${role} ${name}`, expected: "a tensor", got: describe(value) });
  const handle = handleOf(force(tensor, machine, name), machine, name, place);
  const { ofTotals, reads } = machine.domain.closingOf(handle);
  if (ofTotals && reads !== undefined) machine.raise("E0227", place, { name, reads });
  run.outputs.push({ role, name, value: stored(handle) });
}

export function runMinimize(machine: Machine, statement: MinimizeStatement, scope: Scope, run: TrainRun): void {
  const place = placeOf(scope, statement);
  const lossPlace = placeOf(scope, statement.value);
  const value = machine.evaluate(statement.value, scope);
  if (value.kind !== "tensor" || value.shape.length > 0 || !isFloat(value.dtype))
    machine.raise("E0402", lossPlace, { got: describe(value) });
  const loss = stored(handleOf(force(value, machine, statement.name.text), machine, statement.name.text, lossPlace));
  output(machine, run, "loss", statement.name.text, loss, lossPlace);
  scope.bind(statement.name.text, loss);
  if (!run.updates) return;
  const entries = parametersOver(machine, statement, scope);
  const gradients = gradientsOf(machine, statement, loss, entries, scope);
  const using = machine.evaluate(statement.using, scope);
  entries.forEach(({ slot }, k) => {
    const gradient = gradients[k];
    if (gradient) update(machine, statement, using, slot, gradient, run, scope, place);
  });
}

type Trained = TreeEntry & { readonly slot: Slot };

function parametersOver(machine: Machine, statement: MinimizeStatement, scope: Scope): Trained[] {
  const place = placeOf(scope, statement.over);
  const over = machine.evaluate(statement.over, scope);
  const entries = entriesOf(over);
  const trained = entries?.filter((entry): entry is Trained => entry.slot?.role === "parameter");
  if (!entries || !trained || trained.length !== entries.length || trained.length === 0)
    return machine.raise("E0225", place, { got: describe(over) });
  // A parameter that two of the trees hold is updated once.
  return trained.filter(({ slot }, k) => trained.findIndex((other) => other.slot === slot) === k);
}
function entriesOf(value: Value): TreeEntry[] | undefined {
  if (value.kind === "tree") return [...value.entries];
  if (value.kind === "tensor") return [{ path: value.slot?.path ?? "", value, slot: value.slot }];
  const parts = value.kind === "list" || value.kind === "tuple" ? value.elements.map(entriesOf) : [undefined];
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}

function gradientsOf(
  machine: Machine,
  statement: MinimizeStatement,
  loss: TensorValue,
  entries: readonly Trained[],
  scope: Scope,
): TensorValue[] {
  const place = placeOf(scope, statement.value);
  const result = handleOf(loss, machine, "loss", place);
  const sources = entries.map(({ slot }) => handleOf(machine.readSlot(slot), machine, slot.path, place));
  const found = machine.domain.differentiate([{ result, adjoint: undefined }], sources);
  found.forEach((gradient, k) => {
    const slot = entries[k]?.slot;
    if (gradient || !slot) return;
    // It may still depend on what the parameter was before an update.
    const before = (machine.entry.history.get(slot) ?? []).slice(0, -1);
    const stale = before.some(({ handle }) => handle && machine.domain.dependsOn(result, handle));
    if (stale) machine.raise("E0403", place, { name: statement.name.text, path: slot.path });
    const source = sources[k];
    const why = source && machine.domain.whyNoGradient(result, source);
    if (why) machine.raise("E0405", place, { what: slot.path, ...why });
  });
  if (found.every((gradient) => gradient === undefined))
    machine.raise("E0404", placeOf(scope, statement.over), {
      name: statement.name.text,
      paths: entries
        .map(({ slot }) => slot.path)
        .slice(0, 3)
        .join(", "),
    });
  const gradients = entries.map(({ slot }, k): TensorValue => {
    const handle = found[k];
    return handle ? stored(handle) : filled(slot.dtype, slot.shape, 0);
  });
  if (!statement.gradients) return gradients;
  const hookPlace = placeOf(scope, statement.gradients);
  const hook = machine.evaluate(statement.gradients, scope);
  const tree: Value = {
    kind: "tree",
    entries: entries.map(({ path }, k) => ({ path, value: gradients[k] ?? filled("f32", [], 0), slot: undefined })),
  };
  const changed = requireTree(machine, machine.invoke(hook, [tree], hookPlace), "the result of gradients", hookPlace);
  if (changed.length !== gradients.length)
    machine.raise("E0316", hookPlace, {
      operation: "gradients",
      first: `a tree of ${gradients.length} tensors`,
      second: `a tree of ${changed.length}`,
    });
  return changed;
}

function update(
  machine: Machine,
  statement: MinimizeStatement,
  using: Value,
  slot: Slot,
  gradient: TensorValue,
  run: TrainRun,
  scope: Scope,
  place: Place,
): void {
  const usingPlace = placeOf(scope, statement.using);
  const weight = machine.readSlot(slot);
  const chosen = isFunction(using) ? machine.invoke(using, [weight], usingPlace) : using;
  const optimizer = chosen.kind === "optimizer" ? machine.call(chosen, [], usingPlace) : chosen;
  if (optimizer.kind !== "configured-optimizer")
    machine.raise("E0205", usingPlace, { name: "using", expected: "an optimizer", got: describe(optimizer) });
  const instance = ownInstance(run, `${run.block}.${statement.name.text}.${slot.path}`, optimizer);
  const step = machine.entry.step();
  if (!step) machine.raise("E0222", usingPlace, { name: "step" });
  const args = [weight, gradient, stored(step)].map((value) => ({ name: undefined, value, place: usingPlace }));
  const next = applyOptimizer(machine, optimizer, instance, args, usingPlace);
  if (next.kind !== "tensor")
    machine.raise("E0205", usingPlace, {
      name: `the result of ${optimizer.declaration.name.text}`,
      expected: show(weight),
      got: describe(next),
    });
  // The new value is the optimizer's work, whatever the loss.
  machine.at(usingPlace);
  assignSlot(machine, slot, next, place);
}

/** Where a block or an optimizer keeps its states, the same for every entry. */
export function ownInstance(
  run: TrainRun,
  path: string,
  of: Pick<ConfiguredOptimizer, "declaration" | "scope">,
): Instance {
  const known = run.instances.get(path);
  if (known) return known;
  const instance: Instance = {
    path,
    declaration: of.declaration,
    scope: of.scope,
    parent: undefined,
    children: new Map(),
    slots: new Map(),
    order: [],
    applied: undefined,
  };
  run.instances.set(path, instance);
  return instance;
}
