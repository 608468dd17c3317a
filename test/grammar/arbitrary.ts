/** Random syntax trees of every kind that a text can denote. Spans are all `[0, 0)`. */
import fc from "fast-check";
import type {
  Argument,
  AxisType,
  Block,
  Declaration,
  Expression,
  Import,
  IndexBinder,
  IndexItem,
  Module,
  Name,
  Parameter,
  Pattern,
  ReductionName,
  Statement,
  Text,
  Type,
  WhereItem,
} from "../../grammar/ast.ts";
import { reducers, reservedWords } from "../../grammar/tokens.ts";

const span = { start: 0, end: 0 };

/** Names that can be given; those with a meaning elsewhere among them. */
const bindable = fc.oneof(
  fc.constantFrom("x", "y", "N", "H", "list", "like", "f32", "int", "bool", "step", "_x", "x1", "training"),
  fc
    .stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,6}$/)
    .filter((name) => name !== "_" && !reservedWords.has(name) && !reducers.has(name)),
);
/** Names that can be mentioned. */
const mentionable = fc.oneof(
  { weight: 5, arbitrary: bindable },
  { weight: 1, arbitrary: fc.constantFrom(...reducers) },
);

const nameOf = (words: fc.Arbitrary<string>): fc.Arbitrary<Name> => words.map((text) => ({ text, span }));
const binding = nameOf(bindable);
const member = nameOf(mentionable);
const several = <T>(item: fc.Arbitrary<T>, minLength = 0) => fc.array(item, { minLength, maxLength: minLength + 3 });
/** Tuples have no elements or at least two: parentheses around one leave no trace. */
const tupled = <T>(item: fc.Arbitrary<T>) => several(item).filter((elements) => elements.length !== 1);
const optional = <T>(item: fc.Arbitrary<T>) => fc.option(item, { nil: undefined });

const numbers: fc.Arbitrary<Expression> = fc
  .oneof(
    fc.nat().map(String),
    fc.tuple(fc.nat(999), fc.nat(999)).map(([a, b]) => `${a}.${b}`),
    fc
      .tuple(fc.nat(99), fc.constantFrom("e", "E"), fc.integer({ min: -30, max: 30 }))
      .map(([a, e, b]) => `${a}${e}${b}`),
  )
  .map((text) => ({ kind: "number", span, value: Number(text), float: /[.eE]/.test(text), text }));

const characters = fc.oneof(
  fc.constantFrom("\n", "\t", "\r", '"', "\\", "{", "}", "/", "é", "→", "🙂", " "),
  fc.string({ minLength: 1, maxLength: 1 }),
);
const plainText = fc.array(characters, { minLength: 1, maxLength: 8 }).map((all) => all.join(""));

function texts(inner: fc.Arbitrary<Expression>): fc.Arbitrary<Text> {
  return fc.array(fc.oneof(plainText, inner), { maxLength: 4 }).map((parts) => ({
    kind: "text",
    span,
    // Two runs of text side by side are one.
    parts: parts.filter((part, i) => typeof part !== "string" || typeof parts[i - 1] !== "string"),
  }));
}

type Kinds = {
  expression: Expression;
  pattern: Pattern;
  type: Type;
  statement: Statement;
  block: Block;
};

function kinds(depth: number, text: fc.Arbitrary<Text>) {
  return fc.letrec<Kinds>((tie) => {
    const expression = tie("expression");
    const pattern = tie("pattern");
    const type = tie("type");
    const block = tie("block");
    const record = <T>(value: fc.Arbitrary<T>) => several(fc.record({ name: member, value }), 1);
    const binders: fc.Arbitrary<IndexBinder[]> = several(
      fc.record({ span: fc.constant(span), name: binding, spread: fc.boolean(), extent: optional(expression) }),
      1,
    );
    const argument: fc.Arbitrary<Argument> = fc.record({
      span: fc.constant(span),
      name: optional(member),
      value: fc.oneof(
        { weight: 5, arbitrary: expression },
        { weight: 1, arbitrary: fc.constant<Expression>({ kind: "hole", span }) },
      ),
    });
    const indexItem: fc.Arbitrary<IndexItem> = fc.oneof(
      expression.map((value): IndexItem => ({ kind: "coordinate", span, value })),
      fc
        .tuple(optional(expression), optional(expression), optional(expression))
        .map(([from, to, step]): IndexItem => ({ kind: "slice", span, from, to, step })),
      fc.constant<IndexItem>({ kind: "new-axis", span }),
      member.map((name): IndexItem => ({ kind: "spread", span, name })),
    );
    const axis: fc.Arbitrary<AxisType> = fc.oneof(
      expression.map((value): AxisType => ({ kind: "dimension", span, value })),
      member.map((name): AxisType => ({ kind: "spread", span, name })),
    );
    const place = fc.tuple(mentionable, several(member)).map(([root, path]) =>
      path.reduce<Expression>((target, name) => ({ kind: "field", span, target, name }), {
        kind: "reference",
        span,
        name: root,
      }),
    );
    const isKind = fc.constant(span);
    return {
      expression: fc.oneof(
        { depthSize: depth, withCrossShrink: true },
        mentionable.map((name): Expression => ({ kind: "reference", span, name })),
        numbers,
        fc.boolean().map((value): Expression => ({ kind: "boolean", span, value })),
        text,
        several(expression).map((elements): Expression => ({ kind: "list", span, elements })),
        tupled(expression).map((elements): Expression => ({ kind: "tuple", span, elements })),
        record(expression).map((fields): Expression => ({ kind: "record", span, fields })),
        fc
          .tuple(expression, several(argument))
          .map(([callee, list]): Expression => ({ kind: "call", span, callee, arguments: list })),
        fc
          .tuple(expression, several(indexItem, 1), optional(expression))
          .map(([target, items, otherwise]): Expression => ({ kind: "index", span, target, items, otherwise })),
        fc.tuple(expression, member).map(([target, name]): Expression => ({ kind: "field", span, target, name })),
        fc
          .tuple(fc.constantFrom("-" as const, "not" as const), expression)
          .map(([operator, operand]): Expression => ({ kind: "unary", span, operator, operand })),
        fc
          .tuple(
            fc.constantFrom(
              ...(["or", "and", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "@", "^"] as const),
            ),
            expression,
            expression,
          )
          .map(([operator, left, right]): Expression => ({ kind: "binary", span, operator, left, right })),
        fc.tuple(expression, expression).map(([value, stage]): Expression => ({ kind: "pipe", span, value, stage })),
        fc
          .tuple(several(pattern), expression)
          .map(([parameters, body]): Expression => ({ kind: "lambda", span, parameters, body })),
        fc
          .tuple(expression, expression, optional(expression))
          .map(([condition, then, otherwise]): Expression => ({ kind: "if", span, condition, then, otherwise })),
        block,
        fc
          .tuple(fc.constantFrom(...([...reducers] as ReductionName[])), binders, expression)
          .map(([reducer, indices, body]): Expression => ({ kind: "reduction", span, reducer, indices, body })),
        fc.record({
          kind: fc.constant("repeat" as const),
          span: isKind,
          index: fc.oneof(binding, fc.constant({ text: "_", span })),
          count: expression,
          carry: optional(fc.record({ pattern, initial: expression })),
          body: block,
        }),
      ),
      pattern: fc.oneof(
        { depthSize: depth },
        fc.oneof(bindable, fc.constant("_")).map((name): Pattern => ({ kind: "name-pattern", span, name })),
        tupled(pattern).map((elements): Pattern => ({ kind: "tuple-pattern", span, elements })),
        several(fc.record({ name: member, pattern }), 1).map(
          (fields): Pattern => ({ kind: "record-pattern", span, fields }),
        ),
      ),
      type: fc.oneof(
        { depthSize: depth },
        fc
          .tuple(fc.constantFrom(...(["f32", "f16", "i32", "u32", "bool", "u8"] as const)), optional(several(axis)))
          .map(([dtype, axes]): Type => ({ kind: "tensor-type", span, dtype, axes })),
        fc
          .constantFrom(...(["int", "float", "str", "fn", "layer"] as const))
          .map((name): Type => ({ kind: "simple-type", span, name })),
        fc
          .tuple(type, optional(expression))
          .map(([element, count]): Type => ({ kind: "list-type", span, element, count })),
        several(type, 2).map((elements): Type => ({ kind: "tuple-type", span, elements })),
        several(fc.record({ name: member, type }), 1).map((fields): Type => ({ kind: "record-type", span, fields })),
        expression.map((value): Type => ({ kind: "like-type", span, value })),
      ),
      block: several(tie("statement")).map((statements): Block => ({ kind: "block", span, statements })),
      statement: fc.oneof(
        { depthSize: depth },
        expression.map((value): Statement => ({ kind: "expression", span, value })),
        fc.tuple(pattern, expression).map(([left, value]): Statement => ({ kind: "let", span, pattern: left, value })),
        fc
          .tuple(binding, binders, expression)
          .map(([name, indices, value]): Statement => ({ kind: "indexed-let", span, name, indices, value })),
        fc
          .tuple(fc.constantFrom("param" as const, "state" as const), binding, type, expression)
          .map(([kind, name, of, value]): Statement => ({ kind, span, name, type: of, value })),
        fc.tuple(place, expression).map(([target, value]): Statement => ({ kind: "assign", span, target, value })),
        fc.tuple(expression, block).map(([condition, body]): Statement => ({ kind: "when", span, condition, body })),
        fc.tuple(binding, expression, expression, expression, optional(expression)).map(
          ([name, value, over, using, gradients]): Statement => ({
            kind: "minimize",
            span,
            name,
            value,
            over,
            using,
            gradients,
          }),
        ),
        fc.tuple(binding, expression).map(([name, value]): Statement => ({ kind: "metric", span, name, value })),
      ),
    };
  });
}

const insideTexts = kinds(
  0.3,
  plainText.map((part): Text => ({ kind: "text", span, parts: [part] })),
).expression;
const text = texts(insideTexts);
const { expression: anyExpression, type: anyType, block: anyBlock } = kinds(0.6, text);

export const expressions: fc.Arbitrary<Expression> = anyExpression;

const parameters: fc.Arbitrary<Parameter[]> = several(
  fc.record({ span: fc.constant(span), name: binding, type: optional(anyType), default: optional(anyExpression) }),
);
const where: fc.Arbitrary<WhereItem[]> = several(
  fc.oneof(
    fc
      .tuple(anyExpression, optional(text))
      .map(([condition, otherwise]): WhereItem => ({ kind: "condition", span, condition, otherwise })),
    fc.tuple(binding, anyExpression).map(([name, value]): WhereItem => ({ kind: "definition", span, name, value })),
    fc
      .tuple(anyExpression, text)
      .map(([condition, otherwise]): WhereItem => ({ kind: "warning", span, condition, otherwise })),
  ),
);
const doc = fc.array(
  fc.string({ maxLength: 12 }).map((line) => line.replace(/[\r\n\0]/g, "").trimEnd()),
  { maxLength: 2 },
);
const body = fc.oneof(
  fc.record({ equals: fc.constant(true), body: anyExpression }),
  fc.record({ equals: fc.constant(false), body: anyBlock }),
);

const declarations: fc.Arbitrary<Declaration> = fc
  .tuple(
    fc.record({
      span: fc.constant(span),
      name: binding,
      doc,
      where,
      parameters,
      result: optional(anyType),
    }),
    body,
    fc.oneof(
      fc.record({ kind: fc.constant("fn" as const), exported: fc.boolean() }),
      fc.record({ kind: fc.constant("model" as const), exported: fc.boolean(), configuration: parameters }),
      fc.record({
        kind: fc.constantFrom("layer" as const, "optimizer" as const, "train" as const),
        exported: fc.constant(false),
        configuration: parameters,
      }),
    ),
  )
  .map(([common, content, head]): Declaration => ({ ...common, ...content, ...head }));

const imports: fc.Arbitrary<Import> = fc.oneof(
  bindable.map((path): Import => ({ kind: "import", span, path, quoted: false })),
  plainText.map((path): Import => ({ kind: "import", span, path, quoted: true })),
);

export const modules: fc.Arbitrary<Module> = fc.tuple(several(imports), several(declarations)).map(([first, rest]) => ({
  source: { file: "generated.dlx", text: "" },
  imports: first,
  declarations: rest,
  comments: [],
}));
