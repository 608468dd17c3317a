/** Sums, products, extrema and roundings. */
import type { Expansion, ScalarRow } from "./row.ts";
import { call, each, exact, expand, float, infix, instruction, over, row, units } from "./row.ts";

const numbers = ["f32", "i32", "u32"] as const;
const signed = ["f32", "i32"] as const;
const steps = { none: "piecewise constant" };
const exactly = { wasm: exact, wgsl: exact };
/** WebAssembly rounds correctly; WGSL promises one unit and may flush subnormal numbers. */
const rounded = { wasm: units(0.5), wgsl: units(1, 2 ** -126) };

/** `a < b ? b : a` and its mirror: a NaN in `a` stays, one in `b` is put in last. */
const maximum: Expansion = (ops, a, b) =>
  ops.apply("select", ops.apply("ne", b!, b!), b!, ops.apply("raw_max", a!, b!));
const minimum: Expansion = (ops, a, b) =>
  ops.apply("select", ops.apply("ne", b!, b!), b!, ops.apply("raw_min", a!, b!));

/** Rounds down, and gives 0 for a divisor of 0; `-2^31 / -1` wraps. Never traps. */
const divideDown: Expansion = (ops, a, b) => {
  const zero = ops.constant("i32", 0);
  const isZero = ops.apply("eq", b!, zero);
  const isMinusOne = ops.apply("eq", b!, ops.constant("i32", -1));
  const divisor = ops.apply("select", ops.apply("or", isZero, isMinusOne), ops.constant("i32", 1), b!);
  const quotient = ops.apply("raw_div", a!, divisor);
  const rest = ops.apply("sub", a!, ops.apply("mul", quotient, divisor));
  const signsDiffer = ops.apply("lt", ops.apply("bit_xor", rest, divisor), zero);
  const tooLarge = ops.apply("and", ops.apply("ne", rest, zero), signsDiffer);
  const down = ops.apply("sub", quotient, ops.apply("select", tooLarge, ops.constant("i32", 1), zero));
  return ops.apply("select", isMinusOne, ops.apply("neg", a!), ops.apply("select", isZero, zero, down));
};
const divideUnsigned: Expansion = (ops, a, b) => {
  const zero = ops.constant("u32", 0);
  const isZero = ops.apply("eq", b!, zero);
  return ops.apply(
    "select",
    isZero,
    zero,
    ops.apply("raw_div", a!, ops.apply("select", isZero, ops.constant("u32", 1), b!)),
  );
};
const remainder: Expansion = (ops, a, b) => ops.apply("sub", a!, ops.apply("mul", b!, ops.apply("div", a!, b!)));

const divI32 = (a: number, b: number) => (b === 0 ? 0 : Math.floor(a / b) | 0);
const divU32 = (a: number, b: number) => (b === 0 ? 0 : Math.floor(a / b));

function half(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest < 0.5) return down;
  if (rest > 0.5) return down + 1;
  return down % 2 === 0 ? down : down + 1;
}

function rounding(name: string, doc: string, js: (x: number) => number, wasm: string, wgsl: string): ScalarRow {
  return row({
    name,
    doc,
    signatures: over(["f32"], 1),
    derivative: steps,
    js: { f32: js },
    wasm: { f32: instruction("f32", wasm) },
    wgsl: { f32: wgsl },
    notation: call,
    tolerance: exactly,
    domain: [[-9, 9]],
    smooth: (x) => Math.abs(x * 2 - Math.round(x * 2)) > 0.04,
    cost: 1,
  });
}

export const arithmeticRows: readonly ScalarRow[] = [
  row({
    name: "add",
    doc: "Sum. Integers wrap around.",
    signatures: over(numbers, 2),
    derivative: (ops) => [ops.constant("f32", 1), ops.constant("f32", 1)],
    js: { f32: (a, b) => a + b, i32: (a, b) => (a + b) | 0, u32: (a, b) => (a + b) >>> 0 },
    wasm: { f32: instruction("f32", "add"), i32: instruction("i32", "add"), u32: instruction("i32", "add") },
    wgsl: each(numbers, () => "($0 + $1)"),
    notation: infix("+", 5),
    tolerance: rounded,
    domain: [float, float],
    commutative: true,
    leftIdentity: 0,
    rightIdentity: 0,
    cost: 1,
  }),
  row({
    name: "sub",
    doc: "Difference. Integers wrap around.",
    signatures: over(numbers, 2),
    derivative: (ops) => [ops.constant("f32", 1), ops.constant("f32", -1)],
    js: { f32: (a, b) => a - b, i32: (a, b) => (a - b) | 0, u32: (a, b) => (a - b) >>> 0 },
    wasm: { f32: instruction("f32", "sub"), i32: instruction("i32", "sub"), u32: instruction("i32", "sub") },
    wgsl: each(numbers, () => "($0 - $1)"),
    notation: infix("-", 5),
    tolerance: rounded,
    domain: [float, float],
    rightIdentity: 0,
    cost: 1,
  }),
  row({
    name: "mul",
    doc: "Product. Integers wrap around.",
    signatures: over(numbers, 2),
    derivative: (_ops, [a, b]) => [b!, a!],
    js: { f32: (a, b) => a * b, i32: (a, b) => Math.imul(a, b), u32: (a, b) => Math.imul(a, b) >>> 0 },
    wasm: { f32: instruction("f32", "mul"), i32: instruction("i32", "mul"), u32: instruction("i32", "mul") },
    wgsl: each(numbers, () => "($0 * $1)"),
    notation: infix("*", 6),
    tolerance: rounded,
    domain: [float, float],
    commutative: true,
    leftIdentity: 1,
    rightIdentity: 1,
    cost: 1,
  }),
  row({
    name: "div",
    doc: "Quotient. Between integers it rounds down, `a / 0` is 0, and `-2^31 / -1` wraps around to -2^31.",
    signatures: over(numbers, 2),
    derivative: (ops, [, b], result) => [
      ops.apply("div", ops.constant("f32", 1), b!),
      ops.apply("neg", ops.apply("div", result, b!)),
    ],
    js: { f32: (a, b) => a / b, i32: divI32, u32: divU32 },
    wasm: {
      f32: instruction("f32", "div"),
      i32: { scalar: divideDown, lanes: undefined },
      u32: { scalar: divideUnsigned, lanes: undefined },
    },
    wgsl: { f32: "($0 / $1)", i32: divideDown, u32: divideUnsigned },
    notation: infix("/", 6),
    tolerance: { wasm: units(0.5), wgsl: units(3, 2 ** -126) },
    domain: [float, [0.25, 4]],
    rightIdentity: 1,
    cost: 4,
  }),
  row({
    name: "rem",
    doc: "Remainder of the division that rounds down: `a - b * (a / b)`, so it has the divisor's sign, and `a % 0` is a.",
    signatures: over(["i32", "u32"], 2),
    derivative: { none: "not over floats" },
    js: {
      i32: (a, b) => (a - Math.imul(b, divI32(a, b))) | 0,
      u32: (a, b) => (a - Math.imul(b, divU32(a, b))) >>> 0,
    },
    wasm: { i32: { scalar: remainder, lanes: undefined }, u32: { scalar: remainder, lanes: undefined } },
    wgsl: { i32: remainder, u32: remainder },
    notation: infix("%", 6),
    tolerance: exactly,
    domain: [],
    cost: 6,
  }),
  row({
    name: "raw_div",
    doc: "Integer quotient towards zero, for divisors that are neither 0 nor -1.",
    signatures: over(["i32", "u32"], 2),
    derivative: { none: "not over floats" },
    js: { i32: (a, b) => Math.trunc(a / b) | 0, u32: (a, b) => Math.floor(a / b) >>> 0 },
    wasm: { i32: { scalar: "i32.div_s", lanes: undefined }, u32: { scalar: "i32.div_u", lanes: undefined } },
    wgsl: { i32: "($0 / $1)", u32: "($0 / $1)" },
    notation: call,
    tolerance: exactly,
    domain: [],
    internal: true,
    cost: 4,
  }),
  row({
    name: "multiply_add",
    doc: "`a * b + c`, rounded once or twice as the target likes.",
    signatures: over(["f32"], 3),
    derivative: (ops, [a, b]) => [b!, a!, ops.constant("f32", 1)],
    js: { f32: (a, b, c) => a * b + c },
    wasm: {
      f32: {
        ...expand((ops, a, b, c) => ops.apply("add", ops.apply("mul", a!, b!), c!)),
        relaxed: "f32x4.relaxed_madd",
      },
    },
    wgsl: { f32: "fma($0, $1, $2)" },
    notation: call,
    tolerance: { wasm: units(1, 2 ** -19), wgsl: units(2, 2 ** -19) },
    domain: [float, float, float],
    internal: true,
    cost: 2,
  }),
  row({
    name: "neg",
    doc: "The negative.",
    signatures: over(signed, 1),
    derivative: (ops) => [ops.constant("f32", -1)],
    js: { f32: (x) => -x, i32: (x) => -x | 0 },
    wasm: {
      f32: instruction("f32", "neg"),
      i32: { scalar: (ops, x) => ops.apply("sub", ops.constant("i32", 0), x!), lanes: "i32x4.neg" },
    },
    wgsl: each(signed, () => "(-$0)"),
    notation: { kind: "prefix", symbol: "-", precedence: 7 },
    tolerance: exactly,
    domain: [float],
    cost: 1,
  }),
  row({
    name: "abs",
    doc: "Absolute value. Its derivative at 0 is 0.",
    signatures: over(signed, 1),
    derivative: (ops, [x]) => [ops.apply("sign", x!)],
    js: { f32: Math.abs, i32: (x) => Math.abs(x) | 0 },
    wasm: {
      f32: instruction("f32", "abs"),
      i32: {
        scalar: (ops, x) => ops.apply("select", ops.apply("lt", x!, ops.constant("i32", 0)), ops.apply("neg", x!), x!),
        lanes: "i32x4.abs",
      },
    },
    wgsl: each(signed, () => "abs($0)"),
    notation: call,
    tolerance: exactly,
    domain: [float],
    smooth: (x) => Math.abs(x) > 0.01,
    cost: 1,
  }),
  row({
    name: "sign",
    doc: "-1, 0 or 1. The sign of a NaN is a NaN.",
    signatures: over(signed, 1),
    derivative: steps,
    js: { f32: Math.sign, i32: Math.sign },
    wasm: each(signed, (type) =>
      expand((ops, x) => {
        const zero = ops.constant(type, 0);
        const below = ops.apply("select", ops.apply("lt", x!, zero), ops.constant(type, -1), x!);
        return ops.apply("select", ops.apply("gt", x!, zero), ops.constant(type, 1), below);
      }),
    ),
    wgsl: each(signed, () => "sign($0)"),
    notation: call,
    tolerance: exactly,
    domain: [float],
    smooth: (x) => Math.abs(x) > 0.01,
    cost: 2,
  }),
  row({
    name: "max",
    doc: "The greater. At a tie the gradient goes to the second argument, so the derivative of `max(x, 0)` at 0 is 0. On the reference and WebAssembly a NaN in either argument is the result; WGSL promises nothing about NaN.",
    signatures: over(numbers, 2),
    derivative: (ops, [a, b]) => {
      const first = ops.apply("gt", a!, b!);
      const one = ops.constant("f32", 1);
      const zero = ops.constant("f32", 0);
      return [ops.apply("select", first, one, zero), ops.apply("select", first, zero, one)];
    },
    js: each(numbers, () => Math.max),
    wasm: {
      f32: expand(maximum),
      i32: {
        scalar: (ops, a, b) => ops.apply("select", ops.apply("gt", a!, b!), a!, b!),
        lanes: "i32x4.max_s",
      },
      u32: {
        scalar: (ops, a, b) => ops.apply("select", ops.apply("gt", a!, b!), a!, b!),
        lanes: "i32x4.max_u",
      },
    },
    wgsl: each(numbers, () => "max($0, $1)"),
    notation: call,
    tolerance: exactly,
    domain: [float, float],
    smooth: (a, b) => Math.abs(a - b) > 0.01,
    commutative: true,
    cost: 1,
  }),
  row({
    name: "min",
    doc: "The lesser. At a tie the gradient goes to the second argument. NaN as in `max`.",
    signatures: over(numbers, 2),
    derivative: (ops, [a, b]) => {
      const first = ops.apply("lt", a!, b!);
      const one = ops.constant("f32", 1);
      const zero = ops.constant("f32", 0);
      return [ops.apply("select", first, one, zero), ops.apply("select", first, zero, one)];
    },
    js: each(numbers, () => Math.min),
    wasm: {
      f32: expand(minimum),
      i32: {
        scalar: (ops, a, b) => ops.apply("select", ops.apply("lt", a!, b!), a!, b!),
        lanes: "i32x4.min_s",
      },
      u32: {
        scalar: (ops, a, b) => ops.apply("select", ops.apply("lt", a!, b!), a!, b!),
        lanes: "i32x4.min_u",
      },
    },
    wgsl: each(numbers, () => "min($0, $1)"),
    notation: call,
    tolerance: exactly,
    domain: [float, float],
    smooth: (a, b) => Math.abs(a - b) > 0.01,
    commutative: true,
    cost: 1,
  }),
  row({
    name: "raw_max",
    doc: "`a < b ? b : a`: one instruction. A NaN in the first argument is the result, one in the second is lost.",
    signatures: over(["f32"], 2),
    derivative: (ops, [a, b]) => {
      const second = ops.apply("lt", a!, b!);
      const one = ops.constant("f32", 1);
      const zero = ops.constant("f32", 0);
      return [ops.apply("select", second, zero, one), ops.apply("select", second, one, zero)];
    },
    js: { f32: (a, b) => (Number.isNaN(b) ? a : Math.max(a, b)) },
    wasm: {
      f32: {
        scalar: (ops, a, b) => ops.apply("select", ops.apply("lt", a!, b!), b!, a!),
        lanes: "f32x4.pmax",
      },
    },
    wgsl: { f32: "max($0, $1)" },
    notation: call,
    tolerance: exactly,
    domain: [float, float],
    smooth: (a, b) => Math.abs(a - b) > 0.01,
    internal: true,
    cost: 1,
  }),
  row({
    name: "raw_min",
    doc: "`b < a ? b : a`: one instruction. A NaN in the first argument is the result, one in the second is lost.",
    signatures: over(["f32"], 2),
    derivative: (ops, [a, b]) => {
      const second = ops.apply("lt", b!, a!);
      const one = ops.constant("f32", 1);
      const zero = ops.constant("f32", 0);
      return [ops.apply("select", second, zero, one), ops.apply("select", second, one, zero)];
    },
    js: { f32: (a, b) => (Number.isNaN(b) ? a : Math.min(a, b)) },
    wasm: {
      f32: {
        scalar: (ops, a, b) => ops.apply("select", ops.apply("lt", b!, a!), b!, a!),
        lanes: "f32x4.pmin",
      },
    },
    wgsl: { f32: "min($0, $1)" },
    notation: call,
    tolerance: exactly,
    domain: [float, float],
    smooth: (a, b) => Math.abs(a - b) > 0.01,
    internal: true,
    cost: 1,
  }),
  rounding("floor", "The greatest whole number that is not greater.", Math.floor, "floor", "floor($0)"),
  rounding("ceil", "The least whole number that is not less.", Math.ceil, "ceil", "ceil($0)"),
  rounding("trunc", "The whole part: rounds towards zero.", Math.trunc, "trunc", "trunc($0)"),
  rounding("round", "The nearest whole number; halves go to the even one.", half, "nearest", "round($0)"),
];
