/**
 * One axis of a contraction as one purpose sees it (filling a panel, finishing the result): the indices that the axis
 * runs over together, neighbours that move alike through the memories of that purpose taken as one.
 */
import { constantScalar } from "../../graph/builder.ts";
import type { Scalar } from "../../graph/graph.ts";
import type { KernelBuilder } from "../../kernel/build.ts";
import { add, min } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";
import { bind } from "../bind.ts";
import type { Indices } from "../gpu/domain.ts";
import { pointOf } from "../gpu/grid.ts";
import type { BuildContext } from "../group.ts";
import { type Accesses, accessesOf, type Loop, stride } from "../loops.ts";
import type { Contraction } from "./analysis.ts";

/** The memories that a factor reads. */
export function factorAccesses({ group, root }: Contraction, body: Scalar, context: BuildContext): Accesses {
  return accessesOf({ ...group, members: [{ ...root, body }], stored: new Set() }, context);
}
/** The memories that are touched once the sum is known. */
export function epilogueAccesses({ group, root, epilogue }: Contraction, context: BuildContext): Accesses {
  const known = { ...root, body: constantScalar("f32", 0) };
  return accessesOf({ ...group, members: [known, ...epilogue] }, context);
}

export class Side {
  readonly extent: number;
  readonly #accesses: Accesses;
  readonly #loops: readonly Loop[];

  constructor(positions: readonly number[], accesses: Accesses) {
    this.#accesses = accesses;
    const loops: Loop[] = [];
    for (const position of positions) {
      const extent = accesses.extents[position]!;
      const last = loops.at(-1);
      if (last && together(accesses, last.positions.at(-1)!, position))
        loops[loops.length - 1] = { ...last, positions: [...last.positions, position], extent: last.extent * extent };
      else loops.push({ positions: [position], extent, parallel: true });
    }
    this.#loops = loops;
    this.extent = loops.reduce((total, loop) => total * loop.extent, 1);
  }

  /** Whether four neighbours from a multiple of four differ in the last loop alone. */
  get vectors(): boolean {
    return (this.#loops.at(-1)?.extent ?? 1) % 4 === 0;
  }

  /** The indices at a number that is in range. */
  at(kernel: KernelBuilder, number: Expression): Indices {
    return this.#bind(kernel, number, false);
  }
  #bind(kernel: KernelBuilder, number: Expression, four: boolean): Indices {
    const extents = this.#loops.map(({ extent }) => extent);
    const point = pointOf(kernel, number, extents);
    return new Map(
      this.#loops.flatMap((loop, k) => {
        const lanes = four && k === this.#loops.length - 1 ? ([0, 1, 2, 3] as const) : undefined;
        return [...bind(this.#accesses, loop, point[k]!, lanes)];
      }),
    );
  }

  /**
   * Four neighbours from `number`, a multiple of four of which some may lie beyond the last: those repeat others. One set
   * of indices with lanes, or four.
   */
  fourAt(kernel: KernelBuilder, number: Expression, inRange: boolean): readonly Indices[] {
    if (this.vectors) {
      const first = inRange ? number : kernel.letIn("clamped", min(number, this.extent - 4));
      return [this.#bind(kernel, first, true)];
    }
    return [0, 1, 2, 3].map((l) => this.at(kernel, kernel.letIn("clamped", min(add(number, l), this.extent - 1))));
  }
}

function together({ list, extents, pinned }: Accesses, outer: number, inner: number): boolean {
  if (pinned.has(outer) || pinned.has(inner)) return false;
  return list.every((access) => {
    const [far, near] = [stride(access, outer), stride(access, inner)];
    return far !== undefined && near !== undefined && far === near * extents[inner]!;
  });
}
