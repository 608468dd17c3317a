/** Circular functions. */
import { clamp, polynomial, withSignOf } from "./expansion.ts";
import type { ScalarOps } from "./ops.ts";
import type { Expansion, ScalarRow } from "./row.ts";
import { call, expand, float, over, row, units } from "./row.ts";

/** pi/2 in parts (Cody and Waite); the first three have 9 bits, so that n times each is exact for |n| < 2^15. */
const HALF_PI = [1.5703125, 4.8065185546875e-4, 3.1739473342895508e-6, 9.920935796805404e-10] as const;
/** Relative to r: 2^-37.6. */
const SIN = [-0.1666666716337204, 0.008333329111337662, -1.9839330343529582e-4, 2.71827320830198e-6];
/** 2^-43. */
const COS = [0.0416666679084301, -0.0013888883404433727, 2.4799515813356265e-5, -2.7209884478907043e-7];

/**
 * `x = n pi/2 + r`, |r| a little over pi/4 at most, since n is rounded from a rounded product: sine and cosine of r, and n as i32. Beyond |x| = 2^15 pi/2, where neighbouring float32 numbers lie
 * 0.004 apart, r loses its meaning and is clamped, so that results stay within [-1, 1]; an infinite x gives NaN.
 */
function quadrant<E>(ops: ScalarOps<E>, x: E): { sine: E; cosine: E; n: E } {
  const constant = (value: number) => ops.constant("f32", value);
  const n = ops.apply("round", ops.apply("mul", x, constant(2 / Math.PI)));
  const reduced = HALF_PI.reduce((rest, part) => ops.apply("sub", rest, ops.apply("mul", n, constant(part))), x);
  const r = clamp(ops, reduced, -0.79, 0.79);
  const z = ops.apply("mul", r, r);
  const sine = ops.apply("multiply_add", ops.apply("mul", r, z), polynomial(ops, z, SIN), r);
  const low = ops.apply("multiply_add", z, polynomial(ops, z, COS), constant(-0.5));
  return { sine, cosine: ops.apply("multiply_add", z, low, constant(1)), n: ops.apply("to_i32", n) };
}

function isOdd<E>(ops: ScalarOps<E>, n: E): E {
  return ops.apply("ne", ops.apply("bit_and", n, ops.constant("i32", 1)), ops.constant("i32", 0));
}

/** Quadrants 2 and 3 are negative. */
function signed<E>(ops: ScalarOps<E>, value: E, n: E): E {
  const bit = ops.apply("shift_left", ops.apply("bit_and", n, ops.constant("i32", 2)), ops.constant("i32", 30));
  return ops.apply("bitcast_f32", ops.apply("bit_xor", ops.apply("bitcast_i32", value), bit));
}

const sin: Expansion = (ops, x) => {
  const { sine, cosine, n } = quadrant(ops, x!);
  return signed(ops, ops.apply("select", isOdd(ops, n), cosine, sine), n);
};
const cos: Expansion = (ops, x) => {
  const { sine, cosine, n } = quadrant(ops, x!);
  const value = ops.apply("select", isOdd(ops, n), sine, cosine);
  return signed(ops, value, ops.apply("add", n, ops.constant("i32", 1)));
};
const tan: Expansion = (ops, x) => {
  const { sine, cosine, n } = quadrant(ops, x!);
  const odd = isOdd(ops, n);
  const numerator = ops.apply("select", odd, ops.apply("neg", cosine), sine);
  return ops.apply("div", numerator, ops.apply("select", odd, sine, cosine));
};

/** Relative to atan on [0, 1]: 2^-28.5; `atan t = t + t z P(z)`. */
const ATAN = [
  -0.33333298563957214, 0.19998547434806824, -0.1426422894001007, 0.10952120274305344, -0.0840325877070427,
  0.057954318821430206, -0.031174592673778534, 0.010912864468991756, -0.0017932336777448654,
];
const atan2: Expansion = (ops, y, x) => {
  const constant = (value: number) => ops.constant("f32", value);
  const width = ops.apply("abs", x!);
  const height = ops.apply("abs", y!);
  const large = ops.apply("max", width, height);
  const small = ops.apply("min", width, height);
  const ratio = ops.apply("div", small, large);
  const bounded = ops.apply("select", ops.apply("eq", small, constant(Infinity)), constant(1), ratio);
  const t = ops.apply("select", ops.apply("eq", large, constant(0)), constant(0), bounded);
  const z = ops.apply("mul", t, t);
  const octant = ops.apply("multiply_add", ops.apply("mul", t, z), polynomial(ops, z, ATAN), t);
  const steep = ops.apply("gt", height, width);
  const upper = ops.apply("select", steep, ops.apply("sub", constant(Math.PI / 2), octant), octant);
  const left = ops.apply("lt", ops.apply("bitcast_i32", x!), ops.constant("i32", 0));
  // The float32 pi is 8.7e-8 too large; the angle of the left half plane takes that back.
  const mirrored = ops.apply("sub", constant(Math.PI), ops.apply("add", upper, constant(8.742278e-8)));
  return withSignOf(ops, ops.apply("select", left, mirrored, upper), y!);
};

export const trigonometricRows: readonly ScalarRow[] = [
  row({
    name: "sin",
    doc: "Sine of an angle in radians; meaningful in float32 up to |x| = 50,000.",
    signatures: over(["f32"], 1),
    derivative: (ops, [x]) => [ops.apply("cos", x!)],
    js: { f32: Math.sin },
    wasm: { f32: expand(sin) },
    // WGSL's own is promised to 2^-11 within [-pi, pi] only.
    wgsl: { f32: sin },
    notation: call,
    tolerance: { wasm: units(1, 2 ** -25), wgsl: units(2, 2 ** -22) },
    domain: [[-7, 7]],
    cost: 28,
  }),
  row({
    name: "cos",
    doc: "Cosine of an angle in radians; meaningful in float32 up to |x| = 50,000.",
    signatures: over(["f32"], 1),
    derivative: (ops, [x]) => [ops.apply("neg", ops.apply("sin", x!))],
    js: { f32: Math.cos },
    wasm: { f32: expand(cos) },
    wgsl: { f32: cos },
    notation: call,
    tolerance: { wasm: units(1, 2 ** -25), wgsl: units(2, 2 ** -22) },
    domain: [[-7, 7]],
    cost: 28,
  }),
  row({
    name: "tan",
    doc: "Tangent of an angle in radians; meaningful in float32 up to |x| = 50,000.",
    signatures: over(["f32"], 1),
    derivative: (ops, _args, result) => [ops.apply("add", ops.constant("f32", 1), ops.apply("mul", result, result))],
    js: { f32: Math.tan },
    wasm: { f32: expand(tan) },
    wgsl: { f32: tan },
    notation: call,
    tolerance: { wasm: units(3, 2 ** -25), wgsl: units(6, 2 ** -20) },
    domain: [[-1.4, 1.4]],
    cost: 34,
  }),
  row({
    name: "atan2",
    doc: "The angle of the point (x, y), in (-pi, pi]: `atan2(y, x)`.",
    signatures: over(["f32"], 2),
    derivative: (ops, [y, x]) => {
      const square = ops.apply("add", ops.apply("mul", x!, x!), ops.apply("mul", y!, y!));
      return [ops.apply("div", x!, square), ops.apply("neg", ops.apply("div", y!, square))];
    },
    js: { f32: Math.atan2 },
    wasm: { f32: expand(atan2) },
    wgsl: { f32: atan2 },
    notation: call,
    tolerance: { wasm: units(3), wgsl: units(8, 2 ** -22) },
    domain: [float, float],
    smooth: (y, x) => Math.hypot(x, y) > 0.1 && (x > 0 || Math.abs(y) > 0.01),
    cost: 40,
  }),
];
