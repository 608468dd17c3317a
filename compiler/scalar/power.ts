/** Roots and powers. */
import {
  clamp,
  decompose,
  EXP,
  expm1Reduced,
  LN2_HIGH,
  LN2_LOW,
  LOG,
  leadingBits,
  polynomial,
  scaleByPower,
} from "./expansion.ts";
import type { ScalarOps } from "./ops.ts";
import type { Expansion, ScalarRow } from "./row.ts";
import { call, expand, instruction, over, row, units } from "./row.ts";

/** log(x) as an unevaluated sum with about 32 correct bits, the first part of 12 bits. */
function logInTwoParts<E>(ops: ScalarOps<E>, x: E): { high: E; low: E } {
  const constant = (value: number) => ops.constant("f32", value);
  const two = constant(2);
  const { exponent, m } = decompose(ops, x);
  const f = ops.apply("sub", m, constant(1));
  const denominator = ops.apply("add", m, constant(1));
  const s = ops.apply("div", f, denominator);
  const sHigh = leadingBits(ops, s);
  const dHigh = leadingBits(ops, denominator);
  const dLow = ops.apply("sub", m, ops.apply("sub", dHigh, constant(1)));
  const partial = ops.apply("sub", f, ops.apply("mul", sHigh, dHigh));
  const sLow = ops.apply("div", ops.apply("sub", partial, ops.apply("mul", sHigh, dLow)), denominator);
  const z = ops.apply("mul", s, s);
  const series = ops.apply("mul", s, ops.apply("mul", z, polynomial(ops, z, LOG)));
  // ln 2 = 0.693145751953125 (16 bits, times an exponent of 8 bits exact) + 1.4286068203094173e-6
  const a = ops.apply("mul", exponent, constant(0.693145751953125));
  const b = ops.apply("mul", two, sHigh);
  const sum = ops.apply("add", a, b);
  const part = ops.apply("sub", sum, a);
  const lost = ops.apply("add", ops.apply("sub", a, ops.apply("sub", sum, part)), ops.apply("sub", b, part));
  const small = ops.apply("add", ops.apply("mul", exponent, constant(1.4286068203094173e-6)), series);
  const low = ops.apply("add", lost, ops.apply("add", ops.apply("mul", two, sLow), small));
  const high = leadingBits(ops, ops.apply("add", sum, low));
  return { high, low: ops.apply("add", ops.apply("sub", sum, high), low) };
}

/** exp(b log a), log in two parts. Beyond 2^32 any exponent overflows or underflows unless a is 1. */
const rawPower: Expansion = (ops, a, b) => {
  const constant = (value: number) => ops.constant("f32", value);
  const log = logInTwoParts(ops, a!);
  const y = clamp(ops, b!, -(2 ** 32), 2 ** 32);
  const yHigh = leadingBits(ops, y);
  const yLow = ops.apply("sub", y, yHigh);
  const high = ops.apply("mul", yHigh, log.high);
  const low = ops.apply("add", ops.apply("mul", y, log.low), ops.apply("mul", yLow, log.high));
  const exponent = ops.apply("add", high, low);
  const n = ops.apply("round", ops.apply("mul", clamp(ops, exponent, -104, 89), constant(Math.LOG2E)));
  const first = ops.apply("sub", high, ops.apply("mul", n, constant(LN2_HIGH)));
  const r = ops.apply("add", ops.apply("sub", first, ops.apply("mul", n, constant(LN2_LOW))), low);
  const power = ops.apply("add", expm1Reduced(ops, clamp(ops, r, -0.4, 0.4), EXP), constant(1));
  const value = scaleByPower(ops, power, ops.apply("to_i32", n));
  const floored = ops.apply("select", ops.apply("lt", exponent, constant(-104)), constant(0), value);
  return ops.apply("select", ops.apply("gt", exponent, constant(89)), constant(Infinity), floored);
};

const power: Expansion = (ops, a, b) => {
  const zero = ops.constant("f32", 0);
  const infinity = ops.constant("f32", Infinity);
  const positive = ops.apply("gt", b!, zero);
  const size = ops.apply("abs", a!);
  const inner = ops.apply("raw_pow", size, b!);
  const atInfinity = ops.apply("select", positive, infinity, zero);
  const large = ops.apply("select", ops.apply("eq", size, infinity), atInfinity, inner);
  const atZero = ops.apply("select", positive, zero, infinity);
  const magnitude = ops.apply("select", ops.apply("eq", size, zero), atZero, large);
  const whole = ops.apply("eq", ops.apply("trunc", b!), b!);
  const half = ops.apply("mul", b!, ops.constant("f32", 0.5));
  const odd = ops.apply("and", whole, ops.apply("ne", ops.apply("trunc", half), half));
  const signBit = ops.apply("lt", ops.apply("bitcast_i32", a!), ops.constant("i32", 0));
  const flip = ops.apply("and", odd, signBit);
  const signed = ops.apply("select", flip, ops.apply("neg", magnitude), magnitude);
  const undefinedBase = ops.apply(
    "and",
    ops.apply("and", ops.apply("lt", a!, zero), ops.apply("ne", size, infinity)),
    ops.apply("not", whole),
  );
  const notNumbers = ops.apply("or", ops.apply("ne", a!, a!), ops.apply("ne", b!, b!));
  const invalid = ops.apply("or", undefinedBase, notNumbers);
  const result = ops.apply("select", invalid, ops.constant("f32", Number.NaN), signed);
  return ops.apply("select", ops.apply("eq", b!, zero), ops.constant("f32", 1), result);
};

/** JavaScript has a NaN for 1 to an infinite power where IEEE 754 has 1. */
function pow(a: number, b: number): number {
  return Math.abs(a) === 1 && Math.abs(b) === Infinity ? 1 : a ** b;
}

export const powerRows: readonly ScalarRow[] = [
  row({
    name: "sqrt",
    doc: "Square root. Its derivative at 0 is infinite.",
    signatures: over(["f32"], 1),
    derivative: (ops, _args, result) => [ops.apply("div", ops.constant("f32", 0.5), result)],
    js: { f32: Math.sqrt },
    wasm: { f32: instruction("f32", "sqrt") },
    wgsl: { f32: "sqrt($0)" },
    notation: call,
    tolerance: { wasm: units(0.5), wgsl: units(8, 2 ** -126) },
    domain: [[0.05, 10]],
    cost: 4,
  }),
  row({
    name: "pow",
    doc: "a to the power b, as IEEE 754's pow: a negative base takes whole exponents, anything to the power 0 is 1.",
    signatures: over(["f32"], 2),
    derivative: (ops, [a, b], result) => {
      const zero = ops.constant("f32", 0);
      const below = ops.apply("pow", a!, ops.apply("sub", b!, ops.constant("f32", 1)));
      return [
        // a^b is 1 everywhere for b = 0, where b * a^(b-1) would be 0 * infinity at a = 0.
        ops.apply("select", ops.apply("eq", b!, zero), zero, ops.apply("mul", b!, below)),
        ops.apply("select", ops.apply("eq", a!, zero), zero, ops.apply("mul", result, ops.apply("log", a!))),
      ];
    },
    js: { f32: pow },
    wasm: { f32: expand(power) },
    wgsl: { f32: power },
    notation: { kind: "infix", symbol: "^", precedence: 8, right: true },
    rightIdentity: 1,
    // WGSL computes exp2(b * log2(a)) with a loose log2.
    tolerance: { wasm: units(2, 2 ** -149), wgsl: units(64, 2 ** -126) },
    domain: [
      [0.2, 4],
      [-3, 3],
    ],
    cost: 80,
  }),
  row({
    name: "raw_pow",
    doc: "a to the power b for finite a > 0.",
    signatures: over(["f32"], 2),
    derivative: (ops, [a, b], result) => [
      ops.apply("mul", b!, ops.apply("div", result, a!)),
      ops.apply("mul", result, ops.apply("log", a!)),
    ],
    js: { f32: pow },
    wasm: { f32: expand(rawPower) },
    wgsl: { f32: "pow($0, $1)" },
    notation: call,
    tolerance: { wasm: units(2, 2 ** -149), wgsl: units(64, 2 ** -126) },
    domain: [
      [0.2, 4],
      [-3, 3],
    ],
    internal: true,
    cost: 60,
  }),
];
