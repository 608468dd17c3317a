/** A group's domain on a GPU: neighbouring indices that move through memory alike are one, and threads take numbers apart. */
import { invariant } from "../../invariant.ts";
import type { KernelBuilder } from "../../kernel/build.ts";
import { mul } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";
import type { IndexValue } from "../address.ts";
import { bind } from "../bind.ts";
import type { BuildContext, FusionGroup } from "../group.ts";
import { type Accesses, accessesOf, collapse, type Loop, stride } from "../loops.ts";
import { pointOf } from "./grid.ts";

export type Indices = ReadonlyMap<number, IndexValue>;

export class Domain {
  readonly #accesses: Accesses;
  readonly #axes: number;
  readonly parallel: readonly Loop[];
  readonly reduction: readonly Loop[];
  /** Points of the parallel domain. */
  readonly rows: number;
  /** Points of the reduction domain. */
  readonly length: number;

  constructor(group: FusionGroup, context: BuildContext) {
    this.#accesses = accessesOf(group, context);
    this.#axes = group.parallel.length + group.reduction.length;
    const loops = collapse(group, this.#accesses);
    this.parallel = loops.filter((loop) => loop.parallel);
    this.reduction = loops.filter((loop) => !loop.parallel);
    this.rows = countOf(this.parallel);
    this.length = countOf(this.reduction);
  }

  /** The indices at the point of `loops` with this row-major number, which is in range. */
  at(kernel: KernelBuilder, number: Expression, loops: readonly Loop[]): Indices {
    const point = pointOf(
      kernel,
      number,
      loops.map(({ extent }) => extent),
    );
    return join(loops.map((loop, k) => bind(this.#accesses, loop, point[k]!)));
  }
  /** Four neighbouring points, the last loop filling the lanes; `number` counts groups of four. */
  lanesAt(kernel: KernelBuilder, number: Expression): Indices {
    const last = this.parallel.at(-1);
    invariant(last && last.extent % 4 === 0, "four lanes divide the last loop");
    const extents = this.parallel.map(({ extent }) => extent);
    const point = pointOf(kernel, number, [...extents.slice(0, -1), last.extent / 4]);
    return join(
      this.parallel.map((loop, k) =>
        loop === last
          ? bind(this.#accesses, loop, kernel.letIn("four", mul(point[k]!, 4)), [0, 1, 2, 3])
          : bind(this.#accesses, loop, point[k]!),
      ),
    );
  }
  /** Nested loops over the reduction domain. */
  forEach(kernel: KernelBuilder, body: (indices: Indices) => void): void {
    const nest = (loops: readonly Loop[], outer: readonly Indices[]): void => {
      const [loop, ...rest] = loops;
      if (loop === undefined) body(join(outer));
      else
        kernel.forLoop("r", 0, loop.extent, 1, (i) => {
          nest(rest, [...outer, bind(this.#accesses, loop, i)]);
        });
    };
    nest(this.reduction, []);
  }

  /** All positions, as a lowering takes them. */
  known(indices: Indices): (IndexValue | undefined)[] {
    return Array.from({ length: this.#axes }, (_, position) => indices.get(position));
  }

  /** Whether most accesses move by single elements, or not at all, with the last parallel loop, and need no bounds. */
  get prefersVectors(): boolean {
    const position = this.parallel.at(-1)?.positions.at(-1);
    if (position === undefined) return false;
    const { list } = this.#accesses;
    const even = list.filter((access) => [0, 1].includes(stride(access, position) ?? -1) && !access.guarded);
    return even.length * 2 > list.length;
  }

  /** Whether most of the group's data moves by single elements with a parallel index rather than a reduction index. */
  get fastestIsParallel(): boolean {
    const votes = { parallel: 0, reduction: 0 };
    for (const access of this.#accesses.list) {
      const elements = access.shape.reduce((total, extent) => total * extent, 1);
      for (const kind of ["parallel", "reduction"] as const)
        for (const position of this[kind].flatMap((loop) => loop.positions))
          if (Math.abs(stride(access, position) ?? 0) === 1) votes[kind] += elements;
    }
    return votes.parallel > votes.reduction;
  }
}

function join(maps: readonly Indices[]): Indices {
  return new Map(maps.flatMap((map) => [...map]));
}
const countOf = (loops: readonly Loop[]): number => loops.reduce((total, { extent }) => total * extent, 1);
