/** Expressions, patterns and types as documents, with as few parentheses as the precedence table allows. */
import type {
  Argument,
  BinaryExpression,
  Expression,
  IfExpression,
  IndexBinder,
  IndexItem,
  Pattern,
  Text,
  Type,
} from "./ast.ts";
import {
  concat,
  type Document,
  fill,
  group,
  hardLine,
  holdsBlock,
  indent,
  join,
  layDown,
  line,
  sequence,
  softLine,
  suffix,
} from "./document.ts";
import { bindings, level } from "./precedence.ts";
import { commentedItems, type Item, PrintContext } from "./print-context.ts";
import { printBlock } from "./print-statement.ts";
import type { Span } from "./span.ts";
import { escapeText } from "./strings.ts";
import { reducers } from "./tokens.ts";

/** Where an expression stands. */
export interface Position {
  /** The loosest operator that may stand here without parentheses. */
  readonly least: number;
  /** The operator that follows, which an expression without a right end of its own would swallow. */
  readonly follow: number;
  /** Whether `else` follows, which an `if` without one would swallow. */
  readonly elseFollows: boolean;
  /** Between square brackets products under sums are set closely, as in `x[i*stride + p]`. */
  readonly close: boolean;
  readonly underSum: boolean;
  /** Whether the lines of a broken chain begin where it begins, because it has a line of its own. */
  readonly flush: boolean;
}

const FREE: Position = {
  least: level.open,
  follow: level.open,
  elseFollows: false,
  close: false,
  underSum: false,
  flush: false,
};

export type Printer = (node: Expression, position?: Partial<Position>) => Document;

export function printExpressionWith(context: PrintContext): Printer {
  const print: Printer = (node, position = {}) => {
    const at: Position = { ...FREE, ...position };
    if (!needsParentheses(node, at)) return printBare(context, print, node, at);
    const inner = printBare(context, print, node, { ...FREE, close: at.close, flush: true });
    return group(concat("(", indent(concat(softLine, inner)), softLine, ")"));
  };
  return print;
}

function needsParentheses(node: Expression, at: Position): boolean {
  switch (node.kind) {
    case "lambda":
      return at.least > level.open;
    case "if":
      return at.least > level.open || (at.elseFollows && node.otherwise === undefined);
    case "block":
    case "repeat":
      return at.least > level.pipe;
    case "unary":
      return node.operator === "not"
        ? at.least > level.not || at.follow >= level.not
        : at.least >= level.postfix || at.follow >= level.negation;
    case "reduction":
      // `sum[k] a + b` would be read right, but not by everyone.
      return at.least > level.negation || at.follow >= level.sum;
    case "binary":
      return bindings[node.operator].level < at.least;
    case "pipe":
      return level.pipe < at.least;
    case "number":
    case "boolean":
    case "text":
    case "reference":
    case "hole":
    case "list":
    case "tuple":
    case "record":
    case "call":
    case "index":
    case "field":
      return false;
    default:
      return node satisfies never;
  }
}

function printBare(context: PrintContext, print: Printer, node: Expression, at: Position): Document {
  switch (node.kind) {
    case "number":
      return node.text;
    case "boolean":
      return node.value ? "true" : "false";
    case "text":
      return printText(node);
    case "reference":
      return node.name;
    case "hole":
      return "_";
    case "list":
      return bracketed(context, "[", items(print, node.elements), "]", node.span);
    case "tuple":
      return bracketed(context, "(", items(print, node.elements), ")", node.span);
    case "record":
      return bracketed(
        context,
        "(",
        node.fields.map(({ name, value }) => ({
          span: { start: name.span.start, end: value.span.end },
          print: () => concat(name.text, ": ", print(value)),
        })),
        ")",
        node.span,
      );
    case "call":
      return concat(
        print(node.callee, { least: level.postfix }),
        printArguments(context, print, node.arguments, { start: node.callee.span.end, end: node.span.end }),
      );
    case "index": {
      const last = node.items.length - 1;
      const parts = node.items.map((item, i) =>
        printIndexItem(print, item, i === last && node.otherwise !== undefined),
      );
      const otherwise = node.otherwise === undefined ? [] : [line, "else ", print(node.otherwise, { close: true })];
      const { target } = node;
      // `sum[..]` would be a reduction.
      const isReducer = target.kind === "reference" && reducers.has(target.name);
      const subject = isReducer ? concat("(", target.name, ")") : print(target, { least: level.postfix });
      const inner = concat(fill(separated(parts), line), ...otherwise);
      return concat(subject, group(concat("[", indent(concat(softLine, inner)), softLine, "]")));
    }
    case "field":
      return concat(print(node.target, { least: level.postfix }), ".", node.name.text);
    case "unary": {
      const operand = print(node.operand, {
        ...at,
        least: node.operator === "not" ? level.not : level.negation,
      });
      return node.operator === "not" ? concat("not ", operand) : concat("-", operand);
    }
    case "binary":
      return printBinary(print, node, at);
    case "pipe":
      return printPipe(context, print, node, at);
    case "lambda":
      return concat(
        printParameters(node.parameters),
        " =>",
        printRest(print, node.body, { ...at, least: level.open, follow: level.open }),
      );
    case "if":
      return printIf(context, print, node, at);
    case "block":
      return printBlock(context, node);
    case "reduction":
      return group(
        concat(
          node.reducer,
          printBinders(print, node.indices),
          indent(concat(line, print(node.body, { ...at, least: level.product, flush: true }))),
        ),
      );
    case "repeat": {
      const carry =
        node.carry === undefined
          ? []
          : [", ", printPattern(node.carry.pattern), " = ", print(node.carry.initial, { least: level.pipe })];
      const count = print(node.count, { least: level.pipe });
      return concat("repeat ", node.index.text, " < ", count, ...carry, " ", printBlock(context, node.body));
    }
    default:
      return node satisfies never;
  }
}

// ---- Operators ------------------------------------------------------------------------------------------------------

function printBinary(print: Printer, node: BinaryExpression, at: Position): Document {
  const binding = bindings[node.operator];
  if (node.operator === "^") {
    return concat(
      print(node.left, { ...at, least: binding.level + 1, follow: binding.level }),
      "^",
      print(node.right, { ...at, least: binding.level }),
    );
  }
  // A chain of operators of one level is laid out as one.
  const operands: Document[] = [];
  let current = node;
  let follow = at.follow;
  let simple = true;
  const under = { close: at.close, elseFollows: false, underSum: binding.level === level.sum };
  for (;;) {
    const right = print(current.right, {
      ...under,
      least: binding.level + 1,
      follow,
      elseFollows: current === node && at.elseFollows,
    });
    operands.unshift(right);
    follow = binding.level;
    const { left, operator } = current;
    simple &&= isWord(current.right);
    const continues =
      left.kind === "binary" && binding.associates === "left" && bindings[left.operator].level === binding.level;
    operands.unshift(operator);
    if (!continues) {
      const least = binding.associates === "left" ? binding.level : binding.level + 1;
      simple &&= isWord(left);
      operands.unshift(print(left, { ...under, least, follow }));
      break;
    }
    current = left;
  }
  const [first = "", ...rest] = operands;
  const close = at.close && at.underSum && binding.level === level.product && simple;
  const parts: Document[] = [];
  for (let i = 0; i + 1 < rest.length; i += 2) {
    const operator = rest[i] ?? "";
    const operand = rest[i + 1] ?? "";
    if (close) parts.push(concat(operator, operand));
    // A line that begins with `-` would be a new statement.
    else if (operator === "-") parts.push(concat(" -", line, operand));
    else parts.push(concat(line, operator, " ", operand));
  }
  return group(concat(first, at.flush ? sequence(parts) : indent(sequence(parts))));
}

function isWord(node: Expression): boolean {
  return node.kind === "number" || node.kind === "reference";
}

/** Stages on one line, or on the lines on which they were; one a line if they fit on none. */
function printPipe(context: PrintContext, print: Printer, node: Expression, at: Position): Document {
  const stages: { readonly stage: Expression; readonly after: Span }[] = [];
  let value = node;
  while (value.kind === "pipe") {
    stages.unshift({ stage: value.stage, after: value.value.span });
    value = value.value;
  }
  const broken =
    stages.some(({ stage, after }) => context.breaksBetween(after.end, stage.span.start)) ||
    context.hasBetween(value.span.end, stages.at(-1)?.stage.span.start ?? 0);
  const first = print(value, { ...at, least: level.pipe, follow: level.pipe, elseFollows: false });
  const parts = stages.map(({ stage, after }, i): Document => {
    const here = context.hasBetween(after.end, stage.span.start);
    const comments = here ? context.takeBefore(stage.span.start) : [];
    const isLast = i === stages.length - 1;
    const text = print(stage, {
      close: at.close,
      least: level.pipe + 1,
      follow: isLast ? at.follow : level.pipe,
      elseFollows: isLast && at.elseFollows,
    });
    const notes = comments.flatMap((comment) =>
      comment.trailing ? [suffix(`  ${comment.text}`)] : [hardLine, comment.text],
    );
    const breaks = comments.length > 0 || context.breaksBetween(after.end, stage.span.start);
    const separator = breaks ? hardLine : broken ? group(line) : line;
    return sequence([...notes, separator, "|> ", text]);
  });
  const chain = concat(first, at.flush ? sequence(parts) : indent(sequence(parts)));
  return broken ? chain : group(chain);
}

function printIf(context: PrintContext, print: Printer, node: IfExpression, at: Position): Document {
  const parts: Document[] = [];
  let current: IfExpression = node;
  for (;;) {
    parts.push("if ", print(current.condition, { least: level.pipe }));
    const { otherwise } = current;
    const inner = { ...at, least: level.open, follow: level.open };
    if (current.then.kind === "block") parts.push(" ", printBlock(context, current.then));
    else
      parts.push(" then ", print(current.then, { ...inner, elseFollows: otherwise !== undefined || at.elseFollows }));
    if (otherwise === undefined) break;
    parts.push(current.then.kind === "block" ? " else " : indent(concat(line, "else ")));
    if (otherwise.kind !== "if" || (at.elseFollows && otherwise.otherwise === undefined)) {
      parts.push(print(otherwise, inner));
      break;
    }
    current = otherwise;
  }
  return group(sequence(parts));
}

/** What follows `=` or `=>`: on the same line, or indented below where that is too long. */
export function printRest(print: Printer, node: Expression, at: Partial<Position> = {}): Document {
  const text = print(node, at);
  switch (node.kind) {
    case "block":
    case "call":
    case "if":
    case "index":
    case "lambda":
    case "list":
    case "pipe":
    case "binary":
    case "record":
    case "reduction":
    case "repeat":
    case "tuple":
      return concat(" ", text);
    case "boolean":
    case "field":
    case "hole":
    case "number":
    case "reference":
    case "text":
    case "unary":
      return group(indent(concat(line, text)));
    default:
      return node satisfies never;
  }
}

// ---- Brackets -------------------------------------------------------------------------------------------------------

/** Documents with a comma behind all but the last. */
export function separated(parts: readonly Document[]): Document[] {
  return parts.map((part, i) => (i === parts.length - 1 ? part : concat(part, ",")));
}

function items(print: Printer, elements: readonly Expression[]): Item[] {
  return elements.map((element) => ({ span: element.span, print: () => print(element) }));
}

/** Items in brackets; `span` is that of the brackets. */
export function bracketed(
  context: PrintContext,
  open: string,
  members: readonly Item[],
  close: string,
  span: Span,
): Document {
  const commented = commentedItems(context, members, span);
  if (commented !== undefined) return concat(open, indent(concat(hardLine, commented)), hardLine, close);
  const parts = members.map((member) => member.print());
  // A member that holds a block breaks inside the block, not around it.
  if (parts.some(holdsBlock)) return concat(open, join(", ", parts), close);
  if (parts.length === 0) return `${open}${close}`;
  return group(concat(open, indent(concat(softLine, fill(separated(parts), line))), softLine, close));
}

function printArguments(context: PrintContext, print: Printer, members: readonly Argument[], span: Span): Document {
  const list = members.map(({ name, value, span: argument }) => ({
    span: argument,
    print: () => (name === undefined ? print(value) : concat(name.text, ": ", print(value))),
  }));
  return bracketed(context, "(", list, ")", span);
}

function printIndexItem(print: Printer, item: IndexItem, elseFollows: boolean): Document {
  switch (item.kind) {
    case "coordinate":
      return print(item.value, { close: true, elseFollows });
    case "new-axis":
      return "_";
    case "spread":
      return `...${item.name.text}`;
    case "slice": {
      // Bounds bind more tightly than their colon looks: set them closely.
      const bound = (value: Expression | undefined, last: boolean) =>
        value === undefined
          ? ""
          : print(value, { close: true, underSum: true, least: level.product, elseFollows: elseFollows && last });
      const step = item.step === undefined ? [] : [":", bound(item.step, true)];
      return concat(bound(item.from, false), ":", bound(item.to, item.step === undefined), ...step);
    }
    default:
      return item satisfies never;
  }
}

export function printBinders(print: Printer, binders: readonly IndexBinder[]): Document {
  const parts = binders.map(({ name, spread, extent }) =>
    concat(spread ? "..." : "", name.text, ...(extent === undefined ? [] : [" < ", print(extent)])),
  );
  return group(concat("[", indent(concat(softLine, fill(separated(parts), line))), softLine, "]"));
}

// ---- Patterns, texts, types -----------------------------------------------------------------------------------------

export function printPattern(pattern: Pattern): string {
  switch (pattern.kind) {
    case "name-pattern":
      return pattern.name;
    case "tuple-pattern":
      return `(${pattern.elements.map(printPattern).join(", ")})`;
    case "record-pattern":
      return `(${pattern.fields.map(({ name, pattern: inner }) => `${name.text}: ${printPattern(inner)}`).join(", ")})`;
    default:
      return pattern satisfies never;
  }
}

/** One name stands alone; anything else, a single tuple too, in parentheses of its own. */
function printParameters(parameters: readonly Pattern[]): string {
  const [first] = parameters;
  if (parameters.length === 1 && first !== undefined && first.kind !== "tuple-pattern") return printPattern(first);
  return `(${parameters.map(printPattern).join(", ")})`;
}

export function printText(node: Text): string {
  const print = printExpressionWith(new PrintContext(undefined, "", true));
  const parts = node.parts.map((part) =>
    typeof part === "string" ? escapeText(part) : `{${layDown(print(part), Number.POSITIVE_INFINITY)}}`,
  );
  return `"${parts.join("")}"`;
}

export function printTypeWith(context: PrintContext, print: Printer, type: Type): Document {
  const nested = (inner: Type) => printTypeWith(context, print, inner);
  switch (type.kind) {
    case "tensor-type": {
      if (type.axes === undefined) return type.dtype;
      const axes = type.axes.map((axis) =>
        axis.kind === "spread" ? `...${axis.name.text}` : print(axis.value, { close: true }),
      );
      if (axes.length === 0) return `${type.dtype}[]`;
      return concat(type.dtype, "[", join(", ", axes), "]");
    }
    case "simple-type":
      return type.name;
    case "list-type":
      return concat("list[", nested(type.element), "]");
    case "like-type":
      return concat("like(", print(type.value), ")");
    case "tuple-type":
    case "record-type": {
      const members: Item[] =
        type.kind === "tuple-type"
          ? type.elements.map((element) => ({ span: element.span, print: () => nested(element) }))
          : type.fields.map(({ name, type: inner }) => ({
              span: { start: name.span.start, end: inner.span.end },
              print: () => concat(name.text, ": ", nested(inner)),
            }));
      return bracketed(context, "(", members, ")", type.span);
    }
    default:
      return type satisfies never;
  }
}
