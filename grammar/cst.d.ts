// Made by `npx tsx grammar/generate.ts` from parser.ts.
import type { CstNode, ICstVisitor, IToken } from "chevrotain";

export interface ExpressionCstNode extends CstNode {
  name: "expression";
  children: ExpressionCstChildren;
}

export type ExpressionCstChildren = {
  operation: OperationCstNode[];
  Maps?: IToken[];
  body?: ExpressionCstNode[];
};

export interface OperationCstNode extends CstNode {
  name: "operation";
  children: OperationCstChildren;
}

export type OperationCstChildren = {
  operand: (OperandCstNode)[];
  BinaryOperator?: IToken[];
};

export interface OperandCstNode extends CstNode {
  name: "operand";
  children: OperandCstChildren;
}

export type OperandCstChildren = {
  prefix?: PrefixCstNode[];
  ifExpression?: IfExpressionCstNode[];
  repeatExpression?: RepeatExpressionCstNode[];
  block?: BlockCstNode[];
  chain?: ChainCstNode[];
};

export interface PrefixCstNode extends CstNode {
  name: "prefix";
  children: PrefixCstChildren;
}

export type PrefixCstChildren = {
  Minus?: IToken[];
  Not?: IToken[];
  Reducer?: IToken[];
  binders?: BindersCstNode[];
};

export interface IfExpressionCstNode extends CstNode {
  name: "ifExpression";
  children: IfExpressionCstChildren;
}

export type IfExpressionCstChildren = {
  If: IToken[];
  condition: ExpressionCstNode[];
  Then?: IToken[];
  then?: ExpressionCstNode[];
  block?: BlockCstNode[];
  Else?: IToken[];
  otherwise?: ExpressionCstNode[];
};

export interface RepeatExpressionCstNode extends CstNode {
  name: "repeatExpression";
  children: RepeatExpressionCstChildren;
}

export type RepeatExpressionCstChildren = {
  Repeat: IToken[];
  Identifier?: IToken[];
  Hole?: IToken[];
  Less: IToken[];
  count: ExpressionCstNode[];
  Comma?: IToken[];
  pattern?: PatternCstNode[];
  Is?: IToken[];
  initial?: ExpressionCstNode[];
  block: BlockCstNode[];
};

export interface ChainCstNode extends CstNode {
  name: "chain";
  children: ChainCstChildren;
}

export type ChainCstChildren = {
  atom: AtomCstNode[];
  link?: LinkCstNode[];
};

export interface LinkCstNode extends CstNode {
  name: "link";
  children: LinkCstChildren;
}

export type LinkCstChildren = {
  Dot?: IToken[];
  Identifier?: IToken[];
  elements?: ElementsCstNode[];
  indexing?: IndexingCstNode[];
};

export interface IndexingCstNode extends CstNode {
  name: "indexing";
  children: IndexingCstChildren;
}

export type IndexingCstChildren = {
  OpenBracket: IToken[];
  indexItem: (IndexItemCstNode)[];
  Comma?: (IToken)[];
  Else?: IToken[];
  expression?: ExpressionCstNode[];
  CloseBracket: IToken[];
};

export interface IndexItemCstNode extends CstNode {
  name: "indexItem";
  children: IndexItemCstChildren;
}

export type IndexItemCstChildren = {
  Spread?: IToken[];
  Identifier?: IToken[];
  from?: ExpressionCstNode[];
  sliceEnd?: (SliceEndCstNode)[];
};

export interface SliceEndCstNode extends CstNode {
  name: "sliceEnd";
  children: SliceEndCstChildren;
}

export type SliceEndCstChildren = {
  Colon: (IToken)[];
  to?: ExpressionCstNode[];
  step?: ExpressionCstNode[];
};

export interface AtomCstNode extends CstNode {
  name: "atom";
  children: AtomCstChildren;
}

export type AtomCstChildren = {
  NumberLiteral?: IToken[];
  StringLiteral?: IToken[];
  True?: IToken[];
  False?: IToken[];
  Identifier?: IToken[];
  Hole?: IToken[];
  elements?: ElementsCstNode[];
  list?: ListCstNode[];
};

export interface ElementsCstNode extends CstNode {
  name: "elements";
  children: ElementsCstChildren;
}

export type ElementsCstChildren = {
  OpenParenthesis: IToken[];
  element?: (ElementCstNode)[];
  Comma?: (IToken)[];
  CloseParenthesis: IToken[];
};

export interface ElementCstNode extends CstNode {
  name: "element";
  children: ElementCstChildren;
}

export type ElementCstChildren = {
  Identifier?: IToken[];
  Colon?: IToken[];
  expression: ExpressionCstNode[];
};

export interface ListCstNode extends CstNode {
  name: "list";
  children: ListCstChildren;
}

export type ListCstChildren = {
  OpenBracket: IToken[];
  expression?: (ExpressionCstNode)[];
  Comma?: (IToken)[];
  CloseBracket: IToken[];
};

export interface PatternCstNode extends CstNode {
  name: "pattern";
  children: PatternCstChildren;
}

export type PatternCstChildren = {
  Identifier?: IToken[];
  Hole?: IToken[];
  OpenParenthesis?: IToken[];
  patternField?: (PatternFieldCstNode)[];
  Comma?: (IToken)[];
  CloseParenthesis?: IToken[];
};

export interface PatternFieldCstNode extends CstNode {
  name: "patternField";
  children: PatternFieldCstChildren;
}

export type PatternFieldCstChildren = {
  Identifier?: IToken[];
  Colon?: IToken[];
  pattern: PatternCstNode[];
};

export interface BindersCstNode extends CstNode {
  name: "binders";
  children: BindersCstChildren;
}

export type BindersCstChildren = {
  OpenBracket: IToken[];
  binder: (BinderCstNode)[];
  Comma?: (IToken)[];
  CloseBracket: IToken[];
};

export interface BinderCstNode extends CstNode {
  name: "binder";
  children: BinderCstChildren;
}

export type BinderCstChildren = {
  Spread?: IToken[];
  Identifier: IToken[];
  Less?: IToken[];
  expression?: ExpressionCstNode[];
};

export interface ItemCstNode extends CstNode {
  name: "item";
  children: ItemCstChildren;
}

export type ItemCstChildren = {
  importItem?: ImportItemCstNode[];
  declaration?: DeclarationCstNode[];
};

export interface ImportItemCstNode extends CstNode {
  name: "importItem";
  children: ImportItemCstChildren;
}

export type ImportItemCstChildren = {
  Import: IToken[];
  Identifier?: IToken[];
  StringLiteral?: IToken[];
};

export interface DeclarationCstNode extends CstNode {
  name: "declaration";
  children: DeclarationCstChildren;
}

export type DeclarationCstChildren = {
  Export?: IToken[];
  word?: (IToken)[];
  Identifier: IToken[];
  parameterList: (ParameterListCstNode)[];
  Returns?: IToken[];
  type?: TypeCstNode[];
  whereClause?: WhereClauseCstNode[];
  Is?: IToken[];
  expression?: ExpressionCstNode[];
  block?: BlockCstNode[];
};

export interface ParameterListCstNode extends CstNode {
  name: "parameterList";
  children: ParameterListCstChildren;
}

export type ParameterListCstChildren = {
  OpenParenthesis: IToken[];
  parameter?: (ParameterCstNode)[];
  Comma?: (IToken)[];
  CloseParenthesis: IToken[];
};

export interface ParameterCstNode extends CstNode {
  name: "parameter";
  children: ParameterCstChildren;
}

export type ParameterCstChildren = {
  Identifier: IToken[];
  Colon?: IToken[];
  type?: TypeCstNode[];
  Is?: IToken[];
  expression?: ExpressionCstNode[];
};

export interface WhereClauseCstNode extends CstNode {
  name: "whereClause";
  children: WhereClauseCstChildren;
}

export type WhereClauseCstChildren = {
  Where: IToken[];
  whereItem: (WhereItemCstNode)[];
  Comma?: IToken[];
};

export interface WhereItemCstNode extends CstNode {
  name: "whereItem";
  children: WhereItemCstChildren;
}

export type WhereItemCstChildren = {
  Warn?: IToken[];
  expression?: (ExpressionCstNode)[];
  Else?: (IToken)[];
  StringLiteral?: (IToken)[];
  Identifier?: IToken[];
  Is?: IToken[];
};

export interface TypeCstNode extends CstNode {
  name: "type";
  children: TypeCstChildren;
}

export type TypeCstChildren = {
  TensorWord?: IToken[];
  OpenBracket?: (IToken)[];
  axis?: (AxisCstNode)[];
  Comma?: (IToken)[];
  CloseBracket?: (IToken)[];
  simple?: (IToken)[];
  ListWord?: IToken[];
  element?: TypeCstNode[];
  count?: ExpressionCstNode[];
  LikeWord?: IToken[];
  OpenParenthesis?: (IToken)[];
  expression?: ExpressionCstNode[];
  CloseParenthesis?: (IToken)[];
  typeField?: (TypeFieldCstNode)[];
};

export interface TypeFieldCstNode extends CstNode {
  name: "typeField";
  children: TypeFieldCstChildren;
}

export type TypeFieldCstChildren = {
  Identifier?: IToken[];
  Colon?: IToken[];
  type: TypeCstNode[];
};

export interface AxisCstNode extends CstNode {
  name: "axis";
  children: AxisCstChildren;
}

export type AxisCstChildren = {
  Spread?: IToken[];
  Identifier?: IToken[];
  expression?: ExpressionCstNode[];
};

export interface BlockCstNode extends CstNode {
  name: "block";
  children: BlockCstChildren;
}

export type BlockCstChildren = {
  OpenBrace: IToken[];
  statement?: StatementCstNode[];
  Semicolon?: IToken[];
  CloseBrace: IToken[];
};

export interface StatementCstNode extends CstNode {
  name: "statement";
  children: StatementCstChildren;
}

export type StatementCstChildren = {
  letStatement?: LetStatementCstNode[];
  paramStatement?: ParamStatementCstNode[];
  whenStatement?: WhenStatementCstNode[];
  minimizeStatement?: MinimizeStatementCstNode[];
  metricStatement?: MetricStatementCstNode[];
  expressionStatement?: ExpressionStatementCstNode[];
};

export interface LetStatementCstNode extends CstNode {
  name: "letStatement";
  children: LetStatementCstChildren;
}

export type LetStatementCstChildren = {
  Let: IToken[];
  Identifier?: IToken[];
  binders?: BindersCstNode[];
  pattern?: PatternCstNode[];
  Is: IToken[];
  expression: ExpressionCstNode[];
};

export interface ParamStatementCstNode extends CstNode {
  name: "paramStatement";
  children: ParamStatementCstChildren;
}

export type ParamStatementCstChildren = {
  word?: (IToken)[];
  Identifier: IToken[];
  Colon: IToken[];
  type: TypeCstNode[];
  Is: IToken[];
  expression: ExpressionCstNode[];
};

export interface WhenStatementCstNode extends CstNode {
  name: "whenStatement";
  children: WhenStatementCstChildren;
}

export type WhenStatementCstChildren = {
  When: IToken[];
  expression: ExpressionCstNode[];
  block: BlockCstNode[];
};

export interface MinimizeStatementCstNode extends CstNode {
  name: "minimizeStatement";
  children: MinimizeStatementCstChildren;
}

export type MinimizeStatementCstChildren = {
  Minimize: IToken[];
  Identifier: IToken[];
  Is: IToken[];
  value: ExpressionCstNode[];
  Over: IToken[];
  over: ExpressionCstNode[];
  Using: IToken[];
  using: ExpressionCstNode[];
  Gradients?: IToken[];
  gradients?: ExpressionCstNode[];
};

export interface MetricStatementCstNode extends CstNode {
  name: "metricStatement";
  children: MetricStatementCstChildren;
}

export type MetricStatementCstChildren = {
  Metric: IToken[];
  Identifier: IToken[];
  Is: IToken[];
  expression: ExpressionCstNode[];
};

export interface ExpressionStatementCstNode extends CstNode {
  name: "expressionStatement";
  children: ExpressionStatementCstChildren;
}

export type ExpressionStatementCstChildren = {
  expression: ExpressionCstNode[];
  Assign?: IToken[];
  assigned?: ExpressionCstNode[];
};

export interface ICstNodeVisitor<IN, OUT> extends ICstVisitor<IN, OUT> {
  expression(children: ExpressionCstChildren, param?: IN): OUT;
  operation(children: OperationCstChildren, param?: IN): OUT;
  operand(children: OperandCstChildren, param?: IN): OUT;
  prefix(children: PrefixCstChildren, param?: IN): OUT;
  ifExpression(children: IfExpressionCstChildren, param?: IN): OUT;
  repeatExpression(children: RepeatExpressionCstChildren, param?: IN): OUT;
  chain(children: ChainCstChildren, param?: IN): OUT;
  link(children: LinkCstChildren, param?: IN): OUT;
  indexing(children: IndexingCstChildren, param?: IN): OUT;
  indexItem(children: IndexItemCstChildren, param?: IN): OUT;
  sliceEnd(children: SliceEndCstChildren, param?: IN): OUT;
  atom(children: AtomCstChildren, param?: IN): OUT;
  elements(children: ElementsCstChildren, param?: IN): OUT;
  element(children: ElementCstChildren, param?: IN): OUT;
  list(children: ListCstChildren, param?: IN): OUT;
  pattern(children: PatternCstChildren, param?: IN): OUT;
  patternField(children: PatternFieldCstChildren, param?: IN): OUT;
  binders(children: BindersCstChildren, param?: IN): OUT;
  binder(children: BinderCstChildren, param?: IN): OUT;
  item(children: ItemCstChildren, param?: IN): OUT;
  importItem(children: ImportItemCstChildren, param?: IN): OUT;
  declaration(children: DeclarationCstChildren, param?: IN): OUT;
  parameterList(children: ParameterListCstChildren, param?: IN): OUT;
  parameter(children: ParameterCstChildren, param?: IN): OUT;
  whereClause(children: WhereClauseCstChildren, param?: IN): OUT;
  whereItem(children: WhereItemCstChildren, param?: IN): OUT;
  type(children: TypeCstChildren, param?: IN): OUT;
  typeField(children: TypeFieldCstChildren, param?: IN): OUT;
  axis(children: AxisCstChildren, param?: IN): OUT;
  block(children: BlockCstChildren, param?: IN): OUT;
  statement(children: StatementCstChildren, param?: IN): OUT;
  letStatement(children: LetStatementCstChildren, param?: IN): OUT;
  paramStatement(children: ParamStatementCstChildren, param?: IN): OUT;
  whenStatement(children: WhenStatementCstChildren, param?: IN): OUT;
  minimizeStatement(children: MinimizeStatementCstChildren, param?: IN): OUT;
  metricStatement(children: MetricStatementCstChildren, param?: IN): OUT;
  expressionStatement(children: ExpressionStatementCstChildren, param?: IN): OUT;
}
