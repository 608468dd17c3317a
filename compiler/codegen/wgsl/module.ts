/** Collects the launches of a program: what each becomes in the plan, and the text of `kernels.wgsl`. */
import type { DispatchPlan, Location } from "../../../runtime/plan.ts";
import { joinKernels } from "../../../runtime/webgpu/kernels.ts";
import { invariant } from "../../invariant.ts";
import type { Dispatch } from "../../kernel/ir.ts";
import { bindBuffers } from "./bindings.ts";
import { printKernel } from "./kernel.ts";
import { entryName } from "./names.ts";

export class WgslProgram {
  /** A kernel's name in the file by its text with numbered names: equal kernels are written once. */
  readonly #entries = new Map<string, string>();
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
    const key = printKernel(kernel, bindings, false);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = this.#fresh(entryName(kernel.name));
      this.#entries.set(key, entry);
      this.#sources.set(entry, printKernel(kernel, bindings, true));
    }
    return { kernel: entry, buffers: bindings.ranges, scalars: [...scalars, ...bindings.offsets], workgroups };
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
