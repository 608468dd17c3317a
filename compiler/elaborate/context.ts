/** What every part of the evaluator is handed: the machine, as the parts see it. `machine.ts` is it. */
import type { Block, Expression, Type } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/span.ts";
import type { Details, Diagnostic, diagnose } from "../diagnostics/index.ts";
import { type Dim, variablesOf } from "../types/dims.ts";
import type { DType } from "../types/dtype.ts";
import type { Shape } from "../types/shape.ts";
import type { TensorDomain } from "./domain.ts";
import { type Handle, type Index, isIndex } from "./element.ts";
import type { ArgumentValue, Instance, Place, Replacement, Scope, Slot, TensorValue, Value, Watch } from "./values.ts";

/** The user's error, or a limit of ours, on its way out of the evaluation. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly diagnostic: Diagnostic;
  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}
/** A name whose own statement has failed already: nothing more to say. */
export class AlreadyReported extends Error {}
/** A question on a symbolic size that only a chosen size can answer. */
export class Undecided extends Error {
  readonly place: Place;
  readonly question: string;
  constructor(place: Place, question: string) {
    super(question);
    this.place = place;
    this.question = question;
  }
}

export type Code = keyof typeof diagnose;
export type ValuesOf<C extends Code> = Parameters<(typeof diagnose)[C]>[2];

/** One application under way: whose it is and where it was written. */
export interface CallFrame {
  readonly what: string;
  readonly site: Place;
}

/** The instance whose body is being evaluated, and how far its names have come. */
export interface Owner {
  readonly instance: Instance;
  /** Enclosing `let` names and `repeat` numbers. */
  readonly prefix: readonly string[];
  readonly counters: Map<string, number>;
  /** Local paths used in this application. */
  readonly taken: Set<string>;
}

/** What holds below the current call without being an argument. */
export interface Dynamic {
  readonly training: boolean;
  readonly owner: Owner | undefined;
  /** Indices of the index notation around, outermost first. */
  readonly open: readonly Index[];
  /** The conditions of the `when`s around, as one rank-0 bool. */
  readonly mask: TensorValue | undefined;
  /** Whether `/` on ints is meant to round down: in `where`, dimensions and coordinates. */
  readonly roundingDivision: boolean;
  /** `seed: s` around: draws depend on it and on their number below that call alone. */
  readonly seed: { readonly handle: Handle; draws: number } | undefined;
  /** What the outermost reduction of an indexed `let` computes. */
  readonly naming: string | undefined;
  /** Whether a `:=` would be lost: inside scans and differentiated functions. */
  readonly sealed: "scan" | undefined;
  /** What is called in the place of other functions, the innermost last. */
  readonly replacements: readonly Replacement[];
  /** Sees every result on its way out of a call. */
  readonly watch: Watch | undefined;
}

/** One graph under elaboration: which tensors its slots, seed and step are. */
export interface Entry {
  readonly domain: TensorDomain;
  /** What may happen to states. */
  readonly kind: "predict" | "call" | "step" | "evaluate" | "initialize" | "check";
  readonly current: Map<Slot, TensorValue>;
  /** Every value a parameter had in this entry, to tell a stale loss. */
  readonly history: Map<Slot, TensorValue[]>;
  slotInput(slot: Slot): TensorValue;
  seed(): Handle;
  /** Undefined where no step is counted. */
  step(): Handle | undefined;
}

/** A value of a configuration list, as `--set` or an option gives it. */
export type Setting = string | number | boolean | readonly Setting[];

export interface Machine {
  /** What fills configuration lists from outside, by name. */
  readonly settings: Readonly<Record<string, Setting>>;
  readonly entry: Entry;
  readonly domain: TensorDomain;
  readonly dynamic: Dynamic;
  readonly frames: readonly CallFrame[];

  evaluate(expression: Expression, scope: Scope): Value;
  /** Says where what is built next comes from. */
  at(place: Place): void;
  /** The value of a block: of its last expression. */
  block(block: Block, scope: Scope): Value | undefined;
  call(callee: Value, args: readonly ArgumentValue[], place: Place): Value;
  /** Like `call` with positional arguments that stand nowhere. */
  invoke(callee: Value, args: readonly Value[], place: Place): Value;
  /** The value as its declared type: checked, converted, dimensions bound in `scope`. */
  convert(value: Value, type: Type, scope: Scope, what: string, place: Place): Value;
  /** The field of an instance: a child, a tensor, `params`. */
  fieldOf(instance: Instance, name: string, place: Place): Value;

  within<T>(dynamic: Partial<Dynamic>, run: () => T): T;
  framed<T>(frame: CallFrame, run: () => T): T;
  inEntry<T>(entry: Entry, run: () => T): T;
  raise<C extends Code>(code: C, place: Place, values: ValuesOf<C>, details?: Details): never;
  warn<C extends Code>(code: C, place: Place, values: ValuesOf<C>, details?: Details): void;

  index(name: string, extent: Dim): Index;
  readSlot(slot: Slot): TensorValue;
  writeSlot(slot: Slot, value: TensorValue): void;
  /** The stream of the random draw at this place. */
  stream(place: Place): number;
  /** A parameter or state of the current owner, made at the first application. */
  declare(spec: {
    readonly role: "parameter" | "state" | "optimizer";
    readonly name: string;
    readonly dtype: DType;
    readonly shape: Shape;
    readonly initial: () => Value;
    readonly place: Place;
  }): Slot;
}

/** A question on a size that is no number: an index has none to give, a symbol may get one. */
export function undecided(machine: Machine, place: Place, question: string, dim?: Dim): never {
  const index = dim && [...variablesOf(dim)].find(isIndex);
  if (index) machine.raise("E0319", place, { what: `\`${question}\``, index: index.name });
  throw new Undecided(place, question);
}

export function placeOf(scope: Scope, node: { readonly span: Span }): Place {
  return { source: scope.source, span: node.span };
}
