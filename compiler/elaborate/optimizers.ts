/** Applying an optimizer: by `minimize` to each parameter, or by another optimizer that wraps it. */
import { bindArguments, finishResult, prepareWhere, runWhere } from "./arguments.ts";
import type { Machine, Owner } from "./context.ts";
import { childOf } from "./layers.ts";
import {
  type ArgumentValue,
  type ConfiguredOptimizer,
  type Instance,
  type Place,
  Scope,
  type Value,
} from "./values.ts";

/** With its states in `instance`. It may take fewer than `args`: the step, or the gradient. */
export function applyOptimizer(
  machine: Machine,
  { declaration, scope: configuration }: ConfiguredOptimizer,
  instance: Instance,
  args: readonly ArgumentValue[],
  place: Place,
): Value {
  const name = declaration.name.text;
  const scope = new Scope(configuration.source, configuration);
  const owner: Owner = { instance, prefix: [], counters: new Map(), taken: new Set() };
  return machine.within({ owner }, () =>
    machine.framed({ what: name, site: place }, () => {
      const given = args.slice(0, declaration.parameters.length);
      prepareWhere(declaration, scope, machine);
      bindArguments(machine, declaration.parameters, given, scope, name, place);
      runWhere(machine, declaration.where, scope, place);
      const result = machine.evaluate(declaration.body, scope);
      return finishResult(machine, result, declaration.result, declaration.body, scope, name, place, given);
    }),
  );
}

/** `inner(w, g, step)` in the body of another optimizer: its states lie below that one's. */
export function callOptimizer(
  machine: Machine,
  optimizer: ConfiguredOptimizer,
  args: readonly ArgumentValue[],
  place: Place,
): Value {
  return applyOptimizer(machine, optimizer, childOf(machine, optimizer, place), args, place);
}
