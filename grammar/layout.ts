/**
 * One pass over the tokens, before parsing: which newlines end statements, which brackets have no partner (they get
 * one, so that a slip stays local), where declarations begin, and what is nested too deeply to be parsed at all.
 */
import { createTokenInstance, type IToken, type TokenType } from "chevrotain";
import { endsOperand, NestingMeter } from "./nesting.ts";
import type { Problem } from "./problem.ts";
import type { Span } from "./span.ts";
import * as t from "./tokens.ts";

/** The tokens of one declaration or import, or what stands in front of the first. */
export interface Chunk {
  readonly tokens: readonly IToken[];
  /** Nested deeper than can be parsed: reported, and left out. */
  readonly tooDeep: boolean;
}

export interface Layout {
  readonly chunks: readonly Chunk[];
  /** Tokens that begin a line where newlines end statements: everywhere but directly inside `( )` and `[ ]`. */
  readonly lineStarts: ReadonlySet<IToken>;
  readonly problems: readonly Problem[];
}

/** Enough to tell; a text with more has other troubles. */
const MOST_PROBLEMS = 100;

interface Opening {
  readonly token: IToken;
  readonly closer: TokenType;
  /** Column of the first token on its line. */
  readonly indentation: number;
  /** How many `if`s and `repeat`s directly inside wait for their block. */
  awaited: number;
}

const CLOSERS: ReadonlyMap<TokenType, TokenType> = new Map([
  [t.OpenParenthesis, t.CloseParenthesis],
  [t.OpenBracket, t.CloseBracket],
  [t.OpenBrace, t.CloseBrace],
]);
const CLOSING: ReadonlySet<TokenType> = new Set(CLOSERS.values());
const BEFORE_BLOCK: ReadonlySet<TokenType> = new Set([t.If, t.Repeat, t.When]);

export function spanOf(token: IToken): Span {
  return { start: token.startOffset, end: (token.endOffset ?? token.startOffset - 1) + 1 };
}

/** `split`: whether declaration words begin a new chunk (not inside a string's braces). */
export function layOut(tokens: readonly IToken[], split: boolean): Layout {
  return new LayoutPass(split).run(tokens);
}

class LayoutPass {
  private readonly problems: Problem[] = [];
  private readonly lineStarts = new Set<IToken>();
  private readonly chunks: Chunk[] = [];
  private readonly split: boolean;
  private readonly stack: Opening[] = [];
  private current: IToken[] = [];
  private meter = new NestingMeter();
  private previous: IToken | undefined;
  private indentation = 1;
  /** A `{` whose `}` stands in another column: if one is missing, it is probably here. */
  private misaligned: Opening | undefined;

  constructor(split: boolean) {
    this.split = split;
  }

  run(tokens: readonly IToken[]): Layout {
    for (const [i, token] of tokens.entries()) {
      if (token.tokenType === t.Unknown) continue;
      const { previous } = this;
      const startsLine = previous === undefined || (token.startLine ?? 0) > (previous.endLine ?? 0);
      if (startsLine) {
        this.indentation = token.startColumn ?? 1;
        this.closeForgotten(token, tokens[i + 1]);
      }
      this.closeBeforeBlock(token);
      const top = this.stack.at(-1);
      const endsStatement = startsLine && (top === undefined || top.closer === t.CloseBrace);
      if (this.beginsChunk(token, startsLine)) this.endChunk();
      if (endsStatement) this.lineStarts.add(token);
      this.place(token, endsStatement);
      this.previous = token;
    }
    this.closeAll();
    this.endChunk();
    return { chunks: this.chunks, lineStarts: this.lineStarts, problems: this.problems };
  }

  private beginsChunk(token: IToken, startsLine: boolean): boolean {
    const before = this.previous?.tokenType;
    return (
      this.split &&
      this.stack.length === 0 &&
      t.declarationWords.has(token.tokenType) &&
      // `export fn`, and the result types `fn` and `layer`.
      before !== t.Export &&
      (before !== t.Returns || startsLine)
    );
  }

  private endChunk(): void {
    if (this.current.length > 0) {
      const tooDeep = this.meter.finish();
      this.chunks.push({ tokens: this.current, tooDeep: tooDeep !== undefined });
      if (tooDeep !== undefined) {
        this.report(tooDeep.kind === "nested" ? "E0501" : "E0503", tooDeep.token, { limit: tooDeep.limit });
      }
    }
    this.current = [];
    this.meter = new NestingMeter();
    this.misaligned = undefined;
  }

  private place(token: IToken, endsStatement: boolean): void {
    const closer = CLOSERS.get(token.tokenType);
    const top = this.stack.at(-1);
    if (top !== undefined && BEFORE_BLOCK.has(token.tokenType)) top.awaited++;
    if (closer !== undefined) {
      const isBlock = token.tokenType === t.OpenBrace && this.previous !== undefined && endsOperand(this.previous);
      if (top !== undefined && isBlock) top.awaited = Math.max(0, top.awaited - 1);
      this.stack.push({ token, closer, indentation: this.indentation, awaited: 0 });
      this.append(token, endsStatement);
    } else if (CLOSING.has(token.tokenType)) {
      this.close(token, endsStatement);
    } else {
      this.append(token, endsStatement);
    }
  }

  private append(token: IToken, endsStatement: boolean): void {
    this.current.push(token);
    this.meter.see(token, endsStatement);
  }

  /** A closing bracket: of the innermost opening one, of one further out, or of none. */
  private close(token: IToken, endsStatement: boolean): void {
    const top = this.stack.at(-1);
    if (top?.closer === token.tokenType) {
      const beginsLine = this.indentation === token.startColumn;
      if (token.tokenType === t.CloseBrace && beginsLine && top.indentation !== token.startColumn)
        this.misaligned ??= top;
      this.stack.pop();
      this.append(token, endsStatement);
      return;
    }
    const partner = this.stack.findLastIndex((opening) => opening.closer === token.tokenType);
    if (partner >= 0) {
      this.closeDownTo(partner + 1);
      this.stack.pop();
      this.append(token, endsStatement);
    } else if (top !== undefined && top.closer !== t.CloseBrace) {
      this.report("E0106", token, { bracket: token.image, expected: `\`${signOf(top.closer)}\`` });
      this.stack.pop();
      this.append(virtual(top.closer, token), endsStatement);
    } else {
      this.report("E0106", token, { bracket: token.image });
    }
  }

  /**
   * Nothing may stand open where a line begins with a word that only a declaration or a statement begins with: then a
   * closing bracket was forgotten further up.
   */
  private closeForgotten(token: IToken, next: IToken | undefined): void {
    if (this.stack.length === 0 || !this.split) return;
    if (t.declarationWords.has(token.tokenType) && token.startColumn === 1 && isName(next, token)) {
      this.closeAll();
    } else if (t.statementWords.has(token.tokenType)) {
      const brace = this.stack.findLastIndex((opening) => opening.closer === t.CloseBrace);
      if (brace >= 0) this.closeDownTo(brace + 1);
    }
  }

  /**
   * A block follows an operand only after the condition of an `if` or the like: anywhere else inside `( )` and `[ ]`, the
   * closing bracket was forgotten before it.
   */
  private closeBeforeBlock(token: IToken): void {
    const top = this.stack.at(-1);
    const { previous } = this;
    if (top === undefined || previous === undefined || token.tokenType !== t.OpenBrace) return;
    if (top.closer === t.CloseBrace || top.awaited > 0 || !endsOperand(previous)) return;
    this.closeDownTo(this.stack.findLastIndex((opening) => opening.closer === t.CloseBrace) + 1);
  }

  private closeAll(): void {
    this.closeDownTo(0);
  }

  /** Closes the innermost brackets until `depth` are left; one slip, so one complaint, about the innermost. */
  private closeDownTo(depth: number): void {
    const innermost = this.stack.at(-1);
    if (innermost === undefined || this.stack.length <= depth) return;
    if (this.meter.tooDeep !== undefined) {
      // Nobody will read it.
      this.stack.length = depth;
      return;
    }
    const guilty = innermost.closer === t.CloseBrace ? (this.misaligned ?? innermost) : innermost;
    this.report("E0105", guilty.token, { bracket: guilty.token.image, closer: signOf(guilty.closer) });
    while (this.stack.length > depth) {
      const opening = this.stack.pop();
      const last = this.current.at(-1);
      if (opening !== undefined && last !== undefined) this.append(virtual(opening.closer, last), false);
    }
  }

  private report(code: string, token: IToken, values: Problem["values"]): void {
    if (this.problems.length < MOST_PROBLEMS) this.problems.push({ code, span: spanOf(token), values });
  }
}

function isName(next: IToken | undefined, word: IToken): boolean {
  if (next === undefined) return false;
  // `import "file"` and `export fn` are followed by something else than a name.
  return word.tokenType === t.Import || word.tokenType === t.Export || /^[A-Za-z_]/.test(next.image);
}

function signOf(closer: TokenType): string {
  return typeof closer.PATTERN === "string" ? closer.PATTERN : closer.name;
}

/** A bracket that the text lacks, of no width, after `at`. */
function virtual(type: TokenType, at: IToken): IToken {
  const end = (at.endOffset ?? at.startOffset) + 1;
  const line = at.endLine ?? 0;
  const column = (at.endColumn ?? 0) + 1;
  return createTokenInstance(type, signOf(type), end, end - 1, line, line, column, column);
}
