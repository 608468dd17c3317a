/**
 * Compile-time integers: polynomials with integer coefficients over variables (dimensions of a shape, indices of index
 * notation), floor quotients and remainders. The normal form is unique up to the identity `b*(a/b) + a%b = a`, which no
 * shape rule needs.
 */
export interface Variable {
  readonly kind: "variable";
  /** What people read. */
  readonly name: string;
  /** Unique in one elaboration. */
  readonly key: string;
  /** Inclusive bounds; infinite where nothing is known. */
  readonly minimum: number;
  readonly maximum: number;
}
/** `floor(numerator / divisor)` or `numerator - divisor * floor(numerator / divisor)`, not further reducible. */
export interface Division {
  readonly kind: "quotient" | "remainder";
  readonly key: string;
  readonly numerator: Dim;
  readonly divisor: Dim;
}
export type Atom = Variable | Division;
export interface Factor {
  readonly atom: Atom;
  /** At least 1. */
  readonly power: number;
}
/** `coefficient * product of factors`; coefficient not 0, factors sorted by key. */
export interface Monomial {
  readonly coefficient: number;
  readonly factors: readonly Factor[];
  readonly key: string;
}
export interface Dim {
  /** Equal polynomials have equal keys. */
  readonly key: string;
  /** Sorted by key; the constant term, whose key is empty, comes last. */
  readonly terms: readonly Monomial[];
}

/** A coefficient left the integers that a double holds exactly. */
export class DimOverflow extends Error {}

/** What is known about a question on symbolic integers. */
export type Answer = "yes" | "no" | "unknown";

export function fromAtom(atom: Atom): Dim {
  const factors = [{ atom, power: 1 }];
  return make([{ coefficient: 1, factors, key: factorsKey(factors) }]);
}
export function fromTerm(term: Monomial): Dim {
  return make([term]);
}
export function constant(value: number): Dim {
  if (!Number.isSafeInteger(value)) throw new DimOverflow(`${value}`);
  return value === 0 ? zero : { key: `${value}`, terms: [{ coefficient: value, factors: [], key: "" }] };
}
const zero: Dim = { key: "0", terms: [] };

/** The value, if the polynomial is constant. */
export function constantOf(dim: Dim): number | undefined {
  if (dim.terms.length === 0) return 0;
  const [first] = dim.terms;
  return dim.terms.length === 1 && first?.factors.length === 0 ? first.coefficient : undefined;
}

export function equal(a: Dim, b: Dim): boolean {
  return a.key === b.key;
}
export function add(a: Dim, b: Dim): Dim {
  if (a.terms.length === 0) return b;
  if (b.terms.length === 0) return a;
  return collect([...a.terms, ...b.terms]);
}
export function negate(a: Dim): Dim {
  return scale(a, -1);
}
export function subtract(a: Dim, b: Dim): Dim {
  return add(a, negate(b));
}
export function scale(a: Dim, factor: number): Dim {
  if (factor === 0) return zero;
  return factor === 1 ? a : make(a.terms.map((term) => ({ ...term, coefficient: term.coefficient * factor })));
}
export function multiply(a: Dim, b: Dim): Dim {
  const products: Monomial[] = [];
  for (const left of a.terms) for (const right of b.terms) products.push(multiplyMonomials(left, right));
  return collect(products);
}
/** `base ^ exponent`, exponent a constant not below 0. */
export function power(base: Dim, exponent: number): Dim {
  let result = constant(1);
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiply(result, square);
    if (rest > 1) square = multiply(square, square);
  }
  return result;
}
/** `floor(a / b)`; b is not the constant 0. */
export function quotient(a: Dim, b: Dim): Dim {
  return divide(a, b).quotient;
}
/** `a - b * floor(a / b)`: has the sign of b. */
export function remainder(a: Dim, b: Dim): Dim {
  return divide(a, b).remainder;
}

function divide(a: Dim, b: Dim): { quotient: Dim; remainder: Dim } {
  const divisor = constantOf(b);
  if (divisor === undefined) return divideBySymbol(a, b);
  if (divisor < 0) {
    const flipped = divide(negate(a), constant(-divisor));
    return { quotient: flipped.quotient, remainder: negate(flipped.remainder) };
  }
  // floor((k*A + B) / k) = A + floor(B / k), every coefficient of B in [0, k).
  const whole: Monomial[] = [];
  const rest: Monomial[] = [];
  for (const term of a.terms) {
    const times = Math.floor(term.coefficient / divisor);
    const left = term.coefficient - times * divisor;
    if (times !== 0) whole.push({ ...term, coefficient: times });
    if (left !== 0) rest.push({ ...term, coefficient: left });
  }
  const part = make(rest);
  const { minimum, maximum } = bounds(part);
  const block = Math.floor(minimum / divisor);
  if (Number.isFinite(block) && block === Math.floor(maximum / divisor))
    return { quotient: add(make(whole), constant(block)), remainder: subtract(part, constant(block * divisor)) };
  const shared = divideByFactor(part, divisor);
  if (shared) return { quotient: add(make(whole), shared.quotient), remainder: shared.remainder };
  return {
    quotient: add(make(whole), nestedQuotient(part, divisor)),
    remainder: fromAtom(division("remainder", part, b)),
  };
}

/** floor((g*A + B) / (g*m)) = floor(A / m) when 0 <= B < g: how mixed-radix coordinates come apart. */
function divideByFactor(part: Dim, divisor: number): { quotient: Dim; remainder: Dim } | undefined {
  for (const term of part.terms) {
    const factor = greatestCommonDivisor(term.coefficient, divisor);
    if (factor === 1) continue;
    const multiples = part.terms.filter(({ coefficient }) => coefficient % factor === 0);
    const low = make(part.terms.filter(({ coefficient }) => coefficient % factor !== 0));
    const { minimum, maximum } = bounds(low);
    if (minimum < 0 || maximum >= factor) continue;
    const high = make(multiples.map((each) => ({ ...each, coefficient: each.coefficient / factor })));
    const inner = divide(high, constant(divisor / factor));
    return { quotient: inner.quotient, remainder: add(scale(inner.remainder, factor), low) };
  }
  return undefined;
}
function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : greatestCommonDivisor(b, a % b);
}

/** floor(floor(x / a) / b) = floor(x / (a*b)) for positive a, b. */
function nestedQuotient(part: Dim, divisor: number): Dim {
  const [only] = part.terms;
  if (part.terms.length === 1 && only?.coefficient === 1 && only.factors.length === 1) {
    const [factor] = only.factors;
    if (factor?.power === 1 && factor.atom.kind === "quotient") {
      const inner = constantOf(factor.atom.divisor);
      if (inner !== undefined && inner > 0) return quotient(factor.atom.numerator, constant(inner * divisor));
    }
  }
  return fromAtom(division("quotient", part, constant(divisor)));
}

function divideBySymbol(a: Dim, b: Dim): { quotient: Dim; remainder: Dim } {
  const [only] = b.terms;
  if (b.terms.length === 1 && only) {
    const exact = a.terms.map((term) => divideMonomials(term, only));
    if (exact.every((term) => term !== undefined)) return { quotient: collect(exact), remainder: zero };
  } else {
    // The one other case that shapes meet: a constant multiple of the divisor.
    const [first] = a.terms;
    const [head] = b.terms;
    if (first && head && first.key === head.key && first.coefficient % head.coefficient === 0) {
      const times = first.coefficient / head.coefficient;
      if (equal(a, scale(b, times))) return { quotient: constant(times), remainder: zero };
    }
  }
  if (a.terms.length === 0) return { quotient: zero, remainder: zero };
  return { quotient: fromAtom(division("quotient", a, b)), remainder: fromAtom(division("remainder", a, b)) };
}

function division(kind: Division["kind"], numerator: Dim, divisor: Dim): Division {
  return { kind, key: `(${numerator.key})${kind === "quotient" ? "/" : "%"}(${divisor.key})`, numerator, divisor };
}

// ---- Normal form ------------------------------------------------------------------------------------------------------

function factorsKey(factors: readonly Factor[]): string {
  return factors.map(({ atom, power }) => (power === 1 ? atom.key : `${atom.key}^${power}`)).join("*");
}
function make(terms: readonly Monomial[]): Dim {
  if (terms.length === 0) return zero;
  for (const { coefficient } of terms) if (!Number.isSafeInteger(coefficient)) throw new DimOverflow(`${coefficient}`);
  const key = terms.map(({ coefficient, key }) => (key === "" ? `${coefficient}` : `${coefficient}*${key}`)).join("+");
  return { key, terms };
}
function collect(terms: readonly Monomial[]): Dim {
  const byKey = new Map<string, Monomial>();
  for (const term of terms) {
    const seen = byKey.get(term.key);
    byKey.set(term.key, seen ? { ...term, coefficient: seen.coefficient + term.coefficient } : term);
  }
  const kept = [...byKey.values()].filter(({ coefficient }) => coefficient !== 0);
  // The empty key is the constant's: it sorts last so that `2*H + 1` reads as people write it.
  return make(kept.sort((a, b) => (a.key === "" ? 1 : b.key === "" ? -1 : a.key < b.key ? -1 : a.key > b.key ? 1 : 0)));
}
function multiplyMonomials(a: Monomial, b: Monomial): Monomial {
  const powers = new Map<string, Factor>();
  for (const factor of [...a.factors, ...b.factors]) {
    const seen = powers.get(factor.atom.key);
    powers.set(factor.atom.key, seen ? { atom: seen.atom, power: seen.power + factor.power } : factor);
  }
  const factors = [...powers.values()].sort((x, y) => (x.atom.key < y.atom.key ? -1 : 1));
  return { coefficient: a.coefficient * b.coefficient, factors, key: factorsKey(factors) };
}
function divideMonomials(a: Monomial, b: Monomial): Monomial | undefined {
  if (a.coefficient % b.coefficient !== 0) return undefined;
  const factors: Factor[] = [];
  const left = new Map(b.factors.map(({ atom, power }) => [atom.key, power]));
  for (const { atom, power } of a.factors) {
    const rest = power - (left.get(atom.key) ?? 0);
    left.delete(atom.key);
    if (rest < 0) return undefined;
    if (rest > 0) factors.push({ atom, power: rest });
  }
  if (left.size > 0) return undefined;
  return { coefficient: a.coefficient / b.coefficient, factors, key: factorsKey(factors) };
}

// ---- Questions ----------------------------------------------------------------------------------------------------------

export interface Bounds {
  readonly minimum: number;
  readonly maximum: number;
}

/** Inclusive bounds by interval arithmetic, term by term: right, not always tight. */
export function bounds(dim: Dim): Bounds {
  let minimum = 0;
  let maximum = 0;
  for (const { coefficient, factors } of dim.terms) {
    let range: Bounds = { minimum: coefficient, maximum: coefficient };
    for (const { atom, power } of factors) {
      const one = atomBounds(atom);
      for (let k = 0; k < power; k++) range = multiplyBounds(range, one);
    }
    minimum += range.minimum;
    maximum += range.maximum;
  }
  return { minimum, maximum };
}
function multiplyBounds(a: Bounds, b: Bounds): Bounds {
  // 0 * infinity is 0 here: an interval's end is a limit, never attained.
  const times = (x: number, y: number) => (x === 0 || y === 0 ? 0 : x * y);
  const corners = [
    times(a.minimum, b.minimum),
    times(a.minimum, b.maximum),
    times(a.maximum, b.minimum),
    times(a.maximum, b.maximum),
  ];
  return { minimum: Math.min(...corners), maximum: Math.max(...corners) };
}
function atomBounds(atom: Atom): Bounds {
  if (atom.kind === "variable") return atom;
  const divisor = constantOf(atom.divisor);
  const over = bounds(atom.numerator);
  if (divisor === undefined || divisor <= 0) {
    const positive = over.minimum >= 0 && bounds(atom.divisor).minimum >= 1;
    return { minimum: positive ? 0 : -Infinity, maximum: positive ? over.maximum : Infinity };
  }
  if (atom.kind === "remainder")
    return { minimum: 0, maximum: over.minimum >= 0 ? Math.min(divisor - 1, over.maximum) : divisor - 1 };
  return { minimum: Math.floor(over.minimum / divisor), maximum: Math.floor(over.maximum / divisor) };
}

export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=";

export function compare(a: Dim, comparison: Comparison, b: Dim): Answer {
  const { minimum, maximum } = bounds(subtract(a, b));
  const answer = (yes: boolean, no: boolean): Answer => (yes ? "yes" : no ? "no" : "unknown");
  const same = minimum === 0 && maximum === 0;
  const apart = minimum > 0 || maximum < 0;
  switch (comparison) {
    case "==":
      return answer(same, apart);
    case "!=":
      return answer(apart, same);
    case "<":
      return answer(maximum < 0, minimum >= 0);
    case "<=":
      return answer(maximum <= 0, minimum > 0);
    case ">":
      return answer(minimum > 0, maximum <= 0);
    case ">=":
      return answer(minimum >= 0, maximum < 0);
    default:
      return comparison satisfies never;
  }
}

/** Every variable, those inside quotients and remainders included, each once. */
export function variablesOf(dim: Dim, found = new Set<Variable>()): Set<Variable> {
  for (const { factors } of dim.terms)
    for (const { atom } of factors) {
      if (atom.kind === "variable") found.add(atom);
      else {
        variablesOf(atom.numerator, found);
        variablesOf(atom.divisor, found);
      }
    }
  return found;
}

/** Replaces variables; those without a replacement stay. */
export function substitute(dim: Dim, replacement: (variable: Variable) => Dim | undefined): Dim {
  if (constantOf(dim) !== undefined) return dim;
  let result = zero;
  for (const { coefficient, factors } of dim.terms) {
    let product = constant(coefficient);
    for (const { atom, power: times } of factors)
      product = multiply(product, power(substituteAtom(atom, replacement), times));
    result = add(result, product);
  }
  return result;
}
function substituteAtom(atom: Atom, replacement: (variable: Variable) => Dim | undefined): Dim {
  if (atom.kind === "variable") return replacement(atom) ?? fromAtom(atom);
  const over = substitute(atom.numerator, replacement);
  const by = substitute(atom.divisor, replacement);
  return atom.kind === "quotient" ? quotient(over, by) : remainder(over, by);
}

/** The value at given values of the variables. */
export function evaluateDim(dim: Dim, value: (variable: Variable) => number): number {
  let total = 0;
  for (const { coefficient, factors } of dim.terms) {
    let product = coefficient;
    for (const { atom, power } of factors) product *= evaluateAtom(atom, value) ** power;
    total += product;
  }
  return total;
}
function evaluateAtom(atom: Atom, value: (variable: Variable) => number): number {
  if (atom.kind === "variable") return value(atom);
  const over = evaluateDim(atom.numerator, value);
  const by = evaluateDim(atom.divisor, value);
  const times = Math.floor(over / by);
  return atom.kind === "quotient" ? times : over - by * times;
}

// ---- Printing -------------------------------------------------------------------------------------------------------------

/** As a user would write it: `2*H + 1`, `(H + 1) / 2 - 1`. */
export function printDim(dim: Dim): string {
  if (dim.terms.length === 0) return "0";
  // A positive term first: `N - 1`, not `-1 + N`.
  const terms = [...dim.terms].sort((a, b) => Number(a.coefficient < 0) - Number(b.coefficient < 0));
  return terms
    .map((term, k) => {
      const sign = term.coefficient < 0 ? "-" : "+";
      const text = printMonomial(term);
      return k === 0 ? (sign === "-" ? `-${text}` : text) : ` ${sign} ${text}`;
    })
    .join("");
}
function printMonomial({ coefficient, factors }: Monomial): string {
  const size = Math.abs(coefficient);
  const alone = factors.length === 1 && size === 1 && factors[0]?.power === 1;
  const parts = factors.map(({ atom, power }) => {
    const text = printAtom(atom, alone);
    return power === 1 ? text : `${text}^${power}`;
  });
  if (size !== 1 || parts.length === 0) parts.unshift(`${size}`);
  return parts.join("*");
}
function printAtom(atom: Atom, alone: boolean): string {
  if (atom.kind === "variable") return atom.name;
  const wrap = (dim: Dim, always: boolean) => {
    const simple =
      dim.terms.length <= 1 && (!always || (dim.terms[0]?.factors.length ?? 0) + 1 <= 1 || isVariable(dim));
    return simple ? printDim(dim) : `(${printDim(dim)})`;
  };
  const text = `${wrap(atom.numerator, false)} ${atom.kind === "quotient" ? "/" : "%"} ${wrap(atom.divisor, true)}`;
  return alone ? text : `(${text})`;
}
function isVariable(dim: Dim): boolean {
  const [only] = dim.terms;
  return only?.coefficient === 1 && only.factors.length === 1 && only.factors[0]?.power === 1;
}
