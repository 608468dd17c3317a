/**
 * Constructors of loop-IR expressions. Index arithmetic is folded while it is written (constants gather at the end of a
 * sum, where a load takes them as an immediate); integers wrap modulo 2^32, so regrouping is exact. Floats are never
 * regrouped.
 */
import { invariant } from "../invariant.ts";
import type { ScalarOps } from "../scalar/ops.ts";
import type { ScalarType } from "../types/dtype.ts";
import type { Builtin, Constant, Expression, Lanes, Variable } from "./ir.ts";

// ---- Leaves -------------------------------------------------------------------------------------------------------------

export function constant(type: ScalarType, value: number, lanes: Lanes = 1): Constant {
  return { kind: "constant", type, lanes, value: normalize(type, value) };
}
export const i32 = (value: number): Constant => constant("i32", value);
export const u32 = (value: number): Constant => constant("u32", value);
export const f32 = (value: number): Constant => constant("f32", value);
export const bool = (value: boolean): Constant => constant("bool", value ? 1 : 0);

function normalize(type: ScalarType, value: number): number {
  switch (type) {
    case "f32":
      return Math.fround(value);
    case "i32":
      return value | 0;
    case "u32":
      return value >>> 0;
    case "bool":
      return value === 0 ? 0 : 1;
    default:
      return type satisfies never;
  }
}

export function variable(name: string, type: ScalarType = "i32", lanes: Lanes = 1): Variable {
  return { kind: "variable", name, type, lanes };
}
export function builtin(name: Builtin["name"], dimension: 0 | 1 | 2): Builtin {
  return { kind: "builtin", type: "i32", lanes: 1, name, dimension };
}

/** An index expression, or a number that stands for one. */
export type Index = Expression | number;
export const index = (value: Index): Expression => (typeof value === "number" ? i32(value) : value);

export function load(buffer: string, type: ScalarType, at: Index, lanes: Lanes = 1): Expression {
  return { kind: "load", buffer, index: index(at), type, lanes };
}

// ---- Vectors ------------------------------------------------------------------------------------------------------------

/** Scalars in all four lanes; vectors stay as they are. */
export function splat(value: Expression, lanes: Lanes = 4): Expression {
  if (value.lanes === lanes) return value;
  invariant(lanes === 4, "a vector cannot become a scalar by splatting");
  return value.kind === "constant" ? { ...value, lanes } : { kind: "splat", type: value.type, lanes, value };
}
export function vector(elements: readonly Expression[]): Expression {
  const first = elements[0];
  invariant(first !== undefined && elements.length === 4, "a vector has four elements");
  if (first.kind === "constant" && elements.every((e) => e.kind === "constant" && Object.is(e.value, first.value)))
    return splat(first);
  return { kind: "vector", type: first.type, lanes: 4, elements };
}
export function lane(value: Expression, at: number): Expression {
  if (value.lanes === 1) return value;
  switch (value.kind) {
    case "constant":
      return { ...value, lanes: 1 };
    case "splat":
      return value.value;
    case "vector": {
      const element = value.elements[at];
      invariant(element !== undefined, `no lane ${at}`);
      return element;
    }
    default:
      return { kind: "lane", type: value.type, lanes: 1, value, lane: at };
  }
}
export function shuffle(
  first: Expression,
  second: Expression,
  pick: readonly [number, number, number, number],
): Expression {
  return { kind: "shuffle", type: first.type, lanes: 4, first, second, pick };
}

// ---- Rows of the scalar table ---------------------------------------------------------------------------------------------

/** A row applied; scalars among vectors are splatted. `type` is the row's result type at these arguments. */
export function apply(name: string, type: ScalarType, ...operands: Expression[]): Expression {
  const lanes: Lanes = operands.some((operand) => operand.lanes === 4) ? 4 : 1;
  return { kind: "apply", name, type, lanes, arguments: operands.map((operand) => splat(operand, lanes)) };
}

const integral = (type: ScalarType): boolean => type === "i32" || type === "u32";
const wrap = (type: ScalarType, value: number): number => (type === "u32" ? value >>> 0 : value | 0);

/** `x + c` taken apart; `c` is 0 if there is none. */
function offsetOf(e: Expression): [Expression | undefined, number] {
  if (e.kind === "constant") return [undefined, e.value];
  if (e.kind === "apply" && e.name === "add") {
    const [left, right] = e.arguments;
    if (left !== undefined && right?.kind === "constant") return [left, right.value];
  }
  return [e, 0];
}
function withOffset(e: Expression | undefined, offset: number, type: ScalarType, lanes: Lanes): Expression {
  const value = wrap(type, offset);
  if (e === undefined) return constant(type, value, lanes);
  return value === 0 ? e : { kind: "apply", name: "add", type, lanes, arguments: [e, constant(type, value, lanes)] };
}

function pair(a: Index, b: Index): [Expression, Expression, Lanes] {
  const [left, right] = [index(a), index(b)];
  const lanes: Lanes = left.lanes === 4 || right.lanes === 4 ? 4 : 1;
  invariant(left.type === right.type, `operands of types ${left.type} and ${right.type}`);
  return [splat(left, lanes), splat(right, lanes), lanes];
}

export function add(a: Index, b: Index, ...more: Index[]): Expression {
  const [left, right, lanes] = pair(a, b);
  const type = left.type;
  let sum: Expression;
  if (integral(type)) {
    const [x, c] = offsetOf(left);
    const [y, d] = offsetOf(right);
    const inner: Expression | undefined =
      x && y ? { kind: "apply", name: "add", type, lanes, arguments: [x, y] } : (x ?? y);
    sum = withOffset(inner, c + d, type, lanes);
  } else sum = apply("add", type, left, right);
  const [next, ...rest] = more;
  return next === undefined ? sum : add(sum, next, ...rest);
}

export function sub(a: Index, b: Index): Expression {
  const [left, right, lanes] = pair(a, b);
  const type = left.type;
  if (!integral(type)) return apply("sub", type, left, right);
  if (right.kind === "constant") return add(left, constant(type, -right.value, lanes));
  const [x, c] = offsetOf(left);
  const [y, d] = offsetOf(right);
  if (x !== undefined && x === y) return constant(type, c - d, lanes);
  const inner: Expression = {
    kind: "apply",
    name: "sub",
    type,
    lanes,
    arguments: [x ?? constant(type, 0, lanes), y ?? constant(type, 0, lanes)],
  };
  return withOffset(inner, c - d, type, lanes);
}

export function mul(a: Index, b: Index): Expression {
  let [left, right, lanes] = pair(a, b);
  const type = left.type;
  if (!integral(type)) return apply("mul", type, left, right);
  if (left.kind === "constant") [left, right] = [right, left];
  if (right.kind === "constant") {
    const factor = right.value;
    if (left.kind === "constant") return constant(type, Math.imul(left.value, factor), lanes);
    if (factor === 0) return constant(type, 0, lanes);
    if (factor === 1) return left;
    const [x, c] = offsetOf(left);
    invariant(x !== undefined, "a constant was handled above");
    if (c !== 0) return withOffset(mul(x, right), Math.imul(c, factor), type, lanes);
    if (left.kind === "apply" && left.name === "mul" && left.arguments[1]?.kind === "constant")
      return mul(left.arguments[0]!, constant(type, Math.imul(left.arguments[1].value, factor), lanes));
  }
  return { kind: "apply", name: "mul", type, lanes, arguments: [left, right] };
}

/** Rounds down, as the scalar table has it for integers. */
export function div(a: Index, b: Index): Expression {
  const [left, right, lanes] = pair(a, b);
  const type = left.type;
  if (integral(type) && right.kind === "constant") {
    if (right.value === 1) return left;
    if (left.kind === "constant" && right.value !== 0)
      return constant(type, Math.floor(left.value / right.value), lanes);
  }
  return apply("div", type, left, right);
}
/** The quotient of numbers that are not negative by a divisor that is positive: one instruction. */
export function quotient(a: Index, b: Index): Expression {
  const [left, right] = pair(a, b);
  return left.kind === "constant" || right.kind !== "constant" || right.value === 1
    ? div(left, right)
    : apply("raw_div", left.type, left, right);
}
export const max = (a: Index, b: Index): Expression => extremum("max", a, b);
export const min = (a: Index, b: Index): Expression => extremum("min", a, b);
function extremum(name: "max" | "min", a: Index, b: Index): Expression {
  const [left, right, lanes] = pair(a, b);
  if (integral(left.type)) {
    if (left === right) return left;
    if (left.kind === "constant" && right.kind === "constant")
      return constant(left.type, Math[name](left.value, right.value), lanes);
  }
  return apply(name, left.type, left, right);
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};
function compare(name: string, a: Index, b: Index): Expression {
  const [left, right, lanes] = pair(a, b);
  const evaluate = comparisons[name];
  if (evaluate && left.kind === "constant" && right.kind === "constant")
    return constant("bool", evaluate(left.value, right.value) ? 1 : 0, lanes);
  return apply(name, "bool", left, right);
}
export const eq = (a: Index, b: Index): Expression => compare("eq", a, b);
export const ne = (a: Index, b: Index): Expression => compare("ne", a, b);
export const lt = (a: Index, b: Index): Expression => compare("lt", a, b);
export const le = (a: Index, b: Index): Expression => compare("le", a, b);
export const gt = (a: Index, b: Index): Expression => compare("gt", a, b);
export const ge = (a: Index, b: Index): Expression => compare("ge", a, b);

const isTrue = (e: Expression): boolean => e.kind === "constant" && e.value !== 0;
const isFalse = (e: Expression): boolean => e.kind === "constant" && e.value === 0;
export function and(a: Expression, b: Expression): Expression {
  if (isTrue(a)) return splat(b, Math.max(a.lanes, b.lanes) as Lanes);
  if (isTrue(b)) return splat(a, Math.max(a.lanes, b.lanes) as Lanes);
  if (isFalse(a) || isFalse(b)) return constant("bool", 0, Math.max(a.lanes, b.lanes) as Lanes);
  return apply("and", "bool", a, b);
}
export function or(a: Expression, b: Expression): Expression {
  if (isFalse(a)) return splat(b, Math.max(a.lanes, b.lanes) as Lanes);
  if (isFalse(b)) return splat(a, Math.max(a.lanes, b.lanes) as Lanes);
  if (isTrue(a) || isTrue(b)) return constant("bool", 1, Math.max(a.lanes, b.lanes) as Lanes);
  return apply("or", "bool", a, b);
}
export const not = (a: Expression): Expression =>
  a.kind === "constant" ? constant("bool", 1 - a.value, a.lanes) : apply("not", "bool", a);
export function select(condition: Expression, then: Index, otherwise: Index): Expression {
  const [yes, no] = pair(then, otherwise);
  const lanes = Math.max(condition.lanes, yes.lanes) as Lanes;
  if (condition.kind === "constant") return splat(condition.value !== 0 ? yes : no, lanes);
  return apply("select", yes.type, condition, yes, no);
}

/** A row by its name, through the constructors above where there is one: what constants decide is decided here. */
export function applyRow(name: string, type: ScalarType, ...operands: Expression[]): Expression {
  const [a, b, c] = operands;
  if (a && b) {
    switch (name) {
      case "add":
        return add(a, b);
      case "sub":
        return sub(a, b);
      case "mul":
        return mul(a, b);
      case "div":
        return div(a, b);
      case "min":
      case "max":
        return extremum(name, a, b);
      case "eq":
      case "ne":
      case "lt":
      case "le":
      case "gt":
      case "ge":
        return compare(name, a, b);
      case "and":
        return and(a, b);
      case "or":
        return or(a, b);
      case "select":
        if (c) return select(a, b, c);
    }
  }
  return name === "not" && a ? not(a) : apply(name, type, ...operands);
}

/** The scalar table's expansions over kernel expressions; `typeOf` gives a row's result type at its arguments. */
export function kernelOps(
  lanes: Lanes,
  typeOf: (name: string, operands: readonly ScalarType[]) => ScalarType,
): ScalarOps<Expression> {
  return {
    constant: (type, value) => constant(type, value, lanes),
    apply: (name, ...operands) => {
      const types = operands.map((operand) => operand.type);
      return applyRow(name, typeOf(name, types), ...operands);
    },
  };
}
