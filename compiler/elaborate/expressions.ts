/** Evaluating expressions: one case a kind; what takes more than a few lines lives in a file of its own. */
import type {
  BinaryExpression,
  Call,
  Expression,
  FieldExpression,
  IfExpression,
  PipeExpression,
  Repeat,
  Text,
} from "../../grammar/ast.ts";
import { suggest } from "../diagnostics/index.ts";
import { constant, constantOf, printDim } from "../types/dims.ts";
import { bindable } from "./arguments.ts";
import { binary, unary } from "./arithmetic.ts";
import { pipeInto } from "./calls.ts";
import { AlreadyReported, type Machine, placeOf, undecided } from "./context.ts";
import { runValue } from "./convert.ts";
import { indexValue } from "./indexing.ts";
import { limits } from "./limits.ts";
import { matrixProduct } from "./matmul.ts";
import { reduction } from "./notation.ts";
import { bindPattern } from "./patterns.ts";
import { stored } from "./tensors.ts";
import { textOf } from "./text.ts";
import {
  type ArgumentValue,
  describe,
  type Place,
  type Scope,
  showValue,
  type TreeEntry,
  type Value,
} from "./values.ts";

export function evaluateExpression(machine: Machine, expression: Expression, scope: Scope): Value {
  const place = placeOf(scope, expression);
  switch (expression.kind) {
    case "number":
      return expression.float
        ? { kind: "float", value: expression.value }
        : { kind: "int", value: constant(expression.value) };
    case "boolean":
      return { kind: "bool", value: expression.value };
    case "text":
      return { kind: "str", value: textValue(machine, expression, scope) };
    case "reference":
      return reference(machine, expression.name, scope, place);
    case "hole":
      return machine.raise("E0112", place, {});
    case "list":
      return { kind: "list", elements: expression.elements.map((one) => machine.evaluate(one, scope)) };
    case "tuple":
      return { kind: "tuple", elements: expression.elements.map((one) => machine.evaluate(one, scope)) };
    case "record":
      return {
        kind: "record",
        fields: new Map(expression.fields.map(({ name, value }) => [name.text, machine.evaluate(value, scope)])),
      };
    case "call":
      return evaluateCall(machine, expression, scope, place);
    case "index":
      return indexValue(machine, expression, machine.evaluate(expression.target, scope), scope);
    case "field":
      return field(machine, expression, scope);
    case "unary":
      return unary(machine, expression.operator, machine.evaluate(expression.operand, scope), place);
    case "binary":
      return operators(machine, expression, scope);
    case "pipe":
      return pipes(machine, expression, scope);
    case "lambda":
      return { kind: "closure", parameters: expression.parameters, body: expression.body, scope };
    case "if":
      return choose(machine, expression, scope);
    case "block":
      return machine.block(expression, scope) ?? { kind: "tuple", elements: [] };
    case "reduction":
      return reduction(machine, expression, scope);
    case "repeat":
      return repeat(machine, expression, scope);
    default:
      return expression satisfies never;
  }
}

/** Operators and pipes lean to the left: a chain of them is walked, not descended into, however long it is. */
function operators(machine: Machine, expression: BinaryExpression, scope: Scope): Value {
  const chain = [expression];
  for (let left = expression.left; left.kind === "binary"; left = left.left) chain.push(left);
  let value = machine.evaluate((chain.at(-1) ?? expression).left, scope);
  for (const { operator, right: operand, span } of chain.toReversed()) {
    if (value.kind === "bool" && shortCut(operator, value.value)) continue;
    const right = machine.evaluate(operand, scope);
    const place = { source: scope.source, span };
    value =
      operator === "@" ? matrixProduct(machine, value, right, place) : binary(machine, operator, value, right, place);
  }
  return value;
}
function pipes(machine: Machine, expression: PipeExpression, scope: Scope): Value {
  const chain = [expression];
  for (let left = expression.value; left.kind === "pipe"; left = left.value) chain.push(left);
  let value = machine.evaluate((chain.at(-1) ?? expression).value, scope);
  for (const { stage } of chain.toReversed()) {
    const place = placeOf(scope, stage);
    const input: ArgumentValue = { name: undefined, value: bindable(machine, value, "value"), place };
    machine.at(place);
    value = pipeInto(machine, input, stage, scope, (one) => argumentsOf(machine, one, scope), place);
  }
  return value;
}

/** `false and ..` and `true or ..` never look at their right side. */
function shortCut(operator: string, left: boolean | undefined): boolean {
  return (operator === "and" && left === false) || (operator === "or" && left === true);
}

export function textValue(machine: Machine, text: Text, scope: Scope): string {
  return text.parts
    .map((part) => (typeof part === "string" ? part : showValue(machine.evaluate(part, scope))))
    .join("");
}

function reference(machine: Machine, name: string, scope: Scope, place: Place): Value {
  const binding = scope.find(name);
  switch (binding?.kind) {
    case "value":
      return binding.value;
    case "slot":
      return machine.readSlot(binding.slot);
    case "failed":
      throw new AlreadyReported();
    case "lazy":
      return binding.get(place);
    case undefined:
      break;
    default:
      return binding satisfies never;
  }
  switch (name) {
    case "training":
      return { kind: "bool", value: machine.dynamic.training };
    case "step": {
      const handle = machine.entry.step();
      return handle ? stored(handle) : machine.raise("E0222", place, { name });
    }
    case "pi":
      return { kind: "float", value: Math.PI };
    case "inf":
      return { kind: "float", value: Infinity };
    default:
      return machine.raise("E0201", place, { name, suggestion: suggest(name, scope.names()) });
  }
}

// ---- Calls ------------------------------------------------------------------------------------------------------------------

export function argumentsOf(machine: Machine, call: Call, scope: Scope): ArgumentValue[] {
  return call.arguments.map((argument) => ({
    name: argument.name?.text,
    value: machine.evaluate(argument.value, scope),
    place: placeOf(scope, argument),
  }));
}

function evaluateCall(machine: Machine, expression: Call, scope: Scope, place: Place): Value {
  const callee = machine.evaluate(expression.callee, scope);
  const holes = expression.arguments.filter(({ value }) => value.kind === "hole").length;
  if (holes === 0) return machine.call(callee, argumentsOf(machine, expression, scope), place);
  // `f(_, a)` is `x => f(x, a)`: a is evaluated now, once.
  const fixed = expression.arguments.map((argument) => ({
    name: argument.name?.text,
    value: argument.value.kind === "hole" ? undefined : machine.evaluate(argument.value, scope),
    place: placeOf(scope, argument),
  }));
  return {
    kind: "builtin",
    name: "the function",
    call: (args, at) => {
      if (args.length !== holes)
        machine.raise("E0203", at, { callee: "the function", expected: holes, got: args.length });
      let next = 0;
      const filled = fixed.map((one): ArgumentValue => {
        const value = one.value ?? args[next++]?.value;
        return { ...one, value: value ?? { kind: "tuple", elements: [] } };
      });
      return machine.call(callee, filled, at);
    },
  };
}

// ---- Fields -----------------------------------------------------------------------------------------------------------------

function field(machine: Machine, expression: FieldExpression, scope: Scope): Value {
  const name = expression.name.text;
  const place = { source: scope.source, span: expression.name.span };
  const member = moduleMember(expression, scope, place);
  if (member && member.kind !== "module") return member;
  const target = member ?? machine.evaluate(expression.target, scope);
  const missing = (known: readonly string[]) =>
    machine.raise("E0213", place, {
      name,
      what: describe(target),
      suggestion: suggest(name, known),
      known: known.length > 0 ? known.join(", ") : undefined,
    });
  switch (target.kind) {
    case "record":
      return target.fields.get(name) ?? missing([...target.fields.keys()]);
    case "module":
      return target.members.get(name) ?? missing([...target.members.keys()]);
    case "instance":
      return machine.fieldOf(target.instance, name, place);
    case "tensor":
      if (name === "rank") return { kind: "int", value: constant(target.shape.length) };
      if (name === "shape") return runValue(target.shape);
      if (name === "name" && target.slot) return { kind: "str", value: target.slot.path };
      return missing(target.slot ? ["rank", "shape", "name"] : ["rank", "shape"]);
    case "tree":
      return subtree(target.entries, name) ?? missing(target.entries.map(({ path }) => path));
    default:
      return missing([]);
  }
}
/** Modules have names of their own: `loss.mse` is the module's, whatever else is called `loss`. */
function moduleMember({ target, name }: FieldExpression, scope: Scope, place: Place): Value | undefined {
  if (target.kind !== "reference") return undefined;
  const found = scope.find(`module ${target.name}`);
  if (found?.kind !== "lazy") return undefined;
  const module = found.get(place);
  const member = module.kind === "module" ? module.members.get(name.text) : undefined;
  if (member) return member;
  return scope.find(target.name) ? undefined : module;
}
function subtree(entries: readonly TreeEntry[], name: string): Value | undefined {
  const exact = entries.find(({ path }) => path === name);
  if (exact) return exact.value;
  const below = entries.filter(({ path }) => path.startsWith(`${name}.`));
  if (below.length === 0) return undefined;
  return { kind: "tree", entries: below.map((entry) => ({ ...entry, path: entry.path.slice(name.length + 1) })) };
}

// ---- Choice and repetition --------------------------------------------------------------------------------------------------

/** A compile-time truth. */
export function condition(machine: Machine, expression: Expression, scope: Scope, what: string): boolean {
  const value = machine.evaluate(expression, scope);
  const place = placeOf(scope, expression);
  if (value.kind !== "bool") {
    const got = value.kind === "tensor" ? `${describe(value)}, known only when it runs` : describe(value);
    return machine.raise("E0214", place, { what: `\`${what}\``, got });
  }
  if (value.value === undefined) return undecided(machine, place, textOf(scope.source, expression));
  return value.value;
}

function choose(machine: Machine, expression: IfExpression, scope: Scope): Value {
  if (condition(machine, expression.condition, scope, "if")) return machine.evaluate(expression.then, scope);
  return expression.otherwise ? machine.evaluate(expression.otherwise, scope) : { kind: "tuple", elements: [] };
}

function repeat(machine: Machine, expression: Repeat, scope: Scope): Value {
  const place = placeOf(scope, expression.count);
  const count = machine.evaluate(expression.count, scope);
  if (count.kind !== "int")
    return machine.raise("E0205", place, { name: "repeat", expected: "int", got: describe(count) });
  const times = constantOf(count.value);
  if (times === undefined) return undecided(machine, place, printDim(count.value), count.value);
  if (times > limits.repeat) machine.raise("E0511", place, { limit: limits.repeat });
  const { carry } = expression;
  let value: Value = carry ? machine.evaluate(carry.initial, scope) : { kind: "tuple", elements: [] };
  for (let k = 0; k < times; k++) {
    const inner = scope.child();
    inner.bind(expression.index.text, { kind: "int", value: constant(k) });
    if (carry)
      bindPattern(machine, carry.pattern, bindable(machine, value, "carry"), inner, placeOf(scope, expression));
    const owner = machine.dynamic.owner;
    const named = owner && { ...owner, prefix: [...owner.prefix, `${k}`] };
    const next = machine.within({ owner: named }, () => machine.evaluate(expression.body, inner));
    if (carry) value = next;
  }
  return value;
}
