/**
 * The syntax tree of dlx. Spans are offsets into the module's source; every other value is plain data, so that a tree
 * can be compared, generated and printed without a parser.
 */
import type { Source, Span } from "./span.ts";

export interface Module {
  readonly source: Source;
  readonly imports: readonly Import[];
  readonly declarations: readonly Declaration[];
  /** Every `//` comment that is not a doc comment, in source order: the formatter puts them back. */
  readonly comments: readonly Comment[];
}

export interface Comment {
  readonly span: Span;
  /** With its slashes, without the newline. */
  readonly text: string;
  /** Whether code precedes it on its line. */
  readonly trailing: boolean;
}

export interface Name {
  readonly text: string;
  readonly span: Span;
}

/** `import nn` (a standard-library module) or `import "./blocks.dlx"` (a neighbour). */
export interface Import {
  readonly kind: "import";
  readonly span: Span;
  readonly path: string;
  readonly quoted: boolean;
}

// ---- Declarations ---------------------------------------------------------------------------------------------------

export type Declaration = FunctionDeclaration | TwoListDeclaration | ModelDeclaration;

interface DeclarationBase {
  readonly span: Span;
  readonly name: Name;
  /** Lines of the `///` comment above, slashes removed. */
  readonly doc: readonly string[];
  readonly exported: boolean;
  readonly where: readonly WhereItem[];
  readonly body: Expression;
  /** Whether the body was written `= e` (true) or as a block. */
  readonly equals: boolean;
}

export interface FunctionDeclaration extends DeclarationBase {
  readonly kind: "fn";
  readonly parameters: readonly Parameter[];
  readonly result: Type | undefined;
}

/** The declarations with two lists: configuration, then tensors. */
export interface TwoListDeclaration extends DeclarationBase {
  readonly kind: "layer" | "optimizer" | "train";
  readonly configuration: readonly Parameter[];
  readonly parameters: readonly Parameter[];
  readonly result: Type | undefined;
}

/** A layer that has exactly one instance: its configuration, empty if only one list was written, is all defaults. */
export interface ModelDeclaration extends DeclarationBase {
  readonly kind: "model";
  readonly configuration: readonly Parameter[];
  readonly parameters: readonly Parameter[];
  readonly result: Type | undefined;
}

export interface Parameter {
  readonly span: Span;
  readonly name: Name;
  readonly type: Type | undefined;
  readonly default: Expression | undefined;
}

export type WhereItem =
  | {
      readonly kind: "condition";
      readonly span: Span;
      readonly condition: Expression;
      readonly otherwise: Text | undefined;
    }
  | { readonly kind: "definition"; readonly span: Span; readonly name: Name; readonly value: Expression }
  | { readonly kind: "warning"; readonly span: Span; readonly condition: Expression; readonly otherwise: Text };

/** A string literal; `{expression}` inside it is kept as an expression. */
export interface Text {
  readonly kind: "text";
  readonly span: Span;
  readonly parts: readonly (string | Expression)[];
}

// ---- Types ----------------------------------------------------------------------------------------------------------

export type Type = TensorType | SimpleType | ListType | TupleType | RecordType | LikeType;

/** `f32`, `f32[N, 3, ...S]`; `axes` is undefined for a bare dtype, which is short for rank 0. */
export interface TensorType {
  readonly kind: "tensor-type";
  readonly span: Span;
  readonly dtype: "f32" | "f16" | "i32" | "u32" | "bool" | "u8";
  readonly axes: readonly AxisType[] | undefined;
}
export type AxisType =
  | { readonly kind: "dimension"; readonly span: Span; readonly value: Expression }
  | { readonly kind: "spread"; readonly span: Span; readonly name: Name };
/** Compile-time types. A bare `bool` is always a TensorType with `axes: undefined`; the checker decides its stage by use. */
export interface SimpleType {
  readonly kind: "simple-type";
  readonly span: Span;
  readonly name: "int" | "float" | "str" | "fn" | "layer";
}
/** `list[int]`; `list[int, 2]` has so many, and takes one value for all of them. */
export interface ListType {
  readonly kind: "list-type";
  readonly span: Span;
  readonly element: Type;
  readonly count: Expression | undefined;
}
export interface TupleType {
  readonly kind: "tuple-type";
  readonly span: Span;
  readonly elements: readonly Type[];
}
export interface RecordType {
  readonly kind: "record-type";
  readonly span: Span;
  readonly fields: readonly { readonly name: Name; readonly type: Type }[];
}
/** `like(LeNet.params)`: a tree of the same tensors. */
export interface LikeType {
  readonly kind: "like-type";
  readonly span: Span;
  readonly value: Expression;
}

// ---- Statements -----------------------------------------------------------------------------------------------------

export type Statement =
  | LetStatement
  | IndexedLet
  | ParamStatement
  | AssignStatement
  | WhenStatement
  | MinimizeStatement
  | MetricStatement
  | ExpressionStatement;

export interface LetStatement {
  readonly kind: "let";
  readonly span: Span;
  readonly pattern: Pattern;
  readonly value: Expression;
}
export type Pattern =
  | { readonly kind: "name-pattern"; readonly span: Span; readonly name: string } // `_` discards
  | { readonly kind: "tuple-pattern"; readonly span: Span; readonly elements: readonly Pattern[] }
  | {
      readonly kind: "record-pattern";
      readonly span: Span;
      readonly fields: readonly { readonly name: Name; readonly pattern: Pattern }[];
    };

/** `let y[n, i < OH, ...s] = body`: defines a tensor by index notation. */
export interface IndexedLet {
  readonly kind: "indexed-let";
  readonly span: Span;
  readonly name: Name;
  readonly indices: readonly IndexBinder[];
  readonly value: Expression;
}
export interface IndexBinder {
  readonly span: Span;
  readonly name: Name;
  /** `...s`: a run of indices. */
  readonly spread: boolean;
  /** `< e`. */
  readonly extent: Expression | undefined;
}

/** `param w: T = e` and `state s: T = e`. */
export interface ParamStatement {
  readonly kind: "param" | "state";
  readonly span: Span;
  readonly name: Name;
  readonly type: Type;
  readonly value: Expression;
}
/** `running_mean := e`, `LeNet.params := e`. */
export interface AssignStatement {
  readonly kind: "assign";
  readonly span: Span;
  readonly target: Expression;
  readonly value: Expression;
}
/** `when c { .. }`: each `:=` inside becomes a run-time choice. */
export interface WhenStatement {
  readonly kind: "when";
  readonly span: Span;
  readonly condition: Expression;
  readonly body: Block;
}
export interface MinimizeStatement {
  readonly kind: "minimize";
  readonly span: Span;
  readonly name: Name;
  readonly value: Expression;
  readonly over: Expression;
  readonly using: Expression;
  readonly gradients: Expression | undefined;
}
export interface MetricStatement {
  readonly kind: "metric";
  readonly span: Span;
  readonly name: Name;
  readonly value: Expression;
}
export interface ExpressionStatement {
  readonly kind: "expression";
  readonly span: Span;
  readonly value: Expression;
}

// ---- Expressions ----------------------------------------------------------------------------------------------------

export type Expression =
  | NumberLiteral
  | BooleanLiteral
  | Text
  | Reference
  | Hole
  | ListExpression
  | TupleExpression
  | RecordExpression
  | Call
  | IndexExpression
  | FieldExpression
  | UnaryExpression
  | BinaryExpression
  | PipeExpression
  | Lambda
  | IfExpression
  | Block
  | Reduction
  | Repeat;

export interface NumberLiteral {
  readonly kind: "number";
  readonly span: Span;
  readonly value: number;
  /** True when written with a point or an exponent. */
  readonly float: boolean;
  /** As the user wrote it. */
  readonly text: string;
}
export interface BooleanLiteral {
  readonly kind: "boolean";
  readonly span: Span;
  readonly value: boolean;
}
export interface Reference {
  readonly kind: "reference";
  readonly span: Span;
  readonly name: string;
}
/** `_` as a call argument: makes the call a function. */
export interface Hole {
  readonly kind: "hole";
  readonly span: Span;
}
export interface ListExpression {
  readonly kind: "list";
  readonly span: Span;
  readonly elements: readonly Expression[];
}
/** `(x, y)`; parentheses around one expression leave no trace. */
export interface TupleExpression {
  readonly kind: "tuple";
  readonly span: Span;
  readonly elements: readonly Expression[];
}
export interface RecordExpression {
  readonly kind: "record";
  readonly span: Span;
  readonly fields: readonly { readonly name: Name; readonly value: Expression }[];
}
export interface Call {
  readonly kind: "call";
  readonly span: Span;
  readonly callee: Expression;
  readonly arguments: readonly Argument[];
}
export interface Argument {
  readonly span: Span;
  readonly name: Name | undefined;
  readonly value: Expression;
}
export interface IndexExpression {
  readonly kind: "index";
  readonly span: Span;
  readonly target: Expression;
  readonly items: readonly IndexItem[];
  /** The value read where a coordinate is out of range: `x[i - 1 else 0]`. */
  readonly otherwise: Expression | undefined;
}
export type IndexItem =
  | { readonly kind: "coordinate"; readonly span: Span; readonly value: Expression }
  | {
      readonly kind: "slice"; // `a:b:c`, each part optional; a lone `:` is the whole axis
      readonly span: Span;
      readonly from: Expression | undefined;
      readonly to: Expression | undefined;
      readonly step: Expression | undefined;
    }
  | { readonly kind: "new-axis"; readonly span: Span } // `_`
  | { readonly kind: "spread"; readonly span: Span; readonly name: Name };
export interface FieldExpression {
  readonly kind: "field";
  readonly span: Span;
  readonly target: Expression;
  readonly name: Name;
}
export interface UnaryExpression {
  readonly kind: "unary";
  readonly span: Span;
  readonly operator: "-" | "not";
  readonly operand: Expression;
}
export type BinaryOperator =
  | "or"
  | "and"
  | "=="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "@"
  | "^";
export interface BinaryExpression {
  readonly kind: "binary";
  readonly span: Span;
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}
/** `x |> stage`. */
export interface PipeExpression {
  readonly kind: "pipe";
  readonly span: Span;
  readonly value: Expression;
  readonly stage: Expression;
}
export interface Lambda {
  readonly kind: "lambda";
  readonly span: Span;
  readonly parameters: readonly Pattern[];
  readonly body: Expression;
}
export interface IfExpression {
  readonly kind: "if";
  readonly span: Span;
  readonly condition: Expression;
  readonly then: Expression;
  readonly otherwise: Expression | undefined;
}
export interface Block {
  readonly kind: "block";
  readonly span: Span;
  /** The value of the block is its last statement, if that is an expression. */
  readonly statements: readonly Statement[];
}
export type ReductionName = "sum" | "prod" | "max" | "min" | "mean" | "argmax" | "argmin" | "any" | "all";
/** `sum[k < K] body`. */
export interface Reduction {
  readonly kind: "reduction";
  readonly span: Span;
  readonly reducer: ReductionName;
  readonly indices: readonly IndexBinder[];
  readonly body: Expression;
}
/** `repeat i < n, h = start { body }`; without `h = start` it runs for its `:=`s. */
export interface Repeat {
  readonly kind: "repeat";
  readonly span: Span;
  readonly index: Name;
  readonly count: Expression;
  readonly carry: { readonly pattern: Pattern; readonly initial: Expression } | undefined;
  readonly body: Block;
}
