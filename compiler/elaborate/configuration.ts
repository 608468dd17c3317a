/** Configuration lists filled from outside: `--set batch=64`. */
import type { ModelDeclaration, TwoListDeclaration } from "../../grammar/ast.ts";
import { constant } from "../types/dims.ts";
import { type Machine, placeOf, type Setting } from "./context.ts";
import { textOf } from "./text.ts";
import { type Instance, Scope, type Value } from "./values.ts";

export function configure(machine: Machine, declaration: TwoListDeclaration | ModelDeclaration, scope: Scope): void {
  const { settings } = machine;
  for (const parameter of declaration.configuration) {
    const name = parameter.name.text;
    const place = placeOf(scope, parameter);
    const setting = settings[name];
    const expression = parameter.default;
    if (setting === undefined && !expression)
      machine.raise("E0202", place, {
        callee: declaration.name.text,
        name,
        type: parameter.type ? textOf(scope.source, parameter.type) : "a value",
      });
    const value = setting !== undefined ? settingValue(setting) : expression && machine.evaluate(expression, scope);
    if (!value) continue;
    const what = `${name} of ${declaration.name.text}`;
    scope.bind(name, parameter.type ? machine.convert(value, parameter.type, scope, what, place) : value);
  }
}

/** The scope in which an instance's body stands. A model's configuration is filled in when it is first needed. */
export function scopeOfInstance(machine: Machine, instance: Instance): Scope {
  const { declaration, scope } = instance;
  if (declaration.kind === "model" && declaration.configuration.length > 0 && !instance.configured) {
    const configured = new Scope(scope.source, scope);
    configure(machine, declaration, configured);
    instance.scope = configured;
    instance.configured = true;
  }
  return instance.scope;
}

export function settingValue(setting: Setting): Value {
  if (typeof setting === "boolean") return { kind: "bool", value: setting };
  if (typeof setting === "number")
    return Number.isSafeInteger(setting)
      ? { kind: "int", value: constant(setting) }
      : { kind: "float", value: setting };
  if (typeof setting !== "string") return { kind: "list", elements: setting.map(settingValue) };
  if (setting === "true" || setting === "false") return { kind: "bool", value: setting === "true" };
  if (/^[+-]?\d+$/.test(setting)) return settingValue(Number(setting));
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(setting)) return { kind: "float", value: Number(setting) };
  const list = /^\[(.*)\]$/.exec(setting);
  if (list?.[1] !== undefined)
    return { kind: "list", elements: list[1].split(",").map((one) => settingValue(one.trim())) };
  return { kind: "str", value: setting };
}
