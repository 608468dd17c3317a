/** Concrete to abstract syntax: expressions. */
import type { IToken } from "chevrotain";
import type { Argument, Block, Expression, IndexBinder, IndexItem, ReductionName } from "./ast.ts";
import type * as Cst from "./cst.d.ts";
import { spanOf } from "./layout.ts";
import { type Operand, OperationReader, type Operator } from "./operations.ts";
import { isBinary } from "./precedence.ts";
import type { Span } from "./span.ts";
import { bareExpression, Incomplete, ToPattern } from "./to-pattern.ts";
import * as t from "./tokens.ts";

export abstract class ToExpression extends ToPattern {
  abstract block(children: Cst.BlockCstChildren, node: Cst.BlockCstNode): Block;

  // ---- Operations ---------------------------------------------------------------------------------------------------

  protected expressionOf(nodes: readonly Cst.ExpressionCstNode[] | undefined, at = 0): Expression {
    const node = this.node(nodes, at);
    return this.expression(node.children, this.nodeSpan(node));
  }

  expression(children: Cst.ExpressionCstChildren, span: Span): Expression {
    const operation = this.node(children.operation);
    if (children.Maps === undefined) return this.operation(operation.children);
    const parameters = this.lambdaParameters(operation);
    return { kind: "lambda", span, parameters, body: this.expressionOf(children.body) };
  }

  operation(children: Cst.OperationCstChildren): Expression {
    const operands = children.operand.map((node): Operand => this.operand(this.node([node]).children));
    const operators = (children.BinaryOperator ?? []).map((token): Operator => {
      const { image } = this.token([token]);
      if (!isBinary(image)) throw new Incomplete();
      return { text: image, span: spanOf(token) };
    });
    const reader = new OperationReader(operands, operators);
    const value = reader.read();
    this.surroundings.problems.push(...reader.problems);
    if (value === undefined) throw new Incomplete();
    return value;
  }

  operand(children: Cst.OperandCstChildren): Operand {
    const prefixes = (children.prefix ?? []).map((node): Operand["prefixes"][number] => {
      const { children: inner } = this.node([node]);
      if (inner.Minus !== undefined) return { kind: "unary", operator: "-", span: this.nodeSpan(node) };
      if (inner.Not !== undefined) return { kind: "unary", operator: "not", span: this.nodeSpan(node) };
      const word = this.token(inner.Reducer).image;
      if (!isReducer(word)) throw new Incomplete();
      return {
        kind: "reduction",
        reducer: word,
        indices: this.binders(this.node(inner.binders).children),
        span: this.nodeSpan(node),
      };
    });
    return { prefixes, value: this.operandValue(children) };
  }

  prefix(_: Cst.PrefixCstChildren): never {
    throw new Incomplete();
  }

  binders(children: Cst.BindersCstChildren): IndexBinder[] {
    return children.binder.map((node) => this.binder(this.node([node]).children, this.nodeSpan(node)));
  }

  binder(children: Cst.BinderCstChildren, span: Span): IndexBinder {
    return {
      span,
      name: this.binding(this.token(children.Identifier)),
      spread: children.Spread !== undefined,
      extent: children.expression === undefined ? undefined : this.expressionOf(children.expression),
    };
  }

  private operandValue(children: Cst.OperandCstChildren): Expression {
    const conditional = children.ifExpression?.[0];
    if (conditional !== undefined) {
      return this.ifExpression(this.node([conditional]).children, this.nodeSpan(conditional));
    }
    const repeated = children.repeatExpression?.[0];
    if (repeated !== undefined) {
      return this.repeatExpression(this.node([repeated]).children, this.nodeSpan(repeated));
    }
    const block = children.block?.[0];
    if (block !== undefined) return this.block(block.children, block);
    return this.chain(this.node(children.chain).children);
  }

  ifExpression(children: Cst.IfExpressionCstChildren, span: Span): Expression {
    const condition = this.expressionOf(children.condition);
    const block = children.block?.[0];
    return {
      kind: "if",
      span,
      condition,
      then: block === undefined ? this.expressionOf(children.then) : this.block(block.children, block),
      otherwise: children.Else === undefined ? undefined : this.expressionOf(children.otherwise),
    };
  }

  repeatExpression(children: Cst.RepeatExpressionCstChildren, span: Span): Expression {
    const body = this.node(children.block);
    return {
      kind: "repeat",
      span,
      index: this.binding(this.token(children.Identifier ?? children.Hole)),
      count: this.expressionOf(children.count),
      carry:
        children.Is === undefined
          ? undefined
          : {
              pattern: this.patternOfNode(this.node(children.pattern)),
              initial: this.expressionOf(children.initial),
            },
      body: this.block(body.children, body),
    };
  }

  // ---- Chains and atoms ---------------------------------------------------------------------------------------------

  chain(children: Cst.ChainCstChildren): Expression {
    const atom = this.node(children.atom);
    const start = this.nodeSpan(atom);
    let value = this.atom(atom.children, start);
    for (const link of children.link ?? []) {
      const span = { start: start.start, end: this.nodeSpan(this.node([link])).end };
      value = this.link(link.children, { target: value, span });
    }
    return value;
  }

  link(children: Cst.LinkCstChildren, { target, span }: { target: Expression; span: Span }): Expression {
    if (children.Dot !== undefined) {
      return { kind: "field", span, target, name: this.name(this.token(children.Identifier)) };
    }
    const call = children.elements?.[0];
    if (call !== undefined) {
      return { kind: "call", span, callee: target, arguments: this.arguments(this.node([call]).children) };
    }
    return this.indexing(this.node(children.indexing).children, { target, span });
  }

  indexing(children: Cst.IndexingCstChildren, { target, span }: { target: Expression; span: Span }): Expression {
    return {
      kind: "index",
      span,
      target,
      items: children.indexItem.map((node) => this.indexItem(this.node([node]).children, this.nodeSpan(node))),
      otherwise: children.Else === undefined ? undefined : this.expressionOf(children.expression),
    };
  }

  indexItem(children: Cst.IndexItemCstChildren, span: Span): IndexItem {
    if (children.Spread !== undefined) {
      return { kind: "spread", span, name: this.name(this.token(children.Identifier)) };
    }
    const slice = children.sliceEnd?.[0];
    if (slice !== undefined) {
      const from = children.from === undefined ? undefined : this.expressionOf(children.from);
      return { kind: "slice", span, from, ...this.sliceEnd(this.node([slice]).children) };
    }
    const node = this.node(children.from);
    if (bareExpression(node)?.Hole !== undefined) return { kind: "new-axis", span };
    return { kind: "coordinate", span, value: this.expressionOf([node]) };
  }

  sliceEnd(children: Cst.SliceEndCstChildren): { to: Expression | undefined; step: Expression | undefined } {
    return {
      to: children.to === undefined ? undefined : this.expressionOf(children.to),
      step: children.step === undefined ? undefined : this.expressionOf(children.step),
    };
  }

  atom(children: Cst.AtomCstChildren, span: Span): Expression {
    if (children.NumberLiteral !== undefined) return this.number(this.token(children.NumberLiteral));
    if (children.StringLiteral !== undefined) return this.text(this.token(children.StringLiteral));
    if (children.True !== undefined) return { kind: "boolean", span, value: true };
    if (children.False !== undefined) return { kind: "boolean", span, value: false };
    if (children.Identifier !== undefined) {
      return { kind: "reference", span, name: this.token(children.Identifier).image };
    }
    if (children.Hole !== undefined) {
      this.report("E0112", span);
      return { kind: "hole", span };
    }
    const group = children.elements?.[0];
    if (group !== undefined) return this.elements(this.node([group]).children, span);
    return this.list(this.node(children.list).children, span);
  }

  private number(token: IToken): Expression {
    const span = spanOf(token);
    const value = Number.parseFloat(token.image);
    const float = /[.eE]/.test(token.image);
    if (!Number.isFinite(value) || (!float && !Number.isSafeInteger(value))) {
      this.report("E0124", span, { text: token.image });
    }
    return { kind: "number", span, value, float, text: token.image };
  }

  /** Parentheses that are not a call's. */
  elements(children: Cst.ElementsCstChildren, span: Span): Expression {
    const members = (children.element ?? []).map((node) => this.node([node]).children);
    const [first] = members;
    if (first !== undefined && members.length === 1 && first.Identifier === undefined) {
      return { ...this.expressionOf(first.expression), span };
    }
    if (members.every((member) => member.Identifier === undefined)) {
      return { kind: "tuple", span, elements: members.map((member) => this.expressionOf(member.expression)) };
    }
    return {
      kind: "record",
      span,
      fields: members.map((member) => {
        const value = this.expressionOf(member.expression);
        if (member.Identifier === undefined) {
          this.report("E0119", value.span);
          throw new Incomplete();
        }
        return { name: this.name(this.token(member.Identifier)), value };
      }),
    };
  }

  private arguments(children: Cst.ElementsCstChildren): Argument[] {
    return (children.element ?? []).map((node) => this.element(this.node([node]).children, this.nodeSpan(node)));
  }

  /** One argument of a call, where `_` may stand. */
  element(children: Cst.ElementCstChildren, span: Span): Argument {
    const name = children.Identifier === undefined ? undefined : this.name(this.token(children.Identifier));
    const node = this.node(children.expression);
    const hole = bareExpression(node)?.Hole?.[0];
    return {
      span,
      name,
      value: hole === undefined ? this.expressionOf([node]) : { kind: "hole", span: spanOf(hole) },
    };
  }

  list(children: Cst.ListCstChildren, span: Span): Expression {
    const elements = (children.expression ?? []).map((node) => this.expressionOf([node]));
    return { kind: "list", span, elements };
  }
}

function isReducer(word: string): word is ReductionName {
  return t.reducers.has(word);
}
