/** A kernel's statements with other names. */
import type { Expression, Statement } from "./ir.ts";
import { operandsOf, withOperands } from "./map.ts";

/** `of` is given every name: of variables, loops and buffers. `index` may rewrite the index of an access to a buffer. */
export interface Renaming {
  readonly of: (name: string) => string;
  readonly index?: (buffer: string, index: Expression) => Expression;
}

export function renamed(statements: readonly Statement[], renaming: Renaming): Statement[] {
  const { of, index = (_, e) => e } = renaming;
  const expression = (e: Expression): Expression => {
    if (e.kind === "variable") return { ...e, name: of(e.name) };
    if (e.kind === "load") return { ...e, buffer: of(e.buffer), index: expression(index(e.buffer, e.index)) };
    const operands = operandsOf(e);
    return operands.length === 0 ? e : withOperands(e, operands.map(expression));
  };
  const statement = (s: Statement): Statement => {
    switch (s.kind) {
      case "let":
      case "declare":
      case "assign":
        return { ...s, name: of(s.name), value: expression(s.value) };
      case "store":
        return {
          ...s,
          buffer: of(s.buffer),
          index: expression(index(s.buffer, s.index)),
          value: expression(s.value),
        };
      case "for":
        return {
          ...s,
          name: of(s.name),
          from: expression(s.from),
          to: expression(s.to),
          body: s.body.map(statement),
        };
      case "if":
        return {
          ...s,
          condition: expression(s.condition),
          then: s.then.map(statement),
          otherwise: s.otherwise.map(statement),
        };
      case "barrier":
        return s;
      default:
        return s satisfies never;
    }
  };
  return statements.map(statement);
}
