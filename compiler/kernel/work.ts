/** How much a kernel computes, read from its loops. */
import { float32 } from "../scalar/numbers.ts";
import type { Expression, Kernel, Statement } from "./ir.ts";
import { expressionsOf, operandsOf } from "./map.ts";

type Numbers = ReadonlyMap<string, number>;

/**
 * Floating-point operations of one run: every scalar function on f32 counts once a lane, choices between values do not count.
 * Exact where loops have the same length in every iteration of those around them, else the mean of a first, a middle and a
 * last one; a branch that depends on data counts as taken.
 */
export function flopsOf(kernel: Kernel, scalars: readonly number[]): number {
  return flopsOfBlock(kernel.body, new Map(kernel.scalars.map((name, k) => [name, scalars[k] ?? 0])));
}

function flopsOfBlock(statements: readonly Statement[], outside: Numbers): number {
  const known = new Map(outside);
  let flops = 0;
  for (const s of statements) {
    for (const e of expressionsOf(s)) flops += flopsOfExpression(e);
    if (s.kind === "let") {
      const value = integerOf(s.value, known);
      if (value !== undefined) known.set(s.name, value);
    } else if (s.kind === "if") {
      flops += flopsOfBlock(integerOf(s.condition, known) === 0 ? s.otherwise : s.then, known);
    } else if (s.kind === "for") {
      const [from, to] = [integerOf(s.from, known), integerOf(s.to, known)];
      const length = from === undefined || to === undefined ? 1 : Math.max(0, Math.ceil((to - from) / s.step));
      const samples = [...new Set([0, length >> 1, length - 1])].filter((k) => k >= 0 && k < length);
      const inside = samples.map((k) =>
        flopsOfBlock(s.body, from === undefined ? known : new Map([...known, [s.name, from + k * s.step]])),
      );
      if (inside.length > 0) flops += (length * inside.reduce((a, b) => a + b, 0)) / inside.length;
    }
  }
  return flops;
}

function flopsOfExpression(e: Expression): number {
  const own = e.kind === "apply" && e.type === "f32" && e.name !== "select" ? e.lanes : 0;
  return operandsOf(e).reduce((sum, operand) => sum + flopsOfExpression(operand), own);
}

/** What an i32 or bool is, if it does not depend on memory or on a variable that changes. */
function integerOf(e: Expression, known: Numbers): number | undefined {
  if (e.lanes !== 1 || e.type === "f32") return undefined;
  if (e.kind === "constant") return e.value;
  if (e.kind === "variable") return known.get(e.name);
  if (e.kind !== "apply") return undefined;
  const operands = e.arguments.flatMap((argument) => {
    const value = integerOf(argument, known);
    return value === undefined ? [] : [{ type: argument.type, value }];
  });
  return operands.length === e.arguments.length ? float32("scalar").apply(e.name, ...operands).value : undefined;
}
