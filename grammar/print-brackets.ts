/** What stands between brackets: members, arguments, coordinates, indices. */
import type { Argument, Expression, IndexBinder, IndexItem } from "./ast.ts";
import { concat, type Document, fill, group, hardLine, holdsBlock, indent, join, line, softLine } from "./document.ts";
import { level } from "./precedence.ts";
import { commentedItems, type Item } from "./print-context.ts";
import type { Printer } from "./printer.ts";
import type { Span } from "./span.ts";

/** Documents with a comma behind all but the last. */
export function separated(parts: readonly Document[]): Document[] {
  return parts.map((part, i) => (i === parts.length - 1 ? part : concat(part, ",")));
}

export function items(print: Printer, elements: readonly Expression[]): Item[] {
  return elements.map((element) => ({ span: element.span, print: () => print(element) }));
}

/** Items in brackets; `span` is that of the brackets. */
export function bracketed(print: Printer, open: string, members: readonly Item[], close: string, span: Span): Document {
  const commented = commentedItems(print.context, members, span);
  if (commented !== undefined) return concat(open, indent(concat(hardLine, commented)), hardLine, close);
  const parts = members.map((member) => member.print());
  // A member that holds a block breaks inside the block, not around it.
  if (parts.some(holdsBlock)) return concat(open, join(", ", parts), close);
  if (parts.length === 0) return `${open}${close}`;
  return group(concat(open, indent(concat(softLine, fill(separated(parts), line))), softLine, close));
}

export function printArguments(print: Printer, members: readonly Argument[], span: Span): Document {
  const list = members.map(({ name, value, span: argument }) => ({
    span: argument,
    print: () => (name === undefined ? print(value) : concat(name.text, ": ", print(value))),
  }));
  return bracketed(print, "(", list, ")", span);
}

export function printIndexItem(print: Printer, item: IndexItem, elseFollows: boolean): Document {
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
