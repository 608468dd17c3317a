/** Prints plain data as TypeScript that a person can read: short values on one line, long ones a member a line. */

export type Data = null | boolean | number | string | readonly Data[] | { readonly [key: string]: Data | undefined };

const LINE = 110;

/** `comment(path)` gives the lines to stand above the value at a path such as `wasm.plan.entries.3`. */
export function literal(value: Data, comment: (path: string) => readonly string[] = () => []): string {
  return printed(layOut(value, comment, ""), "");
}

interface Member {
  /** `name: ` in objects. */
  readonly label: string;
  readonly above: readonly string[];
  readonly laid: Laid;
}
/** A value with what both layouts need, found in one walk. */
interface Laid {
  /** On one line; undefined where comments stand inside or no line is that long. */
  readonly line: string | undefined;
  readonly isArray: boolean;
  /** Undefined for values without any. */
  readonly members: readonly Member[] | undefined;
  readonly isNumber: boolean;
  readonly hasComments: boolean;
}

function layOut(value: Data, comment: (path: string) => readonly string[], path: string): Laid {
  const isArray = Array.isArray(value);
  const alone = { isArray, members: undefined, isNumber: typeof value === "number", hasComments: false };
  if (value === null || typeof value !== "object") return { ...alone, line: JSON.stringify(value) };
  const members = Object.entries(value).flatMap(([key, member]: [string, Data | undefined]): Member[] => {
    if (member === undefined) return [];
    const at = path === "" ? key : `${path}.${key}`;
    return [{ label: isArray ? "" : `${nameOf(key)}: `, above: comment(at), laid: layOut(member, comment, at) }];
  });
  if (members.length === 0) return { ...alone, line: isArray ? "[]" : "{}" };
  const hasComments = members.some(({ above, laid }) => above.length > 0 || laid.hasComments);
  return { ...alone, line: hasComments ? undefined : lineOf(members, isArray), members, hasComments };
}

function lineOf(members: readonly Member[], isArray: boolean): string | undefined {
  let line = isArray ? "[" : "{ ";
  for (const [k, { label, laid }] of members.entries()) {
    if (laid.line === undefined || line.length > LINE) return undefined;
    line += (k === 0 ? "" : ", ") + label + laid.line;
  }
  return line + (isArray ? "]" : " }");
}

function printed({ line, isArray, members, hasComments }: Laid, indent: string): string {
  if (line !== undefined && (members === undefined || line.length + indent.length <= LINE)) return line;
  if (members === undefined) return "";
  if (!hasComments && members.every(({ laid }) => laid.isNumber))
    return filled(
      members.map(({ laid }) => laid.line ?? ""),
      indent,
    );
  const below = `${indent}  `;
  const lines = members.map(({ label, above, laid }) => {
    const comments = above.map((text) => `${below}// ${text}\n`);
    return `${comments.join("")}${below}${label}${printed(laid, below)},\n`;
  });
  return `${isArray ? "[" : "{"}\n${lines.join("")}${indent}${isArray ? "]" : "}"}`;
}

/** Names that need no quotes. */
export function nameOf(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
}

/** Numbers, as many a line as fit. */
function filled(texts: readonly string[], indent: string): string {
  const below = `${indent}  `;
  const lines: string[] = [];
  let line = below;
  for (const text of texts) {
    if (line.length + text.length > LINE) {
      lines.push(line.trimEnd());
      line = below;
    }
    line += `${text}, `;
  }
  return `[\n${[...lines, line.trimEnd()].join("\n")}\n${indent}]`;
}
