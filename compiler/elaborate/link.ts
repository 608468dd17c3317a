/** From modules to scopes: language, then prelude, then imports, then a module's own declarations. */
import type { Declaration, Module, TwoListDeclaration } from "../../grammar/ast.ts";
import type { KnownNames } from "../check/definitions.ts";
import { builtins } from "./builtins/index.ts";
import type { Evaluator } from "./machine.ts";
import { exportsOf, type Loaded, type Unit } from "./modules.ts";
import { type Instance, type Place, Scope, type Value } from "./values.ts";

export interface Linked {
  /** The scope in which a file's declarations stand. */
  scopeOf(file: Module): Scope;
  /** What a file's declarations can name. */
  namesOf(file: Module): KnownNames;
  valueOf(declaration: Declaration): Value | undefined;
  instanceOf(declaration: Declaration): Instance | undefined;
}

export function link(loaded: Loaded, evaluator: Evaluator): Linked {
  const [anyFile] = loaded.root.files;
  const language = new Scope(anyFile?.source ?? { file: "", text: "" }, undefined, true);
  for (const [name, value] of builtins(evaluator)) language.bind(name, value);
  const scopes = new Map<Module, Scope>();
  const values = new Map<Declaration, Value>();
  const linkUnit = (unit: Unit, outer: Scope) => {
    if (unit.files.every((file) => scopes.has(file))) return;
    for (const { unit: imported } of unit.imports) linkUnit(imported, unit === loaded.prelude ? language : base());
    // A module's files share what any of them imports.
    const imports = new Scope(outer.source, outer, true);
    for (const file of unit.files) scopes.set(file, new Scope(file.source, imports, true));
    for (const file of unit.files)
      for (const declaration of file.declarations) {
        const scope = scopes.get(file);
        const value = scope && declaredValue(declaration, scope);
        if (!value) continue;
        values.set(declaration, value);
        // Every file of a module sees the declarations of all.
        for (const other of unit.files) scopes.get(other)?.bind(declaration.name.text, value);
      }
    bindImports(unit, imports, values, evaluator);
  };
  let preludeScope: Scope | undefined;
  const base = () => preludeScope ?? language;
  if (loaded.prelude) {
    linkUnit(loaded.prelude, language);
    const scope = new Scope(language.source, language, true);
    for (const declaration of exportsOf(loaded.prelude)) {
      const value = values.get(declaration);
      if (value) scope.bind(declaration.name.text, value);
    }
    preludeScope = scope;
  }
  linkUnit(loaded.root, base());
  return {
    scopeOf: (file) => scopes.get(file) ?? language,
    namesOf: (file) => {
      const names = [...(scopes.get(file) ?? language).names()];
      const isModule = (name: string) => name.startsWith("module ");
      return {
        values: new Set(names.filter((name) => !isModule(name))),
        modules: new Set(names.filter(isModule).map((name) => name.slice("module ".length))),
      };
    },
    valueOf: (declaration) => values.get(declaration),
    instanceOf: (declaration) => {
      const value = values.get(declaration);
      return value?.kind === "instance" ? value.instance : undefined;
    },
  };
}

function declaredValue(declaration: Declaration, scope: Scope): Value | undefined {
  switch (declaration.kind) {
    case "fn":
      return { kind: "fn", declaration, scope };
    case "model":
      return {
        kind: "instance",
        instance: {
          path: declaration.name.text,
          declaration,
          scope,
          parent: undefined,
          children: new Map(),
          slots: new Map(),
          order: [],
          applied: undefined,
        },
      };
    case "layer":
    case "optimizer":
    case "train":
      return twoLists(declaration, scope);
    default:
      return declaration satisfies never;
  }
}
function twoLists(declaration: TwoListDeclaration, scope: Scope): Value | undefined {
  if (declaration.kind === "layer") return { kind: "layer", declaration, scope };
  return declaration.kind === "optimizer" ? { kind: "optimizer", declaration, scope } : undefined;
}

/** Plain and qualified names. One name from two modules is an error where it is used plainly. */
function bindImports(unit: Unit, scope: Scope, values: ReadonlyMap<Declaration, Value>, evaluator: Evaluator): void {
  const origins = new Map<string, { declaration: Declaration; module: string }[]>();
  for (const imported of new Set(unit.imports.map((one) => one.unit))) {
    const members = new Map<string, Value>();
    for (const declaration of exportsOf(imported)) {
      const name = declaration.name.text;
      const value = values.get(declaration);
      if (!value || members.has(name)) continue;
      members.set(name, value);
      const known = origins.get(name) ?? [];
      if (!known.some((one) => one.declaration === declaration)) known.push({ declaration, module: imported.name });
      origins.set(name, known);
    }
    const module: Value = { kind: "module", name: imported.name, members };
    scope.set(`module ${imported.name}`, { kind: "lazy", get: () => module });
  }
  for (const [name, from] of origins) {
    const [only, second] = from;
    const value = only && values.get(only.declaration);
    if (!value) continue;
    if (!second) scope.bind(name, value);
    else
      scope.set(name, {
        kind: "lazy",
        get: (place: Place) =>
          evaluator.raise("E0211", place, {
            name,
            modules: from.map(({ module }) => module).join(" and "),
            qualified: `${only.module}.${name}`,
          }),
      });
  }
}
