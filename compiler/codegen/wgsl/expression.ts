/**
 * Expressions as WGSL text. Every text binds tightly (a name, a call, an index, parentheses), so that templates can put
 * it anywhere. What is used twice is named first, by a `let` in front of the statement.
 */
import { invariant } from "../../invariant.ts";
import { kernelOps } from "../../kernel/build.ts";
import type { Constant, Expression, Lanes } from "../../kernel/ir.ts";
import { resultType, rowOf } from "../../scalar/table.ts";
import type { ScalarType } from "../../types/dtype.ts";

/** How a memory (a binding, workgroup or register array) is declared, and where a kernel's buffer begins in it. */
export interface Memory {
  readonly name: string;
  /** Element type of the array. */
  readonly type: ScalarType;
  /** Declared as an array of `vec4`. */
  readonly vectors: boolean;
  /** Text of the element offset. */
  readonly offset: string | undefined;
}

/** What the text of an expression depends on beside the expression. */
export interface Surroundings {
  name(name: string): string;
  memory(buffer: string): Memory;
  /** Text of the run-time value +infinity. */
  infinity(): string;
  /** Names a value in front of the statement that is being written. */
  temporary(text: string): string;
}

export function typeText(type: ScalarType, lanes: Lanes): string {
  return lanes === 1 ? type : `vec4<${type}>`;
}

/** Rows that WGSL has no template for, written out; shared subexpressions stay shared. */
export function expandRows(root: Expression, done: Map<Expression, Expression>): Expression {
  const found = done.get(root);
  if (found) return found;
  const expand = (e: Expression) => expandRows(e, done);
  const result = ((e: Expression): Expression => {
    switch (e.kind) {
      case "constant":
      case "variable":
      case "builtin":
        return e;
      case "load":
        return { ...e, index: expand(e.index) };
      case "splat":
      case "lane":
        return { ...e, value: expand(e.value) };
      case "vector":
        return { ...e, elements: e.elements.map(expand) };
      case "shuffle":
        return { ...e, first: expand(e.first), second: expand(e.second) };
      case "apply": {
        const operands = e.arguments.map(expand);
        const rule = ruleOf(e.name, operands);
        if (typeof rule === "string") return { ...e, arguments: operands };
        const ops = kernelOps(e.lanes, (name, types) => {
          const type = resultType(name, types);
          invariant(type, `${name} has no overload for (${types.join(", ")})`);
          return type;
        });
        return expand(rule(ops, ...operands));
      }
      default:
        return e satisfies never;
    }
  })(root);
  done.set(root, result);
  return result;
}

function ruleOf(name: string, operands: readonly Expression[]) {
  const operand = operands.at(-1)?.type;
  const rule = operand && rowOf(name).wgsl[operand];
  invariant(rule !== undefined, `${name} has no WGSL for ${operand}`);
  return rule;
}

function children(e: Expression): readonly Expression[] {
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

/** The texts of a statement's expressions, which have been expanded. */
export class ExpressionPrinter {
  readonly #around: Surroundings;
  readonly #uses = new Map<Expression, number>();
  readonly #named = new Map<Expression, string>();

  constructor(around: Surroundings, roots: readonly Expression[]) {
    this.#around = around;
    const count = (e: Expression): void => {
      const uses = this.#uses.get(e) ?? 0;
      this.#uses.set(e, uses + 1);
      if (uses === 0) children(e).forEach(count);
    };
    roots.forEach(count);
  }

  print(e: Expression): string {
    const name = this.#named.get(e);
    if (name !== undefined) return name;
    const text = this.#text(e);
    if ((this.#uses.get(e) ?? 0) < 2 || children(e).length === 0) return text;
    return this.#name(e, text);
  }

  #name(e: Expression, text: string): string {
    const name = this.#around.temporary(text);
    this.#named.set(e, name);
    return name;
  }

  /** A text that may be repeated, and that WGSL does not take for a constant. */
  #opaque(e: Expression): string {
    if (e.kind === "variable") return this.print(e);
    const text = this.print(e);
    return this.#named.get(e) ?? this.#name(e, text);
  }

  #text(e: Expression): string {
    switch (e.kind) {
      case "constant":
        return this.#constant(e);
      case "variable":
        return this.#around.name(e.name);
      case "builtin":
        return `i32(${{ workgroup: "group", local: "local", global: "global" }[e.name]}.${"xyz"[e.dimension]})`;
      case "splat":
        return `${typeText(e.type, 4)}(${this.print(e.value)})`;
      case "vector":
        return `${typeText(e.type, 4)}(${e.elements.map((element) => this.print(element)).join(", ")})`;
      case "lane":
        return `${this.print(e.value)}.${"xyzw"[e.lane]}`;
      case "shuffle": {
        const [first, second] = [this.#opaque(e.first), this.#opaque(e.second)];
        const lanes = e.pick.map((pick) => `${pick < 4 ? first : second}.${"xyzw"[pick % 4]}`);
        return `${typeText(e.type, 4)}(${lanes.join(", ")})`;
      }
      case "load":
        return this.#load(e.buffer, e.index, e.type, e.lanes);
      case "apply":
        return this.#apply(e.name, e.arguments, e.type, e.lanes);
      default:
        return e satisfies never;
    }
  }

  #constant(e: Constant): string {
    const scalar = this.#scalarConstant(e.type, e.value);
    return e.lanes === 1 ? scalar : `${typeText(e.type, 4)}(${scalar})`;
  }
  #scalarConstant(type: ScalarType, value: number): string {
    switch (type) {
      case "bool":
        return value === 0 ? "false" : "true";
      case "u32":
        return `${value >>> 0}u`;
      case "i32":
        return value >= 0 ? `${value}i` : `i32(${value})`;
      case "f32":
        if (Number.isNaN(value)) return `bitcast<f32>(bitcast<u32>(${this.#around.infinity()}) | 0x400000u)`;
        if (value === Infinity) return this.#around.infinity();
        if (value === -Infinity) return `(-${this.#around.infinity()})`;
        return value < 0 || Object.is(value, -0) ? `(-${positive(-value)})` : positive(value);
      default:
        return type satisfies never;
    }
  }

  #apply(name: string, operands: readonly Expression[], type: ScalarType, lanes: Lanes): string {
    const rule = ruleOf(name, operands);
    invariant(typeof rule === "string", `${name} was expanded`);
    // WGSL evaluates an expression of constants while it compiles and refuses infinities, division by 0 and the like;
    // a value named by `let` is not a constant expression.
    const folding = operands.length > 0 && operands.every(isConstant);
    const texts = operands.map((operand, k) => {
      const repeated = rule.split(`$${k}`).length > 2;
      return (folding && k === 0) || (repeated && children(operand).length > 0)
        ? this.#opaque(operand)
        : this.print(operand);
    });
    return rule.replace(/\$(\d|T|U)/g, (_, key: string) => {
      if (key === "T") return typeText(type, lanes);
      if (key === "U") return typeText("u32", lanes);
      const text = texts[Number(key)];
      invariant(text !== undefined, `the template of ${name} uses argument ${key}`);
      return text;
    });
  }

  #load(buffer: string, index: Expression, type: ScalarType, lanes: Lanes): string {
    const memory = this.#around.memory(buffer);
    return convert(this.#elements(memory, index, lanes), memory.type, type, lanes);
  }
  #elements(memory: Memory, index: Expression, lanes: Lanes): string {
    if (lanes === 1 || memory.vectors) return this.place(memory, index);
    const at = this.#index(memory, index, true);
    const each = [0, 1, 2, 3].map((k) => `${memory.name}[${k === 0 ? at : `${at} + ${k}`}]`);
    return `${typeText(memory.type, 4)}(${each.join(", ")})`;
  }

  /** Text of one element (or one whole vector) of a memory. */
  place(memory: Memory, index: Expression): string {
    const at = this.#index(memory, index, false);
    return `${memory.name}[${memory.vectors ? `(${at}) >> 2u` : at}]`;
  }
  /** Text of the element index; `named` if it will be used several times. */
  #index(memory: Memory, index: Expression, named: boolean): string {
    const inner = this.print(index);
    const at = memory.offset === undefined ? inner : `${memory.offset} + ${inner}`;
    return named && (memory.offset !== undefined || children(index).length > 0) ? this.#around.temporary(at) : at;
  }

  /** The statements that store `value`. */
  store(buffer: string, index: Expression, value: Expression): string[] {
    const memory = this.#around.memory(buffer);
    const text = convert(this.print(value), value.type, memory.type, value.lanes);
    if (value.lanes === 1 || memory.vectors) return [`${this.place(memory, index)} = ${text};`];
    const whole = this.#around.temporary(text);
    const at = this.#index(memory, index, true);
    return [0, 1, 2, 3].map((k) => `${memory.name}[${k === 0 ? at : `${at} + ${k}`}] = ${whole}.${"xyzw"[k]};`);
  }
}

function isConstant(e: Expression): boolean {
  switch (e.kind) {
    case "constant":
      return Number.isFinite(e.value);
    case "splat":
      return isConstant(e.value);
    case "vector":
      return e.elements.every(isConstant);
    default:
      return false;
  }
}

/** A value as it lies in memory of another element type: bool as 0 or 1, everything else by its bits. */
function convert(text: string, from: ScalarType, to: ScalarType, lanes: Lanes): string {
  if (from === to) return text;
  if (to === "bool") return `(${text} != ${typeText(from, lanes)}(0))`;
  if (from === "bool") return `select(${typeText(to, lanes)}(0), ${typeText(to, lanes)}(1), ${text})`;
  return `bitcast<${typeText(to, lanes)}>(${text})`;
}

/** The shortest decimal that rounds to the same float32; WGSL refuses one beyond the greatest float32 even if it rounds down. */
function positive(value: number): string {
  for (let digits = 1; digits <= 9; digits++) {
    const decimal = Number(value.toPrecision(digits));
    if (Math.fround(decimal) === Math.fround(value) && decimal <= 3.4028234663852886e38) {
      const text = `${decimal}`;
      return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
    }
  }
  return `${Math.fround(value)}f`;
}
