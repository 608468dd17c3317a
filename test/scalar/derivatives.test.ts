/** Every row's derivative against central differences of its float64 meaning. */
import { describe, expect, it } from "vitest";
import { float64 } from "../../compiler/scalar/numbers.ts";
import type { Derivative, ScalarRow } from "../../compiler/scalar/row.ts";
import { scalarRows } from "../../compiler/scalar/table.ts";
import { generator } from "./sampling.ts";

const count = process.env.DLX_DEEP ? 20_000 : 300;

/** The largest error of `derivative` over the row's domain, relative to the slope, or to 1 if that is less. */
function worst(row: ScalarRow, derivative: Derivative): { error: number; at: readonly number[]; argument: number } {
  const random = generator(row.name);
  const types = row.signatures.f32!.arguments;
  let found = { error: 0, at: [] as readonly number[], argument: -1 };
  for (let k = 0; k < count; k++) {
    let interval = 0;
    const at = types.map((type) => {
      if (type !== "f32") return Math.round(random());
      const [low, high] = row.domain[interval++]!;
      return low + (high - low) * random();
    });
    if (row.smooth && !row.smooth(...at)) continue;
    const value = (shift: number, place: number): number =>
      float64.apply(row.name, ...types.map((type, j) => ({ type, value: at[j]! + (j === place ? shift : 0) }))).value;
    const operands = types.map((type, j) => ({ type, value: at[j]! }));
    const partials = derivative(float64, operands, float64.apply(row.name, ...operands));
    for (const [argument, type] of types.entries()) {
      if (type !== "f32") continue;
      // The step that balances the rounding of a difference against its fourth-order error.
      const h = 1e-3 * Math.max(1, Math.abs(at[argument]!)) ** 0.5;
      const slope =
        (8 * (value(h, argument) - value(-h, argument)) - (value(2 * h, argument) - value(-2 * h, argument))) /
        (12 * h);
      const error = Math.abs((partials[argument]?.value ?? 0) - slope) / Math.max(1, Math.abs(slope));
      if (!(error <= found.error)) found = { error, at, argument };
    }
  }
  return found;
}

const overFloats = scalarRows.filter(
  (row) => row.signatures.f32?.result === "f32" && row.signatures.f32.arguments.includes("f32"),
);

describe.each(overFloats.map((row) => [row.name, row] as const))("%s", (_, row) => {
  it("has the derivative that differences measure", () => {
    const zero: Derivative = (_ops, args) => args.map(() => undefined);
    const derivative = typeof row.derivative === "function" ? row.derivative : zero;
    if (row.straightThrough) {
      const one = float64.constant("f32", 1);
      expect(derivative(float64, [one], one)).toEqual([one]);
      return;
    }
    const { error, at, argument } = worst(row, derivative);
    expect(error, `at (${at.join(", ")}), by argument ${argument}`).toBeLessThan(1e-6);
  });

  it("fails that test if its derivative is doubled or shifted", () => {
    const right = row.derivative;
    if (row.straightThrough || typeof right !== "function") return;
    const doubled: Derivative = (ops, args, result) => right(ops, args, result).map((d) => d && ops.apply("add", d, d));
    const shifted: Derivative = (ops, args, result) =>
      right(ops, args, result).map((d) => d && ops.apply("add", d, ops.constant("f32", 1e-3)));
    expect(worst(row, doubled).error).toBeGreaterThan(1e-4);
    expect(worst(row, shifted).error).toBeGreaterThan(1e-4);
  });
});

describe("the table", () => {
  it("has every meaning for every overload", () => {
    for (const row of scalarRows)
      for (const operand of Object.keys(row.signatures))
        for (const column of ["js", "wasm", "wgsl"] as const)
          expect(Object.keys(row[column]), `${row.name}.${column}`).toContain(operand);
  });
  it("has each name once, and a domain for every float argument", () => {
    expect(new Set(scalarRows.map(({ name }) => name)).size).toBe(scalarRows.length);
    for (const row of scalarRows) {
      const floats = row.signatures.f32?.arguments.filter((type) => type === "f32").length ?? 0;
      expect(row.domain.length, row.name).toBeGreaterThanOrEqual(floats);
    }
  });
  it("says why where there is no derivative", () => {
    for (const row of scalarRows)
      if (typeof row.derivative !== "function") expect(row.derivative.none.length, row.name).toBeGreaterThan(5);
  });
});
