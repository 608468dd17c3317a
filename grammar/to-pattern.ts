/** Concrete to abstract syntax: what every visitor method needs, and patterns. */
import type { CstNode, IToken } from "chevrotain";
import type { Expression, Name, Pattern, Text } from "./ast.ts";
import type * as Cst from "./cst.d.ts";
import { spanOf } from "./layout.ts";
import { DlxParser } from "./parser.ts";
import type { Problem } from "./problem.ts";
import type { Span } from "./span.ts";
import { splitString } from "./strings.ts";
import * as t from "./tokens.ts";

/** The parser builds its tables once; between parses it holds nothing. */
export const parser = new DlxParser();
const Visitor = parser.getBaseCstVisitorConstructor();

/** Thrown where the parser left a hole: the statement or declaration around it is dropped, its problem is reported. */
export class Incomplete extends Error {}

/** What the visitor asks of its surroundings. */
export interface Surroundings {
  readonly text: string;
  readonly problems: Problem[];
  /** Parses the expression between braces inside a string. */
  readonly interpolate: (span: Span) => Expression | undefined;
}

export abstract class ToPattern extends Visitor {
  protected readonly surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    super();
    this.surroundings = surroundings;
  }

  // ---- Helpers ------------------------------------------------------------------------------------------------------

  protected report(code: string, span: Span, values: Problem["values"] = {}): void {
    this.surroundings.problems.push({ code, span, values });
  }

  /** The first of the children, which the grammar says is there, unless the parser recovered here. */
  protected node<N extends CstNode>(nodes: readonly N[] | undefined, at = 0): N {
    const node = nodes?.[at];
    if (node === undefined || (node.recoveredNode === true && node.name !== "block")) throw new Incomplete();
    return node;
  }

  protected token(tokens: readonly IToken[] | undefined, at = 0): IToken {
    const token = tokens?.[at];
    if (token === undefined || token.isInsertedInRecovery === true) throw new Incomplete();
    return token;
  }

  protected nodeSpan(node: CstNode): Span {
    const { location } = node;
    if (location?.endOffset === undefined) throw new Incomplete();
    return { start: location.startOffset, end: location.endOffset + 1 };
  }

  protected name(token: IToken): Name {
    return { text: token.image, span: spanOf(token) };
  }

  /** A name that is given to something here. */
  protected binding(token: IToken): Name {
    if (t.reducers.has(token.image)) {
      this.report("E0113", spanOf(token), { name: token.image, what: "a reduction" });
    }
    return this.name(token);
  }

  protected text(token: IToken): Text {
    const span = spanOf(token);
    if (token.tokenType === t.OpenString) return { kind: "text", span, parts: [] };
    const { pieces, badEscapes } = splitString(this.surroundings.text, span.start, span.end);
    for (const bad of badEscapes) {
      this.report("E0104", bad, { escape: this.surroundings.text.slice(bad.start, bad.end) });
    }
    const parts: (string | Expression)[] = [];
    for (const piece of pieces) {
      if (typeof piece === "string") {
        const last = parts.at(-1);
        if (typeof last === "string") parts[parts.length - 1] = last + piece;
        else parts.push(piece);
      } else {
        const value = this.surroundings.interpolate(piece);
        if (value !== undefined) parts.push(value);
      }
    }
    return { kind: "text", span, parts };
  }

  // ---- Patterns -----------------------------------------------------------------------------------------------------

  pattern(children: Cst.PatternCstChildren, span: Span): Pattern {
    const simple = children.Identifier?.[0] ?? children.Hole?.[0];
    if (simple !== undefined) return this.namePattern(this.token([simple]));
    const fields = (children.patternField ?? []).map((field) => this.node([field]));
    return this.groupPattern(
      span,
      fields.map((field) => {
        const inner = this.node(field.children.pattern);
        return {
          label: field.children.Identifier?.[0],
          pattern: this.pattern(inner.children, this.nodeSpan(inner)),
        };
      }),
    );
  }

  patternField(_: Cst.PatternFieldCstChildren): never {
    throw new Incomplete();
  }

  protected patternOfNode(node: Cst.PatternCstNode): Pattern {
    return this.pattern(node.children, this.nodeSpan(node));
  }

  private namePattern(token: IToken): Pattern {
    const { text, span } = this.binding(token);
    return { kind: "name-pattern", span, name: text };
  }

  private groupPattern(
    span: Span,
    members: readonly { readonly label: IToken | undefined; readonly pattern: Pattern }[],
  ): Pattern {
    const [first] = members;
    if (first !== undefined && members.length === 1 && first.label === undefined) return first.pattern;
    if (members.every((member) => member.label === undefined)) {
      return { kind: "tuple-pattern", span, elements: members.map((member) => member.pattern) };
    }
    return {
      kind: "record-pattern",
      span,
      fields: members.map(({ label, pattern }) => {
        if (label === undefined) {
          this.report("E0119", pattern.span);
          throw new Incomplete();
        }
        return { name: this.name(label), pattern };
      }),
    };
  }

  /** What stands before `=>`: one name, or the names between one pair of parentheses. */
  protected lambdaParameters(node: Cst.OperationCstNode): Pattern[] {
    const atom = bareAtom(node);
    const group = atom?.elements?.[0];
    if (group === undefined) return [this.patternOfAtom(atom, this.nodeSpan(node))];
    const members = group.children.element ?? [];
    if (members.some((member) => member.children.Identifier !== undefined)) {
      return [this.patternOfAtom(atom, this.nodeSpan(group))];
    }
    return members.map((member) => this.patternOfExpression(this.node(member.children.expression)));
  }

  private patternOfExpression(node: Cst.ExpressionCstNode): Pattern {
    return this.patternOfAtom(bareExpression(node), this.nodeSpan(node));
  }

  private patternOfAtom(atom: Cst.AtomCstChildren | undefined, span: Span): Pattern {
    const simple = atom?.Identifier?.[0] ?? atom?.Hole?.[0];
    if (simple !== undefined) return this.namePattern(simple);
    const group = atom?.elements?.[0];
    if (group === undefined) {
      this.report("E0111", span);
      throw new Incomplete();
    }
    return this.groupPattern(
      span,
      (group.children.element ?? []).map((member) => ({
        label: member.children.Identifier?.[0],
        pattern: this.patternOfExpression(this.node(member.children.expression)),
      })),
    );
  }
}

/** The atom that an expression consists of, if it is nothing more than one. */
export function bareExpression(node: Cst.ExpressionCstNode): Cst.AtomCstChildren | undefined {
  const operation = node.children.operation?.[0];
  return operation === undefined || node.children.Maps !== undefined ? undefined : bareAtom(operation);
}

function bareAtom(node: Cst.OperationCstNode): Cst.AtomCstChildren | undefined {
  const [operand, ...more] = node.children.operand ?? [];
  if (operand === undefined || more.length > 0 || operand.children.prefix !== undefined) return undefined;
  const chain = operand.children.chain?.[0];
  return chain === undefined || chain.children.link !== undefined ? undefined : chain.children.atom?.[0]?.children;
}
