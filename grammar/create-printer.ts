import type { Text } from "./ast.ts";
import { layDown } from "./document.ts";
import { PrintContext } from "./print-context.ts";
import { printExpression } from "./print-expression.ts";
import { printBlock } from "./print-statement.ts";
import { FREE, type Printer } from "./printer.ts";
import { escapeText } from "./strings.ts";

/** Ties the parts of the printer together. */
export function createPrinter(context: PrintContext): Printer {
  const print: Printer = Object.assign<
    (...call: Parameters<Printer>) => ReturnType<Printer>,
    Pick<Printer, "context" | "block" | "text">
  >((node, position = FREE) => printExpression(print, node, position), {
    context,
    block: (block) => printBlock(print, block),
    text: printText,
  });
  return print;
}

/** A printer that never breaks lines: for the inside of texts, and for messages. */
export function createLinePrinter(): Printer {
  return createPrinter(new PrintContext(undefined, "", true));
}

function printText({ parts }: Text): string {
  const print = createLinePrinter();
  const pieces = parts.map((part) =>
    typeof part === "string" ? escapeText(part) : `{${layDown(print(part), Number.POSITIVE_INFINITY)}}`,
  );
  return `"${pieces.join("")}"`;
}
