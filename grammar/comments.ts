/** Comments: which are documentation of which declaration, and which stand for themselves. */
import type { ILexingResult, IToken } from "chevrotain";
import type { Comment } from "./ast.ts";

export interface Comments {
  readonly comments: readonly Comment[];
  /** Documentation by the first token of its declaration: the `///` lines directly above. */
  readonly docs: ReadonlyMap<IToken, readonly string[]>;
}

/** `starts`: the first tokens of imports and declarations. */
export function readComments(text: string, lexed: ILexingResult, starts: readonly IToken[]): Comments {
  const all = lexed.groups.comments ?? [];
  const ownLine = new Map<number, IToken>();
  for (const comment of all) {
    if (!isTrailing(text, comment)) ownLine.set(comment.startLine ?? 0, comment);
  }
  const docs = new Map<IToken, readonly string[]>();
  const documentation = new Set<IToken>();
  for (const start of starts) {
    if (start.image === "import") continue;
    const lines: string[] = [];
    for (let line = (start.startLine ?? 0) - 1; ; line--) {
      const comment = ownLine.get(line);
      const content = comment === undefined ? undefined : /^\/\/\/(?!\/) ?(.*)$/.exec(comment.image)?.[1];
      if (comment === undefined || content === undefined) break;
      documentation.add(comment);
      lines.unshift(content.trimEnd());
    }
    if (lines.length > 0) docs.set(start, lines);
  }
  const comments = all
    .filter((comment) => !documentation.has(comment))
    .map(
      (comment): Comment => ({
        span: { start: comment.startOffset, end: (comment.endOffset ?? comment.startOffset) + 1 },
        text: comment.image.trimEnd(),
        trailing: isTrailing(text, comment),
      }),
    );
  return { comments, docs };
}

/** Whether anything but blanks stands before the comment on its line. */
function isTrailing(text: string, comment: IToken): boolean {
  for (let i = comment.startOffset - 1; i >= 0 && text[i] !== "\n"; i--) {
    if (!/[\s\uFEFF]/.test(text[i] ?? "")) return true;
  }
  return false;
}
