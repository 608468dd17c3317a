/** Collects the launches of a program: what each becomes in the plan, and the text of `kernels.wgsl`. */
import type { DispatchPlan, Location } from "../../../runtime/plan.ts";
import { joinKernels } from "../../../runtime/webgpu/kernels.ts";
import { invariant } from "../../invariant.ts";
import type { Dispatch, Kernel } from "../../kernel/ir.ts";
import { type Bindings, bindBuffers } from "./bindings.ts";
import { printKernel, readable } from "./kernel.ts";
import { entryName } from "./names.ts";

export class WgslProgram {
  /** A kernel's name in the file by its structure: equal kernels are written once. */
  readonly #entries = new Map<string, string>();
  /** By the kernel and how its buffers are bound. */
  readonly #printed = new Map<Kernel, Map<string, string>>();
  readonly #sources = new Map<string, string>();
  readonly #names = new Map<string, number>();

  /** Adds a launch over placed buffers. */
  add(dispatch: Dispatch<Location>): DispatchPlan {
    const { kernel, workgroups, scalars } = dispatch;
    invariant(workgroups, `the launch of ${kernel.name} has no workgroups`);
    invariant(
      workgroups.every((count) => Number.isInteger(count) && count >= 0 && count <= 65535),
      `${kernel.name}: ${workgroups.join(" x ")} workgroups`,
    );
    const bindings = bindBuffers(kernel.buffers, dispatch.buffers);
    const entry = this.#entry(kernel, bindings);
    return { kernel: entry, buffers: bindings.ranges, scalars: [...scalars, ...bindings.offsets], workgroups };
  }

  #entry(kernel: Kernel, bindings: Bindings): string {
    const { ranges, types, buffers, offsets } = bindings;
    const bound = JSON.stringify([ranges.length, types, buffers, offsets.length]);
    const byBinding = this.#printed.get(kernel) ?? new Map<string, string>();
    this.#printed.set(kernel, byBinding);
    const known = byBinding.get(bound);
    if (known !== undefined) return known;
    const printed = printKernel(kernel, bindings);
    let entry = this.#entries.get(printed.structure);
    if (entry === undefined) {
      entry = this.#fresh(entryName(kernel.name));
      this.#entries.set(printed.structure, entry);
      this.#sources.set(entry, readable(printed));
    }
    byBinding.set(bound, entry);
    return entry;
  }

  text(): string {
    return joinKernels(this.#sources);
  }

  #fresh(hint: string): string {
    const count = (this.#names.get(hint) ?? 0) + 1;
    this.#names.set(hint, count);
    return count === 1 ? hint : this.#fresh(`${hint}_${count}`);
  }
}
