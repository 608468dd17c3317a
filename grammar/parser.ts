/**
 * The grammar: which tokens may follow which, and nothing else. Newlines are no tokens; `layout.ts` finds those that end
 * statements beforehand, and the gates here ask for them.
 */
import { CstParser, EOF, type IToken, tokenMatcher } from "chevrotain";
import { expectations } from "./expectations.ts";
import * as t from "./tokens.ts";

/** After so many the text is no program, and recovering from each takes its time. */
const MOST_ERRORS = 100;

export class DlxParser extends CstParser {
  /** Tokens that begin a line where a newline can end a statement. */
  private lineStarts: ReadonlySet<IToken> = new Set();
  /** Where one statement follows another on the same line without `;`. */
  private crowded: { readonly token: IToken; readonly previous: IToken }[] = [];

  constructor() {
    super([...t.allTokens], {
      maxLookahead: 2,
      recoveryEnabled: true,
      nodeLocationTracking: "onlyOffset",
      errorMessageProvider: expectations,
    });
    this.performSelfAnalysis();
  }

  /** Sets what the next rule invocation reads. */
  read(tokens: readonly IToken[], lineStarts: ReadonlySet<IToken>): void {
    this.input = [...tokens];
    this.lineStarts = lineStarts;
    this.crowded = [];
  }

  /** Tokens at which a new line or `;` is missing. */
  get unseparated(): readonly { readonly token: IToken; readonly previous: IToken }[] {
    return this.crowded;
  }

  private startsLine(token: IToken): boolean {
    return this.lineStarts.has(token);
  }

  private noteSeparator(): void {
    const next = this.LA(1);
    const separated =
      this.startsLine(next) ||
      next.tokenType === EOF ||
      next.tokenType === t.Semicolon ||
      next.tokenType === t.CloseBrace;
    if (!separated) this.crowded.push({ token: next, previous: this.LA(0) });
  }

  // ---- Declarations -------------------------------------------------------------------------------------------------

  item = this.RULE("item", () => {
    this.OR([{ ALT: () => this.SUBRULE(this.importItem) }, { ALT: () => this.SUBRULE(this.declaration) }]);
  });

  importItem = this.RULE("importItem", () => {
    this.CONSUME(t.Import);
    this.OR([{ ALT: () => this.CONSUME(t.Identifier) }, { ALT: () => this.CONSUME(t.StringLiteral) }]);
  });

  declaration = this.RULE("declaration", () => {
    this.OPTION(() => this.CONSUME(t.Export));
    this.OR([
      { ALT: () => this.CONSUME(t.Fn, { LABEL: "word" }) },
      { ALT: () => this.CONSUME(t.Layer, { LABEL: "word" }) },
      { ALT: () => this.CONSUME(t.Model, { LABEL: "word" }) },
      { ALT: () => this.CONSUME(t.Optimizer, { LABEL: "word" }) },
      { ALT: () => this.CONSUME(t.Train, { LABEL: "word" }) },
    ]);
    this.CONSUME(t.Identifier);
    this.SUBRULE(this.parameterList);
    // Which words take one list and which two is checked on the tree: a count is a clearer complaint than a parenthesis.
    this.OPTION1(() => this.SUBRULE1(this.parameterList));
    this.OPTION2(() => {
      this.CONSUME(t.Returns);
      this.SUBRULE(this.type);
    });
    this.OPTION3(() => this.SUBRULE(this.whereClause));
    this.OR1([
      {
        ALT: () => {
          this.CONSUME(t.Is);
          this.SUBRULE(this.expression);
        },
      },
      { ALT: () => this.SUBRULE(this.block) },
    ]);
  });

  parameterList = this.RULE("parameterList", () => {
    this.CONSUME(t.OpenParenthesis);
    this.OPTION(() => {
      this.SUBRULE(this.parameter);
      this.MANY(() => {
        this.CONSUME(t.Comma);
        this.SUBRULE1(this.parameter);
      });
      this.OPTION1(() => this.CONSUME1(t.Comma));
    });
    this.CONSUME(t.CloseParenthesis);
  });

  parameter = this.RULE("parameter", () => {
    this.CONSUME(t.Identifier);
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.type);
    });
    this.OPTION1(() => {
      this.CONSUME(t.Is);
      this.SUBRULE(this.expression);
    });
  });

  whereClause = this.RULE("whereClause", () => {
    this.CONSUME(t.Where);
    this.SUBRULE(this.whereItem);
    this.MANY(() => {
      this.CONSUME(t.Comma);
      this.SUBRULE1(this.whereItem);
    });
  });

  whereItem = this.RULE("whereItem", () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Warn);
          this.SUBRULE(this.expression);
          this.CONSUME(t.Else);
          this.CONSUME(t.StringLiteral);
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Identifier);
          this.CONSUME(t.Is);
          this.SUBRULE1(this.expression);
        },
      },
      {
        ALT: () => {
          this.SUBRULE2(this.expression);
          this.OPTION(() => {
            this.CONSUME1(t.Else);
            this.CONSUME1(t.StringLiteral);
          });
        },
      },
    ]);
  });

  // ---- Types --------------------------------------------------------------------------------------------------------

  type = this.RULE("type", () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.TensorWord);
          this.OPTION({
            GATE: () => !this.startsLine(this.LA(1)),
            DEF: () => {
              this.CONSUME(t.OpenBracket);
              this.OPTION1(() => {
                this.SUBRULE(this.axis);
                this.MANY(() => {
                  this.CONSUME(t.Comma);
                  this.SUBRULE1(this.axis);
                });
                this.OPTION2(() => this.CONSUME1(t.Comma));
              });
              this.CONSUME(t.CloseBracket);
            },
          });
        },
      },
      { ALT: () => this.CONSUME(t.SimpleWord, { LABEL: "simple" }) },
      { ALT: () => this.CONSUME(t.Fn, { LABEL: "simple" }) },
      { ALT: () => this.CONSUME(t.Layer, { LABEL: "simple" }) },
      {
        ALT: () => {
          this.CONSUME(t.ListWord);
          this.CONSUME1(t.OpenBracket);
          this.SUBRULE(this.type, { LABEL: "element" });
          this.CONSUME1(t.CloseBracket);
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.LikeWord);
          this.CONSUME(t.OpenParenthesis);
          this.SUBRULE(this.expression);
          this.CONSUME(t.CloseParenthesis);
        },
      },
      {
        ALT: () => {
          this.CONSUME1(t.OpenParenthesis);
          this.SUBRULE(this.typeField);
          this.MANY1(() => {
            this.CONSUME2(t.Comma);
            this.SUBRULE1(this.typeField);
          });
          this.OPTION3(() => this.CONSUME3(t.Comma));
          this.CONSUME1(t.CloseParenthesis);
        },
      },
    ]);
  });

  typeField = this.RULE("typeField", () => {
    this.OPTION(() => {
      this.CONSUME(t.Identifier);
      this.CONSUME(t.Colon);
    });
    this.SUBRULE(this.type);
  });

  axis = this.RULE("axis", () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Spread);
          this.CONSUME(t.Identifier);
        },
      },
      { ALT: () => this.SUBRULE(this.expression) },
    ]);
  });

  // ---- Statements ---------------------------------------------------------------------------------------------------

  block = this.RULE("block", () => {
    this.CONSUME(t.OpenBrace);
    this.MANY({
      GATE: () => this.errors.length < MOST_ERRORS,
      DEF: () =>
        this.OR([
          {
            ALT: () => {
              this.SUBRULE(this.statement);
              this.ACTION(() => this.noteSeparator());
            },
          },
          { ALT: () => this.CONSUME(t.Semicolon) },
        ]),
    });
    this.CONSUME(t.CloseBrace);
  });

  statement = this.RULE("statement", () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.letStatement) },
      { ALT: () => this.SUBRULE(this.paramStatement) },
      { ALT: () => this.SUBRULE(this.whenStatement) },
      { ALT: () => this.SUBRULE(this.minimizeStatement) },
      { ALT: () => this.SUBRULE(this.metricStatement) },
      { ALT: () => this.SUBRULE(this.expressionStatement) },
    ]);
  });

  letStatement = this.RULE("letStatement", () => {
    this.CONSUME(t.Let);
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Identifier);
          this.SUBRULE(this.binders);
        },
      },
      { ALT: () => this.SUBRULE(this.pattern) },
    ]);
    this.CONSUME(t.Is);
    this.SUBRULE(this.expression);
  });

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

  paramStatement = this.RULE("paramStatement", () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Param, { LABEL: "word" }) },
      { ALT: () => this.CONSUME(t.State, { LABEL: "word" }) },
    ]);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.type);
    this.CONSUME(t.Is);
    this.SUBRULE(this.expression);
  });

  whenStatement = this.RULE("whenStatement", () => {
    this.CONSUME(t.When);
    this.SUBRULE(this.expression);
    this.SUBRULE(this.block);
  });

  minimizeStatement = this.RULE("minimizeStatement", () => {
    this.CONSUME(t.Minimize);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Is);
    this.SUBRULE(this.expression, { LABEL: "value" });
    this.CONSUME(t.Over);
    this.SUBRULE1(this.expression, { LABEL: "over" });
    this.CONSUME(t.Using);
    this.SUBRULE2(this.expression, { LABEL: "using" });
    this.OPTION(() => {
      this.CONSUME(t.Gradients);
      this.SUBRULE3(this.expression, { LABEL: "gradients" });
    });
  });

  metricStatement = this.RULE("metricStatement", () => {
    this.CONSUME(t.Metric);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Is);
    this.SUBRULE(this.expression);
  });

  expressionStatement = this.RULE("expressionStatement", () => {
    this.SUBRULE(this.expression);
    this.OPTION(() => {
      this.CONSUME(t.Assign);
      this.SUBRULE1(this.expression, { LABEL: "assigned" });
    });
  });

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
}
