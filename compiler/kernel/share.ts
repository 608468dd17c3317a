/**
 * Common subexpressions of a block are computed once: value numbering (Cocke and Schwartz) within straight-line code.
 * A load is the same as an earlier one only while nothing was stored to its buffer in between. Distinct buffers of a
 * kernel do not overlap where one of them is written: builders bind one memory to one parameter.
 */
import { variable } from "./build.ts";
import type { Expression, Kernel, Statement } from "./ir.ts";
import { effectsOf, expressionsOf, operandsOf, withOperands } from "./map.ts";

export function shareExpressions(kernel: Kernel): Kernel {
  return { ...kernel, body: new Sharing(kernel).block(kernel.body) };
}

interface Numbered {
  readonly number: number;
  readonly expression: Expression;
  readonly operands: readonly Numbered[];
  uses: number;
  /** The name that holds it, once it has one. */
  bound: Expression | undefined;
}

class Sharing {
  readonly #names = new Set<string>();
  #count = 0;

  constructor(kernel: Kernel) {
    const visit = (block: readonly Statement[]): void => {
      for (const s of block) {
        if (s.kind === "let" || s.kind === "declare" || s.kind === "for") this.#names.add(s.name);
        if (s.kind === "for") visit(s.body);
        if (s.kind === "if") {
          visit(s.then);
          visit(s.otherwise);
        }
      }
    };
    visit(kernel.body);
    for (const { name } of [...kernel.buffers, ...kernel.locals]) this.#names.add(name);
    for (const name of kernel.scalars) this.#names.add(name);
  }

  #fresh(): string {
    for (;;) {
      const name = `shared${this.#count++}`;
      if (!this.#names.has(name)) return name;
    }
  }

  block(statements: readonly Statement[]): Statement[] {
    const table = new Table();
    const roots = statements.map((s) => {
      const numbered = expressionsOf(s).map((e) => {
        const node = table.number(e);
        node.uses++;
        return node;
      });
      table.effect(s);
      return numbered;
    });
    const result: Statement[] = [];
    const emit = (node: Numbered): Expression => {
      if (node.bound !== undefined) return node.bound;
      const { expression: e } = node;
      const rebuilt = withOperands(e, node.operands.map(emit));
      if (node.uses < 2 || e.kind === "constant" || e.kind === "variable" || e.kind === "builtin") return rebuilt;
      const name = this.#fresh();
      result.push({ kind: "let", name, value: rebuilt });
      node.bound = variable(name, e.type, e.lanes);
      return node.bound;
    };
    for (const [k, s] of statements.entries()) {
      const [first, second] = roots[k] ?? [];
      switch (s.kind) {
        case "let": {
          if (first === undefined) break;
          const trivial = first.expression.kind === "constant" || first.expression.kind === "variable";
          if (first.bound !== undefined || trivial) result.push({ ...s, value: emit(first) });
          else {
            result.push({ ...s, value: withOperands(first.expression, first.operands.map(emit)) });
            first.bound = variable(s.name, s.value.type, s.value.lanes);
          }
          break;
        }
        case "declare":
        case "assign":
          if (first) result.push({ ...s, value: emit(first) });
          break;
        case "store":
          if (first && second) result.push({ ...s, index: emit(first), value: emit(second) });
          break;
        case "for":
          if (first && second) result.push({ ...s, from: emit(first), to: emit(second), body: this.block(s.body) });
          break;
        case "if":
          if (first) {
            const condition = emit(first);
            const branches = [this.block(s.then), this.block(s.otherwise)] as const;
            result.push({ ...s, condition, then: branches[0], otherwise: branches[1] });
          }
          break;
        case "barrier":
          result.push(s);
          break;
        default:
          s satisfies never;
      }
    }
    return result;
  }
}

class Table {
  #count = 0;
  readonly #byKey = new Map<string, Numbered>();
  #byIdentity = new Map<Expression, Numbered>();
  /** How often a buffer was stored to, or a mutable local assigned, so far in this block. */
  readonly #epochs = new Map<string, number>();

  number(e: Expression): Numbered {
    const seen = this.#byIdentity.get(e);
    if (seen !== undefined) return seen;
    const operands = operandsOf(e).map((operand) => this.number(operand));
    let key = this.#describe(e);
    for (const { number } of operands) key += `,${number}`;
    let node = this.#byKey.get(key);
    if (node === undefined) {
      node = { number: this.#count++, expression: e, operands, uses: 0, bound: undefined };
      for (const operand of operands) operand.uses++;
      this.#byKey.set(key, node);
    }
    this.#byIdentity.set(e, node);
    return node;
  }

  #describe(e: Expression): string {
    const type = `${e.kind} ${e.type}x${e.lanes}`;
    switch (e.kind) {
      case "constant":
        return `${type} ${Object.is(e.value, -0) ? "-0" : e.value}`;
      case "variable":
        return `${type} ${e.name}@${this.#epochs.get(e.name) ?? 0}`;
      case "load":
        return `${type} ${e.buffer}@${this.#epochs.get(e.buffer) ?? 0}`;
      case "apply":
        return `${type} ${e.name}`;
      case "splat":
      case "vector":
        return type;
      case "lane":
        return `${type} ${e.lane}`;
      case "shuffle":
        return `${type} ${e.pick.join("")}`;
      case "builtin":
        return `${type} ${e.name}.${e.dimension}`;
      default:
        return e satisfies never;
    }
  }

  /** After a statement: what it wrote is no longer what was read. */
  effect(s: Statement): void {
    if (s.kind === "barrier") {
      this.#bumpEverything();
      return;
    }
    const { assigned, stored } = effectsOf([s]);
    if (assigned.size + stored.size === 0) return;
    for (const name of [...assigned, ...stored]) this.#bump(name);
    // Identity stood for the old values too.
    this.#byIdentity = new Map();
  }
  #bump(name: string): void {
    this.#epochs.set(name, (this.#epochs.get(name) ?? 0) + 1);
  }
  /** Other invocations may have written any buffer: earlier loads are not found again. */
  #bumpEverything(): void {
    for (const [key, node] of this.#byKey) {
      if (node.expression.kind === "load") this.#byKey.delete(key);
    }
    this.#byIdentity = new Map();
  }
}
