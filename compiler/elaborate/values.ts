/** What an expression of dlx can be while the compiler runs it. Everything but tensors is known to the compiler. */
import type {
  Expression,
  FunctionDeclaration,
  ModelDeclaration,
  Pattern,
  TwoListDeclaration,
} from "../../grammar/ast.ts";
import type { Source, Span } from "../../grammar/span.ts";
import { constantOf, type Dim, printDim } from "../types/dims.ts";
import type { DType } from "../types/dtype.ts";
import { printType, type Shape } from "../types/shape.ts";
import type { Element, Handle } from "./element.ts";

/** A place in a source text. */
export interface Place {
  readonly source: Source;
  readonly span: Span;
}

export type Value =
  | IntValue
  | FloatValue
  | BoolValue
  | StrValue
  | ListValue
  | TupleValue
  | RecordValue
  | TensorValue
  | TreeValue
  | ClosureValue
  | DeclaredFunction
  | BuiltinFunction
  | LayerValue
  | InstanceValue
  | OptimizerValue
  | ConfiguredOptimizer
  | ModuleValue;

/** A compile-time integer, a dimension, or an expression over indices of index notation. */
export interface IntValue {
  readonly kind: "int";
  readonly value: Dim;
}
/** `undefined`: depends on a dimension that is still a symbol. */
export interface FloatValue {
  readonly kind: "float";
  readonly value: number | undefined;
}
export interface BoolValue {
  readonly kind: "bool";
  readonly value: boolean | undefined;
}
export interface StrValue {
  readonly kind: "str";
  readonly value: string;
}
export interface ListValue {
  readonly kind: "list";
  readonly elements: readonly Value[];
}
export interface TupleValue {
  readonly kind: "tuple";
  readonly elements: readonly Value[];
}
export interface RecordValue {
  readonly kind: "record";
  readonly fields: ReadonlyMap<string, Value>;
}

/** Where a tensor came from, for messages: "from max_pool at line 9". */
export interface Provenance {
  readonly what: string;
  readonly place: Place;
  /** What the function or layer was called with, by the names of its parameters. */
  readonly scope?: Scope;
  /** Where the value came from inside, that this function only handed on. */
  readonly inner?: Provenance | undefined;
  /** Where its arguments came from. */
  readonly inputs?: readonly Provenance[];
}
export interface TensorValue {
  readonly kind: "tensor";
  readonly dtype: DType;
  readonly shape: Shape;
  /** Axes made by `_`: they stretch to any extent. */
  readonly inserted?: readonly boolean[];
  /** The element at these coordinates, one an axis; out of range only with `otherwise`, and then that. */
  readonly at: (coordinates: readonly Element[], otherwise?: number) => Element;
  /** The stored tensor whose elements these are, in place. */
  readonly handle?: Handle | undefined;
  /** Whether `at` reads a stored tensor directly, so that it takes an `otherwise`. Implied by `handle`. */
  readonly readable?: true;
  /** Chosen among compile-time ints at run time: takes the type it meets, as they do. */
  readonly weak?: true;
  readonly slot?: Slot;
  readonly from?: Provenance;
}

/** The tensors of a model or of an instance by path, in the order in which they came into being. */
export interface TreeValue {
  readonly kind: "tree";
  readonly entries: readonly TreeEntry[];
}
export interface TreeEntry {
  /** Path from the tree's root. */
  readonly path: string;
  readonly value: TensorValue;
  readonly slot: Slot | undefined;
}

export interface ClosureValue {
  readonly kind: "closure";
  readonly parameters: readonly Pattern[];
  readonly body: Expression;
  readonly scope: Scope;
}
export interface DeclaredFunction {
  readonly kind: "fn";
  readonly declaration: FunctionDeclaration;
  readonly scope: Scope;
}
/** A function of the language itself, or one that such a function returned. */
export interface BuiltinFunction {
  readonly kind: "builtin";
  readonly name: string;
  /** Named parameters after the positional ones, for messages. */
  readonly call: (args: readonly ArgumentValue[], place: Place) => Value;
  /** Whether its result is a function: then `x |> grad(f)` applies that result to x. */
  readonly makesFunction?: true;
}
export interface ArgumentValue {
  readonly name: string | undefined;
  readonly value: Value;
  readonly place: Place;
}

export interface LayerValue {
  readonly kind: "layer";
  readonly declaration: TwoListDeclaration;
  readonly scope: Scope;
}
export interface InstanceValue {
  readonly kind: "instance";
  readonly instance: Instance;
}
export interface OptimizerValue {
  readonly kind: "optimizer";
  readonly declaration: TwoListDeclaration;
  readonly scope: Scope;
}
export interface ConfiguredOptimizer {
  readonly kind: "configured-optimizer";
  readonly declaration: TwoListDeclaration;
  /** Holds the configuration. */
  readonly scope: Scope;
}
export interface ModuleValue {
  readonly kind: "module";
  readonly name: string;
  readonly members: ReadonlyMap<string, Value>;
}

/** What is called in the place of a function of the program, of the language, or of an instance. */
export interface Replacement {
  readonly old: Value;
  readonly by: Value;
  /** Called whenever it takes effect. */
  readonly onUse: () => void;
}

/** Told every result of a call, in the order in which they are there; gives what stands in its place. */
export type Watch = (result: Value, callee: Value) => Value;

/**
 * One use of a layer, or a model: what it was configured with, and what came into being inside it. Applied again, it finds
 * its children and tensors by name, which is what sharing weights means.
 */
export interface Instance {
  /** `LeNet.conv2d_1`; a `let` that names the instance renames it before it is first applied. */
  path: string;
  readonly declaration: TwoListDeclaration | ModelDeclaration;
  scope: Scope;
  readonly parent: Instance | undefined;
  readonly children: Map<string, Instance>;
  readonly slots: Map<string, Slot>;
  /** Children and slots by local path, in the order in which they came into being. */
  readonly order: string[];
  /** Where it was first applied. */
  applied: Place | undefined;
  /** Whether a model's scope holds its configuration already. */
  configured?: true;
}

/** A tensor that outlives a call. Its current value belongs to the entry being elaborated. */
export interface Slot {
  readonly path: string;
  readonly role: "parameter" | "state" | "optimizer";
  readonly block: string | undefined;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly declared: Place;
  /** Its initial value where that is one number. */
  fill: number | undefined;
}

// ---- Words for values -----------------------------------------------------------------------------------------------------

/** What a value is, as messages say it. */
export function describe(value: Value): string {
  switch (value.kind) {
    case "int":
      return `int ${printDim(value.value)}`;
    case "float":
      return value.value === undefined ? "float" : `float ${value.value}`;
    case "bool":
      return value.value === undefined ? "bool" : `bool ${value.value}`;
    case "str":
      return `str "${value.value}"`;
    case "list":
      return `list of ${value.elements.length}`;
    case "tuple":
      return `(${value.elements.map(describe).join(", ")})`;
    case "record":
      return `(${[...value.fields].map(([name, field]) => `${name}: ${describe(field)}`).join(", ")})`;
    case "tensor":
      return printType(value.dtype, value.shape);
    case "tree":
      return `tree of ${value.entries.length} tensors`;
    case "closure":
    case "fn":
    case "builtin":
      return value.kind === "closure" ? "a function" : `function ${nameOf(value)}`;
    case "layer":
      return `layer ${value.declaration.name.text}`;
    case "instance":
      return `${value.instance.declaration.kind} ${value.instance.path}`;
    case "optimizer":
    case "configured-optimizer":
      return `optimizer ${value.declaration.name.text}`;
    case "module":
      return `module ${value.name}`;
    default:
      return value satisfies never;
  }
}
export function nameOf(value: Value): string {
  switch (value.kind) {
    case "fn":
    case "layer":
    case "optimizer":
    case "configured-optimizer":
      return value.declaration.name.text;
    case "builtin":
    case "module":
      return value.name;
    case "instance":
      return value.instance.declaration.name.text;
    default:
      return "the function";
  }
}

/** As interpolated in a text: the value alone. */
export function showValue(value: Value): string {
  switch (value.kind) {
    case "int":
      return printDim(value.value);
    case "float":
    case "bool":
      return `${value.value ?? "?"}`;
    case "str":
      return value.value;
    case "list":
      return `[${value.elements.map(showValue).join(", ")}]`;
    case "tuple":
      return `(${value.elements.map(showValue).join(", ")})`;
    default:
      return describe(value);
  }
}

export function numberOf(value: Value): number | undefined {
  if (value.kind === "int") return constantOf(value.value);
  return value.kind === "float" ? value.value : undefined;
}
export function isFunction(value: Value): boolean {
  return ["closure", "fn", "builtin", "instance"].includes(value.kind);
}

// ---- Names ------------------------------------------------------------------------------------------------------------------

/** A name of a run of dimensions (`...S`) or of indices (`...s`) stands for a list of ints. */
export type Binding =
  | { readonly kind: "value"; readonly value: Value }
  /** Reads the slot's current value. */
  | { readonly kind: "slot"; readonly slot: Slot }
  /** Its statement failed; using it says nothing more. */
  | { readonly kind: "failed" }
  /** Evaluated when first asked for: declarations of a module, definitions of a where-clause. */
  | { readonly kind: "lazy"; readonly get: (place: Place) => Value };

export class Scope {
  readonly source: Source;
  readonly parent: Scope | undefined;
  /** Whether this scope and those around it hold declarations, not what one application binds. */
  readonly outermost: boolean;
  readonly #names = new Map<string, Binding>();

  constructor(source: Source, parent: Scope | undefined, outermost = false) {
    this.source = source;
    this.parent = parent;
    this.outermost = outermost;
  }

  child(source: Source = this.source): Scope {
    return new Scope(source, this);
  }
  bind(name: string, value: Value): void {
    this.#names.set(name, { kind: "value", value });
  }
  set(name: string, binding: Binding): void {
    this.#names.set(name, binding);
  }
  own(name: string): Binding | undefined {
    return this.#names.get(name);
  }
  find(name: string): Binding | undefined {
    for (let scope: Scope | undefined = this; scope; scope = scope.parent) {
      const found = scope.#names.get(name);
      if (found) return found;
    }
    return undefined;
  }
  /** Found among what this application binds. */
  findLocal(name: string): Binding | undefined {
    for (let scope: Scope | undefined = this; scope && !scope.outermost; scope = scope.parent) {
      const found = scope.#names.get(name);
      if (found) return found;
    }
    return undefined;
  }
  /** Every visible name, for suggestions. */
  *names(): Iterable<string> {
    for (let scope: Scope | undefined = this; scope; scope = scope.parent) yield* scope.#names.keys();
  }
}
