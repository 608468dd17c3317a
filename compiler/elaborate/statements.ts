/** Blocks and their statements, in program order. */
import type { AssignStatement, Block, LetStatement, Statement, WhenStatement } from "../../grammar/ast.ts";
import { patternNames } from "../check/walk.ts";
import { printType, sameShape } from "../types/shape.ts";
import { bindable } from "./arguments.ts";
import { binary } from "./arithmetic.ts";
import { AlreadyReported, Failure, type Machine, placeOf } from "./context.ts";
import { declareSlot, renameInstance } from "./layers.ts";
import { indexedLet } from "./notation.ts";
import { bindPattern } from "./patterns.ts";
import { chooseBetween } from "./select.ts";
import { asTensor, force, handleOf, stored } from "./tensors.ts";
import { textOf } from "./text.ts";
import { parametersOf, treeOf } from "./trees.ts";
import { describe, type Place, type Scope, type Slot, type TensorValue, type Value } from "./values.ts";

/** Statements that only a train block has. */
export type TrainStatement = Extract<Statement, { kind: "minimize" | "metric" }>;

export function runBlock(
  machine: Machine,
  block: Block,
  scope: Scope,
  train: ((statement: TrainStatement, scope: Scope) => void) | undefined,
): Value | undefined {
  let inner = scope.child();
  let value: Value | undefined;
  for (const statement of block.statements) {
    value = undefined;
    inner = scopeFor(statement, inner);
    if (statement.kind === "expression") value = machine.evaluate(statement.value, inner);
    else runStatement(machine, statement, inner, train);
  }
  return value;
}

export function runStatement(
  machine: Machine,
  statement: Exclude<Statement, { kind: "expression" }>,
  scope: Scope,
  train: ((statement: TrainStatement, scope: Scope) => void) | undefined,
): void {
  const place = placeOf(scope, statement);
  machine.at(place);
  switch (statement.kind) {
    case "let":
      runLet(machine, statement, scope);
      return;
    case "indexed-let": {
      const value = named(machine, statement.name.text, () => indexedLet(machine, statement, scope));
      scope.bind(statement.name.text, { ...value, from: { what: statement.name.text, place } });
      return;
    }
    case "param":
    case "state":
      declareSlot(machine, statement, scope);
      return;
    case "assign":
      assign(machine, statement, scope);
      return;
    case "when":
      when(machine, statement, scope, train);
      return;
    case "minimize":
    case "metric":
      if (!train) machine.raise("E0206", place, { what: statement.kind, where: "a train block" });
      train(statement, scope);
      return;
    default:
      statement satisfies never;
  }
}

/** Runs with the name of a `let` in front of the names that come into being. */
function named<T>(machine: Machine, name: string, run: () => T): T {
  const { owner } = machine.dynamic;
  return machine.within({ owner: owner && { ...owner, prefix: [...owner.prefix, name] } }, run);
}

function runLet(machine: Machine, statement: LetStatement, scope: Scope): void {
  const { pattern } = statement;
  const place = placeOf(scope, statement.value);
  if (pattern.kind !== "name-pattern") {
    bindPattern(machine, pattern, machine.evaluate(statement.value, scope), scope, place);
    return;
  }
  const name = pattern.name;
  const value = named(machine, name, () => machine.evaluate(statement.value, scope));
  if (name === "_") return;
  const ready = bindable(machine, renameInstance(machine, value, name), name);
  scope.bind(name, ready.kind === "tensor" && !ready.from ? { ...ready, from: { what: name, place } } : ready);
}

/** Like `runBlock`, but a failed statement is reported and the next ones are looked at. */
export function runBlockRecovering(
  machine: Machine,
  block: Block,
  scope: Scope,
  train: ((statement: TrainStatement, scope: Scope) => void) | undefined,
  report: (failure: Failure) => void,
): Value | undefined {
  let inner = scope.child();
  let value: Value | undefined;
  let failed = false;
  for (const statement of block.statements) {
    value = undefined;
    inner = scopeFor(statement, inner);
    try {
      if (statement.kind === "expression") value = machine.evaluate(statement.value, inner);
      else runStatement(machine, statement, inner, train);
    } catch (error) {
      if (error instanceof Failure) report(error);
      else if (!(error instanceof AlreadyReported)) throw error;
      failed = true;
      for (const name of namesBoundBy(statement)) inner.set(name, { kind: "failed" });
    }
  }
  if (failed && value === undefined) throw new AlreadyReported();
  return value;
}
/** A name bound again is a new one: functions made before keep the old. */
function scopeFor(statement: Statement, scope: Scope): Scope {
  return namesBoundBy(statement).some((name) => scope.own(name)) ? scope.child() : scope;
}
function namesBoundBy(statement: Statement): string[] {
  if (statement.kind === "let") return patternNames(statement.pattern);
  return statement.kind === "indexed-let" || statement.kind === "param" || statement.kind === "state"
    ? [statement.name.text]
    : [];
}

// ---- := and when ------------------------------------------------------------------------------------------------------------

function assign(machine: Machine, statement: AssignStatement, scope: Scope): void {
  const place = placeOf(scope, statement);
  // Evaluating a train block leaves everything as it is.
  if (machine.entry.kind === "evaluate" && machine.dynamic.owner?.instance.declaration.kind === "train") return;
  const targets = targetsOf(machine, statement, scope);
  permit(machine, targets, place);
  const value = machine.evaluate(statement.value, scope);
  const values = treeOf(value);
  if (!values || (values.length !== targets.length && !(targets.length === 1 && values.length === 1)))
    machine.raise("E0316", place, {
      operation: ":=",
      first: targets.length === 1 ? "one tensor" : `a tree of ${targets.length} tensors`,
      second: describe(value),
    });
  targets.forEach((slot, k) => {
    const next = values[k];
    if (next) store(machine, slot, next, place);
  });
}

/** The slots that the left side of `:=` stands for. */
function targetsOf(machine: Machine, { target }: AssignStatement, scope: Scope): Slot[] {
  const place = placeOf(scope, target);
  if (target.kind === "reference") {
    const binding = scope.find(target.name);
    if (binding?.kind === "slot") return [binding.slot];
    if (binding?.kind === "failed") throw new AlreadyReported();
  }
  const value = machine.evaluate(target, scope);
  const tree = value.kind === "instance" ? parametersOf(machine, value.instance) : value;
  if (tree.kind === "tensor" && tree.slot) return [tree.slot];
  const slots = tree.kind === "tree" ? tree.entries.flatMap(({ slot }) => slot ?? []) : [];
  if (slots.length > 0) return slots;
  return machine.raise("E0208", place, { what: textOf(scope.source, target), got: describe(value) });
}

function permit(machine: Machine, slots: readonly Slot[], place: Place): void {
  const { kind } = machine.entry;
  const [slot] = slots;
  if (machine.dynamic.sealed) machine.raise("E0223", place, { path: slot?.path ?? "", where: "a scan" });
  if (kind === "predict" || kind === "call" || kind === "evaluate")
    machine.raise("E0223", place, { path: slot?.path ?? "", where: kind === "evaluate" ? "evaluation" : "prediction" });
}

function store(machine: Machine, slot: Slot, value: TensorValue, place: Place): void {
  if (value.dtype !== slot.dtype && !(value.shape.length === 0 && slot.dtype === "f32" && value.dtype === "i32"))
    machine.raise("E0309", place, { operation: ":=", got: `${slot.dtype} and ${value.dtype}` });
  if (sameShape(value.shape, slot.shape) === "no")
    machine.raise("E0313", place, {
      name: slot.path,
      expected: printType(slot.dtype, slot.shape),
      got: printType(value.dtype, value.shape),
    });
  assignSlot(machine, slot, value, place);
}

/** The slot's next value: a constant for every later derivative, which sees it as a leaf. */
export function assignSlot(machine: Machine, slot: Slot, value: TensorValue, place: Place): void {
  const { mask } = machine.dynamic;
  const chosen = mask ? chooseBetween(machine, mask, value, machine.readSlot(slot), place) : value;
  const next = asTensor(chosen) ?? value;
  const before = machine.domain.nodeCount;
  const handle = handleOf(force(next, machine, slot.path), machine, slot.path, place);
  machine.writeSlot(slot, stored(machine.domain.stop(handle, machine.domain.nodeCount > before)));
}

function when(
  machine: Machine,
  statement: WhenStatement,
  scope: Scope,
  train: ((statement: TrainStatement, scope: Scope) => void) | undefined,
): void {
  const value = machine.evaluate(statement.condition, scope);
  const place = placeOf(scope, statement.condition);
  if (value.kind === "bool" && value.value !== undefined) {
    if (value.value) runBlock(machine, statement.body, scope, train);
    return;
  }
  const tensor = asTensor(value);
  if (tensor?.dtype !== "bool" || tensor.shape.length > 0)
    machine.raise("E0214", place, { what: "when", got: describe(value) });
  const before = machine.dynamic.mask;
  const mask = force(tensor, machine, "when");
  const both = before ? asTensor(binary(machine, "and", before, mask, place)) : mask;
  machine.within({ mask: both }, () => runBlock(machine, statement.body, scope, train));
}
