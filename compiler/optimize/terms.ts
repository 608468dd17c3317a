/**
 * A body under a sum as a sum of products: each term a number, factors that no reduction index touches (they leave the sum),
 * and the rest. Distributes only where a factor leaves the sum; `(x - mean) * dy` stays one product.
 */
import type { Scalar } from "../graph/graph.ts";
import { apply, constant } from "../graph/scalars.ts";
import { indicesOf } from "../graph/traverse.ts";
import { isConstant, isRow } from "./scalar-rules.ts";

export interface SumTerm {
  readonly coefficient: number;
  readonly multipliers: readonly Scalar[];
  readonly divisors: readonly Scalar[];
  /** The term counts only where all of these hold. */
  readonly masks: readonly Scalar[];
  /** Factors that use a reduction index. */
  readonly rest: readonly Scalar[];
}

export const unit: SumTerm = { coefficient: 1, multipliers: [], divisors: [], masks: [], rest: [] };
/** More terms than this are not worth telling apart. */
const mostTerms = 12;

export function product(factors: readonly Scalar[]): Scalar {
  const [first, ...more] = factors;
  return more.reduce((value, factor) => apply("mul", value, factor), first ?? constant("f32", 1));
}

function times(a: SumTerm, b: SumTerm): SumTerm {
  return {
    coefficient: a.coefficient * b.coefficient,
    multipliers: [...a.multipliers, ...b.multipliers],
    divisors: [...a.divisors, ...b.divisors],
    masks: [...a.masks, ...b.masks],
    rest: [...a.rest, ...b.rest],
  };
}

/** The terms of an f32 body; `isReduction` tells the positions of reduction indices. */
export function termsOf(body: Scalar, isReduction: (position: number) => boolean): SumTerm[] {
  const memo = new Map<Scalar, boolean>();
  const varies = (scalar: Scalar): boolean => {
    let known = memo.get(scalar);
    if (known === undefined) {
      known = [...indicesOf(scalar)].some(isReduction);
      memo.set(scalar, known);
    }
    return known;
  };
  const atom = (scalar: Scalar): SumTerm =>
    varies(scalar) ? { ...unit, rest: [scalar] } : { ...unit, multipliers: [scalar] };
  /** Only what multiplies: sums stay whole. */
  const single = (scalar: Scalar): SumTerm => {
    if (scalar.kind === "constant") return { ...unit, coefficient: scalar.value };
    if (scalar.kind !== "apply") return atom(scalar);
    const [a, b, c] = scalar.arguments;
    if (isRow(scalar, "neg")) return times(single(a!), { ...unit, coefficient: -1 });
    if (isRow(scalar, "mul")) return times(single(a!), single(b!));
    if (isRow(scalar, "div")) return quotient(single(a!), b!);
    if (isRow(scalar, "select") && isConstant(c, 0) && varies(scalar)) return masked(single(b!), a!);
    return atom(scalar);
  };
  const quotient = (term: SumTerm, divisor: Scalar): SumTerm => {
    if (divisor.kind === "constant" && divisor.value !== 0)
      return times(term, { ...unit, coefficient: 1 / divisor.value });
    if (!varies(divisor)) return times(term, { ...unit, divisors: [divisor] });
    return { ...term, rest: [apply("div", product(term.rest), divisor)] };
  };
  const masked = (term: SumTerm, mask: Scalar): SumTerm => {
    if (!varies(mask)) return times(term, { ...unit, masks: [mask] });
    return { ...term, rest: [apply("select", mask, product(term.rest), constant("f32", 0))] };
  };
  const scaled = (terms: readonly SumTerm[], by: SumTerm): SumTerm[] => terms.map((term) => times(term, by));
  const expand = (scalar: Scalar): SumTerm[] => {
    if (scalar.kind === "constant") return [{ ...unit, coefficient: scalar.value }];
    if (scalar.kind !== "apply") return [atom(scalar)];
    const [a, b, c] = scalar.arguments;
    if (isRow(scalar, "neg")) return scaled(expand(a!), { ...unit, coefficient: -1 });
    if (!varies(scalar) && !isRow(scalar, "mul") && !isRow(scalar, "div")) return [atom(scalar)];
    if (isRow(scalar, "add") || isRow(scalar, "sub")) {
      const sign = isRow(scalar, "add") ? 1 : -1;
      const terms = [...expand(a!), ...scaled(expand(b!), { ...unit, coefficient: sign })];
      return terms.length > mostTerms ? [atom(scalar)] : terms;
    }
    if (isRow(scalar, "mul")) return expandProduct(a!, b!);
    if (isRow(scalar, "div")) return varies(b!) ? [single(scalar)] : expand(a!).map((term) => quotient(term, b!));
    if (isRow(scalar, "select") && isConstant(c, 0))
      return varies(a!) ? [single(scalar)] : expand(b!).map((term) => masked(term, a!));
    return [atom(scalar)];
  };
  const expandProduct = (a: Scalar, b: Scalar): SumTerm[] => {
    const left = expand(a);
    const right = expand(b);
    const [x] = left;
    const [y] = right;
    if (left.length === 1 && x && right.length === 1 && y) return [times(x, y)];
    if (left.length === 1 && x?.rest.length === 0) return scaled(right, x);
    if (right.length === 1 && y?.rest.length === 0) return scaled(left, y);
    return [times(single(a), single(b))];
  };
  return expand(body);
}

/** `masks ? coefficient * multipliers / divisors * value : 0` */
export function outside(term: SumTerm, value: Scalar | undefined): Scalar {
  const factors = value ? [value, ...term.multipliers] : [...term.multipliers];
  let result = factors.length > 0 ? product(factors) : constant("f32", 1);
  for (const divisor of term.divisors) result = apply("div", result, divisor);
  if (term.coefficient === -1) result = apply("neg", result);
  else if (term.coefficient !== 1) result = apply("mul", result, constant("f32", term.coefficient));
  for (const mask of term.masks) result = apply("select", mask, result, constant("f32", 0));
  return result;
}

export function isPlain(term: SumTerm): boolean {
  return (
    term.coefficient === 1 && term.multipliers.length === 0 && term.divisors.length === 0 && term.masks.length === 0
  );
}
