/** Concrete to abstract syntax: declarations, types and statements. */
import type { CstElement, CstNode } from "chevrotain";
import type {
  AxisType,
  Block,
  Declaration,
  Expression,
  Import,
  Parameter,
  SimpleType,
  Statement,
  TensorType,
  TwoListDeclaration,
  Type,
  WhereItem,
} from "./ast.ts";
import type * as Cst from "./cst.d.ts";
import { spanOf } from "./layout.ts";
import type { Span } from "./span.ts";
import { splitString } from "./strings.ts";
import { ToExpression } from "./to-expression.ts";
import { Incomplete, type Surroundings } from "./to-pattern.ts";
import * as t from "./tokens.ts";

export class ToAst extends ToExpression {
  constructor(surroundings: Surroundings) {
    super(surroundings);
    this.validateVisitor();
  }

  // ---- Declarations -------------------------------------------------------------------------------------------------

  /** The tree of the rule `item`. */
  root(cst: CstNode, doc: readonly string[]): Import | Declaration {
    const declaration = cst.children.declaration?.[0];
    const imported = cst.children.importItem?.[0];
    if (isRule<Cst.DeclarationCstNode>(declaration, "declaration"))
      return this.item({ declaration: [declaration] }, doc);
    if (isRule<Cst.ImportItemCstNode>(imported, "importItem")) return this.item({ importItem: [imported] }, doc);
    throw new Incomplete();
  }

  /** The tree of the rule `expression`, where it stands alone. */
  whole(cst: CstNode, span: Span): Expression {
    if (!isRule<Cst.ExpressionCstNode>(cst, "expression")) throw new Incomplete();
    return this.expression(this.node([cst]).children, span);
  }

  item(children: Cst.ItemCstChildren, doc: readonly string[]): Import | Declaration {
    const imported = children.importItem?.[0];
    if (imported !== undefined) return this.importItem(this.node([imported]).children, this.nodeSpan(imported));
    const declaration = this.node(children.declaration);
    return this.declaration(declaration.children, { span: this.nodeSpan(declaration), doc });
  }

  importItem(children: Cst.ImportItemCstChildren, span: Span): Import {
    if (children.StringLiteral === undefined) {
      return { kind: "import", span, path: this.token(children.Identifier).image, quoted: false };
    }
    const token = this.token(children.StringLiteral);
    const where = spanOf(token);
    if (token.tokenType === t.OpenString) throw new Incomplete();
    const { pieces } = splitString(this.surroundings.text, where.start, where.end);
    if (pieces.some((piece) => typeof piece !== "string")) {
      this.report("E0117", where);
      throw new Incomplete();
    }
    return { kind: "import", span, path: pieces.join(""), quoted: true };
  }

  declaration(
    children: Cst.DeclarationCstChildren,
    { span, doc }: { span: Span; doc: readonly string[] },
  ): Declaration {
    const word = this.token(children.word).image;
    const lists = children.parameterList.map((node) => this.parameterList(this.node([node]).children));
    const exported = children.Export !== undefined;
    const name = this.binding(this.token(children.Identifier));
    if (exported && word !== "fn" && word !== "model") {
      this.report("E0116", spanOf(this.token(children.Export)), { word });
    }
    const twoLists = word === "layer" || word === "optimizer" || word === "train";
    if (lists.length !== (twoLists ? 2 : 1) && !(word === "model" && lists.length === 2)) {
      this.report("E0115", name.span, {
        word,
        name: name.text,
        expected: twoLists ? "two parameter lists" : "one parameter list",
        got: twoLists ? "one" : "two",
        help: twoLists
          ? `put the configuration first, \`${word} ${name.text}()(..)\` if it has none`
          : "put all parameters in one list, those with defaults last",
      });
    }
    const base = {
      span,
      name,
      doc,
      exported,
      parameters: lists.at(-1) ?? [],
      result: children.type === undefined ? undefined : this.typeOf(children.type),
      where: children.whereClause === undefined ? [] : this.whereClause(this.node(children.whereClause).children),
      body: children.Is === undefined ? this.blockOf(children.block) : this.expressionOf(children.expression),
      equals: children.Is !== undefined,
    };
    if (word === "fn") return { kind: word, ...base };
    const configuration = lists.length > 1 ? (lists[0] ?? []) : [];
    if (word === "model") return { kind: word, ...base, configuration };
    const kind: TwoListDeclaration["kind"] = word === "layer" || word === "optimizer" ? word : "train";
    return { kind, ...base, configuration };
  }

  parameterList(children: Cst.ParameterListCstChildren): Parameter[] {
    return (children.parameter ?? []).map((node) => this.parameter(this.node([node]).children, this.nodeSpan(node)));
  }

  parameter(children: Cst.ParameterCstChildren, span: Span): Parameter {
    return {
      span,
      name: this.binding(this.token(children.Identifier)),
      type: children.type === undefined ? undefined : this.typeOf(children.type),
      default: children.expression === undefined ? undefined : this.expressionOf(children.expression),
    };
  }

  whereClause(children: Cst.WhereClauseCstChildren): WhereItem[] {
    return children.whereItem.map((node) => this.whereItem(this.node([node]).children, this.nodeSpan(node)));
  }

  whereItem(children: Cst.WhereItemCstChildren, span: Span): WhereItem {
    if (children.Is !== undefined) {
      const name = this.binding(this.token(children.Identifier));
      return { kind: "definition", span, name, value: this.expressionOf(children.expression) };
    }
    const condition = this.expressionOf(children.expression);
    const otherwise = children.Else === undefined ? undefined : this.text(this.token(children.StringLiteral));
    if (children.Warn === undefined) return { kind: "condition", span, condition, otherwise };
    if (otherwise === undefined) throw new Incomplete();
    return { kind: "warning", span, condition, otherwise };
  }

  // ---- Types --------------------------------------------------------------------------------------------------------

  private typeOf(nodes: readonly Cst.TypeCstNode[] | undefined): Type {
    const node = this.node(nodes);
    return this.type(node.children, this.nodeSpan(node));
  }

  type(children: Cst.TypeCstChildren, span: Span): Type {
    if (children.TensorWord !== undefined) {
      const dtype = this.token(children.TensorWord).image;
      if (!isTensorWord(dtype)) throw new Incomplete();
      const axes =
        children.OpenBracket === undefined
          ? undefined
          : (children.axis ?? []).map((node) => this.axis(this.node([node]).children, this.nodeSpan(node)));
      return { kind: "tensor-type", span, dtype, axes };
    }
    if (children.simple !== undefined) {
      const name = this.token(children.simple).image;
      if (!isSimpleWord(name)) throw new Incomplete();
      return { kind: "simple-type", span, name };
    }
    if (children.ListWord !== undefined) {
      const count = children.count && this.expressionOf(children.count);
      return { kind: "list-type", span, element: this.typeOf(children.element), count };
    }
    if (children.LikeWord !== undefined) {
      return { kind: "like-type", span, value: this.expressionOf(children.expression) };
    }
    const fields = (children.typeField ?? []).map((node) => this.typeField(this.node([node]).children));
    const [first] = fields;
    if (first !== undefined && fields.length === 1 && first.name === undefined) return { ...first.type, span };
    if (fields.every((field) => field.name === undefined)) {
      return { kind: "tuple-type", span, elements: fields.map((field) => field.type) };
    }
    return {
      kind: "record-type",
      span,
      fields: fields.map(({ name, type }) => {
        if (name === undefined) {
          this.report("E0119", type.span);
          throw new Incomplete();
        }
        return { name, type };
      }),
    };
  }

  typeField(children: Cst.TypeFieldCstChildren) {
    const name = children.Identifier === undefined ? undefined : this.name(this.token(children.Identifier));
    return { name, type: this.typeOf(children.type) };
  }

  axis(children: Cst.AxisCstChildren, span: Span): AxisType {
    if (children.Spread !== undefined) {
      return { kind: "spread", span, name: this.name(this.token(children.Identifier)) };
    }
    return { kind: "dimension", span, value: this.expressionOf(children.expression) };
  }

  // ---- Statements ---------------------------------------------------------------------------------------------------

  private blockOf(nodes: readonly Cst.BlockCstNode[] | undefined): Block {
    const node = this.node(nodes);
    return this.block(node.children, node);
  }

  /** Keeps the statements that were understood. */
  block(children: Cst.BlockCstChildren, node: Cst.BlockCstNode): Block {
    const statements: Statement[] = [];
    let broken = false;
    for (const statement of children.statement ?? []) {
      try {
        const place = this.nodeSpan(statement);
        // After a slip the parser may resume in the midst of the same line.
        if (broken && !this.beginsLine(place.start)) continue;
        statements.push(this.statement(this.node([statement]).children, place));
        broken = false;
      } catch (error) {
        if (!(error instanceof Incomplete)) throw error;
        broken = true;
      }
    }
    return { kind: "block", span: this.nodeSpan(node), statements };
  }

  private beginsLine(offset: number): boolean {
    const { text } = this.surroundings;
    const before = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
    return /(^|;)\s*$/.test(before);
  }

  statement(children: Cst.StatementCstChildren, span: Span): Statement {
    if (children.letStatement) return this.letStatement(this.node(children.letStatement).children, span);
    if (children.paramStatement) return this.paramStatement(this.node(children.paramStatement).children, span);
    if (children.whenStatement) return this.whenStatement(this.node(children.whenStatement).children, span);
    if (children.minimizeStatement) {
      return this.minimizeStatement(this.node(children.minimizeStatement).children, span);
    }
    if (children.metricStatement) return this.metricStatement(this.node(children.metricStatement).children, span);
    return this.expressionStatement(this.node(children.expressionStatement).children, span);
  }

  letStatement(children: Cst.LetStatementCstChildren, span: Span): Statement {
    const value = this.expressionOf(children.expression);
    if (children.binders === undefined) {
      return { kind: "let", span, pattern: this.patternOfNode(this.node(children.pattern)), value };
    }
    return {
      kind: "indexed-let",
      span,
      name: this.binding(this.token(children.Identifier)),
      indices: this.binders(this.node(children.binders).children),
      value,
    };
  }

  paramStatement(children: Cst.ParamStatementCstChildren, span: Span): Statement {
    return {
      kind: this.token(children.word).image === "param" ? "param" : "state",
      span,
      name: this.binding(this.token(children.Identifier)),
      type: this.typeOf(children.type),
      value: this.expressionOf(children.expression),
    };
  }

  whenStatement(children: Cst.WhenStatementCstChildren, span: Span): Statement {
    return {
      kind: "when",
      span,
      condition: this.expressionOf(children.expression),
      body: this.blockOf(children.block),
    };
  }

  minimizeStatement(children: Cst.MinimizeStatementCstChildren, span: Span): Statement {
    return {
      kind: "minimize",
      span,
      name: this.binding(this.token(children.Identifier)),
      value: this.expressionOf(children.value),
      over: this.expressionOf(children.over),
      using: this.expressionOf(children.using),
      gradients: children.gradients === undefined ? undefined : this.expressionOf(children.gradients),
    };
  }

  metricStatement(children: Cst.MetricStatementCstChildren, span: Span): Statement {
    return {
      kind: "metric",
      span,
      name: this.binding(this.token(children.Identifier)),
      value: this.expressionOf(children.expression),
    };
  }

  expressionStatement(children: Cst.ExpressionStatementCstChildren, span: Span): Statement {
    const value = this.expressionOf(children.expression);
    if (children.Assign === undefined) return { kind: "expression", span, value };
    if (!isPlace(value)) this.report("E0118", value.span);
    return { kind: "assign", span, target: value, value: this.expressionOf(children.assigned) };
  }
}

/** The types of `cst.d.ts` are those that the grammar's rules build: the name of a node decides. */
function isRule<N extends Cst.DeclarationCstNode | Cst.ImportItemCstNode | Cst.ExpressionCstNode>(
  element: CstElement | undefined,
  name: N["name"],
): element is N {
  return element !== undefined && "name" in element && element.name === name;
}

/** Whether something can be assigned to: a name, or a member of a member of a name. */
function isPlace(target: Expression): boolean {
  let root = target;
  while (root.kind === "field") root = root.target;
  return root.kind === "reference";
}

const TENSOR_WORDS: ReadonlySet<string> = new Set<TensorType["dtype"]>(["f32", "f16", "i32", "u32", "bool", "u8"]);
const SIMPLE_WORDS: ReadonlySet<string> = new Set<SimpleType["name"]>(["int", "float", "str", "fn", "layer"]);

function isTensorWord(word: string): word is TensorType["dtype"] {
  return TENSOR_WORDS.has(word);
}

function isSimpleWord(word: string): word is SimpleType["name"] {
  return SIMPLE_WORDS.has(word);
}
