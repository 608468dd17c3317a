/** `--quantise int8`: weights in eight bits, and what that changes. */
import { type QuantisedWeights, quantiseWeights } from "../../runtime/quantise.ts";
import type { Compiled } from "../compile.ts";

/** The flag as commander gives it. */
export interface QuantiseFlag {
  readonly weights?: string;
  readonly quantise?: "int8";
}

/** The weights of a file once in eight bits, if that is asked for. */
export function quantiseFor(
  { manifest }: Compiled,
  bytes: Uint8Array,
  { quantise, weights }: QuantiseFlag,
): QuantisedWeights | undefined {
  return quantise && quantiseWeights(manifest, bytes, weights);
}

export const sizesText = ({ bytes: { float32, int8 } }: QuantisedWeights): string =>
  `weights: ${float32} bytes as float32, ${int8} as int8\n`;

type Values = Readonly<Record<string, number>>;

export interface Comparison {
  /** Of the quantised weights. */
  readonly values: Values;
  /** Quantised less float. */
  readonly differences: Values;
}

/** `before` and `after` have the same names. */
export function compare(before: Values, values: Values): Comparison {
  const differences = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value - (before[name] ?? Number.NaN)]),
  );
  return { values, differences };
}

/** A line for each value: `accuracy 0.9805 -> 0.98 (-0.0005)`. */
export function comparisonText(before: Values, { values, differences }: Comparison): string {
  return Object.entries(values)
    .map(([name, value]) => {
      const [from = Number.NaN, by = Number.NaN] = [before[name], differences[name]];
      const sign = by < 0 ? "" : "+";
      return `${name} ${shown(from)} -> ${shown(value)} (${sign}${shown(by, 3)})\n`;
    })
    .join("");
}
const shown = (value: number, digits = 6) => String(Number(value.toPrecision(digits)));
