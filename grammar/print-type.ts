/** Patterns and types as documents. */
import type { Pattern, Type } from "./ast.ts";
import { concat, type Document, join } from "./document.ts";
import { bracketed } from "./print-brackets.ts";
import type { Item } from "./print-context.ts";
import type { Printer } from "./printer.ts";

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
export function printParameters(parameters: readonly Pattern[]): string {
  const [first] = parameters;
  if (parameters.length === 1 && first !== undefined && first.kind !== "tuple-pattern") return printPattern(first);
  return `(${parameters.map(printPattern).join(", ")})`;
}

export function printType(print: Printer, type: Type): Document {
  const nested = (inner: Type) => printType(print, inner);
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
      return concat(
        "list[",
        nested(type.element),
        ...(type.count ? [", ", print(type.count, { close: true })] : []),
        "]",
      );
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
      return bracketed(print, "(", members, ")", type.span);
    }
    default:
      return type satisfies never;
  }
}
