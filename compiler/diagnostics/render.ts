import { positionAt, type Source, type Span } from "../../grammar/span.ts";
import type { Diagnostic } from "./diagnostic.ts";

export interface RenderOptions {
  /** Whether to colour the text with ANSI escapes. */
  readonly color: boolean;
}

type Paint = (text: string) => string;

interface Palette {
  readonly strong: Paint;
  readonly faint: Paint;
  readonly accent: Paint;
  readonly help: Paint;
}

/** A diagnostic as text for people: what and where, the source with carets, places that belong to it, what to do. */
export function render(diagnostic: Diagnostic, options: RenderOptions): string {
  const paint = (code: string): Paint => (options.color ? (text) => `\u001b[${code}m${text}\u001b[0m` : (text) => text);
  const palette: Palette = {
    strong: paint("1"),
    faint: paint("2"),
    accent: paint(diagnostic.severity === "error" ? "1;31" : "1;33"),
    help: paint("1;36"),
  };
  const { source, span } = diagnostic;
  const lines = [
    `${palette.accent(`${diagnostic.severity}[${diagnostic.code}]`)}${palette.strong(`: ${diagnostic.message}`)}`,
    ...excerpt(source, span, palette.accent, palette),
  ];
  for (const place of diagnostic.related) {
    lines.push(
      `${palette.faint("note:")} ${place.message}`,
      ...excerpt(place.source, place.span, palette.help, palette),
    );
  }
  if (diagnostic.help !== undefined) lines.push(`${palette.help("help:")} ${diagnostic.help}`);
  return `${lines.join("\n")}\n`;
}

/** How much of a long line is shown, in characters. */
const WIDTH = 120;

/** The line (or first and last line) of a span with its number, and carets under it. */
function excerpt(source: Source, span: Span, mark: Paint, palette: Palette): string[] {
  const start = positionAt(source.text, span.start);
  const end = positionAt(source.text, Math.max(span.start, span.end));
  const gutter = String(end.line).length;
  const lines = [`${" ".repeat(gutter)}${palette.faint("-->")} ${source.file}:${start.line}:${start.column}`];
  const bar = palette.faint(`${" ".repeat(gutter)} |`);
  lines.push(bar);
  const shown = (line: number, from: number, to: number | undefined) => {
    const whole = lineAt(source.text, line);
    const offset = from > WIDTH - 20 ? from - 20 : 0;
    const cut = visible(whole.slice(offset, offset + WIDTH));
    const lead = visible(whole.slice(offset, from - 1)).replace(/[^\t]/g, " ");
    const width = Math.max(1, Math.min((to ?? whole.length + 1) - from, offset + WIDTH - from + 1));
    lines.push(`${palette.faint(`${String(line).padStart(gutter)} |`)} ${cut}`.trimEnd());
    lines.push(`${bar} ${lead}${mark("^".repeat(width))}`);
  };
  if (start.line === end.line) {
    shown(start.line, start.column, end.column);
  } else {
    shown(start.line, start.column, undefined);
    if (end.line > start.line + 1) lines.push(palette.faint(`${" ".repeat(gutter)} :`));
    const last = lineAt(source.text, end.line);
    const indent = last.length - last.trimStart().length;
    if (end.column > indent + 1) shown(end.line, indent + 1, end.column);
  }
  return lines;
}

function lineAt(text: string, line: number): string {
  return text.split("\n")[line - 1]?.replace(/\r$/, "") ?? "";
}

/** Control characters would disturb the terminal and the carets: each becomes one visible character. */
function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be replaced
  return text.replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, "\u00b7");
}
