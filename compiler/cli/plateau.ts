/** `--plateau KNOB[,metric=NAME][,mode=min|max][,factor=F][,patience=N][,min=V]`. */
import type { PlateauOptions } from "../../runtime/node/plateau.ts";
import type { Entry } from "../../runtime/plan.ts";
import { UsageError } from "./failure.ts";

/** For a step of a train block: its knobs, its results, and what the knobs are set to. */
export function plateauOf(text: string, step: Entry, knobs: Readonly<Record<string, number>>): PlateauOptions {
  const fail = (what: string): never => {
    throw new UsageError(`--plateau ${text}: ${what}`);
  };
  const [knob = "", ...items] = text.split(",");
  const given = new Map(
    items.map((item) => {
      const equals = item.indexOf("=");
      return [item.slice(0, Math.max(equals, 0)), item.slice(equals + 1)] as const;
    }),
  );
  const known = ["metric", "mode", "factor", "patience", "min"];
  for (const name of given.keys()) if (!known.includes(name)) fail(`options are ${known.join(", ")}, as in factor=0.5`);
  const number = (name: string, fallback: number, valid: (value: number) => boolean, expected: string): number => {
    const value = given.has(name) ? Number(given.get(name) || Number.NaN) : fallback;
    return valid(value) ? value : fail(`${name} is ${expected}`);
  };
  const scalars = step.outputs.filter(({ shape }) => shape.length === 0);
  const all = step.inputs.flatMap(({ name, default: value }) => (value === undefined ? [] : [name]));
  const start = knobs[knob] ?? step.inputs.find(({ name }) => name === knob)?.default;
  if (start === undefined)
    return fail(`the block has no input ${knob} with a default; it has ${all.join(", ") || "none"}`);
  const metric = given.get("metric") ?? scalars.find(({ role }) => role === "loss")?.name ?? "";
  if (!scalars.some(({ name }) => name === metric))
    fail(`metric is one of ${scalars.map(({ name }) => name).join(", ") || "nothing: the block reports no number"}`);
  const mode = given.get("mode") ?? "min";
  if (mode !== "min" && mode !== "max") return fail("mode is min or max");
  return {
    knob,
    start,
    metric,
    mode,
    factor: number("factor", 0.1, (value) => value > 0 && value < 1, "a number between 0 and 1"),
    patience: number("patience", 10, (value) => Number.isInteger(value) && value >= 0, "a whole number from 0 on"),
    lowest: number("min", 0, (value) => value >= 0, "a number from 0 on"),
  };
}
