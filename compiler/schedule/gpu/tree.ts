/** Merging the partial results of a row's threads through workgroup memory. */
import type { KernelBuilder } from "../../kernel/build.ts";
import { add, i32, load, lt } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";
import type { ScalarType } from "../../types/dtype.ts";
import type { Combining, Partial } from "../accumulate.ts";
import { localThread } from "./grid.ts";

/** Where a thread stands among those of its row: its slot in workgroup memory is `first + lane * stride`. */
export interface Team {
  readonly lane: Expression;
  /** A power of two. */
  readonly lanes: number;
  readonly first: Expression;
  readonly slot: Expression;
  readonly stride: number;
}
/** All threads of a one-dimensional workgroup. */
export const wholeWorkgroup = (lanes: number): Team => ({
  lane: localThread,
  lanes,
  first: i32(0),
  slot: localThread,
  stride: 1,
});

/** Workgroup memory for trees, one array a component and type, used by one tree after the other. */
export class Trees {
  readonly #kernel: KernelBuilder;
  readonly #size: number;
  readonly #arrays = new Map<string, string>();
  #used = false;

  /** `size`: threads of the workgroup. */
  constructor(kernel: KernelBuilder, size: number) {
    this.#kernel = kernel;
    this.#size = size;
  }

  #array(type: ScalarType, component: number): string {
    const key = `${type}_${component}`;
    let name = this.#arrays.get(key);
    if (name === undefined) {
      name = this.#kernel.local(`shared_${key}`, type, "workgroup", this.#size);
      this.#arrays.set(key, name);
    }
    return name;
  }

  /** Every thread of the workgroup must arrive here; each gets the result of its own team. */
  merge(combining: Combining, partial: Partial, team: Team): Partial {
    if (team.lanes === 1) return partial;
    const kernel = this.#kernel;
    const { types } = combining;
    const arrays = types.map((type, component) => this.#array(type, component));
    const read = (at: Expression): Partial =>
      arrays.map((array, k) => kernel.letIn("part", load(array, types[k]!, at)));
    const write = (values: Partial): void =>
      values.forEach((value, k) => {
        kernel.store(arrays[k]!, team.slot, value);
      });
    // The tree before may still be read.
    if (this.#used) kernel.barrier();
    this.#used = true;
    write(partial);
    kernel.barrier();
    for (let distance = team.lanes / 2; distance >= 1; distance /= 2) {
      kernel.ifThen(lt(team.lane, distance), () => {
        const other = read(add(team.slot, distance * team.stride));
        write(combining.merge(read(team.slot), other, false).map((component) => kernel.letIn("next", component)));
      });
      kernel.barrier();
    }
    return read(team.first);
  }
}
