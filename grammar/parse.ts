/** From text to tree: the face of the grammar. */
import { EOF, type IRecognitionException, type IToken } from "chevrotain";
import type { Declaration, Expression, Import, Module } from "./ast.ts";
import { readComments } from "./comments.ts";
import { type Chunk, type Layout, layOut } from "./layout.ts";
import type { Problem } from "./problem.ts";
import { isVirtual, lexicalProblems, strayProblem, syntaxProblem, unseparatedProblem } from "./problems.ts";
import type { Source, Span } from "./span.ts";
import { ToAst } from "./to-ast.ts";
import { Incomplete, parser } from "./to-pattern.ts";
import {
  CloseBracket,
  CloseParenthesis,
  declarationWords,
  lexer,
  OpenBrace,
  OpenBracket,
  OpenParenthesis,
} from "./tokens.ts";

export { print } from "./print.ts";

/** A module, or what of it could be understood, and everything that is wrong with the text. */
export interface ParseResult {
  readonly module: Module;
  /** In source order. Where there are any, names may be missing from the module. */
  readonly problems: readonly Problem[];
}

/** In UTF-16 units: 1 MiB of plain ASCII. */
const LARGEST_FILE = 1 << 20;
/** More problems than this are not told: the file is probably no program. */
const MOST_PROBLEMS = 100;
/** How deep strings may stand in the braces of strings. */
const STRING_NESTING_LIMIT = 3;

/** Parses any text; never throws. */
export function parse(source: Source): ParseResult {
  const { text } = source;
  const refused = (code: string, span: Span, values: Problem["values"]): ParseResult => ({
    module: { source, imports: [], declarations: [], comments: [] },
    problems: [{ code, span, values }],
  });
  if (text.length > LARGEST_FILE) {
    return refused("E0502", { start: 0, end: 0 }, { size: (text.length / LARGEST_FILE).toFixed(1), limit: "1 MiB" });
  }
  const zero = text.indexOf("\0");
  if (zero >= 0) return refused("E0120", { start: zero, end: zero + 1 }, {});

  const lexed = lexer.tokenize(text);
  const lexical = lexicalProblems(lexed.tokens);
  const layout = layOut(lexed.tokens, true);
  const collector = new ProblemCollector(layout);
  collector.addFirst([...lexical, ...layout.problems]);
  const file = new FileParser(text, collector);
  const starts = layout.chunks.flatMap((chunk) => chunk.tokens.slice(0, 1));
  const { comments, docs } = readComments(text, lexed, starts);

  const imports: Import[] = [];
  const declarations: Declaration[] = [];
  for (const chunk of layout.chunks) {
    const [first] = chunk.tokens;
    if (first === undefined || chunk.tooDeep) continue;
    if (collector.failures > MOST_PROBLEMS) break;
    const item = file.chunk(chunk, layout, docs.get(first) ?? []);
    if (item === undefined) continue;
    if (item.kind !== "import") declarations.push(item);
    else {
      if (declarations.length > 0) collector.add([{ code: "E0125", span: item.span, values: { path: item.path } }]);
      imports.push(item);
    }
  }
  return { module: { source, imports, declarations, comments }, problems: collector.sorted() };
}

/** Parses the parts of one file. */
class FileParser {
  private readonly text: string;
  private readonly collector: ProblemCollector;
  /** One for each depth of strings in strings. */
  private readonly visitors: ToAst[] = [];

  constructor(text: string, collector: ProblemCollector) {
    this.text = text;
    this.collector = collector;
  }

  chunk({ tokens }: Chunk, { lineStarts }: Layout, doc: readonly string[]): Import | Declaration | undefined {
    const { text, collector } = this;
    const [first] = tokens;
    if (first === undefined) return undefined;
    if (!declarationWords.has(first.tokenType)) {
      collector.addSyntax([strayProblem(first)]);
      return undefined;
    }
    return guarded(first, collector, () => {
      parser.read(tokens, lineStarts);
      const cst = parser.item();
      const problems = parserProblems(text, lineStarts);
      collector.addSyntax(problems);
      const body = bodyOf(tokens);
      const [brace] = body;
      if (brace !== undefined && problems.some((problem) => problem.span.start < brace.startOffset)) {
        // Where the parser resumed after a slip in the header is a guess; the body is known by its braces.
        parser.read(body, lineStarts);
        parser.block();
        collector.addSyntax(parserProblems(text, lineStarts));
        return undefined;
      }
      return this.visitor(0).root(cst, doc);
    });
  }

  private visitor(depth: number): ToAst {
    const { text, collector } = this;
    const made = this.visitors[depth];
    if (made !== undefined) return made;
    const interpolate = (span: Span) => this.interpolation(span, depth + 1);
    const visitor = new ToAst({ text, problems: collector.found, interpolate });
    this.visitors[depth] = visitor;
    return visitor;
  }

  /** What stands between braces in a string that is itself nested `depth` strings deep. */
  private interpolation(span: Span, depth: number): Expression | undefined {
    const { text, collector } = this;
    const lexed = lexer.tokenize(text.slice(span.start, span.end));
    const [first] = lexed.tokens;
    if (first === undefined) {
      collector.add([{ code: "E0123", span: { start: span.start - 1, end: span.end + 1 }, values: {} }]);
      return undefined;
    }
    if (depth > STRING_NESTING_LIMIT) {
      collector.add([{ code: "E0501", span, values: { limit: STRING_NESTING_LIMIT } }]);
      return undefined;
    }
    for (const token of lexed.tokens) {
      token.startOffset += span.start;
      token.endOffset = (token.endOffset ?? 0) + span.start;
    }
    const layout = layOut(lexed.tokens, false);
    collector.add([...lexicalProblems(lexed.tokens), ...layout.problems]);
    const [chunk] = layout.chunks;
    if (chunk === undefined || chunk.tooDeep) return undefined;
    return guarded(first, collector, () => {
      parser.read(chunk.tokens, layout.lineStarts);
      const cst = parser.expression();
      collector.addSyntax(parserProblems(text, layout.lineStarts));
      return this.visitor(depth).whole(cst, span);
    });
  }
}

/** The tokens from the first brace outside of all brackets. */
function bodyOf(tokens: readonly IToken[]): readonly IToken[] {
  let depth = 0;
  for (const [i, { tokenType }] of tokens.entries()) {
    if (tokenType === OpenBrace && depth === 0) return tokens.slice(i);
    if (tokenType === OpenParenthesis || tokenType === OpenBracket) depth++;
    else if (tokenType === CloseParenthesis || tokenType === CloseBracket) depth--;
  }
  return [];
}

/**
 * The nesting meter keeps parser and visitor well inside the stack; should a caller have used most of it up already,
 * that too is a diagnostic and not a crash.
 */
function guarded<T>(at: IToken, collector: ProblemCollector, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof Incomplete) return undefined;
    if (!(error instanceof RangeError)) throw error;
    collector.add([{ code: "E0501", span: spanOfToken(at), values: { limit: 100 } }]);
    return undefined;
  }
}

function parserProblems(text: string, lineStarts: ReadonlySet<IToken>): Problem[] {
  const errors: readonly IRecognitionException[] = parser.errors;
  return [
    ...parser.unseparated
      .filter(({ token }) => !isVirtual(token))
      .map(({ token, previous }) => unseparatedProblem(token, previous)),
    ...errors
      // Brackets are in balance: at the end a bracket lacks only if recovery skipped it.
      .filter(({ token }, i) => !isVirtual(token) && !(token.tokenType === EOF && i > 0))
      .map((error) => syntaxProblem(text, error, lineStarts)),
  ];
}

function spanOfToken(token: IToken): Span {
  return { start: token.startOffset, end: (token.endOffset ?? token.startOffset) + 1 };
}

/**
 * Gathers problems and drops echoes: after one mistake the parser finds its way back somewhere further on, and what it
 * says until the next statement is mostly about the same mistake.
 */
class ProblemCollector {
  /** Problems of what was understood; each stands for itself. */
  readonly found: Problem[] = [];
  /** How many declarations the parser stumbled over. */
  failures = 0;
  private readonly boundaries: readonly number[];
  private readonly complained = new Set<number>();

  constructor(layout: Layout) {
    this.boundaries = [...layout.lineStarts].filter((token) => token.tokenType !== EOF).map((t) => t.startOffset);
  }

  add(problems: readonly Problem[]): void {
    this.found.push(...problems.slice(0, MOST_PROBLEMS));
  }

  /** What was found before parsing: told always, and the reason why the parser may stumble. */
  addFirst(problems: readonly Problem[]): void {
    for (const problem of problems) this.complained.add(this.statementAt(problem.span.start));
    this.add(problems);
  }

  /** At most one complaint a statement. */
  addSyntax(problems: readonly Problem[]): void {
    if (problems.length > 0) this.failures++;
    for (const problem of [...problems].sort((a, b) => a.span.start - b.span.start)) {
      const statement = this.statementAt(problem.span.start);
      if (this.complained.has(statement)) continue;
      this.complained.add(statement);
      this.found.push(problem);
    }
  }

  sorted(): readonly Problem[] {
    return [...this.found]
      .sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end)
      .slice(0, MOST_PROBLEMS);
  }

  /** The number of line starts up to an offset. */
  private statementAt(offset: number): number {
    let low = 0;
    let high = this.boundaries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.boundaries[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
