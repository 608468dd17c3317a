/** What printing knows beyond the tree: the comments still to be placed, and where the text was broken before. */
import type { Comment, Module } from "./ast.ts";
import { blankLine, concat, type Document, hardLine, sequence, suffix } from "./document.ts";
import type { Span } from "./span.ts";

export class PrintContext {
  /** Inside a text literal nothing may break. */
  readonly oneLine: boolean;
  private readonly text: string;
  private readonly comments: readonly Comment[];
  private next = 0;

  constructor(module: Pick<Module, "comments"> | undefined, text: string, oneLine: boolean) {
    this.comments = module?.comments ?? [];
    this.text = text;
    this.oneLine = oneLine;
  }

  /** The comments before an offset that were not yet taken. */
  takeBefore(offset: number): readonly Comment[] {
    const start = this.next;
    while ((this.comments[this.next]?.span.start ?? Number.POSITIVE_INFINITY) < offset) this.next++;
    return this.comments.slice(start, this.next);
  }

  /** Whether the next comment to be placed lies between two offsets. */
  hasBetween(start: number, end: number): boolean {
    const next = this.comments[this.next]?.span.start;
    return next !== undefined && start <= next && next < end;
  }

  /** The comments on the line where something ends. */
  takeTrailing(end: number): readonly Comment[] {
    const newline = this.text.indexOf("\n", end);
    const comment = this.comments[this.next];
    if (comment === undefined || !comment.trailing) return [];
    return this.takeBefore(newline < 0 ? Number.POSITIVE_INFINITY : newline);
  }

  /** The next such character; a span may begin with parentheses that the tree does not show. */
  find(character: string, start: number): number {
    return Math.max(start, this.text.indexOf(character, start));
  }

  /** Whether the source has a new line between two offsets. */
  breaksBetween(start: number, end: number): boolean {
    return !this.oneLine && start < end && this.text.slice(start, end).includes("\n");
  }

  /** Whether the source has an empty line between two offsets. */
  blankBetween(start: number, end: number): boolean {
    return start < end && /\n[ \t\r]*\n/.test(this.text.slice(start, end));
  }
}

/** A thing that stands on lines of its own, with the comments around it. */
export interface Entry {
  /** With the comments above it. */
  readonly document: Document;
  /** What it covers in the source, comments included. */
  readonly span: Span;
}

/** Prints something that begins on a line of its own, and places the comments above, inside and after it. */
export function withComments(context: PrintContext, span: Span, print: () => Document): Entry {
  const above = context.takeBefore(span.start);
  const document = print();
  // Comments at places inside that have no line of their own move above.
  const inside = context.takeBefore(span.end);
  const after = context.takeTrailing(span.end);
  const lines: Document[] = [];
  let last: Span | undefined;
  for (const comment of [...above, ...inside]) {
    if (last !== undefined) lines.push(context.blankBetween(last.end, comment.span.start) ? blankLine : hardLine);
    lines.push(comment.text);
    last = comment.span;
  }
  if (last !== undefined) lines.push(context.blankBetween(last.end, span.start) ? blankLine : hardLine);
  lines.push(document, ...after.map((comment) => suffix(`  ${comment.text}`)));
  return {
    document: sequence(lines),
    span: { start: above[0]?.span.start ?? span.start, end: after.at(-1)?.span.end ?? span.end },
  };
}

/** Entries one below the other; an empty line between two stays. */
export function stackEntries(context: PrintContext, entries: readonly Entry[]): Document {
  const parts: Document[] = [];
  let last: Span | undefined;
  for (const { document, span } of entries) {
    if (last !== undefined) parts.push(context.blankBetween(last.end, span.start) ? blankLine : hardLine);
    parts.push(document);
    last = span;
  }
  return sequence(parts);
}

/** The comments before an offset as entries of their own: those at the end of a block. */
export function loneComments(context: PrintContext, before: number): readonly Entry[] {
  return context.takeBefore(before).map(({ text, span }) => ({ document: text, span }));
}

/** Items between brackets: filled lines, or one a line where comments stand among them. */
export interface Item {
  readonly span: Span;
  readonly print: () => Document;
}

export function commentedItems(context: PrintContext, items: readonly Item[], span: Span): Document | undefined {
  if (!context.hasBetween(span.start, span.end)) return undefined;
  const entries = items.map((item, i): Entry => {
    const isLast = i === items.length - 1;
    return withComments(context, item.span, () => (isLast ? item.print() : concat(item.print(), ",")));
  });
  return stackEntries(context, [...entries, ...loneComments(context, span.end)]);
}
