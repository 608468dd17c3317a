/** Exponentials, logarithms and the error function. */
import {
  clamp,
  decompose,
  EXP,
  EXPM1,
  expm1Reduced,
  LOG,
  polynomial,
  polynomialByPairs,
  type Reduction,
  reduceByAddition,
  reduceByRounding,
  reduceFused,
  withSignOf,
} from "./expansion.ts";
import type { ScalarOps } from "./ops.ts";
import type { Expansion, ScalarRow } from "./row.ts";
import { call, expand, over, row, units } from "./row.ts";

/** `2^n e^r` in two steps, 2^floor(n/2) and 2^ceil(n/2), so that a subnormal result rounds once and n may be 128. */
const exp: Expansion = (ops, x) => {
  const i32 = (value: number) => ops.constant("i32", value);
  const { r, biased } = reduceByAddition(ops, clamp(ops, x!, -104, 89), 2 * 127);
  const value = ops.apply("add", expm1Reduced(ops, r, EXP), ops.constant("f32", 1));
  // (n + 254) / 2 rounded down, as an exponent; what is left of n + 254 is the other.
  const half = ops.apply("bit_and", ops.apply("shift_left", biased, i32(22)), i32(0x7f800000));
  const rest = ops.apply("sub", ops.apply("shift_left", biased, i32(23)), half);
  const scaled = ops.apply("mul", value, ops.apply("bitcast_f32", half));
  return ops.apply("mul", scaled, ops.apply("bitcast_f32", rest));
};

/** Without overflow one power is enough. What would be subnormal is 0: all lanes are computed, and those are masked. */
const expNotPositive =
  (reduce: Reduction, series: <E>(ops: ScalarOps<E>, r: E) => E): Expansion =>
  (ops, x) => {
    const { r, biased } = reduce(ops, x!, 127);
    const power = ops.apply("bitcast_f32", ops.apply("shift_left", biased, ops.constant("i32", 23)));
    const value = ops.apply("mul", series(ops, r), power);
    const vanishes = ops.apply("lt", x!, ops.constant("f32", LEAST_NORMAL));
    return ops.apply("select", vanishes, ops.constant("f32", 0), value);
  };
/** ln 2^-126, rounded up. */
const LEAST_NORMAL = -87.33654;

/** Few operations wait for each other. */
const byPairs = expNotPositive(reduceByAddition, (ops, r) =>
  ops.apply("add", expm1Reduced(ops, r, EXP), ops.constant("f32", 1)),
);
/**
 * Horner's rule as far as 1 has the fewest operations where multiplication and addition are one. Its error is 0.6 units in
 * the last place near 0, grows by 0.012 x, and is 2.5 units where the result is 2^-126.
 */
const fused = expNotPositive(reduceFused, (ops, r) => polynomial(ops, r, [1, 1, ...EXP]));

/** `2^n e^r - 1 = 2 (h p + (h - 1/2))` with h = 2^(n-1), p = e^r - 1: exact for n = 0, no overflow before the result's. */
const expm1 =
  (reduce: Reduction): Expansion =>
  (ops, x) => {
    const { r, biased } = reduce(ops, clamp(ops, x!, -18, 88.8), 126);
    const p = expm1Reduced(ops, r, EXPM1);
    const half = ops.apply("bitcast_f32", ops.apply("shift_left", biased, ops.constant("i32", 23)));
    const rest = ops.apply("sub", half, ops.constant("f32", 0.5));
    return ops.apply("mul", ops.constant("f32", 2), ops.apply("multiply_add", half, p, rest));
  };

/**
 * `log(u) + correction` for u > 0, the correction being tiny. With f = m - 1 and s = f / (2 + f), log(1 + f) is
 * `f - (f^2/2 - s (f^2/2 + z R(z)))`, whose leading term is exact (the form of Sun's libm).
 */
function logarithm<E>(ops: ScalarOps<E>, u: E, correction?: E): E {
  const constant = (value: number) => ops.constant("f32", value);
  const { exponent, m } = decompose(ops, u);
  const f = ops.apply("sub", m, constant(1));
  const s = ops.apply("div", f, ops.apply("add", constant(2), f));
  const z = ops.apply("mul", s, s);
  const half = ops.apply("mul", constant(0.5), ops.apply("mul", f, f));
  const series = ops.apply("mul", s, ops.apply("multiply_add", z, polynomial(ops, z, LOG), half));
  // ln 2 = 0.693138122558593750 (16 bits) + 9.058001351559417e-6
  const low = ops.apply("multiply_add", exponent, constant(9.058001351559417e-6), series);
  const inner = ops.apply("sub", correction === undefined ? low : ops.apply("add", low, correction), half);
  const value = ops.apply("add", ops.apply("add", inner, f), ops.apply("mul", exponent, constant(0.69313812255859375)));
  const bounded = ops.apply("select", ops.apply("lt", u, constant(Infinity)), value, constant(Infinity));
  const edge = ops.apply("select", ops.apply("eq", u, constant(0)), constant(-Infinity), constant(Number.NaN));
  return ops.apply("select", ops.apply("gt", u, constant(0)), bounded, edge);
}
const log: Expansion = (ops, x) => logarithm(ops, x!);

/** log(1 + x) as log(u) + c / u, where u = 1 + x rounded and c what the rounding lost (Knuth's TwoSum). */
const log1p: Expansion = (ops, x) => {
  const one = ops.constant("f32", 1);
  const u = ops.apply("add", one, x!);
  const part = ops.apply("sub", u, one);
  const lost = ops.apply("add", ops.apply("sub", one, ops.apply("sub", u, part)), ops.apply("sub", x!, part));
  return logarithm(ops, u, ops.apply("div", lost, u));
};

/** Relative to erf: 2^-29.6 for |x| < 1; `erf = x + x P(x^2)`. */
const ERF = [
  0.12837916612625122, -0.37612625956535339, 0.1128358542919159, -0.026853810995817184, 0.005188326817005873,
  -8.0101872971982e-4, 7.853841088945046e-5,
];
/** 2^-30.7 for 0.95 < x < 4; `erf = 1 - exp(-x Q(x))`. At 4 it is 1 in float32. */
const ERF_TAIL = [
  1.1286656856536865, 0.635081946849823, 0.10635074228048325, -0.023859430104494095, 0.0036881857085973024,
  -3.339799295645207e-4, 1.2341477486188523e-5,
];
const erfExpansion: Expansion = (ops, x) => {
  const one = ops.constant("f32", 1);
  const z = ops.apply("mul", x!, x!);
  const small = ops.apply("multiply_add", x!, polynomialByPairs(ops, z, ERF), x!);
  const size = ops.apply("raw_min", ops.apply("abs", x!), ops.constant("f32", 4));
  const tail = ops.apply(
    "exp_not_positive",
    ops.apply("neg", ops.apply("mul", size, polynomialByPairs(ops, size, ERF_TAIL))),
  );
  const large = withSignOf(ops, ops.apply("sub", one, tail), x!);
  return ops.apply("select", ops.apply("lt", size, one), small, large);
};

/** To float64 accuracy: the all-positive series below 3, a continued fraction of erfc (Lentz, from the far end) above. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (a > 6) return Math.sign(x);
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let n = 1; term > sum * 1e-18; n++) {
      term *= (2 * a * a) / (2 * n + 1);
      sum += term;
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * Math.exp(-a * a) * sum;
  }
  let fraction = a;
  for (let n = 60; n >= 1; n--) fraction = a + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / fraction);
}

export const exponentialRows: readonly ScalarRow[] = [
  row({
    name: "exp",
    doc: "e to the power x.",
    signatures: over(["f32"], 1),
    derivative: (_ops, _args, result) => [result],
    js: { f32: Math.exp },
    wasm: { f32: expand(exp) },
    wgsl: { f32: "exp($0)" },
    notation: call,
    // WGSL allows 3 + 2|x| units.
    tolerance: { wasm: units(1, 2 ** -149), wgsl: units(32, 2 ** -126) },
    domain: [[-10, 10]],
    cost: 14,
  }),
  row({
    name: "exp_not_positive",
    doc: "e to the power x for x that is not above 0; 0 where that is below 2^-126.",
    signatures: over(["f32"], 1),
    derivative: (_ops, _args, result) => [result],
    js: { f32: Math.exp },
    wasm: { f32: { ...expand(byPairs), relaxed: fused } },
    wgsl: { f32: "exp($0)" },
    notation: call,
    tolerance: { wasm: units(1, 2 ** -52), wgsl: units(32, 2 ** -126) },
    domain: [[-10, 0]],
    internal: true,
    cost: 13,
  }),
  row({
    name: "expm1",
    doc: "e^x - 1, accurate near 0.",
    signatures: over(["f32"], 1),
    derivative: (ops, _args, result) => [ops.apply("add", result, ops.constant("f32", 1))],
    js: { f32: Math.expm1 },
    wasm: { f32: expand(expm1(reduceByAddition)) },
    wgsl: { f32: expm1(reduceByRounding) },
    notation: call,
    tolerance: { wasm: units(2, 2 ** -148), wgsl: units(4, 2 ** -126) },
    domain: [[-10, 10]],
    cost: 16,
  }),
  row({
    name: "log",
    doc: "Natural logarithm; -infinity at 0, NaN below.",
    signatures: over(["f32"], 1),
    derivative: (ops, [x]) => [ops.apply("div", ops.constant("f32", 1), x!)],
    js: { f32: Math.log },
    wasm: { f32: expand(log) },
    wgsl: { f32: "log($0)" },
    notation: call,
    // WGSL allows an absolute error of 2^-21 between 0.5 and 2, 3 units elsewhere.
    tolerance: { wasm: units(1), wgsl: units(4, 2 ** -20) },
    domain: [[0.05, 20]],
    cost: 20,
  }),
  row({
    name: "log1p",
    doc: "Natural logarithm of 1 + x, accurate near 0.",
    signatures: over(["f32"], 1),
    derivative: (ops, [x]) => [ops.apply("div", ops.constant("f32", 1), ops.apply("add", x!, ops.constant("f32", 1)))],
    js: { f32: Math.log1p },
    wasm: { f32: expand(log1p) },
    wgsl: { f32: log1p },
    notation: call,
    // WGSL lets a compiler regroup sums, which cancels what TwoSum recovers.
    tolerance: { wasm: units(2), wgsl: units(8, 2 ** -23) },
    domain: [[-0.9, 20]],
    cost: 28,
  }),
  row({
    name: "erf",
    doc: "The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x.",
    signatures: over(["f32"], 1),
    derivative: (ops, [x]) => [
      ops.apply(
        "mul",
        ops.constant("f32", 2 / Math.sqrt(Math.PI)),
        ops.apply("exp", ops.apply("neg", ops.apply("mul", x!, x!))),
      ),
    ],
    js: { f32: erf },
    wasm: { f32: expand(erfExpansion) },
    wgsl: { f32: erfExpansion },
    notation: call,
    tolerance: { wasm: units(2), wgsl: units(16, 2 ** -126) },
    domain: [[-3, 3]],
    cost: 40,
  }),
];
