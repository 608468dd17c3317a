/**
 * Text that knows where it may be broken, after Wadler, "A prettier printer" (2003), with the filling separators and line
 * suffixes of Prettier's document language.
 */
export type Document =
  | string
  | { readonly kind: "concat"; readonly parts: readonly Document[]; readonly hard: boolean }
  | { readonly kind: "indent"; readonly by: number; readonly content: Document; readonly hard: boolean }
  | { readonly kind: "group"; readonly content: Document; readonly hard: boolean }
  | {
      readonly kind: "fill";
      readonly items: readonly Document[];
      /** The items before this one are laid down already. */
      readonly from: number;
      readonly separator: Document;
      readonly hard: boolean;
    }
  | { readonly kind: "line"; readonly flat: string; readonly hard: boolean; readonly blank: boolean }
  | { readonly kind: "suffix"; readonly text: string; readonly hard: true }
  | { readonly kind: "choice"; readonly flat: Document; readonly broken: Document; readonly hard: boolean };

/** A space, or a new line where its group does not fit. */
export const line: Document = { kind: "line", flat: " ", hard: false, blank: false };
/** Nothing, or a new line where its group does not fit. */
export const softLine: Document = { kind: "line", flat: "", hard: false, blank: false };
/** A new line always; the groups around it are broken too. */
export const hardLine: Document = { kind: "line", flat: "", hard: true, blank: false };
/** The same with an empty line. */
export const blankLine: Document = { kind: "line", flat: "", hard: true, blank: true };

/** Whether a document contains a line break that cannot be avoided. */
export function isHard(document: Document): boolean {
  return typeof document !== "string" && document.hard;
}

export function concat(...parts: readonly Document[]): Document {
  return { kind: "concat", parts, hard: parts.some(isHard) };
}

export function join(separator: Document, parts: readonly Document[]): Document {
  return concat(...parts.flatMap((part, i) => (i === 0 ? [part] : [separator, part])));
}

export function indent(content: Document, by = 2): Document {
  return { kind: "indent", by, content, hard: isHard(content) };
}

/** All its lines are broken, or none. */
export function group(content: Document): Document {
  return { kind: "group", content, hard: isHard(content) };
}

/** As many items on each line as fit. */
export function fill(items: readonly Document[], separator: Document): Document {
  return { kind: "fill", items, from: 0, separator, hard: items.some(isHard) || isHard(separator) };
}

/** One text where its group fits on the line, another where it does not. */
export function choice(flat: Document, broken: Document): Document {
  return { kind: "choice", flat, broken, hard: false };
}

/** Text that goes to the end of the line, whatever else comes onto it; a comment. */
export function suffix(text: string): Document {
  return { kind: "suffix", text, hard: true };
}

interface Piece {
  readonly document: Document;
  readonly indentation: number;
  readonly flat: boolean;
}

/** The text of a document in lines of at most `width` characters where that is possible. */
export function layDown(document: Document, width: number): string {
  const output: string[] = [];
  const suffixes: string[] = [];
  let column = 0;
  const stack: Piece[] = [{ document, indentation: 0, flat: false }];
  const push = (piece: Piece, document: Document, flat = piece.flat) => stack.push({ ...piece, document, flat });

  for (let piece = stack.pop(); piece !== undefined; piece = stack.pop()) {
    const { document: current, indentation, flat } = piece;
    if (typeof current === "string") {
      output.push(current);
      column += current.length;
      continue;
    }
    switch (current.kind) {
      case "concat":
        for (const part of [...current.parts].reverse()) push(piece, part);
        break;
      case "indent":
        stack.push({ document: current.content, indentation: indentation + current.by, flat });
        break;
      case "group": {
        const whole =
          flat || (!current.hard && fits({ ...piece, document: current.content, flat: true }, stack, width - column));
        push(piece, current.content, whole);
        break;
      }
      case "choice":
        push(piece, flat ? current.flat : current.broken);
        break;
      case "fill": {
        const first = current.items[current.from];
        const next = current.items[current.from + 1];
        if (first === undefined) break;
        if (next !== undefined) {
          const pair: Piece = { document: concat(first, current.separator, next), indentation, flat: true };
          const together = flat || (!isHard(pair.document) && fits(pair, [], width - column));
          push(piece, { ...current, from: current.from + 1 });
          push(piece, current.separator, together);
        }
        const alone =
          flat || (!isHard(first) && fits({ document: first, indentation, flat: true }, [], width - column));
        push(piece, first, alone);
        break;
      }
      case "line":
        if (flat && !current.hard) {
          output.push(current.flat);
          column += current.flat.length;
        } else {
          while (/ $/.test(output.at(-1) ?? "")) output.push((output.pop() ?? "").trimEnd());
          output.push(...suffixes.splice(0), current.blank ? "\n\n" : "\n", " ".repeat(indentation));
          column = indentation;
        }
        break;
      case "suffix":
        suffixes.push(current.text);
        break;
      default:
        current satisfies never;
    }
  }
  return [...output, ...suffixes].join("");
}

/** Whether a piece, and what follows it on its line, fits into `room` characters. */
function fits(piece: Piece, following: readonly Piece[], room: number): boolean {
  const stack: Piece[] = [piece];
  let left = room;
  let next = following.length;
  while (left >= 0) {
    const top = stack.pop() ?? following[--next];
    if (top === undefined) return true;
    const { document, flat } = top;
    if (typeof document === "string") {
      left -= document.length;
      continue;
    }
    switch (document.kind) {
      case "concat":
        for (const part of [...document.parts].reverse()) stack.push({ ...top, document: part });
        break;
      case "indent":
      case "group":
        stack.push({ ...top, document: document.content, flat: flat && !(document.kind === "group" && document.hard) });
        break;
      case "choice":
        stack.push({ ...top, document: flat ? document.flat : document.broken });
        break;
      case "fill": {
        const first = document.items[document.from];
        if (document.from + 1 < document.items.length) {
          stack.push({ ...top, document: { ...document, from: document.from + 1 } });
          stack.push({ ...top, document: document.separator });
        }
        if (first !== undefined) stack.push({ ...top, document: first });
        break;
      }
      case "line":
        if (!flat || document.hard) return true;
        left -= document.flat.length;
        break;
      case "suffix":
        break;
      default:
        document satisfies never;
    }
  }
  return false;
}
