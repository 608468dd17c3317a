/** Expressions as documents, with as few parentheses as the precedence table allows. */
import type { BinaryExpression, Expression, IfExpression } from "./ast.ts";
import { concat, type Document, fill, group, hardLine, indent, line, sequence, softLine, suffix } from "./document.ts";
import { bindings, level } from "./precedence.ts";
import { bracketed, items, printArguments, printBinders, printIndexItem, separated } from "./print-brackets.ts";
import { printParameters, printPattern } from "./print-type.ts";
import { FREE, type Position, type Printer } from "./printer.ts";
import type { Span } from "./span.ts";
import { reducers } from "./tokens.ts";

export function printExpression(print: Printer, node: Expression, position: Partial<Position>): Document {
  const at: Position = { ...FREE, ...position };
  if (!needsParentheses(node, at)) return printBare(print, node, at);
  const inner = printBare(print, node, { ...FREE, close: at.close, flush: true });
  return group(concat("(", indent(concat(softLine, inner)), softLine, ")"));
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

function printBare(print: Printer, node: Expression, at: Position): Document {
  switch (node.kind) {
    case "number":
      return node.text;
    case "boolean":
      return node.value ? "true" : "false";
    case "text":
      return print.text(node);
    case "reference":
      return node.name;
    case "hole":
      return "_";
    case "list":
      return bracketed(print, "[", items(print, node.elements), "]", node.span);
    case "tuple":
      return bracketed(print, "(", items(print, node.elements), ")", node.span);
    case "record":
      return bracketed(
        print,
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
        printArguments(print, node.arguments, { start: node.callee.span.end, end: node.span.end }),
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
      return printPipe(print, node, at);
    case "lambda":
      return concat(
        printParameters(node.parameters),
        " =>",
        printRest(print, node.body, { ...at, least: level.open, follow: level.open }),
      );
    case "if":
      return printIf(print, node, at);
    case "block":
      return print.block(node);
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
      return concat("repeat ", node.index.text, " < ", count, ...carry, " ", print.block(node.body));
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
function printPipe(print: Printer, node: Expression, at: Position): Document {
  const stages: { readonly stage: Expression; readonly after: Span }[] = [];
  let value = node;
  while (value.kind === "pipe") {
    stages.unshift({ stage: value.stage, after: value.value.span });
    value = value.value;
  }
  const broken =
    stages.some(({ stage, after }) => print.context.breaksBetween(after.end, stage.span.start)) ||
    print.context.hasBetween(value.span.end, stages.at(-1)?.stage.span.start ?? 0);
  const first = print(value, { ...at, least: level.pipe, follow: level.pipe, elseFollows: false });
  const parts = stages.map(({ stage, after }, i): Document => {
    const here = print.context.hasBetween(after.end, stage.span.start);
    const comments = here ? print.context.takeBefore(stage.span.start) : [];
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
    const breaks = comments.length > 0 || print.context.breaksBetween(after.end, stage.span.start);
    const separator = breaks ? hardLine : broken ? group(line) : line;
    return sequence([...notes, separator, "|> ", text]);
  });
  const chain = concat(first, at.flush ? sequence(parts) : indent(sequence(parts)));
  return broken ? chain : group(chain);
}

function printIf(print: Printer, node: IfExpression, at: Position): Document {
  const parts: Document[] = [];
  let current: IfExpression = node;
  for (;;) {
    parts.push("if ", print(current.condition, { least: level.pipe }));
    const { otherwise } = current;
    const inner = { ...at, least: level.open, follow: level.open };
    if (current.then.kind === "block") parts.push(" ", print.block(current.then));
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
