/** Gives a flat run of operands and operators its shape, by the precedence table. */
import type { BinaryOperator, Expression, IndexBinder, ReductionName } from "./ast.ts";
import { bindings, level } from "./precedence.ts";
import type { Problem } from "./problem.ts";
import { cover, type Span } from "./span.ts";

export type Prefix =
  | { readonly kind: "unary"; readonly operator: "-" | "not"; readonly span: Span }
  | {
      readonly kind: "reduction";
      readonly reducer: ReductionName;
      readonly indices: readonly IndexBinder[];
      readonly span: Span;
    };

export interface Operand {
  readonly prefixes: readonly Prefix[];
  readonly value: Expression;
}

export interface Operator {
  readonly text: BinaryOperator | "|>";
  readonly span: Span;
}

/** Precedence climbing over `operand (operator operand)*`, where an operand may have prefixes. */
export class OperationReader {
  private readonly operands: readonly Operand[];
  private readonly operators: readonly Operator[];
  /** Comparisons that chain. */
  readonly problems: Problem[] = [];
  private operand = 0;
  private prefix = 0;
  private operator = 0;

  constructor(operands: readonly Operand[], operators: readonly Operator[]) {
    this.operands = operands;
    this.operators = operators;
  }

  /** Reads an expression whose operators bind at least as tightly as `least`; undefined where an operand is missing. */
  read(least: number = level.open): Expression | undefined {
    let left = this.readPrefixed();
    let compared = false;
    for (;;) {
      const operator = this.operators[this.operator];
      if (left === undefined || operator === undefined) return left;
      const binding = bindings[operator.text];
      if (binding.level < least) return left;
      if (binding.associates === "no" && compared) {
        this.problems.push({ code: "E0110", span: operator.span, values: { operator: operator.text } });
      }
      compared = binding.associates === "no";
      this.operator++;
      const right = this.read(binding.associates === "right" ? binding.level : binding.level + 1);
      if (right === undefined) return undefined;
      const span = cover(left.span, right.span);
      left =
        operator.text === "|>"
          ? { kind: "pipe", span, value: left, stage: right }
          : { kind: "binary", span, operator: operator.text, left, right };
    }
  }

  private readPrefixed(): Expression | undefined {
    const operand = this.operands[this.operand];
    const prefix = operand?.prefixes[this.prefix];
    if (prefix === undefined) {
      this.operand++;
      this.prefix = 0;
      return operand?.value;
    }
    this.prefix++;
    if (prefix.kind === "reduction") {
      const body = this.read(level.product);
      if (body === undefined) return undefined;
      const { reducer, indices } = prefix;
      return { kind: "reduction", span: cover(prefix.span, body.span), reducer, indices, body };
    }
    const value = this.read(prefix.operator === "not" ? level.not : level.negation);
    if (value === undefined) return undefined;
    return { kind: "unary", span: cover(prefix.span, value.span), operator: prefix.operator, operand: value };
  }
}
