/** The parts of a syntax tree, in source order. */
import type { Expression, IndexItem, Pattern, Statement, Text, Type, WhereItem } from "../../grammar/ast.ts";

export function children(node: Expression | Statement): readonly (Expression | Statement)[] {
  switch (node.kind) {
    case "number":
    case "boolean":
    case "reference":
    case "hole":
      return [];
    case "text":
      return textParts(node);
    case "list":
    case "tuple":
      return node.elements;
    case "record":
      return node.fields.map(({ value }) => value);
    case "call":
      return [node.callee, ...node.arguments.map(({ value }) => value)];
    case "index":
      return [node.target, ...node.items.flatMap(itemParts), ...present(node.otherwise)];
    case "field":
      return [node.target];
    case "unary":
      return [node.operand];
    case "binary":
      return [node.left, node.right];
    case "pipe":
      return [node.value, node.stage];
    case "lambda":
      return [node.body];
    case "if":
      return [node.condition, node.then, ...present(node.otherwise)];
    case "block":
      return node.statements;
    case "reduction":
      return [...node.indices.flatMap(({ extent }) => present(extent)), node.body];
    case "repeat":
      return [node.count, ...present(node.carry?.initial), node.body];
    case "let":
    case "metric":
    case "expression":
      return [node.value];
    case "indexed-let":
      return [...node.indices.flatMap(({ extent }) => present(extent)), node.value];
    case "param":
    case "state":
      return [...typeParts(node.type), node.value];
    case "assign":
      return [node.target, node.value];
    case "when":
      return [node.condition, node.body];
    case "minimize":
      return [node.value, node.over, node.using, ...present(node.gradients)];
    default:
      return node satisfies never;
  }
}

function present<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}
export function textParts(text: Text): Expression[] {
  return text.parts.filter((part) => typeof part !== "string");
}
function itemParts(item: IndexItem): Expression[] {
  if (item.kind === "coordinate") return [item.value];
  return item.kind === "slice" ? [...present(item.from), ...present(item.to), ...present(item.step)] : [];
}
export function typeParts(type: Type): Expression[] {
  switch (type.kind) {
    case "tensor-type":
      return (type.axes ?? []).flatMap((axis) => (axis.kind === "dimension" ? [axis.value] : []));
    case "simple-type":
      return [];
    case "list-type":
      return [...typeParts(type.element), ...present(type.count)];
    case "tuple-type":
      return type.elements.flatMap(typeParts);
    case "record-type":
      return type.fields.flatMap((field) => typeParts(field.type));
    case "like-type":
      return [type.value];
    default:
      return type satisfies never;
  }
}
export function whereParts(item: WhereItem): Expression[] {
  if (item.kind === "definition") return [item.value];
  return [item.condition, ...(item.otherwise ? textParts(item.otherwise) : [])];
}

/** The names that a pattern binds; `_` binds none. */
export function patternNames(pattern: Pattern): string[] {
  switch (pattern.kind) {
    case "name-pattern":
      return pattern.name === "_" ? [] : [pattern.name];
    case "tuple-pattern":
      return pattern.elements.flatMap(patternNames);
    case "record-pattern":
      return pattern.fields.flatMap((field) => patternNames(field.pattern));
    default:
      return pattern satisfies never;
  }
}
