/** Kernels as text, for dumps and for tests: one statement a line, C-like. */
import type { Expression, Kernel, Statement } from "./ir.ts";

const infix: Readonly<Record<string, string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};

type Naming = (name: string) => string;
const asIs: Naming = (name) => name;

export function printExpression(e: Expression, naming: Naming = asIs): string {
  const print = (inner: Expression): string => printExpression(inner, naming);
  switch (e.kind) {
    case "constant":
      return printConstant(e.type, e.value) + (e.lanes === 4 ? "x4" : "");
    case "variable":
      return naming(e.name);
    case "load":
      return `${naming(e.buffer)}[${print(e.index)}${e.lanes === 4 ? " :4" : ""}]`;
    case "apply": {
      const operands = e.arguments.map(print);
      const operator = infix[e.name];
      return operator !== undefined && operands.length === 2
        ? `(${operands[0]} ${operator} ${operands[1]})`
        : `${e.name}(${operands.join(", ")})`;
    }
    case "splat":
      return `splat(${print(e.value)})`;
    case "vector":
      return `vector(${e.elements.map(print).join(", ")})`;
    case "lane":
      return `${print(e.value)}.${e.lane}`;
    case "shuffle":
      return `shuffle(${print(e.first)}, ${print(e.second)}, ${e.pick.join("")})`;
    case "builtin":
      return `${e.name}.${"xyz"[e.dimension]}`;
    default:
      return e satisfies never;
  }
}

function printConstant(type: Expression["type"], value: number): string {
  if (type === "bool") return value === 0 ? "false" : "true";
  if (type !== "f32") return type === "u32" ? `${value}u` : `${value}`;
  if (!Number.isFinite(value)) return `${value}`;
  // The shortest decimal that rounds to the same float32.
  for (let digits = 1; digits <= 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value)
      return Object.is(text, -0) ? "-0.0" : Number.isInteger(text) ? `${text}.0` : `${text}`;
  }
  return `${value}`;
}

export function printStatements(statements: readonly Statement[], indent = "", naming: Naming = asIs): string {
  return statements.map((statement) => printStatement(statement, indent, naming)).join("");
}

function printStatement(s: Statement, indent: string, naming: Naming): string {
  const print = (e: Expression): string => printExpression(e, naming);
  const inner = `${indent}  `;
  switch (s.kind) {
    case "let":
      return `${indent}let ${naming(s.name)} = ${print(s.value)}\n`;
    case "declare":
      return `${indent}var ${naming(s.name)} = ${print(s.value)}\n`;
    case "assign":
      return `${indent}${naming(s.name)} = ${print(s.value)}\n`;
    case "store":
      return `${indent}${naming(s.buffer)}[${print(s.index)}${s.value.lanes === 4 ? " :4" : ""}] = ${print(s.value)}\n`;
    case "for": {
      const range = `${print(s.from)} .. ${print(s.to)}${s.step === 1 ? "" : ` by ${s.step}`}`;
      return `${indent}${s.outer ? "outer " : ""}for ${naming(s.name)} in ${range} {\n${printStatements(s.body, inner, naming)}${indent}}\n`;
    }
    case "if": {
      const otherwise =
        s.otherwise.length > 0 ? ` else {\n${printStatements(s.otherwise, inner, naming)}${indent}}` : "";
      return `${indent}if ${print(s.condition)} {\n${printStatements(s.then, inner, naming)}${indent}}${otherwise}\n`;
    }
    case "barrier":
      return `${indent}barrier\n`;
    default:
      return s satisfies never;
  }
}

export function printKernel(kernel: Kernel, naming: Naming = asIs): string {
  const parameters = [
    ...kernel.buffers.map((b) => `${b.access} ${naming(b.name)}: ${b.type}[]`),
    ...kernel.scalars.map((name) => `${naming(name)}: i32`),
  ];
  const locals = kernel.locals.map(
    (l) => `  ${l.perThread ? "own " : ""}${l.space} ${naming(l.name)}: ${l.type}[${l.size}]\n`,
  );
  const size = kernel.workgroupSize === undefined ? "" : ` workgroup(${kernel.workgroupSize.join(", ")})`;
  return `${kernel.target} kernel ${naming(kernel.name)}(${parameters.join(", ")})${size} {\n${locals.join("")}${printStatements(kernel.body, "  ", naming)}}\n`;
}

/** Kernels are immutable: what was found once holds. */
const structures = new WeakMap<Kernel, string>();

/** The same text for kernels that differ in names alone. */
export function structureOf(kernel: Kernel): string {
  const known = structures.get(kernel);
  if (known !== undefined) return known;
  const structure = withNumberedNames(kernel);
  structures.set(kernel, structure);
  return structure;
}

function withNumberedNames(kernel: Kernel): string {
  const numbers = new Map<string, string>([[kernel.name, "kernel"]]);
  return printKernel(kernel, (name) => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    const number = `v${numbers.size}`;
    numbers.set(name, number);
    return number;
  });
}
