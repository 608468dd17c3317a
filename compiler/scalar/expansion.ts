/**
 * Shared pieces of the float32 expansions. All are branch-free, so that four lanes run as one.
 *
 * Polynomial coefficients are minimax fits made for these expressions in 40 digits (Lawson's iteration on Chebyshev
 * points), rounded to float32; each is listed with the error that the fit leaves.
 */
import type { ScalarOps } from "./ops.ts";

/** Horner's rule, lowest coefficient first. */
export function polynomial<E>(ops: ScalarOps<E>, x: E, coefficients: readonly number[]): E {
  const descending = [...coefficients].reverse();
  return descending
    .slice(1)
    .reduce(
      (sum, c) => ops.apply("multiply_add", sum, x, ops.constant("f32", c)),
      ops.constant("f32", descending[0] ?? 0),
    );
}

/** The same by pairs (Estrin 1960): a few more multiplications, but they do not wait for each other. */
export function polynomialByPairs<E>(ops: ScalarOps<E>, x: E, coefficients: readonly number[]): E {
  let parts = coefficients.map((c) => ops.constant("f32", c));
  for (let power = x; ; power = ops.apply("mul", power, power)) {
    parts = parts.flatMap((low, k) => {
      const high = parts[k + 1];
      return k % 2 === 1 ? [] : [high === undefined ? low : ops.apply("multiply_add", high, power, low)];
    });
    const [whole, ...more] = parts;
    if (whole !== undefined && more.length === 0) return whole;
  }
}

/** `2^k` for i32 k in [-126, 127]; infinite at 128. */
export function powerOfTwo<E>(ops: ScalarOps<E>, k: E): E {
  const biased = ops.apply("add", k, ops.constant("i32", 127));
  return ops.apply("bitcast_f32", ops.apply("shift_left", biased, ops.constant("i32", 23)));
}

/** x times 2^k, k in [-250, 254], in two steps so that subnormal results round once at the end. */
export function scaleByPower<E>(ops: ScalarOps<E>, x: E, k: E): E {
  const half = ops.apply("shift_right", k, ops.constant("i32", 1));
  const scaled = ops.apply("mul", x, powerOfTwo(ops, half));
  return ops.apply("mul", scaled, powerOfTwo(ops, ops.apply("sub", k, half)));
}

/** Clamps; a NaN stays. */
export function clamp<E>(ops: ScalarOps<E>, x: E, low: number, high: number): E {
  return ops.apply("raw_max", ops.apply("raw_min", x, ops.constant("f32", high)), ops.constant("f32", low));
}

/** The 12 leading bits of the significand, so that products of two such numbers are exact. */
export function leadingBits<E>(ops: ScalarOps<E>, x: E): E {
  return ops.apply("bitcast_f32", ops.apply("bit_and", ops.apply("bitcast_i32", x), ops.constant("i32", -4096)));
}

/** The magnitude of one number with the sign bit of another. */
export function withSignOf<E>(ops: ScalarOps<E>, magnitude: E, sign: E): E {
  const bits = ops.apply("bit_and", ops.apply("bitcast_i32", sign), ops.constant("i32", -0x80000000));
  return ops.apply("bitcast_f32", ops.apply("bit_or", ops.apply("bitcast_i32", magnitude), bits));
}

/** ln 2 in two parts; the first has 10 bits, so that its product with an exponent is exact. */
export const LN2_HIGH = 0.693359375;
export const LN2_LOW = -2.1219444005469057e-4;

/** `x = n ln 2 + r`, n whole, |r| <= ln 2 / 2; `biased` is an i32 of which the 9 lowest bits are n + bias. */
export interface Reduced<E> {
  readonly r: E;
  readonly biased: E;
}
export type Reduction = <E>(ops: ScalarOps<E>, x: E, bias: number) => Reduced<E>;

/** For compilers that may regroup sums. */
export const reduceByRounding: Reduction = (ops, x, bias) => {
  const n = ops.apply("round", ops.apply("mul", x, ops.constant("f32", Math.LOG2E)));
  const biased = ops.apply("add", ops.apply("to_i32", n), ops.constant("i32", bias));
  return { r: withoutLn2(ops, x, n), biased };
};

/** ln 2 as one float32 is too large by 1.9e-9, which n magnifies; with fused multiply-add the product is not rounded. */
export const reduceFused: Reduction = (ops, x, bias) => {
  const { n, biased } = roundedByAddition(ops, x, bias);
  return { r: ops.apply("sub", x, ops.apply("mul", n, ops.constant("f32", Math.LN2))), biased };
};

/** 1.5 * 2^23: added to a number below 2^22 it leaves no fraction, and its own 9 lowest bits are 0. */
const ROUNDER = 12582912;

/** Rounded by an addition, whose result has n in its low bits: no conversion to an integer, which is slow in WebAssembly. */
function roundedByAddition<E>(ops: ScalarOps<E>, x: E, bias: number): { readonly n: E; readonly biased: E } {
  const rounder = ops.constant("f32", ROUNDER + bias);
  const sum = ops.apply("multiply_add", x, ops.constant("f32", Math.LOG2E), rounder);
  return { n: ops.apply("sub", sum, rounder), biased: ops.apply("bitcast_i32", sum) };
}
export const reduceByAddition: Reduction = (ops, x, bias) => {
  const { n, biased } = roundedByAddition(ops, x, bias);
  return { r: withoutLn2(ops, x, n), biased };
};

function withoutLn2<E>(ops: ScalarOps<E>, x: E, n: E): E {
  const high = ops.apply("sub", x, ops.apply("mul", n, ops.constant("f32", LN2_HIGH)));
  return ops.apply("sub", high, ops.apply("mul", n, ops.constant("f32", LN2_LOW)));
}

type Five = readonly [number, number, number, number, number];

/** `exp(r) - 1` for |r| <= ln 2 / 2: `r + r^2 P(r)`, P in two halves that do not wait for each other. */
export function expm1Reduced<E>(ops: ScalarOps<E>, r: E, [a, b, c, d, e]: Five): E {
  const constant = (value: number): E => ops.constant("f32", value);
  const square = ops.apply("mul", r, r);
  const low = ops.apply("multiply_add", constant(c), r, constant(b));
  const high = ops.apply("multiply_add", constant(e), r, constant(d));
  const inner = ops.apply("multiply_add", high, square, low);
  return ops.apply("multiply_add", square, ops.apply("multiply_add", inner, r, constant(a)), r);
}
/** Relative to exp(r): 2^-28.3. */
export const EXP: Five = [
  0.49999994039535522, 0.16666519641876221, 0.041668396443128586, 0.008368786424398422, 0.0013814402045682073,
];
/** Relative to r: 2^-26.2. */
export const EXPM1: Five = [0.5, 0.16666541993618011, 0.04166628047823906, 0.008366645313799381, 0.0013946534600108862];

/** A positive finite x as `2^exponent * m`, m in [sqrt(1/2), sqrt(2)). `exponent` is f32. */
export function decompose<E>(ops: ScalarOps<E>, x: E): { exponent: E; m: E } {
  const i32 = (value: number) => ops.constant("i32", value);
  const subnormal = ops.apply("lt", x, ops.constant("f32", 2 ** -126));
  const normal = ops.apply("select", subnormal, ops.apply("mul", x, ops.constant("f32", 2 ** 23)), x);
  const rootHalf = 0x3f3504f3;
  const shifted = ops.apply("add", ops.apply("bitcast_i32", normal), i32(0x3f800000 - rootHalf));
  const bias = ops.apply("select", subnormal, i32(127 + 23), i32(127));
  const exponent = ops.apply("to_f32", ops.apply("sub", ops.apply("shift_right", shifted, i32(23)), bias));
  const fraction = ops.apply("add", ops.apply("bit_and", shifted, i32(0x7fffff)), i32(rootHalf));
  return { exponent, m: ops.apply("bitcast_f32", fraction) };
}

/** `log((1 + s) / (1 - s)) = 2 s + s z R(z)` with z = s^2, |s| <= 0.1716. Error of s z R(z) relative to 2 s: 2^-37.6. */
export const LOG = [0.66666662693023682, 0.40000337362289429, 0.28537163138389587, 0.23585052788257599];
