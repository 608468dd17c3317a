/**
 * What can be said of a declaration without calling it: unknown names, statements where they cannot stand, names declared
 * twice. Shapes wait for a call.
 */
import type { Declaration, Expression, Module, Parameter, Statement, Type, WhereItem } from "../../grammar/ast.ts";
import type { Source, Span } from "../../grammar/span.ts";
import { type Diagnostic, diagnose, suggest } from "../diagnostics/index.ts";
import { children, patternNames, textParts, typeParts } from "./walk.ts";

export interface KnownNames {
  /** Names of the language, of imports and of the module itself. */
  readonly values: ReadonlySet<string>;
  /** Names of imported modules. */
  readonly modules: ReadonlySet<string>;
}

/** What the language says without a declaration. */
const always = ["training", "step", "pi", "inf"];

export function checkDefinitions(module: Module, known: KnownNames): Diagnostic[] {
  const checker = new Checker(module.source, known);
  const seen = new Map<string, Declaration>();
  for (const declaration of module.declarations) {
    const { name } = declaration;
    const before = seen.get(name.text);
    if (before)
      checker.diagnostics.push(
        diagnose.E0226(
          module.source,
          name.span,
          { name: name.text },
          {
            related: [{ source: module.source, span: before.name.span, message: "declared first here" }],
          },
        ),
      );
    else seen.set(name.text, declaration);
    checker.declaration(declaration);
  }
  return checker.diagnostics;
}

/** Where each statement may stand, and how its place is called. */
const places: Readonly<
  Record<"param" | "state" | "assign" | "when" | "minimize" | "metric", readonly Declaration["kind"][]>
> = {
  param: ["layer", "model"],
  state: ["layer", "model", "optimizer", "train"],
  assign: ["layer", "model", "optimizer", "train"],
  when: ["layer", "model", "optimizer", "train"],
  minimize: ["train"],
  metric: ["train"],
};
const words: Readonly<Record<string, string>> = {
  param: "a layer or a model",
  state: "a layer, a model, an optimizer or a train block",
  assign: "a layer, a model, an optimizer or a train block",
  when: "a layer, a model, an optimizer or a train block",
  minimize: "a train block",
  metric: "a train block",
};

type Names = ReadonlySet<string>;

class Checker {
  readonly diagnostics: Diagnostic[] = [];
  readonly #source: Source;
  readonly #known: KnownNames;
  #kind: Declaration["kind"] = "fn";

  constructor(source: Source, known: KnownNames) {
    this.#source = source;
    this.#known = known;
  }

  declaration(declaration: Declaration): void {
    this.#kind = declaration.kind;
    const lists =
      "configuration" in declaration ? [declaration.configuration, declaration.parameters] : [declaration.parameters];
    const names = new Set<string>(always);
    for (const parameter of lists.flat()) {
      if (names.has(parameter.name.text) && !always.includes(parameter.name.text))
        this.diagnostics.push(
          diagnose.E0220(this.#source, parameter.name.span, { name: parameter.name.text, what: declaration.name.text }),
        );
      names.add(parameter.name.text);
    }
    for (const parameter of lists.flat()) if (parameter.type) addDimensions(parameter.type, names);
    for (const item of declaration.where) if (item.kind === "definition") names.add(item.name.text);
    if (declaration.result) addDimensions(declaration.result, names);
    for (const parameter of lists.flat()) this.#parameter(parameter, names);
    for (const item of declaration.where) this.#where(item, names);
    this.#expression(declaration.body, names);
  }

  #parameter({ default: value, type }: Parameter, names: Names): void {
    if (type) for (const part of typeParts(type)) this.#expression(part, names);
    if (value) this.#expression(value, names);
  }
  #where(item: WhereItem, names: Names): void {
    if (item.kind === "definition") {
      this.#expression(item.value, names);
      return;
    }
    this.#expression(item.condition, names);
    if (item.otherwise) for (const part of textParts(item.otherwise)) this.#expression(part, names);
  }

  #reference(name: string, span: Span, names: Names): void {
    if (names.has(name) || this.#known.values.has(name)) return;
    const suggestion = suggest(name, [...names, ...this.#known.values]);
    this.diagnostics.push(diagnose.E0201(this.#source, span, { name, suggestion }));
  }

  #expression(node: Expression, names: Names): void {
    switch (node.kind) {
      case "reference":
        this.#reference(node.name, node.span, names);
        return;
      case "field":
        if (node.target.kind === "reference" && this.#known.modules.has(node.target.name)) return;
        this.#expression(node.target, names);
        return;
      case "index":
        for (const item of node.items)
          if (item.kind === "spread") this.#reference(item.name.text, item.name.span, names);
        break;
      case "block":
        this.#block(node.statements, names);
        return;
      case "lambda":
        this.#expression(node.body, new Set([...names, ...node.parameters.flatMap(patternNames)]));
        return;
      case "reduction": {
        for (const { extent } of node.indices) if (extent) this.#expression(extent, names);
        this.#expression(node.body, new Set([...names, ...node.indices.map(({ name }) => name.text)]));
        return;
      }
      case "repeat": {
        this.#expression(node.count, names);
        if (node.carry) this.#expression(node.carry.initial, names);
        const carried = node.carry ? patternNames(node.carry.pattern) : [];
        this.#expression(node.body, new Set([...names, node.index.text, ...carried]));
        return;
      }
      default:
        break;
    }
    for (const child of children(node)) this.#expression(child as Expression, names);
  }

  #block(statements: readonly Statement[], outer: Names): void {
    const names = new Set(outer);
    for (const statement of statements) this.#statement(statement, names);
  }
  #statement(statement: Statement, names: Set<string>): void {
    this.#placed(statement);
    switch (statement.kind) {
      case "let":
        this.#expression(statement.value, names);
        for (const name of patternNames(statement.pattern)) names.add(name);
        return;
      case "indexed-let":
        for (const { extent } of statement.indices) if (extent) this.#expression(extent, names);
        this.#expression(statement.value, new Set([...names, ...statement.indices.map(({ name }) => name.text)]));
        names.add(statement.name.text);
        return;
      case "param":
      case "state":
        for (const part of typeParts(statement.type)) this.#expression(part, names);
        this.#expression(statement.value, names);
        names.add(statement.name.text);
        return;
      case "minimize":
        this.#expression(statement.value, names);
        names.add(statement.name.text);
        for (const part of [statement.over, statement.using, statement.gradients])
          if (part) this.#expression(part, names);
        return;
      case "when":
        this.#expression(statement.condition, names);
        this.#block(statement.body.statements, names);
        return;
      case "assign":
        this.#expression(statement.target, names);
        this.#expression(statement.value, names);
        return;
      case "metric":
      case "expression":
        this.#expression(statement.value, names);
        return;
      default:
        statement satisfies never;
    }
  }

  #placed(statement: Statement): void {
    if (!(statement.kind in places)) return;
    const kind = statement.kind as keyof typeof places;
    if (places[kind].includes(this.#kind)) return;
    const what = kind === "assign" ? ":=" : kind;
    this.diagnostics.push(diagnose.E0206(this.#source, statement.span, { what, where: words[kind] ?? "" }));
  }
}

/** The dimensions and runs that a declared type names. */
function addDimensions(type: Type, names: Set<string>): void {
  switch (type.kind) {
    case "tensor-type":
      for (const axis of type.axes ?? []) {
        if (axis.kind === "spread") names.add(axis.name.text);
        else addNames(axis.value, names);
      }
      return;
    case "list-type":
      addDimensions(type.element, names);
      return;
    case "tuple-type":
      for (const element of type.elements) addDimensions(element, names);
      return;
    case "record-type":
      for (const field of type.fields) addDimensions(field.type, names);
      return;
    case "simple-type":
    case "like-type":
      return;
    default:
      // biome-ignore lint/correctness/noVoidTypeReturn: `type satisfies` would declare a type
      return type satisfies never;
  }
}
function addNames(expression: Expression, names: Set<string>): void {
  if (expression.kind === "reference") names.add(expression.name);
  else if (expression.kind === "binary" || expression.kind === "unary")
    for (const child of children(expression)) addNames(child as Expression, names);
}
