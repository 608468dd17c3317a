/** The staged evaluator: holds what changes while it runs, and ties the parts together. */
import type { Block, Expression, Type } from "../../grammar/ast.ts";
import { construct } from "../diagnostics/construct.ts";
import type { Details, Diagnostic } from "../diagnostics/index.ts";
import { catalogue } from "../diagnostics/index.ts";
import type { Origin } from "../graph/graph.ts";
import type { Dim } from "../types/dims.ts";
import { constant, constantOf, DimOverflow, variablesOf } from "../types/dims.ts";
import { applyNumeric } from "./arithmetic.ts";
import { call } from "./calls.ts";
import {
  type CallFrame,
  type Code,
  type Dynamic,
  type Entry,
  Failure,
  type Machine,
  type Setting,
  type ValuesOf,
} from "./context.ts";
import { convert } from "./convert.ts";
import type { TensorDomain } from "./domain.ts";
import { type Index, isIndex } from "./element.ts";
import { evaluateExpression } from "./expressions.ts";
import { memberOf } from "./layers.ts";
import { limits } from "./limits.ts";
import { Slots } from "./slots.ts";
import { runBlock, runBlockRecovering, type TrainStatement } from "./statements.ts";
import type { ArgumentValue, Instance, Place, Scope, Slot, TensorValue, Value } from "./values.ts";

const start: Dynamic = {
  training: false,
  owner: undefined,
  open: [],
  mask: undefined,
  roundingDivision: false,
  sealed: undefined,
  replacements: [],
  watch: undefined,
  naming: undefined,
  seed: undefined,
};

export class Evaluator implements Machine {
  readonly slots: Slots;
  readonly warnings: Diagnostic[] = [];
  /** Runs `minimize` and `metric`; set while a train block's body is evaluated. */
  train: ((statement: TrainStatement, scope: Scope) => void) | undefined;
  /** Applies a model once to its declared inputs, so that its parts exist. */
  readonly build: (instance: Instance) => void;
  #entry: Entry;
  #dynamic: Dynamic = start;
  #frames: CallFrame[] = [];
  #depth = 0;
  #steps = 0;
  #indices = 0;
  #place: Place | undefined;

  readonly settings: Readonly<Record<string, Setting>>;

  constructor(
    entry: Entry,
    build: (evaluator: Evaluator, instance: Instance) => void,
    slots = new Slots(),
    settings: Readonly<Record<string, Setting>> = {},
  ) {
    this.settings = settings;
    this.#entry = entry;
    this.build = (instance) => build(this, instance);
    this.slots = slots;
  }

  get entry(): Entry {
    return this.#entry;
  }
  get domain(): TensorDomain {
    return this.#entry.domain;
  }
  get dynamic(): Dynamic {
    return this.#dynamic;
  }
  get frames(): readonly CallFrame[] {
    return this.#frames;
  }

  evaluate(expression: Expression, scope: Scope): Value {
    const place = { source: scope.source, span: expression.span };
    if (this.#depth >= limits.depth) this.raise("E0510", this.#frames.at(-1)?.site ?? place, { limit: limits.depth });
    if (++this.#steps > limits.steps) this.raise("E0511", place, { limit: limits.steps });
    if (this.domain.nodeCount > limits.nodes) this.raise("E0512", place, { limit: limits.nodes });
    const before = this.#place;
    this.#depth++;
    this.#place = place;
    this.#setOrigin(place);
    try {
      return evaluateExpression(this, expression, scope);
    } catch (error) {
      if (error instanceof RangeError) this.#deepest ??= place;
      if (error instanceof DimOverflow) this.raise("E0515", place, { what: "this whole number" });
      throw error;
    } finally {
      this.#depth--;
      this.#place = before;
      if (before) this.#setOrigin(before);
    }
  }
  at(place: Place): void {
    this.#place = place;
    this.#setOrigin(place);
  }
  #setOrigin(place: Place): void {
    if (!this.domain.symbolic) this.domain.origin = this.#originOf(place);
  }
  /** Where what is made just now comes from. */
  get origin(): Origin | undefined {
    return this.#place && this.#originOf(this.#place);
  }
  /** The program's own line: that of the call, for what happens inside a library. */
  #originOf(place: Place): Origin {
    const own = isLibrary(place) ? this.#frames.findLast(({ site }) => !isLibrary(site))?.site : undefined;
    const { source, span } = own ?? place;
    const path = this.#dynamic.owner?.instance.path;
    const lines = lineStarts.get(source) ?? startsOf(source.text);
    lineStarts.set(source, lines);
    return { file: source.file, line: lineAt(lines, span.start), ...(path !== undefined && { path }) };
  }

  block(block: Block, scope: Scope): Value | undefined {
    const recovery = this.#recovery;
    if (recovery?.body === block) {
      this.#recovery = undefined;
      return runBlockRecovering(this, block, scope, this.train, recovery.report);
    }
    return runBlock(this, block, scope, this.train);
  }
  /** Runs with one body's statements reported one by one instead of ending at the first failure. */
  recovering<T>(body: Expression, report: (failure: Failure) => void, run: () => T): T {
    this.#recovery = { body, report };
    try {
      return run();
    } finally {
      this.#recovery = undefined;
    }
  }
  #recovery: { readonly body: Expression; readonly report: (failure: Failure) => void } | undefined;
  call(callee: Value, args: readonly ArgumentValue[], place: Place): Value {
    return call(this, callee, args, place);
  }
  invoke(callee: Value, args: readonly Value[], place: Place): Value {
    return call(
      this,
      callee,
      args.map((value) => ({ name: undefined, value, place })),
      place,
    );
  }
  convert(value: Value, type: Type, scope: Scope, what: string, place: Place): Value {
    return convert(this, value, type, scope, what, place);
  }
  fieldOf(instance: Instance, name: string, place: Place): Value {
    if (instance.parent === undefined && !instance.applied) this.build(instance);
    return memberOf(this, instance, name, place);
  }

  within<T>(dynamic: Partial<Dynamic>, run: () => T): T {
    const before = this.#dynamic;
    this.#dynamic = { ...before, ...dynamic };
    try {
      return run();
    } finally {
      this.#dynamic = before;
    }
  }
  framed<T>(frame: CallFrame, run: () => T): T {
    this.#frames.push(frame);
    try {
      return run();
    } finally {
      this.#frames.pop();
    }
  }
  inEntry<T>(entry: Entry, run: () => T): T {
    const outer = this.#entry;
    const { dynamic, frames, train } = { dynamic: this.#dynamic, frames: this.#frames, train: this.train };
    this.#entry = entry;
    this.#dynamic = start;
    this.train = undefined;
    try {
      return run();
    } finally {
      this.#entry = outer;
      this.#dynamic = dynamic;
      this.#frames = frames;
      this.train = train;
    }
  }

  raise<C extends Code>(code: C, place: Place, values: ValuesOf<C>, details: Details = {}): never {
    throw new Failure(this.#diagnostic(code, place, values, details));
  }
  warn<C extends Code>(code: C, place: Place, values: ValuesOf<C>, details: Details = {}): void {
    const warning = this.#diagnostic(code, place, values, details);
    const same = (one: Diagnostic) =>
      one.code === code &&
      one.source === warning.source &&
      one.span.start === warning.span.start &&
      one.message === warning.message;
    if (!this.warnings.some(same)) this.warnings.push(warning);
  }
  /** Told at the user's own call, with the library's line as a related place. */
  #diagnostic<C extends Code>(code: C, place: Place, values: ValuesOf<C>, details: Details): Diagnostic {
    const make = (source: Place["source"], span: Place["span"], more: ValuesOf<C>, extra: Details) =>
      construct(catalogue[code], source, span, more, extra);
    if (!isLibrary(place)) return make(place.source, place.span, values, details);
    const at = this.#frames.findLastIndex(({ site }) => !isLibrary(site));
    const frame = this.#frames[at];
    if (!frame) return make(place.source, place.span, values, details);
    const inside = { ...place, message: `in ${this.#frames.at(-1)?.what ?? frame.what}` };
    return make(frame.site.source, frame.site.span, values, {
      ...details,
      related: [...(details.related ?? []), inside],
    });
  }

  index(name: string, extent: Dim): Index {
    const outer = [...variablesOf(extent)].find(isIndex);
    if (outer && this.#place) this.raise("E0319", this.#place, { what: `the extent of ${name}`, index: outer.name });
    const order = ++this.#indices;
    const size = constantOf(extent);
    return {
      kind: "variable",
      name,
      // Padded, so that terms keep the order in which indices came into being.
      key: `${name}#${String(order).padStart(6, "0")}`,
      minimum: 0,
      maximum: size === undefined ? Infinity : size - 1,
      extent,
      order,
    };
  }

  readSlot(slot: Slot): TensorValue {
    const { current } = this.#entry;
    const known = current.get(slot);
    if (known) return known;
    const value: TensorValue = { ...this.#entry.slotInput(slot), slot };
    current.set(slot, value);
    this.#entry.history.set(slot, [value]);
    return value;
  }
  writeSlot(slot: Slot, value: TensorValue): void {
    this.readSlot(slot);
    const next: TensorValue = { ...value, slot };
    this.#entry.current.set(slot, next);
    this.#entry.history.get(slot)?.push(next);
  }
  declare(spec: Parameters<Machine["declare"]>[0]): Slot {
    return this.slots.declare(this, spec);
  }
  stream(place: Place): number {
    return this.slots.stream(this, place);
  }

  plusOne(value: TensorValue, place: Place): TensorValue {
    return applyNumeric(this, "add", [value, { kind: "int", value: constant(1) }], place, "+");
  }

  /** Forgets how many steps were taken: each declaration has its own budget. */
  restart(): void {
    this.#steps = 0;
    this.#deepest = undefined;
    this.#depth = 0;
    this.#frames = [];
    this.#dynamic = start;
    this.train = undefined;
  }
  /** Where the stack of the machine that compiles ended, if it did. */
  get deepest(): Place | undefined {
    return this.#deepest;
  }
  #deepest: Place | undefined;
}

export function isLibrary({ source }: Place): boolean {
  return source.file.startsWith("stdlib/");
}

const lineStarts = new WeakMap<Place["source"], readonly number[]>();
function startsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}
function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return low + 1;
}
