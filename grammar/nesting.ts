/**
 * How deep the tree of a token sequence will be, found without building it. Parser, checker and printer recurse over the
 * tree; Node's stack ends between 200 and 300 nested parentheses in the parser alone.
 */
import { type IToken, type TokenType, tokenMatcher } from "chevrotain";
import * as t from "./tokens.ts";

/** Constructs inside one another: brackets, lambdas, `if`, `repeat`, prefix operators, powers. */
const NESTING_LIMIT = 100;
/** Operators, calls, fields and indexings that one expression chains together, summed over its nested parts. */
const CHAIN_LIMIT = 600;

/** What is known of the tokens between two separators inside one pair of brackets. */
interface Region {
  /** Lambdas and ifs: open to the end of the region. */
  open: number;
  /** Repeats whose block has not begun. */
  repeats: number;
  /** Prefix `not`s that a looser operator has not ended yet. */
  not: number;
  /** Reductions that a sum or anything looser has not ended yet. */
  reductions: number;
  /** Unary minuses and powers that another operator has not ended yet. */
  tight: number;
  /** Operators and links of the chain. */
  links: number;
  /** The longest chain inside brackets since the last separator. */
  inner: number;
  /** The longest chain between two separators so far. */
  longest: number;
}

const SEPARATORS: ReadonlySet<TokenType> = new Set([
  t.Comma,
  t.Semicolon,
  t.Is,
  t.Assign,
  t.Over,
  t.Using,
  t.Gradients,
  t.Colon,
]);
const OPENING: ReadonlySet<TokenType> = new Set([t.OpenParenthesis, t.OpenBracket, t.OpenBrace]);
const CLOSING: ReadonlySet<TokenType> = new Set([t.CloseParenthesis, t.CloseBracket, t.CloseBrace]);
const LOOSE: ReadonlySet<TokenType> = new Set([t.Pipe, t.Or, t.And]);
const PRODUCTS: ReadonlySet<TokenType> = new Set([t.Times, t.Divide, t.Remainder, t.MatrixProduct]);
/** After these a `-` stands between two operands. */
const OPERAND_ENDS: ReadonlySet<TokenType> = new Set([
  t.Identifier,
  t.NumberLiteral,
  t.MalformedNumber,
  t.StringLiteral,
  t.OpenString,
  t.Hole,
  t.True,
  t.False,
  ...CLOSING,
]);
/** A line that begins with one of these goes on with the statement above. */
const CONTINUING: ReadonlySet<TokenType> = new Set([t.Dot, t.Else, t.Then, t.Maps, ...CLOSING]);

export interface TooDeep {
  readonly token: IToken;
  readonly kind: "nested" | "chained";
  readonly limit: number;
}

export class NestingMeter {
  private readonly regions: Region[] = [emptyRegion()];
  /** The nesting of the regions outside the innermost one. */
  private readonly outside: number[] = [0];
  private previous: IToken | undefined;
  private found: TooDeep | undefined;

  /** The first token that lies too deep, so far. */
  get tooDeep(): TooDeep | undefined {
    return this.found;
  }

  /** The same, of all that was seen. */
  finish(): TooDeep | undefined {
    if (this.previous !== undefined) this.separate(this.previous);
    return this.found;
  }

  see(token: IToken, endsStatement: boolean): void {
    if (this.found !== undefined) return;
    const continues = CONTINUING.has(token.tokenType) || tokenMatcher(token, t.BinaryOperator);
    const mayEnd = endsStatement && this.followsOperand();
    if (mayEnd && (!continues || token.tokenType === t.Minus)) this.separate(token);
    this.count(token, endsStatement);
    this.previous = token;
  }

  private count(token: IToken, endsStatement: boolean): void {
    const type = token.tokenType;
    const region = this.region;
    if (OPENING.has(type)) {
      if (type === t.OpenBrace && region.repeats > 0) region.repeats--;
      if (this.followsOperand() && !endsStatement) region.links++;
      this.outside.push(this.nesting + 1);
      this.regions.push(emptyRegion());
      this.checkNesting(token);
    } else if (CLOSING.has(type)) {
      this.separate(token);
      const closed = this.regions.pop();
      this.outside.pop();
      if (this.regions.length === 0) this.regions.push(emptyRegion());
      if (this.outside.length === 0) this.outside.push(0);
      this.region.inner = Math.max(this.region.inner, (closed?.longest ?? 0) + 1);
    } else if (SEPARATORS.has(type)) {
      this.separate(token);
    } else if (type === t.Minus && (!this.followsOperand() || endsStatement)) {
      this.region.tight++;
      this.checkNesting(token);
    } else if (tokenMatcher(token, t.BinaryOperator)) {
      region.links++;
      this.endPrefixes(type, region);
      this.checkNesting(token);
    } else if (type === t.Repeat) {
      region.repeats++;
      this.checkNesting(token);
    } else if (type === t.Maps || type === t.If) {
      region.open++;
      this.checkNesting(token);
    } else if (type === t.Not) {
      region.not++;
      this.checkNesting(token);
    } else if (type === t.Reducer) {
      region.reductions++;
      this.checkNesting(token);
    } else if (type === t.Dot) {
      region.links++;
    }
  }

  private endPrefixes(operator: TokenType, region: Region): void {
    if (operator === t.Power) {
      region.tight++;
      return;
    }
    region.tight = 0;
    if (PRODUCTS.has(operator)) return;
    region.reductions = 0;
    if (LOOSE.has(operator)) region.not = 0;
  }

  /** The current region ends; what follows is beside it, not inside it. */
  private separate(token: IToken): void {
    const region = this.region;
    const length = region.inner + region.links + region.open + region.not + region.reductions + region.tight;
    if (length > CHAIN_LIMIT) this.found ??= { token, kind: "chained", limit: CHAIN_LIMIT };
    const { repeats, longest } = region;
    Object.assign(region, emptyRegion(), { repeats, longest: Math.max(longest, length) });
  }

  private get region(): Region {
    const region = this.regions.at(-1);
    if (region !== undefined) return region;
    const fresh = emptyRegion();
    this.regions.push(fresh);
    return fresh;
  }

  private get nesting(): number {
    const { open, repeats, not, reductions, tight } = this.region;
    return (this.outside.at(-1) ?? 0) + open + repeats + not + reductions + tight;
  }

  private checkNesting(token: IToken): void {
    if (this.nesting > NESTING_LIMIT) this.found ??= { token, kind: "nested", limit: NESTING_LIMIT };
  }

  private followsOperand(): boolean {
    const { previous } = this;
    return previous !== undefined && endsOperand(previous);
  }
}

/** Whether an operand may end with this token. */
export function endsOperand(token: IToken): boolean {
  return OPERAND_ENDS.has(token.tokenType) || tokenMatcher(token, t.Identifier);
}

function emptyRegion(): Region {
  return { open: 0, repeats: 0, not: 0, reductions: 0, tight: 0, links: 0, inner: 0, longest: 0 };
}
