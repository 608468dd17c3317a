/** What printer and reader share: how rows are written, and the words that are no index names. */
import { scalarRows } from "../scalar/table.ts";

export interface Operator {
  readonly symbol: string;
  readonly row: string;
  /** Higher binds tighter. */
  readonly precedence: number;
  /** Groups to the right. */
  readonly right: boolean;
}

function operators(kind: "infix" | "prefix"): Operator[] {
  return scalarRows.flatMap(({ name, notation }) => {
    if (notation.kind !== kind) return [];
    const right = notation.kind === "infix" && notation.right === true;
    return [{ symbol: notation.symbol.trim(), row: name, precedence: notation.precedence, right }];
  });
}
const infixes = operators("infix");
const prefixes = operators("prefix");
export const infixOfRow = new Map(infixes.map((operator) => [operator.row, operator]));
export const infixOfSymbol = new Map(infixes.map((operator) => [operator.symbol, operator]));
export const prefixOfRow = new Map(prefixes.map((operator) => [operator.row, operator]));
export const prefixOfSymbol = new Map(prefixes.map((operator) => [operator.symbol, operator]));
/** Binds tighter than any operator. */
export const tightest = 100;

/** Words of the text that can name no index. */
export const reserved = new Set(["inf", "nan", "true", "false", "else", "or", "and", "not", "let", "in"]);

/**
 * Which type a bare number has among a row's arguments: that of the first argument that is not a number (the mask of a
 * `select` aside), else f32. Printer and reader agree on this rule; every other constant carries its type (`2:i32`).
 */
export function bareType<T>(row: string, argumentTypes: readonly (T | undefined)[]): T | undefined {
  const candidates = row === "select" ? argumentTypes.slice(1) : argumentTypes;
  return candidates.find((type) => type !== undefined);
}
