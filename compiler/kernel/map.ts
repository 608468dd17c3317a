/** Kernels rebuilt with other expressions in the same places. */
import type { Expression, Kernel, Statement } from "./ir.ts";

/** `rewrite` is given every expression that stands directly in a statement. */
export function mapExpressions(kernel: Kernel, rewrite: (e: Expression) => Expression): Kernel {
  const block = (statements: readonly Statement[]): Statement[] => statements.map(statement);
  function statement(s: Statement): Statement {
    switch (s.kind) {
      case "let":
      case "declare":
      case "assign":
        return { ...s, value: rewrite(s.value) };
      case "store":
        return { ...s, index: rewrite(s.index), value: rewrite(s.value) };
      case "for":
        return { ...s, from: rewrite(s.from), to: rewrite(s.to), body: block(s.body) };
      case "if": {
        const branches = [block(s.then), block(s.otherwise)] as const;
        return { ...s, condition: rewrite(s.condition), then: branches[0], otherwise: branches[1] };
      }
      case "barrier":
        return s;
      default:
        return s satisfies never;
    }
  }
  return { ...kernel, body: block(kernel.body) };
}

/** What stands directly in a statement. */
export function expressionsOf(s: Statement): readonly Expression[] {
  switch (s.kind) {
    case "let":
    case "declare":
    case "assign":
      return [s.value];
    case "store":
      return [s.index, s.value];
    case "for":
      return [s.from, s.to];
    case "if":
      return [s.condition];
    case "barrier":
      return [];
    default:
      return s satisfies never;
  }
}

export function operandsOf(e: Expression): readonly Expression[] {
  switch (e.kind) {
    case "constant":
    case "variable":
    case "builtin":
      return [];
    case "load":
      return [e.index];
    case "apply":
      return e.arguments;
    case "splat":
    case "lane":
      return [e.value];
    case "vector":
      return e.elements;
    case "shuffle":
      return [e.first, e.second];
    default:
      return e satisfies never;
  }
}

export function withOperands(e: Expression, operands: readonly Expression[]): Expression {
  const [first, second] = operands;
  switch (e.kind) {
    case "constant":
    case "variable":
    case "builtin":
      return e;
    case "load":
      return first ? { ...e, index: first } : e;
    case "apply":
      return { ...e, arguments: operands };
    case "splat":
    case "lane":
      return first ? { ...e, value: first } : e;
    case "vector":
      return { ...e, elements: operands };
    case "shuffle":
      return first && second ? { ...e, first, second } : e;
    default:
      return e satisfies never;
  }
}

/** Names assigned and buffers stored to anywhere in a block. */
export function effectsOf(statements: readonly Statement[]): { assigned: Set<string>; stored: Set<string> } {
  const assigned = new Set<string>();
  const stored = new Set<string>();
  const visit = (block: readonly Statement[]): void => {
    for (const s of block) {
      if (s.kind === "assign") assigned.add(s.name);
      if (s.kind === "store") stored.add(s.buffer);
      if (s.kind === "for") visit(s.body);
      if (s.kind === "if") {
        visit(s.then);
        visit(s.otherwise);
      }
    }
  };
  visit(statements);
  return { assigned, stored };
}

/** How many loops are nested in a block, at the deepest. */
export function loopsWithin(statements: readonly Statement[]): number {
  let height = 0;
  for (const s of statements) {
    if (s.kind === "for") height = Math.max(height, 1 + loopsWithin(s.body));
    if (s.kind === "if") height = Math.max(height, loopsWithin(s.then), loopsWithin(s.otherwise));
  }
  return height;
}
