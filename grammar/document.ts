/**
 * Text that knows where it may be broken, after Wadler, "A prettier printer" (2003), with the filling separators and line
 * suffixes of Prettier's document language.
 */
export type Document = string | Node;

type Node = Marks &
  (
    | { readonly kind: "concat"; readonly parts: readonly Document[] }
    | { readonly kind: "indent"; readonly by: number; readonly content: Document }
    | { readonly kind: "group"; readonly content: Document }
    | {
        readonly kind: "fill";
        readonly items: readonly Document[];
        /** The items before this one are laid down already. */
        readonly from: number;
        readonly separator: Document;
      }
    | { readonly kind: "line"; readonly flat: string; readonly blank: boolean }
    | { readonly kind: "suffix"; readonly text: string }
  );

/** What is true of a document if it is true of a part. */
interface Marks {
  /** It contains a line break that cannot be avoided. */
  readonly hard: boolean;
  /** It contains a block, broken or not. */
  readonly block: boolean;
}

const PLAIN: Marks = { hard: false, block: false };
const HARD: Marks = { hard: true, block: false };

/** A space, or a new line where its group does not fit. */
export const line: Document = { ...PLAIN, kind: "line", flat: " ", blank: false };
/** Nothing, or a new line where its group does not fit. */
export const softLine: Document = { ...PLAIN, kind: "line", flat: "", blank: false };
/** A new line always; the groups around it are broken too. */
export const hardLine: Document = { ...HARD, kind: "line", flat: "", blank: false };
/** The same with an empty line. */
export const blankLine: Document = { ...HARD, kind: "line", flat: "", blank: true };

function isHard(document: Document): boolean {
  return typeof document !== "string" && document.hard;
}

export function holdsBlock(document: Document): boolean {
  return typeof document !== "string" && document.block;
}

export function concat(...parts: readonly Document[]): Document {
  return sequence(parts);
}

/** The same of any number of parts. */
export function sequence(parts: readonly Document[]): Document {
  return { hard: parts.some(isHard), block: parts.some(holdsBlock), kind: "concat", parts };
}

export function join(separator: Document, parts: readonly Document[]): Document {
  return sequence(parts.flatMap((part, i) => (i === 0 ? [part] : [separator, part])));
}

export function indent(content: Document, by = 2): Document {
  return { hard: isHard(content), block: holdsBlock(content), kind: "indent", by, content };
}

/** All its lines are broken, or none. */
export function group(content: Document): Document {
  return { hard: isHard(content), block: holdsBlock(content), kind: "group", content };
}

/** The same, of statements between braces. */
export function blockGroup(content: Document): Document {
  return { hard: isHard(content), block: true, kind: "group", content };
}

/** As many items on each line as fit. */
export function fill(items: readonly Document[], separator: Document): Document {
  const hard = items.some(isHard) || isHard(separator);
  return { hard, block: items.some(holdsBlock), kind: "fill", items, from: 0, separator };
}

/** Text that goes to the end of the line, whatever else comes onto it; a comment. */
export function suffix(text: string): Document {
  return { ...HARD, kind: "suffix", text };
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
  const push = ({ indentation, flat }: Piece, document: Document, whole = flat) =>
    stack.push({ document, indentation, flat: whole });

  for (let piece = stack.pop(); piece !== undefined; piece = stack.pop()) {
    const { document: current, indentation, flat } = piece;
    if (typeof current === "string") {
      output.push(current);
      column += current.length;
      continue;
    }
    switch (current.kind) {
      case "concat":
        for (let i = current.parts.length - 1; i >= 0; i--) push(piece, current.parts[i] ?? "");
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
    const { document, indentation, flat } = top;
    if (typeof document === "string") {
      left -= document.length;
      continue;
    }
    switch (document.kind) {
      case "concat":
        for (let i = document.parts.length - 1; i >= 0; i--) {
          stack.push({ document: document.parts[i] ?? "", indentation, flat });
        }
        break;
      case "indent":
      case "group":
        stack.push({
          document: document.content,
          indentation,
          flat: flat && !(document.kind === "group" && document.hard),
        });
        break;
      case "fill": {
        const first = document.items[document.from];
        if (document.from + 1 < document.items.length) {
          stack.push({ document: { ...document, from: document.from + 1 }, indentation, flat });
          stack.push({ document: document.separator, indentation, flat });
        }
        if (first !== undefined) stack.push({ document: first, indentation, flat });
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
