/** Which memories a kernel touches only in whole aligned vectors: those are declared as arrays of `vec4`. */
import type { Expression, Kernel, Statement } from "../../kernel/ir.ts";

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));

/** A number that divides the value of an i32 expression in every iteration. 0 divides 0 alone. */
function divisor(e: Expression, known: ReadonlyMap<string, number>): number {
  switch (e.kind) {
    case "constant":
      return Math.abs(e.value);
    case "variable":
      return known.get(e.name) ?? 1;
    case "splat":
      return divisor(e.value, known);
    case "apply": {
      const [a, b, c] = e.arguments.map((argument) => divisor(argument, known));
      switch (e.name) {
        case "add":
        case "sub":
        case "max":
        case "min":
          return gcd(a ?? 1, b ?? 1);
        case "mul":
          return (a ?? 1) * (b ?? 1);
        case "neg":
          return a ?? 1;
        case "select":
          return gcd(b ?? 1, c ?? 1);
        default:
          return 1;
      }
    }
    default:
      return 1;
  }
}

/** The memories (buffers and locals) of which every access is four lanes at a multiple of four. */
export function vectorMemories(kernel: Kernel): ReadonlySet<string> {
  const candidates = new Set<string>();
  const refused = new Set<string>();
  const seen = new Set<Expression>();
  const known = new Map<string, number>();
  const access = (memory: string, index: Expression, lanes: number) => {
    if (lanes === 4 && divisor(index, known) % 4 === 0) candidates.add(memory);
    else refused.add(memory);
  };
  const visit = (e: Expression): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === "load") {
      access(e.buffer, e.index, e.lanes);
      visit(e.index);
    } else if (e.kind === "apply") e.arguments.forEach(visit);
    else if (e.kind === "vector") e.elements.forEach(visit);
    else if (e.kind === "splat" || e.kind === "lane") visit(e.value);
    else if (e.kind === "shuffle") [e.first, e.second].forEach(visit);
  };
  const statement = (s: Statement): void => {
    switch (s.kind) {
      case "let":
        visit(s.value);
        if (s.value.type === "i32") known.set(s.name, divisor(s.value, known));
        return;
      case "declare":
      case "assign":
        visit(s.value);
        return;
      case "store":
        visit(s.index);
        visit(s.value);
        access(s.buffer, s.index, s.value.lanes);
        return;
      case "for":
        visit(s.from);
        visit(s.to);
        known.set(s.name, gcd(divisor(s.from, known), s.step));
        s.body.forEach(statement);
        return;
      case "if":
        visit(s.condition);
        s.then.forEach(statement);
        s.otherwise.forEach(statement);
        return;
      case "barrier":
        return;
      default:
        s satisfies never;
    }
  };
  kernel.body.forEach(statement);
  for (const { name, size } of kernel.locals) if (size % 4 !== 0) refused.add(name);
  return new Set([...candidates].filter((name) => !refused.has(name)));
}
