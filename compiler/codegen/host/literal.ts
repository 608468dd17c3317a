/** Prints plain data as TypeScript that a person can read: short values on one line, long ones a member a line. */

export type Data = null | boolean | number | string | readonly Data[] | { readonly [key: string]: Data | undefined };

const LINE = 110;

/** `comment(path)` gives the lines to stand above the value at a path such as `wasm.plan.entries.3`. */
export function literal(
  value: Data,
  comment: (path: string) => readonly string[] = () => [],
  indent = "",
  path = "",
): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members: readonly (readonly [key: string, text: string, value: Data])[] = Array.isArray(value)
    ? value.map((element: Data, k) => [String(k), "", element] as const)
    : Object.entries(value).flatMap(([key, member]) =>
        member === undefined ? [] : [[key, `${nameOf(key)}: `, member] as const],
      );
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{ ", " }"];
  if (members.length === 0) return open.trim() + close.trim();
  const below = `${indent}  `;
  const commented = hasComment(value, comment, path);
  if (!commented) {
    const line = `${open}${members.map(([key, label, member]) => label + literal(member, comment, below, `${path}.${key}`)).join(", ")}${close}`;
    if (line.length + indent.length <= LINE && !line.includes("\n")) return line;
    if (members.every(([, , member]) => typeof member === "number"))
      return filled(
        members.map(([, , member]) => String(member)),
        indent,
      );
  }
  const lines = members.map(([key, label, member]) => {
    const at = path === "" ? key : `${path}.${key}`;
    const above = comment(at).map((text) => `${below}// ${text}\n`);
    return `${above.join("")}${below}${label}${literal(member, comment, below, at)},\n`;
  });
  return `${open.trim()}\n${lines.join("")}${indent}${close.trim()}`;
}

/** Names that need no quotes. */
export function nameOf(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
}

function hasComment(value: Data, comment: (path: string) => readonly string[], path: string): boolean {
  if (value === null || typeof value !== "object") return false;
  return Object.entries(value).some(([key, member]) => {
    const at = path === "" ? key : `${path}.${key}`;
    return comment(at).length > 0 || (member !== undefined && hasComment(member as Data, comment, at));
  });
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
