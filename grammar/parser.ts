/**
 * The grammar: which tokens may follow which, and nothing else. Newlines are no tokens; `layout.ts` finds those that end
 * statements beforehand, and the gates here ask for them.
 */
import { EOF, type IToken } from "chevrotain";
import { expectations } from "./expectations.ts";
import { ExpressionRules } from "./expression-rules.ts";
import * as t from "./tokens.ts";

/** After so many the text is no program, and recovering from each takes its time. */
const MOST_ERRORS = 100;

export class DlxParser extends ExpressionRules {
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

  override read(tokens: readonly IToken[], lineStarts: ReadonlySet<IToken>): void {
    super.read(tokens, lineStarts);
    this.crowded = [];
  }

  /** Tokens at which a new line or `;` is missing. */
  get unseparated(): readonly { readonly token: IToken; readonly previous: IToken }[] {
    return this.crowded;
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
          this.OPTION4(() => {
            this.CONSUME4(t.Comma);
            this.SUBRULE1(this.expression, { LABEL: "count" });
          });
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

  override block = this.RULE("block", () => {
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
}
