/** Configuration lists filled from outside: `--set batch=64`. */
import type { TwoListDeclaration } from "../../grammar/ast.ts";
import { constant } from "../types/dims.ts";
import { type Machine, placeOf } from "./context.ts";
import { textOf } from "./text.ts";
import type { Scope, Value } from "./values.ts";

export type Setting = string | number | boolean | readonly Setting[];

export function configure(
  machine: Machine,
  declaration: TwoListDeclaration,
  scope: Scope,
  settings: Readonly<Record<string, Setting>>,
): void {
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
