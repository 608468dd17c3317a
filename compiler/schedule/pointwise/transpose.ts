/**
 * Maps that read some memory along another index than they write: blocks of four by four elements are loaded along the
 * one, turned in registers, and used along the other, so that no element is loaded alone.
 */
import type { ScalarRead } from "../../graph/graph.ts";
import { type KernelBuilder, shuffle } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";
import type { Accesses, Loop } from "../loops.ts";
import { stride } from "../loops.ts";
import type { RowAnalysis } from "../row/analysis.ts";

export interface Transposition {
  /** The index along which `reads` are contiguous; another fills the lanes. */
  readonly rows: Loop;
  readonly reads: readonly ScalarRead[];
}

/** What is gained by turning blocks, where the lanes are filled by `columns`. */
export function transpositionOf(
  { passes }: RowAnalysis,
  accesses: Accesses,
  loops: readonly Loop[],
  columns: Loop,
): Transposition | undefined {
  if (passes.length > 0 || accesses.list.some(({ guarded }) => guarded)) return undefined;
  const column = columns.positions.at(-1)!;
  for (const rows of loops) {
    if (rows === columns || !rows.parallel || rows.extent < 4) continue;
    const row = rows.positions.at(-1)!;
    const turned = accesses.list.flatMap((access) => {
      const across = stride(access, column);
      const isTurned = across !== undefined && Math.abs(across) > 2 && stride(access, row) === 1;
      return isTurned && access.read !== undefined ? [access.read] : [];
    });
    if (turned.length > 0) return { rows, reads: turned };
  }
  return undefined;
}

/** Four vectors as the rows of a matrix: its columns. */
export function transposed(kernel: KernelBuilder, rows: readonly Expression[]): Expression[] {
  const [a, b, c, d] = rows.map((row) => kernel.letIn("row", row));
  const pick = (x: Expression, y: Expression, lanes: readonly [number, number, number, number]): Expression =>
    kernel.letIn("turned", shuffle(x, y, lanes));
  const low = [pick(a!, b!, [0, 4, 1, 5]), pick(c!, d!, [0, 4, 1, 5])] as const;
  const high = [pick(a!, b!, [2, 6, 3, 7]), pick(c!, d!, [2, 6, 3, 7])] as const;
  return [low, high].flatMap(([x, y]) => [pick(x, y, [0, 1, 4, 5]), pick(x, y, [2, 3, 6, 7])]);
}
