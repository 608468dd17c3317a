/**
 * How far an index runs: `< e` if written, else the axis where it stands alone in some read of the body. Two such axes must
 * agree; none is an error that asks for `< e`.
 */
import type { Expression, IndexBinder, IndexExpression, Statement } from "../../grammar/ast.ts";
import { children, patternNames } from "../check/walk.ts";
import { compare, type Dim, printDim } from "../types/dims.ts";
import { type Machine, placeOf } from "./context.ts";
import { describe, type Place, type Scope, type TensorValue, type Value } from "./values.ts";

interface Found {
  readonly extents: readonly Dim[];
  readonly place: Place;
  readonly tensor: TensorValue;
}

export function extentsOf(
  machine: Machine,
  binders: readonly IndexBinder[],
  body: Expression,
  scope: Scope,
): Map<IndexBinder, readonly Dim[]> {
  const result = new Map<IndexBinder, readonly Dim[]>();
  const open = new Map<string, IndexBinder>();
  for (const binder of binders) {
    if (!binder.extent) {
      open.set(binder.name.text, binder);
      continue;
    }
    const { extent } = binder;
    const value = machine.within({ roundingDivision: true }, () => machine.evaluate(extent, scope));
    result.set(binder, [
      value.kind === "int"
        ? value.value
        : machine.raise("E0205", placeOf(scope, extent), {
            name: `the extent of ${binder.name.text}`,
            expected: "int",
            got: describe(value),
          }),
    ]);
  }
  if (open.size === 0) return result;
  const found = new Map<string, Found>();
  const wrong: { read: IndexExpression; value: TensorValue }[] = [];
  const reads: Read[] = [];
  collectReads(body, new Set(), reads);
  // A run's length follows from the other items, so reads that hold two open runs wait for another read.
  for (let progress = true, rest = reads; progress; ) {
    progress = false;
    const waiting: Read[] = [];
    for (const read of rest) {
      const done = fromRead(machine, read, binders, open, found, wrong, scope);
      if (done) progress = true;
      else waiting.push(read);
    }
    rest = waiting;
  }
  for (const [name, binder] of open) {
    const one = found.get(name);
    const misread = wrong.find(({ read }) => read.items.some((item) => aloneName(item) === name));
    if (!one && misread) wrongCount(machine, misread, scope);
    else if (!one)
      machine.raise("E0303", placeOf(scope, binder), { name: binder.spread ? `...${name}` : name, index: name });
    else result.set(binder, one.extents);
  }
  return result;
}

/** Whether the read was used; false asks to try again when more is known. */
function fromRead(
  machine: Machine,
  { expression: read, hidden }: Read,
  binders: readonly IndexBinder[],
  open: ReadonlyMap<string, IndexBinder>,
  found: Map<string, Found>,
  wrong: { read: IndexExpression; value: TensorValue }[],
  scope: Scope,
): boolean {
  const isOpen = (name: string | undefined) => name !== undefined && open.has(name) && !hidden.has(name);
  if (!read.items.some((item) => isOpen(aloneName(item))) || !standsOutside(read.target, binders, hidden)) return true;
  const value = tensorOf(machine, read.target, scope);
  if (!value) return true;
  const lengths = read.items.map((item) => {
    if (item.kind === "new-axis") return 0;
    if (item.kind !== "spread") return 1;
    if (hidden.has(item.name.text)) return undefined;
    if (open.has(item.name.text)) return found.get(item.name.text)?.extents.length;
    const run = scope.find(item.name.text);
    return run?.kind === "value" && run.value.kind === "list" ? run.value.elements.length : undefined;
  });
  const unknown = lengths.filter((length) => length === undefined).length;
  const known = lengths.reduce<number>((sum, length) => sum + (length ?? 0), 0);
  if (unknown > 1) return false;
  const rest = value.shape.length - known;
  if (unknown === 0 ? rest !== 0 : rest < 0) {
    wrong.push({ read, value });
    return true;
  }
  let axis = 0;
  read.items.forEach((item, k) => {
    const length = lengths[k] ?? rest;
    const extents = value.shape.slice(axis, axis + length);
    axis += length;
    const name = aloneName(item);
    if (name === undefined || !isOpen(name)) return;
    note(machine, name, { extents, place: placeOf(scope, read), tensor: value }, found);
  });
  return true;
}

function wrongCount(
  machine: Machine,
  { read, value }: { read: IndexExpression; value: TensorValue },
  scope: Scope,
): never {
  const got = read.items.filter(({ kind }) => kind !== "new-axis").length;
  return machine.raise("E0306", placeOf(scope, read), { what: describe(value), expected: value.shape.length, got });
}

function note(machine: Machine, name: string, one: Found, found: Map<string, Found>): void {
  const before = found.get(name);
  if (!before) {
    found.set(name, one);
    return;
  }
  const agree =
    before.extents.length === one.extents.length &&
    before.extents.every((extent, k) => {
      const other = one.extents[k];
      return other !== undefined && compare(extent, "==", other) !== "no";
    });
  if (!agree)
    machine.raise(
      "E0304",
      one.place,
      {
        name,
        first: before.extents.map(printDim).join(" x "),
        firstTensor: describe(before.tensor),
        second: one.extents.map(printDim).join(" x "),
        secondTensor: describe(one.tensor),
      },
      { related: [{ ...before.place, message: `${name} runs over ${before.extents.map(printDim).join(" x ")} here` }] },
    );
}

function aloneName(item: IndexExpression["items"][number]): string | undefined {
  if (item.kind === "spread") return item.name.text;
  return item.kind === "coordinate" && item.value.kind === "reference" ? item.value.name : undefined;
}

/** The tensor that a read addresses, where finding out builds nothing: names and fields. */
function tensorOf(machine: Machine, target: Expression, scope: Scope): TensorValue | undefined {
  if (target.kind !== "reference" && target.kind !== "field") return undefined;
  if (target.kind === "reference" && !scope.find(target.name)) return undefined;
  const value: Value = machine.evaluate(target, scope);
  return value.kind === "tensor" ? value : undefined;
}
function standsOutside(target: Expression, binders: readonly IndexBinder[], hidden: ReadonlySet<string>): boolean {
  if (target.kind === "reference")
    return !hidden.has(target.name) && binders.every(({ name }) => name.text !== target.name);
  return target.kind === "field" && standsOutside(target.target, binders, hidden);
}

interface Read {
  readonly expression: IndexExpression;
  /** Names that mean something else here than outside: inner indices and parameters. */
  readonly hidden: ReadonlySet<string>;
}

/** Every read in an expression, in source order. */
function collectReads(node: Expression | Statement, hidden: ReadonlySet<string>, reads: Read[]): void {
  if (node.kind === "index") reads.push({ expression: node, hidden });
  const names = hiddenBy(node);
  const inner = names.length > 0 ? new Set([...hidden, ...names]) : hidden;
  for (const child of children(node)) collectReads(child, inner, reads);
}
function hiddenBy(node: Expression | Statement): string[] {
  if (node.kind === "reduction" || node.kind === "indexed-let") return node.indices.map(({ name }) => name.text);
  if (node.kind === "lambda") return node.parameters.flatMap(patternNames);
  return [];
}
