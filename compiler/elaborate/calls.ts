/** Applying a value to arguments, and `|>`. */
import type { Expression } from "../../grammar/ast.ts";
import { bindArguments, bindable, finishResult, originsOf, prepareWhere, runWhere } from "./arguments.ts";
import type { Machine } from "./context.ts";
import { applyInstance, instantiate } from "./layers.ts";
import { callOptimizer } from "./optimizers.ts";
import { bindPattern } from "./patterns.ts";
import { seedOf } from "./randomness.ts";
import {
  type ArgumentValue,
  type ClosureValue,
  type DeclaredFunction,
  describe,
  nameOf,
  type Place,
  Scope,
  type Value,
} from "./values.ts";
import { applyWithin } from "./within.ts";

export function call(machine: Machine, callee: Value, args: readonly ArgumentValue[], place: Place): Value {
  const seed = args.find(({ name }) => name === "seed");
  const applied = (given: readonly ArgumentValue[]) =>
    applyWithin(machine, callee, given, place, () => apply(machine, callee, given, place));
  if (!seed || !drawsBelow(callee)) return applied(args);
  const handle = seedOf(machine, seed.value, seed.place);
  const others = args.filter((arg) => arg !== seed);
  return machine.within({ seed: { handle, draws: 0 } }, () => applied(others));
}

/** Whether `seed: s` is for the draws below the call: the declaration has no parameter of that name. */
function drawsBelow(callee: Value): boolean {
  if (callee.kind !== "fn" && callee.kind !== "instance") return callee.kind === "closure" || callee.kind === "builtin";
  const { parameters } = callee.kind === "fn" ? callee.declaration : callee.instance.declaration;
  return parameters.every(({ name }) => name.text !== "seed");
}

function apply(machine: Machine, callee: Value, args: readonly ArgumentValue[], place: Place): Value {
  switch (callee.kind) {
    case "fn":
      return callFunction(machine, callee, args, place);
    case "closure":
      return callClosure(machine, callee, args, place);
    case "builtin":
      return madeBy(callee.call(args, place), callee.name, args, place);
    case "layer":
      return instantiate(machine, callee, args, place);
    case "instance":
      return applyInstance(machine, callee.instance, args, place);
    case "optimizer": {
      const scope = new Scope(callee.scope.source, callee.scope);
      bindArguments(machine, callee.declaration.configuration, args, scope, callee.declaration.name.text, place);
      return { kind: "configured-optimizer", declaration: callee.declaration, scope };
    }
    case "configured-optimizer":
      return callOptimizer(machine, callee, args, place);
    default:
      return machine.raise("E0207", place, { got: describe(callee) });
  }
}

/** Tensors remember the function that made them, for messages. */
function madeBy(result: Value, what: string, args: readonly ArgumentValue[], place: Place): Value {
  if (result.kind !== "tensor" || result.shape.length === 0 || result.slot) return result;
  return { ...result, from: { what, place, inputs: originsOf(args) } };
}

function callFunction(
  machine: Machine,
  { declaration, scope: outer }: DeclaredFunction,
  args: readonly ArgumentValue[],
  place: Place,
): Value {
  const name = declaration.name.text;
  return machine.framed({ what: name, site: place }, () => {
    const scope = new Scope(outer.source, outer);
    prepareWhere(declaration, scope, machine);
    bindArguments(machine, declaration.parameters, args, scope, name, place);
    runWhere(machine, declaration.where, scope, place);
    const result = machine.within({ mask: undefined }, () => machine.evaluate(declaration.body, scope));
    return finishResult(machine, result, declaration.result, declaration.body, scope, name, place, args);
  });
}

function callClosure(machine: Machine, closure: ClosureValue, args: readonly ArgumentValue[], place: Place): Value {
  const named = args.find(({ name }) => name !== undefined);
  if (named) machine.raise("E0204", named.place, { callee: "the function", name: named.name ?? "" });
  if (args.length !== closure.parameters.length)
    machine.raise("E0203", place, { callee: "the function", expected: closure.parameters.length, got: args.length });
  return machine.framed({ what: "the function", site: place }, () => {
    const scope = closure.scope.child();
    closure.parameters.forEach((pattern, k) => {
      const arg = args[k];
      if (arg) bindPattern(machine, pattern, bindable(machine, arg.value, "argument"), scope, arg.place);
    });
    return machine.evaluate(closure.body, scope);
  });
}

// ---- Pipes ------------------------------------------------------------------------------------------------------------------

/**
 * `x |> stage`. A stage that is a call `f(a)` gets x as its first argument if f is a function, as its tensor if f is a
 * layer; any other stage is applied to x.
 */
export function pipeInto(
  machine: Machine,
  input: ArgumentValue,
  stage: Expression,
  scope: Scope,
  evaluateArguments: (expression: Extract<Expression, { kind: "call" }>) => readonly ArgumentValue[],
  place: Place,
): Value {
  const direct = stage.kind === "call" && !stage.arguments.some(({ value }) => value.kind === "hole");
  if (!direct || stage.kind !== "call") return applyTo(machine, machine.evaluate(stage, scope), input, place);
  const callee = machine.evaluate(stage.callee, scope);
  const args = evaluateArguments(stage);
  if (callee.kind === "builtin" && callee.makesFunction)
    return applyTo(machine, machine.call(callee, args, place), input, place);
  if (callee.kind === "layer") return machine.call(machine.call(callee, args, place), [input], place);
  if (callee.kind === "fn" || callee.kind === "closure" || callee.kind === "builtin" || callee.kind === "instance")
    return machine.call(callee, [input, ...args], place);
  return machine.raise("E0207", place, { got: `${nameOf(callee)}, ${describe(callee)}` });
}
function applyTo(machine: Machine, target: Value, input: ArgumentValue, place: Place): Value {
  // A layer named alone has its configuration left to the defaults.
  const ready = target.kind === "layer" ? machine.call(target, [], place) : target;
  return machine.call(ready, [input], place);
}
