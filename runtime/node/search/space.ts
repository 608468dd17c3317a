/** What a search tries: `name=LOW..HIGH[:log]`, drawn at random, and `name=A,B,C`, every combination. */
import { DlxError } from "../../errors.ts";
import { permutation, randomWords, seedWords } from "../../rng.ts";

/** A setting of each searched name, as `--set` takes it. */
export type Values = Readonly<Record<string, string>>;

/** What can stand for a name: whole numbers, any numbers, whichever is written, or no number at all. */
export type Domain = "integer" | "real" | "either" | "other";

export type Dimension =
  | { readonly kind: "list"; readonly name: string; readonly values: readonly string[] }
  | {
      readonly kind: "range";
      readonly name: string;
      readonly low: number;
      readonly high: number;
      readonly scale: "linear" | "log";
      readonly integer: boolean;
    };

const number = (text: string) => (text.trim() === "" ? Number.NaN : Number(text));

/** One dimension of the space. Throws E0615. */
export function parseDimension(name: string, text: string, domain: Domain): Dimension {
  const fail = (what: string): never => {
    throw new DlxError("E0615", `--search ${name}=${text}: ${what}`);
  };
  const [, from, to, scale] = /^(.*)\.\.([^:]*)(?::(.*))?$/.exec(text) ?? [];
  if (from === undefined || to === undefined) {
    // A comma within brackets belongs to a list that is one value.
    const values = text.split(/,(?![^[]*\])/).map((value) => value.trim());
    if (values.includes("")) fail("expected LOW..HIGH, LOW..HIGH:log or values with commas between them");
    if (new Set(values).size < values.length) fail("a value stands there twice");
    const numeric = domain === "real" || domain === "integer";
    for (const value of values)
      if (numeric && !(domain === "integer" ? Number.isInteger(number(value)) : Number.isFinite(number(value))))
        fail(`${value} is no ${domain === "integer" ? "whole " : ""}number`);
    return { kind: "list", name, values };
  }
  if (domain === "other") fail("only a number has a range: list the values, as in a,b,c");
  if (scale !== undefined && scale !== "log" && scale !== "linear")
    fail(`\`:${scale}\` is neither \`:log\` nor \`:linear\``);
  const [low, high] = [number(from), number(to)];
  if (!Number.isFinite(low) || !Number.isFinite(high)) fail("expected two numbers, as in 1e-4..1e-1");
  if (low >= high) fail(`the range is empty: ${from} is not less than ${to}`);
  if (scale === "log" && low <= 0) fail(`a logarithmic range begins above 0, not at ${from}`);
  const whole = Number.isInteger(low) && Number.isInteger(high);
  if (domain === "integer" && !whole) fail(`\`${name}\` takes whole numbers`);
  const integer = domain === "integer" || (domain === "either" && whole);
  return { kind: "range", name, low, high, scale: scale === "log" ? "log" : "linear", integer };
}

/** Digits of a drawn number: what the table shows is what was used. */
const digits = 6;

/** The point of a range at `share` in [0, 1), as text. */
function pointOf(range: Extract<Dimension, { kind: "range" }>, share: number): string {
  const { low, high, integer } = range;
  // Whole numbers are each the half-open interval above them.
  const end = integer ? high + 1 : high;
  const value =
    range.scale === "log" ? Math.exp(Math.log(low) + share * Math.log(end / low)) : low + share * (end - low);
  const rounded = integer ? Math.floor(value) : Number(value.toPrecision(digits));
  return String(Math.min(high, Math.max(low, rounded)));
}

/** Apart from the streams of programs, of epochs and of splits. */
const drawStream = 0xfffffffc;
const mostCombinations = 1e6;
const usualTrials = 20;

/**
 * The trials of a search. Ranges are drawn anew for each, independently; lists go through their combinations, beside ranges
 * and where not all are tried in a seeded order. Without `count`: every combination, and with a range 20 at least. A larger
 * count adds trials and keeps the others. Throws E0615.
 */
export function trialsOf(space: readonly Dimension[], count: number | undefined, seed: number): Values[] {
  const lists = space.flatMap((dimension) => (dimension.kind === "list" ? [dimension] : []));
  const ranges = space.flatMap((dimension) => (dimension.kind === "range" ? [dimension] : []));
  const combinations = lists.reduce((product, { values }) => product * values.length, 1);
  if (combinations > mostCombinations)
    throw new DlxError("E0615", `the lists have ${combinations} combinations, more than ${mostCombinations}`);
  const all = ranges.length > 0 ? Math.max(usualTrials, combinations) : combinations;
  const trials = ranges.length > 0 ? (count ?? all) : Math.min(count ?? all, combinations);
  const words = seedWords(seed);
  const order =
    ranges.length > 0 || trials < combinations ? permutation(words, drawStream, 0, combinations) : undefined;
  const drawn = Array.from({ length: trials }, (_, trial): Values => {
    const shares = randomWords(words, drawStream, trial + 1, 0, ranges.length);
    const at = trial % combinations;
    let rest = order ? order[at]! : at;
    const values = new Map(ranges.map((range, k) => [range.name, pointOf(range, shares[k]! / 2 ** 32)]));
    // The last list changes fastest.
    for (const { name, values: listed } of [...lists].reverse()) {
      values.set(name, listed[rest % listed.length]!);
      rest = Math.floor(rest / listed.length);
    }
    return Object.fromEntries(space.map(({ name }) => [name, values.get(name) ?? ""]));
  });
  // Few whole numbers may be drawn twice.
  return [...new Map(drawn.map((values) => [JSON.stringify(values), values])).values()];
}
