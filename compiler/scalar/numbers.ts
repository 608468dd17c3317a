/** Rows evaluated on plain numbers: as float64 by their meaning, or as a target does by instructions and expansions. */
import { invariant } from "../invariant.ts";
import type { ScalarType } from "../types/dtype.ts";
import type { ScalarOps } from "./ops.ts";
import { rowOf, signatureOf } from "./table.ts";

export interface TypedNumber {
  readonly type: ScalarType;
  readonly value: number;
}

/** The float64 meaning of a row. */
export function evaluate(name: string, types: readonly ScalarType[], values: readonly number[]): number {
  const operand = types.at(-1);
  const meaning = operand && rowOf(name).js[operand];
  invariant(meaning, `${name} is not defined for (${types.join(", ")})`);
  return meaning(...values);
}

function apply(name: string, args: readonly TypedNumber[], run: (operand: ScalarType, result: ScalarType) => number) {
  const types = args.map((arg) => arg.type);
  const signature = signatureOf(name, types);
  const operand = types.at(-1);
  invariant(signature && operand, `${name} is not defined for (${types.join(", ")})`);
  return { type: signature.result, value: run(operand, signature.result) };
}

export const float64: ScalarOps<TypedNumber> = {
  constant: (type, value) => ({ type, value }),
  apply: (name, ...args) =>
    apply(name, args, () =>
      evaluate(
        name,
        args.map((arg) => arg.type),
        args.map((arg) => arg.value),
      ),
    ),
};

/** What WebAssembly computes: every native instruction rounds once to float32, everything else is expanded. */
export function float32(form: "scalar" | "lanes"): ScalarOps<TypedNumber> {
  const ops: ScalarOps<TypedNumber> = {
    constant: (type, value) => ({ type, value: type === "f32" ? Math.fround(value) : value }),
    apply: (name, ...args) => {
      const operand = args.at(-1)?.type;
      const rule = operand && rowOf(name).wasm[operand];
      const meaning = rule && (rule[form] ?? rule.scalar);
      if (typeof meaning === "function") return meaning(ops, ...args);
      const exact = float64.apply(name, ...args);
      return exact.type === "f32" ? { type: "f32", value: Math.fround(exact.value) } : exact;
    },
  };
  return ops;
}
