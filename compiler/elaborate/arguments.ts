/** Arguments to parameters, results to declared types, where-clauses: what every application of a declaration shares. */
import type { Declaration, Expression, Parameter, Type, WhereItem } from "../../grammar/ast.ts";
import { suggest } from "../diagnostics/index.ts";
import { compare, constantOf, printDim } from "../types/dims.ts";
import { type Machine, placeOf } from "./context.ts";
import { namesIn } from "./convert.ts";
import { force, uniformValue } from "./tensors.ts";
import { textOf } from "./text.ts";
import {
  type ArgumentValue,
  describe,
  type Place,
  type Provenance,
  type Scope,
  showValue,
  type Value,
} from "./values.ts";

/** The declared result type checked, and the result marked with where it came from. */
export function finishResult(
  machine: Machine,
  result: Value,
  type: Type | undefined,
  body: Expression,
  scope: Scope,
  name: string,
  place: Place,
  args: readonly Pick<ArgumentValue, "value">[],
): Value {
  const last = body.kind === "block" ? (body.statements.at(-1) ?? body) : body;
  const value = type ? machine.convert(result, type, scope, `the result of ${name}`, placeOf(scope, last)) : result;
  return value.kind === "tensor"
    ? { ...value, from: { what: name, place, scope, inner: value.from, inputs: originsOf(args) } }
    : value;
}

/** Where the tensors among some arguments came from. */
export function originsOf(args: readonly Pick<ArgumentValue, "value">[]): Provenance[] {
  return args.flatMap(({ value }) => (value.kind === "tensor" && value.from ? [value.from] : []));
}

/** A tensor that gets a name is stored, so that two uses compute it once. */
export function bindable(machine: Machine, value: Value, hint: string): Value {
  if (value.kind !== "tensor" || value.handle) return value;
  const ready = force(value, machine, value.from?.what ?? hint);
  return value.from && ready !== value ? { ...ready, from: value.from } : ready;
}

// ---- Arguments --------------------------------------------------------------------------------------------------------------

export function bindArguments(
  machine: Machine,
  parameters: readonly Parameter[],
  args: readonly ArgumentValue[],
  scope: Scope,
  callee: string,
  place: Place,
): void {
  const given = new Map<string, ArgumentValue>();
  let position = 0;
  for (const arg of args) {
    let name = arg.name;
    if (name === undefined) {
      const parameter = parameters[position++];
      if (!parameter)
        machine.raise("E0203", arg.place, {
          callee,
          expected: parameters.length,
          got: args.filter((one) => one.name === undefined).length,
        });
      name = parameter.name.text;
    } else if (!parameters.some((parameter) => parameter.name.text === name))
      machine.raise("E0204", arg.place, {
        callee,
        name,
        suggestion: suggest(
          name,
          parameters.map((parameter) => parameter.name.text),
        ),
        known: parameters.map((parameter) => parameter.name.text).join(", "),
      });
    if (given.has(name)) machine.raise("E0218", arg.place, { callee, name });
    given.set(name, arg);
  }
  // Arguments first, so that defaults may use the dimensions that they bind.
  for (const parameter of parameters) {
    const arg = given.get(parameter.name.text);
    if (!arg) continue;
    const name = parameter.name.text;
    const value = parameter.type
      ? machine.convert(arg.value, parameter.type, scope, `${name} of ${callee}`, arg.place)
      : arg.value;
    scope.bind(name, bindable(machine, value, name));
  }
  for (const parameter of parameters) {
    if (given.has(parameter.name.text)) continue;
    const name = parameter.name.text;
    if (!parameter.default)
      machine.raise("E0202", place, {
        callee,
        name,
        type: parameter.type ? textOf(scope.source, parameter.type) : "a value",
      });
    const at = placeOf(scope, parameter.default);
    const value = machine.evaluate(parameter.default, scope);
    scope.bind(
      name,
      parameter.type ? machine.convert(value, parameter.type, scope, `${name} of ${callee}`, at) : value,
    );
  }
}

// ---- Where ------------------------------------------------------------------------------------------------------------------

/** Definitions that need no dimension of the arguments are known before them: `where T = 128`. */
export function prepareWhere(
  { where: items, parameters }: Pick<Declaration, "where" | "parameters">,
  scope: Scope,
  machine: Machine,
): void {
  // Not bound yet, even where something outside has the same name.
  const defined = new Set(parameters.map(({ name }) => name.text));
  for (const item of items) if (item.kind === "definition") defined.add(item.name.text);
  for (const item of items) {
    if (item.kind !== "definition") continue;
    const free = namesIn(item.value).some((name) => defined.has(name) || isDimension(name, scope));
    if (free) continue;
    const { value } = item;
    scope.bind(
      item.name.text,
      machine.within({ roundingDivision: true }, () => machine.evaluate(value, scope)),
    );
  }
}
function isDimension(name: string, scope: Scope): boolean {
  return scope.find(name) === undefined;
}

export function runWhere(machine: Machine, items: readonly WhereItem[], scope: Scope, place: Place): void {
  machine.within({ roundingDivision: true }, () => {
    for (const item of items) runWhereItem(machine, item, scope, place);
  });
}
/** A number, also where it is one for every element of a tensor. */
function shown(value: Value): string {
  const number = value.kind === "tensor" && value.shape.length === 0 ? uniformValue(value) : undefined;
  return number === undefined ? showValue(value) : `${number}`;
}
function runWhereItem(machine: Machine, item: WhereItem, scope: Scope, place: Place): void {
  if (item.kind === "definition") {
    const name = item.name.text;
    const before = scope.own(name);
    const value = machine.evaluate(item.value, scope);
    if (before?.kind === "value" && before.value.kind === "int" && value.kind === "int") {
      if (compare(before.value.value, "==", value.value) === "no")
        machine.raise("E0307", place, {
          text: `${name} is ${printDim(before.value.value)} where ${printDim(value.value)} is expected`,
        });
      if (constantOf(value.value) === undefined) return;
    }
    scope.bind(name, value);
    return;
  }
  const condition = machine.evaluate(item.condition, scope);
  const bool = condition.kind === "bool" || (condition.kind === "tensor" && condition.dtype === "bool");
  if (!bool || (condition.kind === "tensor" && condition.shape.length > 0))
    machine.raise("E0214", placeOf(scope, item.condition), { what: "where", got: describe(condition) });
  // What is only known while running, such as a rate that is a knob, is not for the compiler to refuse.
  const holds = condition.kind === "bool" ? condition.value : uniformValue(condition) !== 0;
  if (holds !== false) return;
  const text = item.otherwise
    ? item.otherwise.parts
        .map((part) => (typeof part === "string" ? part : shown(machine.evaluate(part, scope))))
        .join("")
    : `${textOf(scope.source, item.condition)} does not hold`;
  const details = { related: [{ ...placeOf(scope, item), message: "required here" }] };
  if (item.kind === "warning") machine.warn("W0110", place, { text }, details);
  else machine.raise("E0307", place, { text }, details);
}
