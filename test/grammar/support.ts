import type { Expression, Module } from "../../grammar/ast.ts";
import { parse } from "../../grammar/parse.ts";
import { positionAt } from "../../grammar/span.ts";

/** A tree without its places, comments and source: what two texts of the same meaning have in common. */
export function meaning(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(meaning);
  if (typeof node !== "object" || node === null) return node;
  const members = Object.entries(node).filter(([key]) => key !== "span" && key !== "source" && key !== "comments");
  return Object.fromEntries(members.map(([key, value]) => [key, meaning(value)]));
}

/** The problems of a text as `code line:column`. */
export function problemsOf(text: string): string[] {
  return parse({ file: "test.dlx", text }).problems.map(({ code, span }) => {
    const { line, column } = positionAt(text, span.start);
    return `${code} ${line}:${column}`;
  });
}

/** The module of a text that has to be right. */
export function moduleOf(text: string): Module {
  const { module, problems } = parse({ file: "test.dlx", text });
  if (problems.length > 0) throw new Error(`${JSON.stringify(problems)} in\n${text}`);
  return module;
}

/** The tree of one expression. */
export function expressionOf(text: string): Expression {
  const [declaration] = moduleOf(`fn f() = ${text}`).declarations;
  if (declaration === undefined) throw new Error(`nothing was read of ${text}`);
  return declaration.body;
}
