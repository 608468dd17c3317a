/**
 * Kernels as machine code, each compiled once for all the modules of a program: kernels that differ in names alone are one,
 * and code with fused multiply-add is made only of kernels that have something to fuse.
 */
import { invariant } from "../../invariant.ts";
import type { Kernel } from "../../kernel/ir.ts";
import { structureOf } from "../../kernel/print.ts";
import { shareExpressions } from "../../kernel/share.ts";
import type { FunctionCode } from "./encode.ts";
import { expandKernel } from "./expand.ts";
import { encodeFunction } from "./function.ts";
import type { MachineFunction } from "./machine.ts";
import { outline } from "./outline.ts";
import { lowerKernel, splitFrom } from "./phases.ts";

interface Compiled {
  /** What both modules begin with, where no row has a fused instruction. */
  shared?: Kernel;
  exact?: MachineFunction;
  relaxed?: MachineFunction;
}

export class KernelLibrary {
  readonly #byKernel = new Map<Kernel, Compiled>();
  readonly #byStructure = new Map<string, Compiled>();
  readonly #encoded = new Map<MachineFunction, FunctionCode>();
  readonly #leastWork: number;

  /** `leastWork`: operations of a loop from which on it is split between threads. */
  constructor(leastWork = splitFrom) {
    this.#leastWork = leastWork;
  }

  /** `relaxed`: with fused multiply-add. */
  machine(kernel: Kernel, relaxed: boolean): MachineFunction {
    const compiled = this.#compiled(kernel);
    const known = relaxed ? compiled.relaxed : compiled.exact;
    if (known !== undefined) return known;
    const { machine, fusible } = lowerKernel(sharedKernel(kernel, compiled, relaxed), relaxed, this.#leastWork);
    const made = outline(machine);
    const alike = compiled.shared !== undefined && !fusible;
    if (relaxed || alike) compiled.relaxed = made;
    if (!relaxed || alike) compiled.exact = made;
    return made;
  }

  #compiled(kernel: Kernel): Compiled {
    const known = this.#byKernel.get(kernel);
    if (known !== undefined) return known;
    invariant(kernel.target === "cpu", `${kernel.name} is not for the cpu`);
    const structure = structureOf(kernel);
    const compiled = this.#byStructure.get(structure) ?? {};
    this.#byStructure.set(structure, compiled);
    this.#byKernel.set(kernel, compiled);
    return compiled;
  }

  /** The bytes of a function; those of one that calls another depend on where a module has that. */
  encoded(f: MachineFunction, indexOf: (callee: MachineFunction) => number): FunctionCode {
    const known = this.#encoded.get(f);
    if (known !== undefined) return known;
    let calls = false;
    const code = encodeFunction(f, (callee) => {
      calls = true;
      return indexOf(callee);
    });
    if (!calls) this.#encoded.set(f, code);
    return code;
  }
}

function sharedKernel(kernel: Kernel, compiled: Compiled, relaxed: boolean): Kernel {
  if (compiled.shared) return compiled.shared;
  const expanded = expandKernel(kernel, relaxed);
  const shared = shareExpressions(expanded.kernel);
  if (!expanded.fusible) compiled.shared = shared;
  return shared;
}
