/** From tree to text: the formatter. `parse(print(module))` gives the same tree. */
import type { Declaration, Expression, Module, Parameter, Text, Type, WhereItem } from "./ast.ts";
import { createLinePrinter, createPrinter } from "./create-printer.ts";
import {
  blankLine,
  concat,
  type Document,
  group,
  hardLine,
  indent,
  join,
  layDown,
  line,
  sequence,
} from "./document.ts";
import { bracketed } from "./print-brackets.ts";
import { type Entry, loneComments, PrintContext, withComments } from "./print-context.ts";
import { printBlock } from "./print-statement.ts";
import { printType as printTypeDocument } from "./print-type.ts";
import type { Printer } from "./printer.ts";
import { quote } from "./strings.ts";

/** Lines are broken so as not to be longer than this. */
const WIDTH = 110;

/** The module's text in the one layout, with its comments and single empty lines. */
export function print(module: Module): string {
  const context = new PrintContext(module, module.source.text, false);
  const print = createPrinter(context);
  const entries: (Entry & { readonly kind: "import" | "declaration" | "comment" })[] = [];
  for (const item of module.imports) {
    const text = `import ${item.quoted ? quote(item.path) : item.path}`;
    entries.push({ kind: "import", ...withComments(context, item.span, () => text) });
  }
  for (const declaration of module.declarations) {
    const entry = withComments(context, declaration.span, () => printDeclaration(print, declaration));
    entries.push({ kind: "declaration", ...entry });
  }
  for (const entry of loneComments(context, Number.POSITIVE_INFINITY)) entries.push({ kind: "comment", ...entry });

  const parts: Document[] = [];
  for (const [i, entry] of entries.entries()) {
    const previous = entries[i - 1];
    if (previous !== undefined) {
      const apart = entry.kind === "declaration" || context.blankBetween(previous.span.end, entry.span.start);
      parts.push(apart ? blankLine : hardLine);
    }
    parts.push(entry.document);
  }
  return parts.length === 0 ? "" : `${layDown(sequence(parts), WIDTH)}\n`;
}

/** An expression on one line, for messages. */
export function printExpression(expression: Expression): string {
  return layDown(createLinePrinter()(expression), Number.POSITIVE_INFINITY);
}

/** A type on one line, for messages. */
export function printType(type: Type): string {
  return layDown(printTypeDocument(createLinePrinter(), type), Number.POSITIVE_INFINITY);
}

function printDeclaration(print: Printer, declaration: Declaration): Document {
  const { doc, exported, kind, name, parameters, result, where, body, equals, span } = declaration;
  const configuration = kind === "fn" ? [] : declaration.configuration;
  const one = kind === "fn" || (kind === "model" && configuration.length === 0);
  const lists = one ? [parameters] : [configuration, parameters];
  const brackets = (list: readonly Parameter[]) => {
    const start = list[0]?.span.start ?? span.start;
    return { start, end: list.at(-1)?.span.end ?? start };
  };
  const header = concat(
    exported ? "export " : "",
    `${kind} ${name.text}`,
    ...lists.map((list) => bracketed(print, "(", parameterItems(print, list), ")", brackets(list))),
    ...(result === undefined ? [] : [" -> ", printTypeDocument(print, result)]),
  );
  const clause = where.length === 0 ? "" : concat(line, printWhere(print, where, equals));
  const content = equals || body.kind !== "block" ? print(body, { flush: true }) : printBlock(print, body, true);
  const documentation = doc.flatMap((text) => [text === "" ? "///" : `/// ${text}`, hardLine]);
  if (!equals) {
    const head = group(concat(header, clause, where.length === 0 ? " " : line));
    return sequence([...documentation, head, content]);
  }
  const short = group(concat(header, clause, where.length === 0 ? " " : line, "="));
  return sequence([...documentation, short, group(indent(concat(line, content)))]);
}

function parameterItems(print: Printer, list: readonly Parameter[]) {
  return list.map(({ name, type, default: value, span }) => ({
    span,
    print: () =>
      concat(
        name.text,
        ...(type === undefined ? [] : [": ", printTypeDocument(print, type)]),
        ...(value === undefined ? [] : [" = ", print(value)]),
      ),
  }));
}

function printWhere(print: Printer, where: readonly WhereItem[], equals: boolean): Document {
  const parts = where.map((item, i): Document => {
    const isLast = i === where.length - 1;
    const { document } = withComments(print.context, item.span, () =>
      concat(printWhereItem(print, item, equals && isLast), isLast ? "" : ","),
    );
    return document;
  });
  return concat("where ", indent(join(line, parts), "where ".length));
}

/** A text that does not fit goes onto a line of its own before the condition is broken. */
function reason(print: Printer, text: Text): Document {
  return concat(" else", group(indent(concat(line, print.text(text)))));
}

/** `isBeforeBody`: `= body` follows, and a lone name would be taken for a definition. */
function printWhereItem(print: Printer, item: WhereItem, isBeforeBody: boolean): Document {
  switch (item.kind) {
    case "definition":
      return concat(item.name.text, " = ", print(item.value));
    case "condition": {
      const condition = print(item.condition, { elseFollows: item.otherwise !== undefined });
      if (item.otherwise !== undefined) return concat(condition, reason(print, item.otherwise));
      return isBeforeBody && item.condition.kind === "reference" ? concat("(", condition, ")") : condition;
    }
    case "warning":
      return concat("warn ", print(item.condition, { elseFollows: true }), reason(print, item.otherwise));
    default:
      return item satisfies never;
  }
}
