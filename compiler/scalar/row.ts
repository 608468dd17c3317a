/**
 * What one row of the scalar table says. A row holds every meaning of one scalar function: derivative, float64 meaning,
 * WebAssembly, WGSL, text, tolerance. Adding a function is adding a row; a row that lacks a meaning does not compile.
 */
import type { ScalarType } from "../types/dtype.ts";
import type { ScalarOps } from "./ops.ts";

export interface Signature {
  readonly arguments: readonly ScalarType[];
  readonly result: ScalarType;
}

/** Written once, means the same over graph bodies, kernel expressions and plain numbers. */
export type Expansion = <E>(ops: ScalarOps<E>, ...args: E[]) => E;

/**
 * The partial derivative in every argument, given arguments and result; `undefined` for an argument that has none (a mask).
 * A partial that is 0 by cases is written as a `select` with a constant 0 arm, which the chain rule keeps outermost.
 */
export type Derivative = <E>(ops: ScalarOps<E>, args: readonly E[], result: E) => readonly (E | undefined)[];
/** Why there is none: the function is piecewise constant, or not over floats. Its gradient is 0 wherever it exists. */
export interface NoDerivative {
  readonly none: string;
}

/** A native instruction by its textual name, or a function over other rows. */
export type WasmForm = string | Expansion;
export interface WasmRule {
  readonly scalar: WasmForm;
  /** Four lanes; undefined: no such instruction, lane by lane. */
  readonly lanes: WasmForm | undefined;
  /** Four lanes of relaxed SIMD, where fused multiply-add makes another form better. */
  readonly relaxed?: WasmForm;
  /** How the arguments stand on the stack, if not in order: `select` takes its condition last. */
  readonly order?: readonly number[];
  /** Arguments that the lane instruction takes as one scalar (shift counts): all lanes must hold the same value. */
  readonly uniform?: readonly number[];
}

/**
 * A template or a function over other rows. In templates `$0`, `$1`, .. are the arguments (printed so that they bind
 * tightly), `$T` the result type at the lanes in use (`f32`, `vec4<f32>`), `$U` the unsigned type (`u32`, `vec4<u32>`).
 */
export type WgslRule = string | Expansion;

/** How the row is written in graphs and kernels. Higher precedence binds tighter. */
export type Notation =
  | { readonly kind: "call" }
  | { readonly kind: "infix"; readonly symbol: string; readonly precedence: number; readonly right?: true }
  | { readonly kind: "prefix"; readonly symbol: string; readonly precedence: number };

/** `|got - want| <= absolute + relative * |want|`. */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

/**
 * K are the operand types, each the type of the *last* argument, which tells overloads apart: `select(bool, T, T)` is
 * overloaded in T, conversions in what they convert from.
 */
export interface RowDefinition<K extends ScalarType> {
  readonly name: string;
  /** One line for the reference manual. */
  readonly doc: string;
  readonly signatures: Readonly<Record<K, Signature>>;
  readonly derivative: Derivative | NoDerivative;
  /** Float64 meaning for f32; exact wrap-around for i32 and u32; bool is 0 or 1. */
  readonly js: Readonly<Record<K, (...args: number[]) => number>>;
  readonly wasm: Readonly<Record<K, WasmRule>>;
  readonly wgsl: Readonly<Record<K, WgslRule>>;
  readonly notation: Notation;
  /** Of the f32 overload against float64, beside half a unit in the last place of the arguments' own rounding. */
  readonly tolerance: { readonly wasm: Tolerance; readonly wgsl: Tolerance };
  /** For each f32 argument in turn, the interval that tests sample. */
  readonly domain: readonly (readonly [low: number, high: number])[];
  /** False near points of the domain where no two-sided derivative exists. */
  readonly smooth?: (...args: number[]) => boolean;
  /** The derivative is that of the identity although the value is rounded. */
  readonly straightThrough?: true;
  /** Building block of expansions: not offered to programs. */
  readonly internal?: true;
  readonly commutative?: true;
  /** `apply(x, right) = x`. */
  readonly rightIdentity?: number;
  /** `apply(left, x) = x`. */
  readonly leftIdentity?: number;
  /** Rough floating-point operations an element. */
  readonly cost: number;
}

/** A row with its overloads behind one type. */
export interface ScalarRow extends Omit<RowDefinition<ScalarType>, "signatures" | "js" | "wasm" | "wgsl"> {
  readonly signatures: Readonly<Partial<Record<ScalarType, Signature>>>;
  readonly js: Readonly<Partial<Record<ScalarType, (...args: number[]) => number>>>;
  readonly wasm: Readonly<Partial<Record<ScalarType, WasmRule>>>;
  readonly wgsl: Readonly<Partial<Record<ScalarType, WgslRule>>>;
}

/** Checks that every overload has every meaning. */
export function row<K extends ScalarType>(definition: RowDefinition<K>): ScalarRow {
  return definition;
}

// ---- Shorthands for writing rows ------------------------------------------------------------------------------------------

export const call: Notation = { kind: "call" };
export function infix(symbol: string, precedence: number): Notation {
  return { kind: "infix", symbol, precedence };
}

/** `(T, .., T) -> result`, the same for every operand type; the result is the operand type unless given. */
export function over<K extends ScalarType>(
  types: readonly K[],
  arity: number,
  result?: ScalarType,
): Readonly<Record<K, Signature>> {
  const record: Partial<Record<K, Signature>> = {};
  for (const type of types)
    record[type] = { arguments: Array.from({ length: arity }, () => type), result: result ?? type };
  return record as Record<K, Signature>;
}
/** The same rule for several operand types. */
export function each<K extends ScalarType, T>(types: readonly K[], make: (type: K) => T): Readonly<Record<K, T>> {
  const record: Partial<Record<K, T>> = {};
  for (const type of types) record[type] = make(type);
  return record as Record<K, T>;
}

/** `f32.add` and `f32x4.add`. */
export function instruction(type: "f32" | "i32", name: string, more: Partial<WasmRule> = {}): WasmRule {
  return { scalar: `${type}.${name}`, lanes: `${type}x4.${name}`, ...more };
}
/** The same expansion for one lane and for four. */
export function expand(expansion: Expansion): WasmRule {
  return { scalar: expansion, lanes: expansion };
}

export const exact: Tolerance = { relative: 0, absolute: 0 };
/** A number of float32 units in the last place, with an absolute floor. */
export function units(count: number, absolute = 0): Tolerance {
  return { relative: count * 2 ** -23, absolute };
}

export const float = [-4, 4] as const;
