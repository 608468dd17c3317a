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

export function printExpression(e: Expression): string {
  switch (e.kind) {
    case "constant":
      return printConstant(e.type, e.value) + (e.lanes === 4 ? "x4" : "");
    case "variable":
      return e.name;
    case "load":
      return `${e.buffer}[${printExpression(e.index)}${e.lanes === 4 ? " :4" : ""}]`;
    case "apply": {
      const operands = e.arguments.map(printExpression);
      const operator = infix[e.name];
      return operator !== undefined && operands.length === 2
        ? `(${operands[0]} ${operator} ${operands[1]})`
        : `${e.name}(${operands.join(", ")})`;
    }
    case "splat":
      return `splat(${printExpression(e.value)})`;
    case "vector":
      return `vector(${e.elements.map(printExpression).join(", ")})`;
    case "lane":
      return `${printExpression(e.value)}.${e.lane}`;
    case "shuffle":
      return `shuffle(${printExpression(e.first)}, ${printExpression(e.second)}, ${e.pick.join("")})`;
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

export function printStatements(statements: readonly Statement[], indent = ""): string {
  return statements.map((statement) => printStatement(statement, indent)).join("");
}

function printStatement(s: Statement, indent: string): string {
  const inner = `${indent}  `;
  switch (s.kind) {
    case "let":
      return `${indent}let ${s.name} = ${printExpression(s.value)}\n`;
    case "declare":
      return `${indent}var ${s.name} = ${printExpression(s.value)}\n`;
    case "assign":
      return `${indent}${s.name} = ${printExpression(s.value)}\n`;
    case "store":
      return `${indent}${s.buffer}[${printExpression(s.index)}${s.value.lanes === 4 ? " :4" : ""}] = ${printExpression(s.value)}\n`;
    case "for": {
      const range = `${printExpression(s.from)} .. ${printExpression(s.to)}${s.step === 1 ? "" : ` by ${s.step}`}`;
      return `${indent}${s.outer ? "outer " : ""}for ${s.name} in ${range} {\n${printStatements(s.body, inner)}${indent}}\n`;
    }
    case "if": {
      const otherwise = s.otherwise.length > 0 ? ` else {\n${printStatements(s.otherwise, inner)}${indent}}` : "";
      return `${indent}if ${printExpression(s.condition)} {\n${printStatements(s.then, inner)}${indent}}${otherwise}\n`;
    }
    case "barrier":
      return `${indent}barrier\n`;
    default:
      return s satisfies never;
  }
}

export function printKernel(kernel: Kernel): string {
  const parameters = [
    ...kernel.buffers.map((b) => `${b.access} ${b.name}: ${b.type}[]`),
    ...kernel.scalars.map((name) => `${name}: i32`),
  ];
  const locals = kernel.locals.map((l) => `  ${l.space} ${l.name}: ${l.type}[${l.size}]\n`);
  const size = kernel.workgroupSize === undefined ? "" : ` workgroup(${kernel.workgroupSize.join(", ")})`;
  return `${kernel.target} kernel ${kernel.name}(${parameters.join(", ")})${size} {\n${locals.join("")}${printStatements(kernel.body, "  ")}}\n`;
}
