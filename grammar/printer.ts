/** How the parts of the printer call each other. */
import type { Block, Expression, Text } from "./ast.ts";
import type { Document } from "./document.ts";
import { level } from "./precedence.ts";
import type { PrintContext } from "./print-context.ts";

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

/** Where anything may stand. */
export const FREE: Position = {
  least: level.open,
  follow: level.open,
  elseFollows: false,
  close: false,
  underSum: false,
  flush: false,
};

/** Prints expressions, and knows how to print what stands inside them. */
export interface Printer {
  (node: Expression, position?: Partial<Position>): Document;
  readonly context: PrintContext;
  readonly block: (block: Block) => Document;
  /** A text literal, which may hold expressions of its own. */
  readonly text: (text: Text) => string;
}
