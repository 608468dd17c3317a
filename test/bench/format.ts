/** Numbers and tables as the page has them. */

export const three = (value: number): string => (value >= 99.95 ? value.toFixed(0) : value.toPrecision(3));
export const percent = (share: number): string => `${(100 * share).toFixed(0)}%`;

/** In Markdown: the first column to the left, the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, k) => (k === 0 ? "---" : "---:"));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
