/** Algebra of single applications, operands already simplified. Exact in float64 but for the merging of constant factors. */
import type { Scalar, ScalarApply } from "../graph/graph.ts";
import { apply, constant } from "../graph/scalars.ts";
import { rowOf } from "../scalar/table.ts";
import type { ScalarType } from "../types/dtype.ts";
import { finite, type Ranges } from "./ranges.ts";

export function isConstant(scalar: Scalar | undefined, value: number): boolean {
  return scalar?.kind === "constant" && scalar.value === value;
}
export function isRow<N extends string>(
  scalar: Scalar | undefined,
  name: N,
): scalar is ScalarApply & { readonly name: N } {
  return scalar?.kind === "apply" && scalar.name === name;
}
const integral = (type: ScalarType): boolean => type === "i32" || type === "u32";

/** The rules of one row; each gives a simpler scalar or undefined. */
type Rule = (a: Scalar, b: Scalar, whole: ScalarApply, ranges: Ranges) => Scalar | undefined;

const sums: Rule[] = [
  // a + (-b), (-a) + b
  (a, b, { name }) => {
    if (isRow(b, "neg")) return simpler(name === "add" ? "sub" : "add", a, b.arguments[0]!);
    if (name === "add" && isRow(a, "neg")) return simpler("sub", b, a.arguments[0]!);
    return undefined;
  },
  // a + a, and c*a + a with a constant c
  (a, b, { name, type }) => {
    if (type !== "f32") return undefined;
    const sign = name === "add" ? 1 : -1;
    const times = (scalar: Scalar): readonly [Scalar, number] =>
      isRow(scalar, "mul") && scalar.arguments[1]?.kind === "constant"
        ? [scalar.arguments[0]!, scalar.arguments[1].value]
        : [scalar, 1];
    const [x, c] = times(a);
    const [y, d] = times(b);
    const total = c + sign * d;
    return x === y && x.kind !== "constant" && total !== 0 ? simpler("mul", x, constant("f32", total)) : undefined;
  },
  // 0 - b. A difference of equal operands is 0 unless they may be infinite or NaN.
  (a, b, { name, type }, ranges) => {
    if (name !== "sub") return undefined;
    if (isConstant(a, 0) && type !== "u32") return simpler("neg", b);
    return a === b && (integral(type) || finite(a, ranges)) ? constant(type, 0) : undefined;
  },
  // (x + c) + d for integers, which wrap
  (a, b, { name, type }) => {
    if (!integral(type) || b.kind !== "constant" || !isRow(a, "add")) return undefined;
    const [x, c] = a.arguments;
    if (!x || c?.kind !== "constant") return undefined;
    const total = name === "add" ? c.value + b.value : c.value - b.value;
    return simpler("add", x, constant(type, type === "u32" ? total >>> 0 : total | 0));
  },
  // exp(x) - 1 and 1 - (-expm1): the stable form
  (a, b, { name }) =>
    name === "sub" && isRow(a, "exp") && isConstant(b, 1) ? apply("expm1", ...a.arguments) : undefined,
];

const products: Rule[] = [
  (a, b, { type }, ranges) => {
    for (const [zero, other] of [
      [a, b],
      [b, a],
    ] as const)
      if (isConstant(zero, 0) && (integral(type) || finite(other, ranges))) return constant(type, 0);
    return undefined;
  },
  (a, b, { type }) => {
    if (type === "u32") return undefined;
    if (isConstant(b, -1)) return simpler("neg", a);
    if (isConstant(a, -1)) return simpler("neg", b);
    if (isRow(a, "neg") && isRow(b, "neg")) return simpler("mul", a.arguments[0]!, b.arguments[0]!);
    if (isRow(a, "neg")) return simpler("neg", simpler("mul", a.arguments[0]!, b));
    if (isRow(b, "neg")) return simpler("neg", simpler("mul", a, b.arguments[0]!));
    return undefined;
  },
  // Constants go right and merge: (x * c) * d
  (a, b) => (a.kind === "constant" && b.kind !== "constant" ? simpler("mul", b, a) : undefined),
  (a, b, { type }) => {
    if (b.kind !== "constant") {
      // (x * c) * y: the constant moves outward
      if (isRow(a, "mul") && a.arguments[1]?.kind === "constant")
        return simpler("mul", simpler("mul", a.arguments[0]!, b), a.arguments[1]);
      if (isRow(b, "mul") && b.arguments[1]?.kind === "constant")
        return simpler("mul", simpler("mul", a, b.arguments[0]!), b.arguments[1]);
      return undefined;
    }
    if (!isRow(a, "mul") || a.arguments[1]?.kind !== "constant") return undefined;
    const factor = fold("mul", type, [a.arguments[1].value, b.value]);
    return factor === undefined ? undefined : simpler("mul", a.arguments[0]!, constant(type, factor));
  },
];

const quotients: Rule[] = [
  // By a power of two: exact as a product.
  (a, b, { type }) => {
    if (type !== "f32" || b.kind !== "constant") return undefined;
    const inverse = 1 / b.value;
    const exact = Number.isInteger(Math.log2(Math.abs(b.value))) && Math.fround(inverse) === inverse;
    return exact && b.value !== 0 ? simpler("mul", a, constant("f32", inverse)) : undefined;
  },
  (a, b, { type }) => {
    if (type !== "f32" || b.kind !== "constant" || b.value === 0) return undefined;
    if (!isRow(a, "mul") || a.arguments[1]?.kind !== "constant") return undefined;
    // Only where it is exact: `floor(3 * x / 3)` must not change.
    const factor = a.arguments[1].value / b.value;
    const exact =
      Number.isFinite(factor) && Math.fround(factor) === factor && factor * b.value === a.arguments[1].value;
    return exact ? simpler("mul", a.arguments[0]!, constant("f32", factor)) : undefined;
  },
  (a, b, { type }) => {
    if (type !== "f32") return undefined;
    if (isRow(a, "neg") && isRow(b, "neg")) return simpler("div", a.arguments[0]!, b.arguments[0]!);
    if (isRow(a, "neg")) return simpler("neg", simpler("div", a.arguments[0]!, b));
    return undefined;
  },
];

const equalities: Rule[] = [
  (a, b, { name }) =>
    a === b && a.type !== "f32" && ["eq", "le", "ge"].includes(name) ? constant("bool", 1) : undefined,
  (a, b, { name }) =>
    a === b && a.type !== "f32" && ["ne", "lt", "gt"].includes(name) ? constant("bool", 0) : undefined,
  (a, b, { name }, ranges) => {
    const left = ranges.of(a);
    const right = ranges.of(b);
    if (!left || !right) return undefined;
    const holds = (yes: boolean, no: boolean): Scalar | undefined =>
      yes ? constant("bool", 1) : no ? constant("bool", 0) : undefined;
    const apart = left.max < right.min || left.min > right.max;
    const same = left.min === left.max && right.min === right.max && left.min === right.min;
    if (name === "eq") return holds(same, apart);
    if (name === "ne") return holds(apart, same);
    if (name === "lt") return holds(left.max < right.min, left.min >= right.max);
    if (name === "le") return holds(left.max <= right.min, left.min > right.max);
    if (name === "gt") return holds(left.min > right.max, left.max <= right.min);
    if (name === "ge") return holds(left.min >= right.max, left.max < right.min);
    return undefined;
  },
];

const extrema: Rule[] = [(a, b) => (a === b ? a : undefined)];

const logic: Rule[] = [
  (a, b, { name }) => {
    const absorbing = name === "and" ? 0 : 1;
    if (isConstant(a, absorbing) || isConstant(b, absorbing)) return constant("bool", absorbing);
    return a === b ? a : undefined;
  },
];

const binary: Readonly<Record<string, readonly Rule[]>> = {
  add: sums,
  sub: sums,
  mul: products,
  div: quotients,
  eq: equalities,
  ne: equalities,
  lt: equalities,
  le: equalities,
  gt: equalities,
  ge: equalities,
  max: extrema,
  min: extrema,
  and: logic,
  or: logic,
  pow: [
    (a, b) => (isConstant(b, 2) ? simpler("mul", a, a) : undefined),
    (a, b) => (isConstant(b, -1) ? simpler("div", constant("f32", 1), a) : undefined),
  ],
};

function unary(name: string, a: Scalar, type: ScalarType): Scalar | undefined {
  if (name === "neg") {
    if (isRow(a, "neg")) return a.arguments[0];
    if (isRow(a, "sub")) return simpler("sub", a.arguments[1]!, a.arguments[0]!);
    if (isRow(a, "mul") && a.arguments[1]?.kind === "constant")
      return simpler("mul", a.arguments[0]!, constant(a.type, -a.arguments[1].value));
  }
  if (name === "not") {
    if (isRow(a, "not")) return a.arguments[0];
    if (isRow(a, "eq")) return apply("ne", ...a.arguments);
    if (isRow(a, "ne")) return apply("eq", ...a.arguments);
  }
  // The stable form: log(1 + x)
  if (name === "log" && isRow(a, "add")) {
    const [x, y] = a.arguments;
    if (isConstant(y, 1) && x) return apply("log1p", x);
    if (isConstant(x, 1) && y) return apply("log1p", y);
  }
  return name.startsWith("to_") && a.type === type ? a : undefined;
}

function choice(mask: Scalar, a: Scalar, b: Scalar): Scalar | undefined {
  if (mask.kind === "constant") return mask.value !== 0 ? a : b;
  if (a === b) return a;
  if (isRow(mask, "not")) return simpler("select", mask.arguments[0]!, b, a);
  if (isRow(a, "select") && a.arguments[0] === mask) return simpler("select", mask, a.arguments[1]!, b);
  if (isRow(b, "select") && b.arguments[0] === mask) return simpler("select", mask, a, b.arguments[2]!);
  if (a.kind === "constant" && b.kind === "constant" && a.type === "bool")
    return a.value !== 0 ? mask : simpler("not", mask);
  return undefined;
}

/** The value of a row at constants; undefined where folding would write a value that targets cannot. */
export function fold(name: string, operand: ScalarType, values: readonly number[]): number | undefined {
  const meaning = rowOf(name).js[operand];
  if (!meaning) return undefined;
  const value = meaning(...values);
  return Number.isFinite(value) || values.some((given) => !Number.isFinite(given)) ? value : undefined;
}

/** Applies a row and whatever rules fit the result. Operands that are equal should be the same object. */
export function simplified(whole: ScalarApply, ranges: Ranges): Scalar {
  const [a, b, c] = whole.arguments;
  if (!a) return whole;
  const values = whole.arguments.map((argument) => (argument.kind === "constant" ? argument.value : undefined));
  if (values.every((value) => value !== undefined)) {
    const value = fold(whole.name, whole.arguments.at(-1)!.type, values);
    if (value !== undefined && !Number.isNaN(value)) return constant(whole.type, value);
  }
  if (c && b) return whole.name === "select" ? (choice(a, b, c) ?? whole) : whole;
  if (!b) return unary(whole.name, a, whole.type) ?? whole;
  const row = rowOf(whole.name);
  if (row.rightIdentity !== undefined && isConstant(b, row.rightIdentity)) return a;
  if (row.leftIdentity !== undefined && isConstant(a, row.leftIdentity)) return b;
  for (const rule of binary[whole.name] ?? []) {
    const found = rule(a, b, whole, ranges);
    if (found) return found;
  }
  return whole;
}

const noRanges: Ranges = { of: () => undefined };
function simpler(name: string, ...args: readonly Scalar[]): Scalar {
  const whole = apply(name, ...args);
  return whole.kind === "apply" ? simplified(whole, noRanges) : whole;
}
