/**
 * Rewrites a kernel's expressions until every row of the scalar table is one instruction. Expansions share subtrees; the
 * pass `kernel/share.ts` that follows binds them to names.
 */
import { invariant } from "../../invariant.ts";
import { apply, constant, kernelOps, lane, vector } from "../../kernel/build.ts";
import type { Apply, Expression, Kernel } from "../../kernel/ir.ts";
import { mapExpressions } from "../../kernel/map.ts";
import type { WasmRule } from "../../scalar/row.ts";
import { resultType, rowOf } from "../../scalar/table.ts";
import type { ScalarType } from "../../types/dtype.ts";

export function wasmRule(name: string, operands: readonly ScalarType[]): WasmRule {
  const last = operands.at(-1);
  const rule = last && rowOf(name).wasm[last];
  invariant(rule, `${name} is not defined for (${operands.join(", ")})`);
  return rule;
}

export function typeOfRow(name: string, operands: readonly ScalarType[]): ScalarType {
  const type = resultType(name, operands);
  invariant(type, `${name} is not defined for (${operands.join(", ")})`);
  return type;
}

export interface Expanded {
  readonly kernel: Kernel;
  /** Whether there are rows with a fused instruction. */
  readonly fusible: boolean;
}

/** `relaxed`: rows with a fused instruction keep their name, others take the form that is made for it. */
export function expandKernel(kernel: Kernel, relaxed: boolean): Expanded {
  let fusible = false;
  const done = new Map<Expression, Expression>();

  function expand(e: Expression): Expression {
    const known = done.get(e);
    if (known !== undefined) return known;
    const result = expandNew(e);
    done.set(e, result);
    return result;
  }

  function expandNew(e: Expression): Expression {
    switch (e.kind) {
      case "constant":
      case "variable":
      case "builtin":
        return e;
      case "load":
        return { ...e, index: expand(e.index) };
      case "splat":
        return { ...e, value: expand(e.value) };
      case "vector":
        return { ...e, elements: e.elements.map(expand) };
      case "lane":
        return { ...e, value: expand(e.value) };
      case "shuffle":
        return { ...e, first: expand(e.first), second: expand(e.second) };
      case "apply":
        return expandApply(e.name, e.type, e.arguments.map(expand), e);
      default:
        return e satisfies never;
    }
  }

  function expandApply(name: string, type: ScalarType, operands: Expression[], e: Expression): Expression {
    const rule = wasmRule(
      name,
      operands.map((operand) => operand.type),
    );
    if (e.lanes === 4 && rule.relaxed !== undefined) {
      fusible = true;
      if (relaxed && typeof rule.relaxed === "string") return apply(name, type, ...operands);
    }
    const form = e.lanes === 4 ? ((relaxed ? rule.relaxed : undefined) ?? rule.lanes) : rule.scalar;
    if (typeof form === "function") return expand(form(kernelOps(e.lanes, typeOfRow), ...operands));
    // A shift by lanes of different counts has no instruction.
    const alike = (rule.uniform ?? []).every((at) => isUniform(operands[at]));
    if (form === undefined || (e.lanes === 4 && !alike))
      return vector([0, 1, 2, 3].map((l) => expand(apply(name, type, ...operands.map((operand) => lane(operand, l))))));
    return apply(name, type, ...operands);
  }

  const expanded = mapExpressions(kernel, expand);
  return { kernel: expanded, fusible };
}

function isUniform(e: Expression | undefined): boolean {
  return e !== undefined && (e.lanes === 1 || e.kind === "constant" || e.kind === "splat");
}

/** What a constant is as bits: the same number in every lane. */
export function bitsOf(type: ScalarType, value: number): number {
  const { value: normalized } = constant(type, value);
  if (type === "f32") return new Int32Array(new Float32Array([normalized]).buffer)[0]!;
  return normalized | 0;
}

/** The product that a sum or difference could fuse with. */
export function productIn(e: Apply): Apply | undefined {
  const [left, right] = e.arguments;
  if (!left || !right || (e.name !== "add" && e.name !== "sub")) return undefined;
  const isProduct = (x: Expression): x is Apply => x.kind === "apply" && x.name === "mul";
  return isProduct(right) ? right : e.name === "add" && isProduct(left) ? left : undefined;
}

export function isSum(e: Expression): boolean {
  return e.kind === "apply" && (e.name === "add" || e.name === "sub" || e.name === "mul");
}
