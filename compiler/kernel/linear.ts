/** Where the accesses of a loop's body lie: a multiple of the loop's variable and a range beside it. */
import type { Expression, For, Statement } from "./ir.ts";
import { expressionsOf, operandsOf } from "./map.ts";

/** `coefficient * variable + r` with `low <= r <= high`. */
export interface Linear {
  readonly coefficient: number;
  readonly low: number;
  readonly high: number;
}

/** What an iteration accesses of every buffer, `high` being the last element; undefined where something is not known. */
export function accessesOf(loop: For): ReadonlyMap<string, Linear | undefined> {
  const accesses = new Map<string, Linear | undefined>();
  const known = new Map<string, Linear | undefined>([[loop.name, { coefficient: 1, low: 0, high: 0 }]]);
  const note = (buffer: string, index: Expression, lanes: number): void => {
    const place = linear(index, known);
    const others = accesses.get(buffer);
    if (!place || (accesses.has(buffer) && place.coefficient !== others?.coefficient)) accesses.set(buffer, undefined);
    else
      accesses.set(buffer, {
        coefficient: place.coefficient,
        low: Math.min(place.low, others?.low ?? place.low),
        high: Math.max(place.high + lanes - 1, others?.high ?? 0),
      });
  };
  const see = (e: Expression): void => {
    if (e.kind === "load") note(e.buffer, e.index, e.lanes);
    for (const operand of operandsOf(e)) see(operand);
  };
  const visit = (s: Statement): void => {
    for (const e of expressionsOf(s)) see(e);
    if (s.kind === "let") {
      const value = linear(s.value, known);
      // So that the loop's variable stands in an index itself.
      known.set(s.name, value?.coefficient === 0 ? value : undefined);
    }
    if (s.kind === "store") note(s.buffer, s.index, s.value.lanes);
    if (s.kind === "for") {
      known.set(s.name, rangeOf(s, known));
      s.body.forEach(visit);
    }
    if (s.kind === "if") {
      const before = new Map(known);
      confine(s.condition, known);
      s.then.forEach(visit);
      for (const [name, range] of before) known.set(name, range);
      s.otherwise.forEach(visit);
    }
  };
  loop.body.forEach(visit);
  return accesses;
}

/** What `v >= 1 and v < 7` says of a variable. */
function confine(condition: Expression, known: Map<string, Linear | undefined>): void {
  if (condition.kind !== "apply") return;
  const [left, right] = condition.arguments;
  if (condition.name === "and") for (const part of condition.arguments) confine(part, known);
  const range = left?.kind === "variable" ? known.get(left.name) : undefined;
  if (left?.kind !== "variable" || !range || right?.kind !== "constant" || range.coefficient !== 0) return;
  if (condition.name === "ge") known.set(left.name, { ...range, low: Math.max(range.low, right.value) });
  if (condition.name === "lt") known.set(left.name, { ...range, high: Math.min(range.high, right.value - 1) });
}

function rangeOf({ from, to, step }: For, known: ReadonlyMap<string, Linear | undefined>): Linear | undefined {
  const [first, end] = [linear(from, known), linear(to, known)];
  if (!first || !end || first.coefficient !== 0 || end.coefficient !== 0) return undefined;
  const isFixed = first.low === first.high;
  const steps = Math.floor((end.high - 1 - first.low) / step);
  return { coefficient: 0, low: first.low, high: isFixed ? first.low + steps * step : end.high - 1 };
}

function linear(e: Expression, known: ReadonlyMap<string, Linear | undefined>): Linear | undefined {
  if (e.lanes !== 1 || e.type !== "i32") return undefined;
  if (e.kind === "constant") return { coefficient: 0, low: e.value, high: e.value };
  if (e.kind === "variable") return known.get(e.name);
  if (e.kind !== "apply" || e.arguments.length !== 2) return undefined;
  const [a, b] = e.arguments.map((argument) => linear(argument, known));
  if (!a || !b) return undefined;
  switch (e.name) {
    case "add":
      return { coefficient: a.coefficient + b.coefficient, low: a.low + b.low, high: a.high + b.high };
    case "sub":
      return { coefficient: a.coefficient - b.coefficient, low: a.low - b.high, high: a.high - b.low };
    case "mul":
      return scaled(a, b) ?? scaled(b, a);
    case "min":
    case "max": {
      if (a.coefficient !== b.coefficient) return undefined;
      const pick = e.name === "min" ? Math.min : Math.max;
      return { coefficient: a.coefficient, low: pick(a.low, b.low), high: pick(a.high, b.high) };
    }
    default:
      return undefined;
  }
}

function scaled({ coefficient, low, high }: Linear, by: Linear): Linear | undefined {
  if (by.coefficient !== 0 || by.low !== by.high) return undefined;
  const ends = [low * by.low, high * by.low];
  return { coefficient: coefficient * by.low, low: Math.min(...ends), high: Math.max(...ends) };
}
