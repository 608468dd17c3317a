/** Comparison, logic, choice. */
import type { ScalarType } from "../types/dtype.ts";
import type { ScalarRow, WasmRule } from "./row.ts";
import { call, each, exact, float, infix, over, row } from "./row.ts";

const steps = { none: "a comparison is constant on both sides of its jump" };
const logic = { none: "a truth value has no derivative" };
const exactly = { wasm: exact, wgsl: exact };
const numbers = ["f32", "i32", "u32"] as const;
const all = ["f32", "i32", "u32", "bool"] as const;

function compare(
  name: string,
  symbol: string,
  doc: string,
  test: (a: number, b: number) => boolean,
  code: string,
): ScalarRow {
  return row({
    name,
    doc,
    signatures: over(numbers, 2, "bool"),
    derivative: steps,
    js: each(numbers, () => (a: number, b: number) => Number(test(a, b))),
    wasm: {
      f32: { scalar: `f32.${code}`, lanes: `f32x4.${code}` },
      i32: { scalar: `i32.${code}_s`, lanes: `i32x4.${code}_s` },
      u32: { scalar: `i32.${code}_u`, lanes: `i32x4.${code}_u` },
    },
    wgsl: each(numbers, () => `($0 ${symbol} $1)`),
    notation: infix(symbol, 4),
    tolerance: exactly,
    domain: [float, float],
    cost: 1,
  });
}

function equality(name: string, symbol: string, doc: string, test: (a: number, b: number) => boolean): ScalarRow {
  const rule = (type: ScalarType): WasmRule =>
    type === "f32"
      ? { scalar: `f32.${name}`, lanes: `f32x4.${name}` }
      : { scalar: `i32.${name}`, lanes: `i32x4.${name}` };
  return row({
    name,
    doc,
    signatures: over(all, 2, "bool"),
    derivative: steps,
    js: each(all, () => (a: number, b: number) => Number(test(a, b))),
    wasm: each(all, rule),
    wgsl: each(all, () => `($0 ${symbol} $1)`),
    notation: infix(symbol, 4),
    tolerance: exactly,
    domain: [float, float],
    commutative: true,
    cost: 1,
  });
}

export const comparisonRows: readonly ScalarRow[] = [
  equality("eq", "==", "Whether both are equal. A NaN equals nothing.", (a, b) => a === b),
  equality("ne", "!=", "Whether both differ. A NaN differs from everything, itself included.", (a, b) => a !== b),
  compare("lt", "<", "Whether the first is less than the second.", (a, b) => a < b, "lt"),
  compare("le", "<=", "Whether the first is at most the second.", (a, b) => a <= b, "le"),
  compare("gt", ">", "Whether the first is greater than the second.", (a, b) => a > b, "gt"),
  compare("ge", ">=", "Whether the first is at least the second.", (a, b) => a >= b, "ge"),
  row({
    name: "and",
    doc: "Whether both hold.",
    signatures: over(["bool"], 2),
    derivative: logic,
    js: { bool: (a, b) => Number(a !== 0 && b !== 0) },
    wasm: { bool: { scalar: "i32.and", lanes: "v128.and" } },
    wgsl: { bool: "($0 & $1)" },
    notation: infix("and", 2),
    tolerance: exactly,
    domain: [],
    commutative: true,
    leftIdentity: 1,
    rightIdentity: 1,
    cost: 1,
  }),
  row({
    name: "or",
    doc: "Whether at least one holds.",
    signatures: over(["bool"], 2),
    derivative: logic,
    js: { bool: (a, b) => Number(a !== 0 || b !== 0) },
    wasm: { bool: { scalar: "i32.or", lanes: "v128.or" } },
    wgsl: { bool: "($0 | $1)" },
    notation: infix("or", 1),
    tolerance: exactly,
    domain: [],
    commutative: true,
    leftIdentity: 0,
    rightIdentity: 0,
    cost: 1,
  }),
  row({
    name: "not",
    doc: "Whether it does not hold.",
    signatures: over(["bool"], 1),
    derivative: logic,
    js: { bool: (a) => Number(a === 0) },
    wasm: { bool: { scalar: "i32.eqz", lanes: "v128.not" } },
    wgsl: { bool: "(!$0)" },
    notation: { kind: "prefix", symbol: "not ", precedence: 3 },
    tolerance: exactly,
    domain: [],
    cost: 1,
  }),
  row({
    name: "select",
    doc: "`select(mask, a, b)` is a where the mask holds, else b. The arm not chosen cannot spoil value or gradient.",
    signatures: each(all, (type) => ({ arguments: ["bool", type, type], result: type })),
    derivative: (ops, [mask]) => [
      undefined,
      ops.apply("select", mask!, ops.constant("f32", 1), ops.constant("f32", 0)),
      ops.apply("select", mask!, ops.constant("f32", 0), ops.constant("f32", 1)),
    ],
    js: each(all, () => (mask: number, a: number, b: number) => (mask !== 0 ? a : b)),
    wasm: each(all, () => ({ scalar: "select", lanes: "v128.bitselect", order: [1, 2, 0] })),
    wgsl: each(all, () => "select($2, $1, $0)"),
    notation: call,
    tolerance: exactly,
    domain: [float, float],
    cost: 1,
  }),
];
