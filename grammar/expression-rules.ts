/** The rules of expressions and of the names that they bind. */
import { type CstNode, CstParser, type IToken, type ParserMethod, tokenMatcher } from "chevrotain";
import * as t from "./tokens.ts";

/** What `SUBRULE` calls. */
type Rule = ParserMethod<[], CstNode>;

export abstract class ExpressionRules extends CstParser {
  /** Tokens that begin a line where a newline can end a statement. */
  private lineStarts: ReadonlySet<IToken> = new Set();

  protected abstract readonly block: Rule;

  /** Sets what the next rule invocation reads. */
  read(tokens: readonly IToken[], lineStarts: ReadonlySet<IToken>): void {
    this.input = [...tokens];
    this.lineStarts = lineStarts;
  }

  protected startsLine(token: IToken): boolean {
    return this.lineStarts.has(token);
  }

  // ---- Expressions --------------------------------------------------------------------------------------------------

  /** What stands before `=>` is read as an expression, of any length, and checked to be a pattern on the tree. */
  expression = this.RULE("expression", () => {
    this.SUBRULE(this.operation);
    this.OPTION(() => {
      this.CONSUME(t.Maps);
      this.SUBRULE(this.expression, { LABEL: "body" });
    });
  });

  operation = this.RULE("operation", () => {
    this.SUBRULE(this.operand);
    this.MANY({
      GATE: () => !(this.startsLine(this.LA(1)) && tokenMatcher(this.LA(1), t.Minus)),
      DEF: () => {
        this.CONSUME(t.BinaryOperator);
        this.SUBRULE1(this.operand);
      },
    });
  });

  operand = this.RULE("operand", () => {
    this.MANY({
      GATE: () => !(tokenMatcher(this.LA(1), t.Reducer) && this.startsLine(this.LA(2))),
      DEF: () => this.SUBRULE(this.prefix),
    });
    this.OR([
      { ALT: () => this.SUBRULE(this.ifExpression) },
      { ALT: () => this.SUBRULE(this.repeatExpression) },
      { ALT: () => this.SUBRULE(this.block) },
      { ALT: () => this.SUBRULE(this.chain) },
    ]);
  });

  prefix = this.RULE("prefix", () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Minus) },
      { ALT: () => this.CONSUME(t.Not) },
      {
        ALT: () => {
          this.CONSUME(t.Reducer);
          this.SUBRULE(this.binders);
        },
      },
    ]);
  });

  ifExpression = this.RULE("ifExpression", () => {
    this.CONSUME(t.If);
    this.SUBRULE(this.expression, { LABEL: "condition" });
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Then);
          this.SUBRULE1(this.expression, { LABEL: "then" });
        },
      },
      { ALT: () => this.SUBRULE(this.block) },
    ]);
    this.OPTION(() => {
      this.CONSUME(t.Else);
      this.SUBRULE2(this.expression, { LABEL: "otherwise" });
    });
  });

  repeatExpression = this.RULE("repeatExpression", () => {
    this.CONSUME(t.Repeat);
    this.OR([{ ALT: () => this.CONSUME(t.Identifier) }, { ALT: () => this.CONSUME(t.Hole) }]);
    this.CONSUME(t.Less);
    this.SUBRULE(this.expression, { LABEL: "count" });
    this.OPTION(() => {
      this.CONSUME(t.Comma);
      this.SUBRULE(this.pattern);
      this.CONSUME(t.Is);
      this.SUBRULE1(this.expression, { LABEL: "initial" });
    });
    this.SUBRULE(this.block);
  });

  /** Calls, indexing and fields, left to right. */
  chain = this.RULE("chain", () => {
    this.SUBRULE(this.atom);
    this.MANY({
      GATE: () => tokenMatcher(this.LA(1), t.Dot) || !this.startsLine(this.LA(1)),
      DEF: () => this.SUBRULE(this.link),
    });
  });

  link = this.RULE("link", () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Dot);
          this.CONSUME(t.Identifier);
        },
      },
      { ALT: () => this.SUBRULE(this.elements) },
      { ALT: () => this.SUBRULE(this.indexing) },
    ]);
  });

  indexing = this.RULE("indexing", () => {
    this.CONSUME(t.OpenBracket);
    this.SUBRULE(this.indexItem);
    this.MANY(() => {
      this.CONSUME(t.Comma);
      this.SUBRULE1(this.indexItem);
    });
    this.OPTION(() => this.CONSUME1(t.Comma));
    this.OPTION1(() => {
      this.CONSUME(t.Else);
      this.SUBRULE(this.expression);
    });
    this.CONSUME(t.CloseBracket);
  });

  indexItem = this.RULE("indexItem", () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Spread);
          this.CONSUME(t.Identifier);
        },
      },
      {
        ALT: () => {
          this.SUBRULE(this.expression, { LABEL: "from" });
          this.OPTION(() => this.SUBRULE(this.sliceEnd));
        },
      },
      { ALT: () => this.SUBRULE1(this.sliceEnd) },
    ]);
  });

  sliceEnd = this.RULE("sliceEnd", () => {
    this.CONSUME(t.Colon);
    this.OPTION(() => this.SUBRULE(this.expression, { LABEL: "to" }));
    this.OPTION1(() => {
      this.CONSUME1(t.Colon);
      this.OPTION2(() => this.SUBRULE1(this.expression, { LABEL: "step" }));
    });
  });

  atom = this.RULE("atom", () => {
    this.OR([
      { ALT: () => this.CONSUME(t.NumberLiteral) },
      { ALT: () => this.CONSUME(t.StringLiteral) },
      { ALT: () => this.CONSUME(t.True) },
      { ALT: () => this.CONSUME(t.False) },
      { ALT: () => this.CONSUME(t.Identifier) },
      { ALT: () => this.CONSUME(t.Hole) },
      { ALT: () => this.SUBRULE(this.elements) },
      { ALT: () => this.SUBRULE(this.list) },
    ]);
  });

  /** The arguments of a call; in front of nothing, a tuple, a record or one expression in parentheses. */
  elements = this.RULE("elements", () => {
    this.CONSUME(t.OpenParenthesis);
    this.OPTION(() => {
      this.SUBRULE(this.element);
      this.MANY(() => {
        this.CONSUME(t.Comma);
        this.SUBRULE1(this.element);
      });
      this.OPTION1(() => this.CONSUME1(t.Comma));
    });
    this.CONSUME(t.CloseParenthesis);
  });

  element = this.RULE("element", () => {
    this.OPTION(() => {
      this.CONSUME(t.Identifier);
      this.CONSUME(t.Colon);
    });
    this.SUBRULE(this.expression);
  });

  list = this.RULE("list", () => {
    this.CONSUME(t.OpenBracket);
    this.OPTION(() => {
      this.SUBRULE(this.expression);
      this.MANY(() => {
        this.CONSUME(t.Comma);
        this.SUBRULE1(this.expression);
      });
      this.OPTION1(() => this.CONSUME1(t.Comma));
    });
    this.CONSUME(t.CloseBracket);
  });

  // ---- Names that are bound -----------------------------------------------------------------------------------------

  pattern = this.RULE("pattern", () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Identifier) },
      { ALT: () => this.CONSUME(t.Hole) },
      {
        ALT: () => {
          this.CONSUME(t.OpenParenthesis);
          this.OPTION(() => {
            this.SUBRULE(this.patternField);
            this.MANY(() => {
              this.CONSUME(t.Comma);
              this.SUBRULE1(this.patternField);
            });
            this.OPTION1(() => this.CONSUME1(t.Comma));
          });
          this.CONSUME(t.CloseParenthesis);
        },
      },
    ]);
  });

  patternField = this.RULE("patternField", () => {
    this.OPTION(() => {
      this.CONSUME(t.Identifier);
      this.CONSUME(t.Colon);
    });
    this.SUBRULE(this.pattern);
  });

  binders = this.RULE("binders", () => {
    this.CONSUME(t.OpenBracket);
    this.SUBRULE(this.binder);
    this.MANY(() => {
      this.CONSUME(t.Comma);
      this.SUBRULE1(this.binder);
    });
    this.OPTION(() => this.CONSUME1(t.Comma));
    this.CONSUME(t.CloseBracket);
  });

  binder = this.RULE("binder", () => {
    this.OPTION(() => this.CONSUME(t.Spread));
    this.CONSUME(t.Identifier);
    this.OPTION1(() => {
      this.CONSUME(t.Less);
      this.SUBRULE(this.expression);
    });
  });
}
