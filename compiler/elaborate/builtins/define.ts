/** How a function of the language is written down: its parameters, what it does. */
import { suggest } from "../../diagnostics/index.ts";
import type { Machine } from "../context.ts";
import type { ArgumentValue, BuiltinFunction, Place, Value } from "../values.ts";

export interface Builtin {
  readonly name: string;
  /** `x`, `axis?` (may be missing), `trees...` (any number, last). */
  readonly parameters: readonly string[];
  readonly makesFunction?: true;
  readonly run: (machine: Machine, args: Arguments, place: Place) => Value;
}

export class Arguments {
  readonly #given: ReadonlyMap<string, ArgumentValue>;
  readonly rest: readonly ArgumentValue[];
  readonly place: Place;
  constructor(given: ReadonlyMap<string, ArgumentValue>, rest: readonly ArgumentValue[], place: Place) {
    this.#given = given;
    this.rest = rest;
    this.place = place;
  }
  get(name: string): Value {
    const found = this.#given.get(name);
    if (!found) throw new Error(`no parameter ${name}`);
    return found.value;
  }
  optional(name: string): Value | undefined {
    return this.#given.get(name)?.value;
  }
  placeOf(name: string): Place {
    return this.#given.get(name)?.place ?? this.place;
  }
}

export function bind(machine: Machine, builtin: Builtin): BuiltinFunction {
  return {
    kind: "builtin",
    name: builtin.name,
    ...(builtin.makesFunction && { makesFunction: true }),
    call: (args, place) => builtin.run(machine, sort(machine, builtin, args, place), place),
  };
}

function sort(
  machine: Machine,
  { name, parameters }: Builtin,
  args: readonly ArgumentValue[],
  place: Place,
): Arguments {
  const rest = parameters.at(-1)?.endsWith("...") ? parameters.at(-1) : undefined;
  const fixed = parameters.filter((parameter) => parameter !== rest);
  const names = fixed.map((parameter) => parameter.replace("?", ""));
  const given = new Map<string, ArgumentValue>();
  const others: ArgumentValue[] = [];
  let position = 0;
  for (const arg of args) {
    if (arg.name !== undefined && !names.includes(arg.name))
      machine.raise("E0204", arg.place, {
        callee: name,
        name: arg.name,
        suggestion: suggest(arg.name, names),
        known: names.join(", "),
      });
    const target = arg.name ?? names[position++];
    if (target === undefined) {
      if (!rest) machine.raise("E0203", arg.place, { callee: name, expected: names.length, got: args.length });
      others.push(arg);
    } else if (given.has(target)) machine.raise("E0218", arg.place, { callee: name, name: target });
    else given.set(target, arg);
  }
  fixed.forEach((parameter, k) => {
    const wanted = names[k] ?? parameter;
    if (!parameter.endsWith("?") && !given.has(wanted))
      machine.raise("E0202", place, { callee: name, name: wanted, type: "a value" });
  });
  return new Arguments(given, others, place);
}

/** A function that a function of the language returns. */
export function functionOf(name: string, call: (args: readonly ArgumentValue[], place: Place) => Value): Value {
  return { kind: "builtin", name, call };
}
