/** The table of scalar functions: every row, found by name. */
import { invariant } from "../invariant.ts";
import type { ScalarType } from "../types/dtype.ts";
import { arithmeticRows } from "./arithmetic.ts";
import { bitRows } from "./bits.ts";
import { comparisonRows } from "./comparison.ts";
import { conversionRows } from "./conversion.ts";
import { exponentialRows } from "./exponential.ts";
import { powerRows } from "./power.ts";
import type { ScalarRow, Signature } from "./row.ts";
import { trigonometricRows } from "./trigonometric.ts";

export const scalarRows: readonly ScalarRow[] = [
  ...arithmeticRows,
  ...comparisonRows,
  ...exponentialRows,
  ...powerRows,
  ...trigonometricRows,
  ...bitRows,
  ...conversionRows,
];

const byName: ReadonlyMap<string, ScalarRow> = new Map(scalarRows.map((row) => [row.name, row]));

/** The names that programs can use. */
export const scalarNames: readonly string[] = scalarRows.filter((row) => !row.internal).map((row) => row.name);

export function isScalarName(name: string): boolean {
  return byName.has(name);
}

export function rowOf(name: string): ScalarRow {
  const row = byName.get(name);
  invariant(row, `no scalar function is called "${name}"`);
  return row;
}

/** The overload for these argument types; undefined if there is none. */
export function signatureOf(name: string, types: readonly ScalarType[]): Signature | undefined {
  const last = types.at(-1);
  const signature = last && byName.get(name)?.signatures[last];
  if (!signature || signature.arguments.length !== types.length) return undefined;
  return signature.arguments.every((type, k) => type === types[k]) ? signature : undefined;
}

/** The result type of a row at these argument types; undefined if it has no such overload. */
export function resultType(name: string, types: readonly ScalarType[]): ScalarType | undefined {
  return signatureOf(name, types)?.result;
}
