/** Blocks and statements as documents. */
import type { Block, Expression, Statement } from "./ast.ts";
import { blockGroup, concat, type Document, group, hardLine, indent, join, line, suffix } from "./document.ts";
import { level } from "./precedence.ts";
import { printBinders } from "./print-brackets.ts";
import { loneComments, type PrintContext, stackEntries, withComments } from "./print-context.ts";
import { printRest } from "./print-expression.ts";
import { printPattern, printType } from "./print-type.ts";
import type { Printer } from "./printer.ts";

/** A block of one statement may stand on one line, unless it was broken or is the body of a declaration. */
export function printBlock(print: Printer, block: Block, always = false): Document {
  const { context } = print;
  const { statements, span } = block;
  if (context.oneLine) {
    const parts = statements.map((statement) => printStatement(print, statement));
    return parts.length === 0 ? "{}" : concat("{ ", join("; ", parts), " }");
  }
  const entries = statements.map((statement) =>
    withComments(context, statement.span, () => printStatement(print, statement)),
  );
  const all = [...entries, ...loneComments(context, span.end)];
  const [first] = all;
  if (first === undefined) return "{}";
  const broken = always || all.length > 1 || context.breaksBetween(context.find("{", span.start), first.span.start);
  const content = stackEntries(context, all);
  if (broken) return blockGroup(concat("{", indent(concat(hardLine, content)), hardLine, "}"));
  return blockGroup(concat("{", indent(concat(line, content)), line, "}"));
}

/** The comments behind a clause on its line. */
function notes(context: PrintContext, clause: Expression): Document {
  return concat(...context.takeTrailing(clause.span.end).map((comment) => suffix(`  ${comment.text}`)));
}

function printStatement(print: Printer, statement: Statement): Document {
  switch (statement.kind) {
    case "let":
      return concat("let ", printPattern(statement.pattern), " =", printRest(print, statement.value));
    case "indexed-let":
      return concat(
        "let ",
        statement.name.text,
        printBinders(print, statement.indices),
        " =",
        printRest(print, statement.value),
      );
    case "param":
    case "state":
      return concat(
        statement.kind,
        " ",
        statement.name.text,
        ": ",
        printType(print, statement.type),
        " =",
        printRest(print, statement.value),
      );
    case "assign":
      return concat(print(statement.target), " :=", printRest(print, statement.value));
    case "when":
      return concat("when ", print(statement.condition, { least: level.pipe }), " ", print.block(statement.body));
    case "minimize": {
      const { name, value, over, using, gradients } = statement;
      const clauses = [
        concat("minimize ", name.text, " =", printRest(print, value), notes(print.context, value)),
        concat("over ", print(over), notes(print.context, over)),
        concat("using ", print(using), notes(print.context, using)),
      ];
      if (gradients !== undefined) clauses.push(concat("gradients ", print(gradients)));
      return group(indent(join(line, clauses)));
    }
    case "metric":
      return concat("metric ", statement.name.text, " =", printRest(print, statement.value));
    case "expression":
      return print(statement.value);
    default:
      return statement satisfies never;
  }
}
