/** How tightly operators bind: one table, read by the tree builder and by the printer. */
import type { BinaryOperator } from "./ast.ts";

/** Loosest first. A prefix operator's number is how tight what follows it is read. */
export const level = {
  /** `=>`, and `if`, whose last branch reaches as far as it can. */
  open: 0,
  pipe: 1,
  or: 2,
  and: 3,
  not: 4,
  comparison: 5,
  sum: 6,
  /** A reduction takes the product to its right. */
  product: 7,
  /** Unary minus: `-a * b` is `(-a) * b`, `-a^2` is `-(a^2)`. */
  negation: 8,
  power: 9,
  postfix: 10,
} as const;

export type Level = (typeof level)[keyof typeof level];

export interface Binding {
  readonly level: Level;
  readonly associates: "left" | "right" | "no";
}

const comparison: Binding = { level: level.comparison, associates: "no" };
const sum: Binding = { level: level.sum, associates: "left" };
const product: Binding = { level: level.product, associates: "left" };

export const bindings: Readonly<Record<BinaryOperator | "|>", Binding>> = {
  "|>": { level: level.pipe, associates: "left" },
  or: { level: level.or, associates: "left" },
  and: { level: level.and, associates: "left" },
  "==": comparison,
  "!=": comparison,
  "<": comparison,
  "<=": comparison,
  ">": comparison,
  ">=": comparison,
  "+": sum,
  "-": sum,
  "*": product,
  "/": product,
  "%": product,
  "@": product,
  "^": { level: level.power, associates: "right" },
};

/** Narrows the text of an operator token. */
export function isBinary(text: string): text is keyof typeof bindings {
  return Object.hasOwn(bindings, text);
}
