/** What the parser expected, in words: its errors carry these phrases, and `parse.ts` makes problems of them. */
import type { IParserErrorMessageProvider, TokenType } from "chevrotain";
import * as t from "./tokens.ts";

const ALTERNATIVES: Readonly<Record<string, string>> = {
  item: "a declaration",
  importItem: "the name of a library module or the path of a file in quotes",
  declaration: "`fn`, `layer`, `model`, `optimizer` or `train`",
  whereItem: "a condition or a definition",
  type: "a type",
  axis: "a dimension",
  statement: "a statement",
  letStatement: "a name",
  pattern: "a name or names in parentheses",
  paramStatement: "`param` or `state`",
  operand: "an expression",
  prefix: "an expression",
  atom: "an expression",
  indexItem: "a coordinate",
  ifExpression: "`then` or `{`",
  repeatExpression: "a name",
  link: "`.`, `(` or `[`",
};

/** The body of a declaration is its second choice; the first is its word. */
const DECLARATION_BODY = "`=` or `{`";

export const expectations: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => describeType(expected),
  buildNoViableAltMessage: ({ ruleName, expectedPathsPerAlt }) => {
    const body = ruleName === "declaration" && expectedPathsPerAlt.flat(2).includes(t.Is);
    return body ? DECLARATION_BODY : (ALTERNATIVES[ruleName] ?? "something else");
  },
  buildEarlyExitMessage: ({ ruleName }) => ALTERNATIVES[ruleName] ?? "something else",
  buildNotAllInputParsedMessage: () => "the end of the declaration",
};

/** A kind of token, in words. */
function describeType(type: TokenType): string {
  switch (type) {
    case t.Identifier:
      return "a name";
    case t.StringLiteral:
      return "a text in quotes";
    case t.NumberLiteral:
      return "a number";
    case t.BinaryOperator:
      return "an operator";
    case t.Reducer:
      return "a reduction";
    case t.Hole:
      return "`_`";
    default:
      return `\`${typeof type.PATTERN === "string" ? type.PATTERN : type.PATTERN instanceof RegExp ? type.PATTERN.source : type.name}\``;
  }
}
